"""Keras 1 in Keras 2's terms: words and weights."""
