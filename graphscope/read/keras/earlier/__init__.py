"""What earlier Keras said otherwise, in the terms of the last Keras 2: words, weights, ops as layers."""
