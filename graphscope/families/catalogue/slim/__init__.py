"""The nets of TensorFlow slim and of those who built on it."""
