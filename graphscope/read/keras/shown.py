"""What of a layer's config tells something: not how it was initialised, no policy, no default."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...graph.keras import KerasLayer
from ...graph.keras.signatures import REQUIRED, layer_classes

_HIDDEN = ("initializer", "regularizer", "constraint", "metadata")
_CODE = frozenset({"function", "output_shape_fn", "mask_fn", "mask", "arguments"})


def shown_config(layer: KerasLayer) -> dict[str, object]:
    """The config as the layer table and the drawings have it."""
    shown = {
        key: _shown(value)
        for key, value in layer.config.items()
        if _tells(layer, key, value)
    }
    if not layer.trainable:
        shown["trainable"] = False
    return shown


def _tells(layer: KerasLayer, key: str, value: object) -> bool:
    if value is None or key == "name" or key.endswith(_HIDDEN):
        return False
    if layer.class_name == "Lambda" or layer.kind == "function":
        return key not in _CODE or key == "function" and layer.kind == "function"
    if key == "dtype":
        return layer.class_name == "InputLayer" or value not in ("float32", "")
    return key not in ("sparse", "ragged") or value is not False


def _shown(value: object) -> Any:
    """A layer as its constructor; an object of Keras's as its class."""
    if isinstance(value, KerasLayer):
        return constructor_words(value)
    if isinstance(value, tuple):
        return tuple(map(_shown, value))
    if isinstance(value, slice):
        return str(value)
    if value is ...:
        return "..."
    if isinstance(value, Mapping) and isinstance(value.get("class_name"), str):
        inner = value.get("config")
        named = inner.get("name") if isinstance(inner, Mapping) else None
        return named if isinstance(named, str) else value["class_name"]
    if isinstance(value, Mapping):
        return {str(key): _shown(each) for key, each in value.items()}
    return value


def constructor_words(layer: KerasLayer) -> str:
    """A layer within another, in short.

    >>> constructor_words(KerasLayer("a", "LSTM", {"return_sequences": True, "activation": "tanh", "units": 3}))
    'LSTM(3, return_sequences=True)'
    """
    if layer.model is not None:
        return f"{layer.model.class_name}({len(layer.model.layers)} layers)"
    layer_class = layer_classes().get(layer.class_name)
    arguments = layer_class.arguments if layer_class else {}
    words: tuple[list[str], list[str]] = ([], [])  # by place, by name
    for key, value in layer.config.items():
        default = arguments.get(key)
        if (
            not _tells(layer, key, value)
            or value == default
            or value in ("linear", "channels_last")
        ):
            continue
        text = str(_shown(value))
        if default is REQUIRED:
            words[0].append(text)
        else:
            words[1].append(f"{key}={text}")
    return f"{layer.class_name}({', '.join(words[0] + words[1])})"
