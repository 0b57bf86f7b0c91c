"""Training graphs in the styles of published TensorFlow 1 code, each with the tensors that its author fetches.

``first`` may stand first, ``whole`` is the set; ``styles()`` lists them, ``load_style`` writes a .meta and reads it.
"""
