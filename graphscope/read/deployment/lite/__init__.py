"""TensorFlow Lite flatbuffers -> the TensorFlow ops that their operators mean."""
