"""Convolutions of one, two and three axes, plain, depthwise and separable.

One formula each: what TensorFlow spells as several ops was made one before (see ``canonical``). A bias is any addition of one number
a channel.
"""

from __future__ import annotations

from typing import Any

from ...match import Attr, Bindings, Input, Pattern, Term, Weight, layer
from ..canonical.convolutions import family, outputs_of
from ..keras_arguments import channel_axis, only_spatial, per_channel, size_at


def plain_window(
    padding: str, strides: Any, dilations: Any, layout: str, causal: bool = False
) -> bool | str:
    """Whether Keras has the words for a convolution's window."""
    if padding not in ("SAME", "VALID") and not (causal and padding == "CAUSAL"):
        return f"padding {padding} needs a layer of its own"
    if not (only_spatial(strides, layout) and only_spatial(dilations, layout)):
        return "strides or dilations over batch or channels"
    both = max(strides or (1,)) > 1 and max(dilations or (1,)) > 1
    return not both or "Keras takes no strides beside dilations"


def _groups(b: Bindings) -> dict[str, int]:
    axis = channel_axis(b.data_format, len(b.kernel.shape))
    channels, inside = size_at(b.view.shape(b.x), axis), b.kernel.shape[-2]
    grouped = channels and inside and channels % inside == 0
    return {"groups": channels // inside if grouped and channels else 1}


def _convolution(kind: str, axes: int, keras: str) -> Pattern:
    """A convolution, or one of each channel by itself, over that many axes."""
    deep = kind.startswith("Depthwise")

    def fits(b: Bindings) -> bool | str:
        causal = axes == 1 and not deep
        plain = plain_window(b.padding, b.strides, b.dilations, b.data_format, causal)
        if plain is not True:
            return plain
        return per_channel(b.bias, outputs_of(kind, b.kernel), b.data_format, axes + 2)

    def formula(
        x: Input,
        kernel: Weight,
        bias: Weight | None,
        strides: Attr,
        padding: Attr,
        data_format: Attr,
        dilations: Attr,
    ) -> Term:
        named = {"strides": strides, "padding": padding, "dilations": dilations}
        conv = getattr(family(axes), kind)
        return conv(x, kernel, **named, data_format=data_format) + bias

    formula.__name__ = f"{'depthwise_' if deep else ''}conv{axes}d"
    return layer(keras, where=fits, config=None if deep else _groups)(formula)


conv1d = _convolution("Conv2D", 1, "Conv1D")
conv2d = _convolution("Conv2D", 2, "Conv2D")
conv3d = _convolution("Conv3D", 3, "Conv3D")
depthwise_conv1d = _convolution("DepthwiseConv2dNative", 1, "DepthwiseConv1D")
depthwise_conv2d = _convolution("DepthwiseConv2dNative", 2, "DepthwiseConv2D")


def _separable(axes: int) -> Pattern:
    """Each channel by itself, then a convolution of one point that mixes them."""

    def fits(b: Bindings) -> bool | str:
        plain = plain_window(b.padding, b.strides, b.dilations, b.data_format)
        *point, inside, outside = b.pointwise_kernel.shape
        if plain is not True:
            return plain
        if set(point) != {1}:
            return f"the second kernel spans {point}, not one point"
        if inside != outputs_of("Depthwise", b.depthwise_kernel):
            return "the second kernel is a grouped one"
        return per_channel(b.bias, outside, b.data_format, axes + 2)

    def formula(
        x: Input,
        depthwise_kernel: Weight,
        pointwise_kernel: Weight,
        bias: Weight | None,
        strides: Attr,
        padding: Attr,
        data_format: Attr,
        dilations: Attr,
    ) -> Term:
        ops, ones = family(axes), (1,) * (axes + 2)
        named = {"strides": strides, "padding": padding, "dilations": dilations}
        deep = ops.DepthwiseConv2dNative(
            x, depthwise_kernel, **named, data_format=data_format
        )
        whole = {"strides": ones, "dilations": ones, "data_format": data_format}
        valid = ops.Conv2D(deep, pointwise_kernel, padding="VALID", **whole)
        same = ops.Conv2D(deep, pointwise_kernel, padding="SAME", **whole)
        return valid + bias | same + bias

    formula.__name__ = f"separable_conv{axes}d"
    return layer(f"SeparableConv{axes}D", where=fits)(formula)


separable_conv1d = _separable(1)
separable_conv2d = _separable(2)
