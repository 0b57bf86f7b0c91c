"""The fused ops that Grappler writes into optimised graphs: a convolution or product, its bias and its activation."""

from __future__ import annotations

from typing import Any

from ..match import Attr, Held, Input, Term, View, Weight, layer, op
from ..match.convention import (
    channel_axis,
    data_format,
    only_spatial,
    per_channel,
    size_at,
    spatial,
)

# What Grappler calls an activation, as Keras does; a leaky ReLU has the slope that Keras's name stands for.
_ACTIVATIONS = {
    "Relu": "relu",
    "Relu6": "relu6",
    "Elu": "elu",
    "Tanh": "tanh",
    "Sigmoid": "sigmoid",
    "LeakyRelu": "leaky_relu",
}
_KERAS_SLOPE = 0.2


def _activation(fused: Any, slope: float) -> str | None:
    """The activation after the bias; None where something else is fused."""
    names = list(fused or ())
    if names[:1] != ["BiasAdd"] or len(names) > 2:
        return None
    if len(names) == 1:
        return "linear"
    if names[1] == "LeakyRelu" and abs(slope - _KERAS_SLOPE) > 1e-6:
        return None
    return _ACTIVATIONS.get(names[1])


def _conv_fits(
    kernel: Held,
    bias: Held,
    strides: Any,
    padding: str,
    layout: str,
    dilations: Any,
    fused: Any,
    slope: float,
) -> bool | str:
    if _activation(fused, slope) is None:
        return f"{fused} is no bias with an activation"
    if padding not in ("SAME", "VALID"):
        return f"padding {padding} needs a layer of its own"
    if not only_spatial(strides, layout) or not only_spatial(dilations, layout):
        return "strides or dilations over batch or channels"
    return per_channel(bias, kernel.shape[-1])


def _conv(
    view: View,
    x: Any,
    kernel: Held,
    strides: Any,
    padding: str,
    layout: str,
    dilations: Any,
    fused: Any,
    slope: float,
) -> dict[str, Any]:
    channels = size_at(view.shape(x), channel_axis(layout))
    inside = kernel.shape[-2]
    return {
        "filters": kernel.shape[-1],
        "kernel_size": kernel.shape[:-2],
        "strides": spatial(strides, layout),
        "padding": padding.lower(),
        "data_format": data_format(layout),
        "dilation_rate": spatial(dilations, layout),
        "groups": channels // inside if channels and inside else 1,
        "use_bias": True,
        "activation": _activation(fused, slope),
    }


def _weights(kernel: Held, bias: Held) -> dict[str, Held]:
    return {"kernel": kernel, "bias": bias.flat()}


@layer("Conv2D", where=_conv_fits, config=_conv, weights=_weights)
def fused_conv2d(
    x: Input,
    kernel: Weight,
    bias: Weight,
    strides: Attr,
    padding: Attr,
    layout: Attr,
    dilations: Attr,
    fused: Attr,
    slope: Attr,
    unused: Attr,
    count: Attr,
) -> Term:
    return op._FusedConv2D(
        x,
        kernel,
        bias,
        strides=strides,
        padding=padding,
        data_format=layout,
        dilations=dilations,
        fused_ops=fused,
        leakyrelu_alpha=slope,
        epsilon=unused,
        num_args=count,
    )


@layer(
    "Dense",
    where=lambda kernel, fused, slope: (
        len(kernel.shape) == 2 and _activation(fused, slope) is not None
    )
    or f"{fused} is no bias with an activation",
    config=lambda kernel, fused, slope: {
        "units": kernel.shape[-1],
        "use_bias": True,
        "activation": _activation(fused, slope),
    },
    weights=_weights,
)
def fused_dense(
    x: Input,
    kernel: Weight,
    bias: Weight,
    fused: Attr,
    slope: Attr,
    unused: Attr,
    count: Attr,
) -> Term:
    return op._FusedMatMul(
        x,
        kernel,
        bias,
        fused_ops=fused,
        leakyrelu_alpha=slope,
        epsilon=unused,
        num_args=count,
    )
