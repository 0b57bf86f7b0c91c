"""Keras's arguments and weights, as they follow from a layer's class, its weights and its op's attributes.

``units``, ``filters``, ``kernel_size``, ``use_bias`` and their like are what the weights have for sizes, ``strides`` and
``padding`` what the op says in TensorFlow's words: a pattern that binds those needs to say nothing of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..graph.named_values import Arguments, Config
from .view.weight_ref import WeightRef

ByRole = Mapping[str, WeightRef]

_WINDOW = "strides padding data_format"
_CONVOLUTION = f"kernel_size {_WINDOW} dilation_rate"
_ARGUMENTS: Mapping[str, str] = {
    "Dense": "units use_bias activation",
    "EinsumDense": "equation output_shape bias_axes activation",
    "Embedding": "input_dim output_dim",
    "PositionEmbedding": "input_dim output_dim",
    "BatchNormalization": "axis epsilon center scale momentum",
    "GroupNormalization": "groups axis epsilon center scale",
    "LayerNormalization": "axis epsilon center scale",
    **{
        f"Conv{n}D": f"filters {_CONVOLUTION} groups use_bias activation"
        for n in (1, 2, 3)
    },
    **{
        f"Conv{n}DTranspose": f"filters {_CONVOLUTION} output_padding use_bias activation"
        for n in (1, 2, 3)
    },
    **{
        f"DepthwiseConv{n}D": f"{_CONVOLUTION} depth_multiplier use_bias activation"
        for n in (1, 2)
    },
    **{
        f"SeparableConv{n}D": f"filters {_CONVOLUTION} depth_multiplier use_bias activation"
        for n in (1, 2)
    },
    **{
        f"{kind}Pooling{n}D": f"pool_size {_WINDOW}"
        for n in (1, 2, 3)
        for kind in ("Max", "Average")
    },
}
"""The arguments of a class that follow, or that patterns give, in the order of Keras's signature."""

_VECTORS: Mapping[str, frozenset[str]] = {
    **{
        name: frozenset({"bias"})
        for name, arguments in _ARGUMENTS.items()
        if "use_bias" in arguments
    },
    "BatchNormalization": frozenset("gamma beta moving_mean moving_variance".split()),
    "GroupNormalization": frozenset({"gamma", "beta"}),
}
"""The weights of a class that Keras keeps as vectors, however the graph shapes them."""


def _kernel(weights: ByRole) -> WeightRef:
    return weights.get("depthwise_kernel") or weights["kernel"]


_FOLLOWING: Mapping[str, Callable[[ByRole], Any]] = {
    "units": lambda weights: weights["kernel"].shape[-1],
    "filters": lambda weights: (
        weights.get("pointwise_kernel") or weights["kernel"]
    ).shape[-1],
    "kernel_size": lambda weights: _kernel(weights).shape[:-2],
    "depth_multiplier": lambda weights: _kernel(weights).shape[-1],
    "input_dim": lambda weights: weights["embeddings"].shape[0],
    "output_dim": lambda weights: weights["embeddings"].shape[1],
    "use_bias": lambda weights: "bias" in weights,
    "center": lambda weights: "beta" in weights,
    "scale": lambda weights: "gamma" in weights,
    "activation": lambda weights: "linear",
}


def data_format(name: str | None) -> str:
    """``"NHWC"`` -> ``"channels_last"``, ``"NCDHW"`` -> ``"channels_first"``.

    >>> data_format("NCHW")
    'channels_first'
    """
    return "channels_first" if name and name.startswith("NC") else "channels_last"


def spatial(values: Sequence[int] | None, name: str | None) -> tuple[int, ...]:
    """The spatial entries of a list with one entry an axis: strides, dilations, pool sizes.

    >>> spatial((1, 2, 2, 1), "NHWC")
    (2, 2)
    """
    if not values:
        return ()
    first = 2 if name and name.startswith("NC") else 1
    return tuple(values)[first : first + len(values) - 2]


_IN_KERAS: Mapping[str, tuple[str, Callable[[Any, Any], Any]]] = {
    "ksize": ("pool_size", spatial),
    "strides": ("strides", spatial),
    "padding": ("padding", lambda value, layout: value.lower()),
    "data_format": ("data_format", lambda value, layout: data_format(value)),
    "dilations": ("dilation_rate", spatial),
}


def written_config(
    class_name: str, weights: ByRole, values: Mapping[str, object]
) -> Arguments:
    """What follows of a class's arguments, in Keras's order; ``values`` may hold attributes under TensorFlow's names."""
    arguments, layout = _ARGUMENTS.get(class_name, "").split(), values.get(
        "data_format"
    )
    written = {
        name: in_keras(values[own], layout)
        for own, (name, in_keras) in _IN_KERAS.items()
        if own in values
    }
    for name in arguments:
        if name in _FOLLOWING and name not in written:
            written[name] = _FOLLOWING[name](weights)
    if class_name.endswith("Transpose"):  # its kernel is that of the convolution undone
        written["filters"] = weights["kernel"].shape[-2]
    return {name: written[name] for name in arguments if name in written}


def is_attribute(class_name: str, name: str) -> bool:
    """Whether a formula's variable is an op's attribute that ``written_config`` puts into Keras's words."""
    return name in _IN_KERAS and _IN_KERAS[name][0] in _ARGUMENTS.get(class_name, "")


def in_order(class_name: str, config: Config) -> Arguments:
    """A config in the order of Keras's signature, what that has not at the end."""
    arguments = _ARGUMENTS.get(class_name, "").split()
    return {name: config[name] for name in [*arguments, *config] if name in config}


def as_stored(class_name: str, weights: ByRole) -> dict[str, WeightRef]:
    """The weights in the shapes that the class keeps them in."""
    vectors = _VECTORS.get(class_name, frozenset())
    stored = {
        role: weight.flat() if role in vectors else weight
        for role, weight in weights.items()
    }
    if class_name == "EinsumDense" and "bias" in stored:
        stored["bias"] = stored["bias"].trimmed()
    return stored
