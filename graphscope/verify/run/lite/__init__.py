"""TensorFlow Lite models in LiteRT: the whole, and operator by operator."""
