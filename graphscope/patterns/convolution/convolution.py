"""Convolutions of two and three axes, plain, dilated, depthwise and separable, in Keras's words.

Spellings: the op alone; ``tf.nn.convolution``'s and ``atrous_conv2d``'s sandwich of SpaceToBatchND and
BatchToSpaceND for dilation; the fused ops that Grappler writes. A bias is any addition of one number a channel.
"""

from __future__ import annotations

from typing import Any

from ...match import (
    Array,
    Attr,
    Dims,
    Held,
    Input,
    Pattern,
    Sizes,
    Term,
    View,
    Weight,
    layer,
    op,
)
from ..keras_arguments import (
    channel_axis,
    data_format,
    only_spatial,
    per_channel,
    sandwich_padding,
    size_at,
    spatial,
)


def _groups(view: View, x: Any, kernel: Held, layout: str | None) -> int:
    channels = size_at(view.shape(x), channel_axis(layout))
    inside = kernel.shape[-2]
    if not channels or not inside or channels % inside:
        return 1
    return channels // inside


def _conv(
    view: View,
    x: Any,
    kernel: Held,
    bias: Held | None,
    strides: Any,
    padding: str,
    layout: str | None,
    dilations: Any,
) -> dict[str, Any]:
    return {
        "filters": kernel.shape[-1],
        "kernel_size": kernel.shape[:-2],
        "strides": spatial(strides, layout),
        "padding": padding.lower(),
        "data_format": data_format(layout),
        "dilation_rate": spatial(dilations, layout),
        "groups": _groups(view, x, kernel, layout),
        "use_bias": bias is not None,
        "activation": "linear",
    }


def _plain(padding: str, strides: Any, dilations: Any, layout: Any) -> bool | str:
    if padding not in ("SAME", "VALID"):
        return f"padding {padding} needs a layer of its own"
    plain = only_spatial(strides, layout) and only_spatial(dilations, layout)
    return plain or "strides or dilations over batch or channels"


def _conv_fits(
    kernel: Held,
    bias: Held | None,
    strides: Any,
    padding: str,
    layout: Any,
    dilations: Any,
) -> bool | str:
    plain = _plain(padding, strides, dilations, layout)
    rank = len(kernel.shape)
    fits = per_channel(bias, kernel.shape[-1], layout, rank)
    return fits if plain is True else plain


def _weights(kernel: Held, bias: Held | None) -> dict[str, Held | None]:
    return {"kernel": kernel, "bias": bias.flat() if bias else None}


def _convolution(kind: str, name: str) -> Pattern:
    def formula(
        x: Input,
        kernel: Weight,
        bias: Weight | None,
        strides: Attr,
        padding: Attr,
        layout: Attr,
        dilations: Attr,
    ) -> Term:
        named = {"strides": strides, "padding": padding, "dilations": dilations}
        return getattr(op, kind)(x, kernel, **named, data_format=layout) + bias

    formula.__name__ = name
    return layer(kind, where=_conv_fits, config=_conv, weights=_weights)(formula)


conv2d = _convolution("Conv2D", "conv2d")
conv3d = _convolution("Conv3D", "conv3d")


def _dilated(
    view: View,
    x: Any,
    kernel: Held,
    bias: Held | None,
    rate: Any,
    pads: Any,
    crops: Any,
) -> dict[str, Any]:
    ones = (1,) * (len(kernel.shape))
    padding = sandwich_padding(pads, crops, rate, kernel.shape[:-2])
    config = _conv(view, x, kernel, bias, ones, str(padding), "NHWC", ones)
    return config | {"dilation_rate": tuple(rate)}


def _dilated_fits(
    kernel: Held, bias: Held | None, rate: Any, pads: Sizes, crops: Sizes
) -> bool | str:
    if len(rate) != len(kernel.shape) - 2:
        return "the block spans other axes than the kernel"
    if sandwich_padding(pads, crops, rate, kernel.shape[:-2]) is None:
        return "the paddings are those of neither padding='same' nor 'valid'"
    return per_channel(bias, kernel.shape[-1])


def _sandwich(inner: Any, bias: Term | None, rate: Term, crops: Term) -> Term:
    return op.BatchToSpaceND(inner, rate, crops) + bias | op.BatchToSpaceND(
        inner + bias, rate, crops
    )


def _dilated_convolution(kind: str, name: str) -> Pattern:
    def formula(
        x: Input,
        kernel: Weight,
        bias: Weight | None,
        rate: Array,
        pads: Dims,
        crops: Dims,
    ) -> Term:
        strides = (1,) * (4 if kind == "Conv2D" else 5)
        split = op.SpaceToBatchND(x, rate, pads)
        inner = getattr(op, kind)(split, kernel, padding="VALID", strides=strides)
        return _sandwich(inner, bias, rate, crops)

    formula.__name__ = name
    return layer(kind, where=_dilated_fits, config=_dilated, weights=_weights)(formula)


conv2d_dilated = _dilated_convolution("Conv2D", "conv2d_dilated")
conv3d_dilated = _dilated_convolution("Conv3D", "conv3d_dilated")


def _depthwise(
    kernel: Held,
    bias: Held | None,
    strides: Any,
    padding: str,
    layout: Any,
    dilations: Any,
) -> dict[str, Any]:
    return {
        "kernel_size": kernel.shape[:-2],
        "depth_multiplier": kernel.shape[-1],
        "strides": spatial(strides, layout),
        "padding": padding.lower(),
        "data_format": data_format(layout),
        "dilation_rate": spatial(dilations, layout),
        "use_bias": bias is not None,
        "activation": "linear",
    }


