"""The demo: a small TensorFlow 1 classifier is trained, then handed to the chain as a stranger's files."""
