"""A recovered layer's config -> the constructor arguments worth writing: those that differ from Keras's defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .signatures import REQUIRED, signatures

_SIZES = frozenset("kernel_size strides dilation_rate pool_size size".split())
_BORDERS = frozenset("padding cropping".split())
_SAME = {"activation": ("linear", None), "data_format": ("channels_last", None)}


def written_arguments(
    class_name: str,
    config: Mapping[str, object],
    rank: int | None = None,
    arguments: Mapping[str, object] | None = None,
) -> dict[str, Any]:
    """The arguments to write, in the order of Keras's signature; ``rank`` is that of the layer's (first) input.

    ``arguments`` are the class's with their defaults, those that a recovered layer may need where they are not given.

    >>> written_arguments("Conv2D", {"filters": 8, "kernel_size": (3, 3), "strides": (1, 1), "padding": "same"})
    {'filters': 8, 'kernel_size': 3, 'padding': 'same'}
    """
    plain = {name: _plain(name, value) for name, value in config.items()}
    if arguments is None:
        signature = signatures().get(class_name)
        arguments = signature.arguments if signature else {}
    if not arguments:
        return plain
    if isinstance(plain.get("axis"), int) and rank and plain["axis"] == rank - 1:
        plain["axis"] = -1
    if "pool_size" in plain and plain.get("strides") == plain["pool_size"]:
        del plain["strides"]
    known = [name for name in arguments if name in plain]
    extra = [name for name in plain if name not in arguments]
    return {
        name: plain[name]
        for name in known + extra
        if not is_default(name, plain[name], arguments.get(name, REQUIRED))
    }


def is_default(name: str, value: object, default: object) -> bool:
    """Whether leaving the argument out means the same."""
    if default is REQUIRED:
        return False
    if value in _SAME.get(name, ()) and default is None:
        return True
    default = _plain(name, default)
    if isinstance(default, float) and isinstance(value, int | float):
        return bool(np.float32(value) == np.float32(default))
    return type(value) is type(default) and bool(value == default)


def _plain(name: str, value: object) -> Any:
    """One spelling for each meaning: no numpy, sizes and borders as short as Keras takes them."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    elif isinstance(value, np.generic):
        value = value.item()
    if name in _BORDERS and isinstance(value, tuple | list):
        return _equal_or_all(tuple(_equal_or_all(_tuple(pair)) for pair in value))
    if name in _SIZES and isinstance(value, tuple | list):
        return _equal_or_all(tuple(value))
    if name == "axis" and isinstance(value, tuple | list) and len(value) == 1:
        return value[0]
    return value


def _tuple(value: object) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _equal_or_all(value: object) -> Any:
    """The one number that a tuple repeats, else the tuple."""
    if isinstance(value, tuple) and value and isinstance(value[0], int):
        return value[0] if all(each == value[0] for each in value) else value
    return value