def _depthwise_fits(
    kernel: Held,
    bias: Held | None,
    strides: Any,
    padding: str,
    layout: Any,
    dilations: Any,
) -> bool | str:
    plain = _plain(padding, strides, dilations, layout)
    channels = kernel.shape[-1] * kernel.shape[-2]
    return per_channel(bias, channels, layout) if plain is True else plain


@layer("DepthwiseConv2D", where=_depthwise_fits, config=_depthwise, weights=_weights)
def depthwise_conv2d(
    x: Input,
    kernel: Weight,
    bias: Weight | None,
    strides: Attr,
    padding: Attr,
    layout: Attr,
    dilations: Attr,
) -> Term:
    named = {"strides": strides, "padding": padding, "dilations": dilations}
    return op.DepthwiseConv2dNative(x, kernel, **named, data_format=layout) + bias


def _depthwise_dilated(
    kernel: Held, bias: Held | None, rate: Any, pads: Any, crops: Any
) -> dict[str, Any]:
    padding = sandwich_padding(pads, crops, rate, kernel.shape[:-2])
    ones = (1, 1, 1, 1)
    config = _depthwise(kernel, bias, ones, str(padding), "NHWC", ones)
    return config | {"dilation_rate": tuple(rate)}


def _depthwise_dilated_fits(
    kernel: Held, bias: Held | None, rate: Any, pads: Sizes, crops: Sizes
) -> bool | str:
    if sandwich_padding(pads, crops, rate, kernel.shape[:-2]) is None:
        return "the paddings are those of neither padding='same' nor 'valid'"
    return per_channel(bias, kernel.shape[-1] * kernel.shape[-2])


def _depthwise_sandwich(
    x: Term, kernel: Term, rate: Term, pads: Term, crops: Term
) -> Term:
    split = op.SpaceToBatchND(x, rate, pads)
    named = {"padding": "VALID", "strides": (1, 1, 1, 1)}
    inner = op.DepthwiseConv2dNative(split, kernel, **named)
    return op.BatchToSpaceND(inner, rate, crops)


@layer(
    "DepthwiseConv2D",
    where=_depthwise_dilated_fits,
    config=_depthwise_dilated,
    weights=_weights,
)
def depthwise_conv2d_dilated(
    x: Input, kernel: Weight, bias: Weight | None, rate: Array, pads: Dims, crops: Dims
) -> Term:
    return _depthwise_sandwich(x, kernel, rate, pads, crops) + bias


def _separable_weights(
    kernel: Held, pointwise: Held, bias: Held | None
) -> dict[str, Held | None]:
    return {
        "depthwise_kernel": kernel,
        "pointwise_kernel": pointwise,
        "bias": bias.flat() if bias else None,
    }


def _pointwise(
    pointwise: Held, bias: Held | None, kernel: Held, layout: Any = None
) -> bool | str:
    if pointwise.shape[:2] != (1, 1):
        return f"the second kernel spans {pointwise.shape[:2]}, not one point"
    if pointwise.shape[2] != kernel.shape[2] * kernel.shape[3]:
        return "the second kernel is a grouped one"
    return per_channel(bias, pointwise.shape[-1], layout)


def _separable_fits(
    kernel: Held,
    pointwise: Held,
    bias: Held | None,
    strides: Any,
    padding: str,
    layout: Any,
    dilations: Any,
) -> bool | str:
    plain = _plain(padding, strides, dilations, layout)
    return _pointwise(pointwise, bias, kernel, layout) if plain is True else plain


def _separable(
    kernel: Held,
    pointwise: Held,
    bias: Held | None,
    strides: Any,
    padding: str,
    layout: Any,
    dilations: Any,
) -> dict[str, Any]:
    config = _depthwise(kernel, bias, strides, padding, layout, dilations)
    return {"filters": pointwise.shape[-1]} | config


@layer(
    "SeparableConv2D",
    where=_separable_fits,
    config=_separable,
    weights=_separable_weights,
)
def separable_conv2d(
    x: Input,
    kernel: Weight,
    pointwise: Weight,
    bias: Weight | None,
    strides: Attr,
    padding: Attr,
    layout: Attr,
    dilations: Attr,
) -> Term:
    named = {"strides": strides, "padding": padding, "dilations": dilations}
    depthwise = op.DepthwiseConv2dNative(x, kernel, **named, data_format=layout)
    ones = (1, 1, 1, 1)
    return (
        op.Conv2D(
            depthwise, pointwise, strides=ones, padding="VALID", data_format=layout
        )
        + bias
        | op.Conv2D(
            depthwise, pointwise, strides=ones, padding="SAME", data_format=layout
        )
        + bias
    )


def _separable_dilated(
    kernel: Held, pointwise: Held, bias: Held | None, rate: Any, pads: Any, crops: Any
) -> dict[str, Any]:
    config = _depthwise_dilated(kernel, bias, rate, pads, crops)
    return {"filters": pointwise.shape[-1]} | config


def _separable_dilated_fits(
    kernel: Held, pointwise: Held, bias: Held | None, rate: Any, pads: Any, crops: Any
) -> bool | str:
    fits = _depthwise_dilated_fits(kernel, None, rate, pads, crops)
    return _pointwise(pointwise, bias, kernel) if fits is True else fits


@layer(
    "SeparableConv2D",
    where=_separable_dilated_fits,
    config=_separable_dilated,
    weights=_separable_weights,
)
def separable_conv2d_dilated(
    x: Input,
    kernel: Weight,
    pointwise: Weight,
    bias: Weight | None,
    rate: Array,
    pads: Dims,
    crops: Dims,
) -> Term:
    depthwise = _depthwise_sandwich(x, kernel, rate, pads, crops)
    ones = (1, 1, 1, 1)
    return (
        op.Conv2D(depthwise, pointwise, strides=ones, padding="VALID") + bias
        | op.Conv2D(depthwise, pointwise, strides=ones, padding="SAME") + bias
    )
