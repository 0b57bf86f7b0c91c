"""A node's config in the few words that a drawing has room for: ``3×3, 64, /2, same``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ...graph import Layer, Node
from ...graph.keras.signatures import layer_classes
from ...wire import opdefs
from .escape import shorten, visible
from .spelling import value_text

# What Keras assumes where nothing is said; saying it would only fill the drawing.
_USUAL: Mapping[str, tuple[Any, ...]] = {
    "activation": ("linear", None),
    "recurrent_activation": ("sigmoid",),
    "data_format": ("channels_last", None),
    "padding": ("valid",),
    "interpolation": ("nearest",),
    "dilation_rate": (1,),
    "strides": (1,),
    "groups": (1,),
    "depth_multiplier": (1,),
    "axis": (-1, (-1,), 1, 3),
    "keepdims": (False,),
    "use_bias": (True,),
    "center": (True,),
    "scale": (True,),
    "invert": (False,),
}
# Long, or of no interest to somebody who looks at the whole.
_SILENT = frozenset(
    """name dtype trainable epsilon momentum seed virtual_batch_size batch_shape sparse ragged
    kernel_initializer bias_initializer unroll implementation reset_after zero_output_for_mask
    mask_zero stateful pool_size kernel_size strides dilation_rate filters units padding rate
    mean variance vocabulary output_dim input_dim return_state go_backwards noise_shape scope layer layer_config ops""".split()
)
_LONG = ("_regularizer", "_initializer", "_constraint")  # told in the details
_SIZES = ("kernel_size", "pool_size", "size")
_WIDTHS = ("filters", "units", "output_dim", "num_heads")
_ALWAYS = {*_SIZES, *_WIDTHS, "padding", "cropping", "rate", "strides"}
_MOST = 3  # further arguments that are shown


def brief(node: Node) -> str:
    """The config of a layer, or the attributes of an op, that tell it from its neighbours.

    >>> brief(Layer("Conv2D", {"filters": 64, "kernel_size": (3, 3), "strides": (2, 2), "padding": "same"}))
    '3×3, 64, /2, same'
    """
    words = _layer_words(_spoken(node)) if isinstance(node, Layer) else _op_words(node)
    return shorten(", ".join(words), 48)


def _spoken(layer: Layer) -> Mapping[str, Any]:
    """The config less what Keras's class takes by default; what a layer is there for (a size, a width) is always said."""
    known = layer_classes().get(layer.op)
    usual = known.arguments if known else {}
    config = {
        key: value
        for key, value in layer.attrs.items()
        if key in _ALWAYS
        or key not in usual
        or _collapsed(value) != _collapsed(usual[key])
    }
    if "units" in config and "recurrent_activation" in usual:
        config["units"] = f"{value_text(config['units'])} units"
    return config


def telling(node: Node) -> tuple[str, ...]:
    """The arguments that are no default, widths and sizes first; of an op all its attributes."""
    if not isinstance(node, Layer):
        return tuple(node.attrs)
    config, same = _spoken(node), node.attrs.get("pool_size")
    first = [k for k in ("input_dim", *_WIDTHS, *_SIZES) if k in config]
    return tuple(
        key
        for key in dict.fromkeys((*first, *config))
        if is_unusual(key, config, same if key == "strides" else None)
    )


def _layer_words(config: Mapping[str, object]) -> Iterator[str]:
    if config.get("layer"):  # a wrapper (Bidirectional, TimeDistributed)
        yield _wrapped(config["layer"], config.get("layer_config"))
    if config.get("ops"):  # a loop
        yield f"{value_text(config['ops'])} ops"
    for key in _SIZES:
        if key in config:
            yield _sizes(config[key])
    for key in _WIDTHS:
        if key in config:
            yield f"{value_text(config[key])}{' heads' if key == 'num_heads' else ''}"
    if is_unusual("strides", config, config.get("pool_size")):
        yield "/" + _stride(config["strides"])
    if is_unusual("dilation_rate", config):
        yield "dilation " + _stride(config["dilation_rate"])
    if "rate" in config:
        yield value_text(config["rate"])
    if is_unusual("padding", config):
        yield value_text(config["padding"], 24)
    yield from _further(config)


def _wrapped(layer: object, config: object) -> str:
    """``LSTM 16 units, return sequences``: what a wrapper holds, as its class and config or as the reader's words."""
    if not isinstance(config, Mapping):
        return value_text(layer, 40).replace("=True", "").replace("_", " ")
    inner = Layer(str(layer), config)
    return f"{visible(inner.op)} {', '.join(_layer_words(_spoken(inner)))}".strip()


def _further(config: Mapping[str, object]) -> Iterator[str]:
    shown = 0
    for key, value in config.items():
        if key in _SILENT or key in _SIZES or key in _WIDTHS or value is None:
            continue
        if key.endswith(_LONG):
            continue
        if not is_unusual(key, config) or shown >= _MOST:
            continue
        shown += 1
        if isinstance(value, bool | np.bool_):
            yield visible(key if value else f"no {key.removeprefix('use_')}").replace(
                "_", " "
            )
        elif key.endswith("activation") or key == "interpolation":
            yield value_text(value, 24)
        else:
            yield f"{visible(key)} {value_text(value, 24)}"


def is_unusual(key: str, config: Mapping[str, object], same: object = None) -> bool:
    """Whether an argument is given and says more than Keras's default (or than ``same``, which strides follow)."""
    if key not in config or config[key] is None:
        return False
    value = _collapsed(config[key])
    usual = _USUAL.get(key, ()) if same is None else (_collapsed(same),)
    return not any(type(value) is type(u) and value == u for u in usual)


def _collapsed(value: object) -> Any:
    """``1`` for ``(1, 1)``."""
    if isinstance(value, tuple | list) and value and all(v == value[0] for v in value):
        return value[0]
    return value if isinstance(value, str | int | float | bool) else repr(value)


def _sizes(value: object) -> str:
    if isinstance(value, tuple | list) and all(isinstance(v, int) for v in value):
        if len(set(value)) == 1 and len(value) == 1:
            return str(value[0])
        return "×".join(map(str, value))
    return value_text(value, 24)


def _stride(value: object) -> str:
    """``2`` for ``(2, 2)``."""
    return (
        _sizes((_collapsed(value),))
        if isinstance(_collapsed(value), int)
        else _sizes(value)
    )


def _op_words(node: Node) -> Iterator[str]:
    usual = opdefs.defaults(node.op)
    attrs = node.attrs
    for key in ("ksize", "strides", "dilations"):
        value = attrs.get(key)
        if isinstance(value, tuple) and len(value) >= 3 and set(value) != {1}:
            mark = {"ksize": "", "strides": "/", "dilations": "dilation "}[key]
            inner = value[2:] if attrs.get("data_format") == "NCHW" else value[1:-1]
            yield mark + _stride(inner) if mark else _sizes(inner)
    for key in ("padding", "alpha", "transpose_a", "transpose_b", "axis", "DstT"):
        if key in attrs and attrs[key] not in (usual.get(key), "VALID"):
            value = attrs[key]
            if isinstance(value, str):
                yield value_text(value, 24).lower()
            elif isinstance(value, bool | int | float):
                yield key if value is True else f"{key} {value_text(value)}"
    for key in ("f", "body", "then_branch"):
        if hasattr(attrs.get(key), "name"):
            yield shorten(visible(attrs[key].name), 32)
