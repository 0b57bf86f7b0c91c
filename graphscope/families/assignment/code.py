"""Pairs -> Python source that loads a checkpoint into the model: a mapping, and the few lines that use it."""

from __future__ import annotations

from collections.abc import Iterable

from .pairs import Assignment, Pair

_KERAS = '''

def load(model, checkpoint=CHECKPOINT):
    """Give the weights of a built Keras model their values; raises KeyError where a weight has none."""
    {reader}
    for weight in model.weights:
        path = getattr(weight, "path", weight.name)
        if path in LEFT_OUT:
            continue
        variable, step = MAPPING[path]
        value = {value}
        if step == "transpose":
            value = value.T
        weight.assign(np.reshape(value, weight.shape))
'''
_READERS = {
    True: (
        "import tensorflow as tf",
        "reader = tf.train.load_checkpoint(checkpoint)",
        "reader.get_tensor(variable)",
    ),
    False: (
        "import graphscope",
        "weights = graphscope.load(checkpoint).weights",
        "np.asarray(weights[variable])",
    ),
}
_GRAPH = '''

def load(checkpoint=CHECKPOINT):
    """Have the initializers of the default graph's variables read the checkpoint: call it before they run."""
    tf.compat.v1.train.init_from_checkpoint(checkpoint, ASSIGNMENT_MAP)
'''


def mapping_source(
    assignment: Assignment, checkpoint: str, keras: bool, is_bundle: bool
) -> str:
    """Source with a function ``load``: of a Keras model's weights by their paths, else of a graph's variables by name.

    ``is_bundle``: TensorFlow itself reads the checkpoint.
    """
    head = [
        f'"""{len(assignment.pairs)} weights and the variables that they are read from; written by graphscope assign."""',
        "",
    ]
    if not keras:
        plain = [pair for pair in assignment.pairs if not pair.step]
        lines = [f"    {p.source.name!r}: {p.target.name!r}," for p in plain]
        imports = ["import tensorflow as tf", ""]
        table = [f"CHECKPOINT = {checkpoint!r}", "ASSIGNMENT_MAP = {", *lines, "}"]
        return "\n".join([*head, *imports, *table, *_left_out(assignment), _GRAPH])
    module, reader, value = _READERS[is_bundle]
    imports = sorted(["import numpy as np", module])
    table = ["MAPPING = {", *_entries(assignment.pairs), "}"]
    table += _left_out(assignment)
    body = _KERAS.replace("{reader}", reader).replace("{value}", value)
    return "\n".join(
        [*head, *imports, "", f"CHECKPOINT = {checkpoint!r}", *table, body]
    )


def _entries(pairs: Iterable[Pair]) -> list[str]:
    return [f"    {p.target.name!r}: ({p.source.name!r}, {p.step!r})," for p in pairs]


def _left_out(assignment: Assignment) -> list[str]:
    """The weights that keep their initial values."""
    names = [repr(weight.name) for weight in assignment.only_target]
    return [f"LEFT_OUT = {{{', '.join(names)}}}" if names else "LEFT_OUT = set()"]
