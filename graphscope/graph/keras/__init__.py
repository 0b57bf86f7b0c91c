"""What a Keras file describes, in Keras 3's words whatever wrote it: models, layers, calls."""

from .nouns import KerasCall, KerasLayer, KerasModel, LayerOutput

__all__ = ["KerasCall", "KerasLayer", "KerasModel", "LayerOutput"]
