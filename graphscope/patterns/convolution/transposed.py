"""Transposed convolutions: what TensorFlow calls the gradient of a convolution by its input."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...match import (
    ANY,
    Array,
    Attr,
    Dims,
    Held,
    Input,
    Pattern,
    Size,
    Sizes,
    Term,
    View,
    Weight,
    layer,
    op,
)
from ..keras_arguments import (
    conv_output_size,
    data_format,
    only_spatial,
    per_channel,
    sandwich_padding,
    spatial,
)


def _axes(
    view: View, x: Any, kernel: Held, strides: Any, layout: str, sizes: Sizes
) -> Iterator[tuple[Size, Size | None, int, int]]:
    """For each spatial axis: the size that comes in, the size that is asked for, kernel and stride."""
    first = 2 if data_format(layout) == "channels_first" else 1
    steps = spatial(strides, layout)
    for i, (long, stride) in enumerate(zip(kernel.shape[:-2], steps)):
        size = sizes[first + i] if first + i < len(sizes) else None
        yield view.axis_size(x, first + i), size, long, stride


def _extra(
    before: Size, after: Size | None, long: int, stride: int, padding: str
) -> Any:
    """Keras's output_padding of one axis; None where its default applies, a text where none would do."""
    if after is None:
        return None
    scaled = before.times(Size(stride))
    plain = None
    if scaled is not None:
        plain = scaled.added(Size(conv_output_size(0, long, stride, padding)))
    if plain == after or before.number is None and not after.axes:
        return None
    least = None
    if scaled is not None:
        overlap = 2 * (long // 2) if padding == "same" else 0
        least = scaled.added(Size(long - stride - overlap))
    extra = after.added(least, -1) if least is not None else None
    if extra is None or extra.number is None or not 0 <= extra.number < stride:
        return f"the size asked for, {after}, cannot come from {before}"
    return extra.number


def _output_padding(
    view: View,
    x: Any,
    kernel: Held,
    strides: Any,
    padding: str,
    layout: str,
    sizes: Sizes,
) -> Any:
    axes = _axes(view, x, kernel, strides, layout, sizes)
    extras = [
        _extra(before, after, long, stride, padding.lower())
        for before, after, long, stride in axes
    ]
    told = [extra for extra in extras if isinstance(extra, str)]
    if told:
        return told[0]
    if all(extra is None for extra in extras):
        return None
    if any(extra is None for extra in extras):
        return "one axis has its default size and another has not"
    return tuple(extras)


def _fits(
    view: View,
    x: Any,
    kernel: Held,
    bias: Held | None,
    strides: Any,
    padding: str,
    layout: str,
    dilations: Any,
    sizes: Sizes,
) -> bool | str:
    if padding not in ("SAME", "VALID"):
        return f"padding {padding} needs a layer of its own"
    if not only_spatial(strides, layout) or not only_spatial(dilations, layout):
        return "strides or dilations over batch or channels"
    extra = _output_padding(view, x, kernel, strides, padding, layout, sizes)
    if isinstance(extra, str):
        return extra
    return per_channel(bias, kernel.shape[-2], layout, len(kernel.shape))


def _config(
    view: View,
    x: Any,
    kernel: Held,
    bias: Held | None,
    strides: Any,
    padding: str,
    layout: str,
    dilations: Any,
    sizes: Sizes,
) -> dict[str, Any]:
    return {
        "filters": kernel.shape[-2],
        "kernel_size": kernel.shape[:-2],
        "strides": spatial(strides, layout),
        "padding": padding.lower(),
        "output_padding": _output_padding(
            view, x, kernel, strides, padding, layout, sizes
        ),
        "data_format": data_format(layout),
        "dilation_rate": spatial(dilations, layout),
        "use_bias": bias is not None,
        "activation": "linear",
    }


def _weights(kernel: Held, bias: Held | None) -> dict[str, Held | None]:
    return {"kernel": kernel, "bias": bias.flat() if bias else None}


def _assumed(
    view: View, x: Any, kernel: Held, strides: Any, layout: str, sizes: Sizes
) -> str:
    axes = _axes(view, x, kernel, strides, layout, sizes)
    known = all(
        after is not None and (before.number is not None or bool(after.axes))
        for before, after, _, _ in axes
    )
    return "" if known else "the size asked for is not known: Keras's own is assumed"


def _transposed(kind: str, name: str, keras: str) -> Pattern:
    def formula(
        sizes: Dims,
        kernel: Weight,
        x: Input,
        bias: Weight | None,
        strides: Attr,
        padding: Attr,
        layout: Attr,
        dilations: Attr,
    ) -> Term:
        named = {"strides": strides, "padding": padding, "dilations": dilations}
        made = getattr(op, kind)(sizes, kernel, x, **named, data_format=layout)
        return made + bias

    formula.__name__ = name
    options: Any = {"where": _fits, "config": _config, "weights": _weights}
    return layer(keras, evidence=_assumed, **options)(formula)


def _dilated_fits(
    kernel: Held, bias: Held | None, rate: Any, pads: Sizes, crops: Sizes
) -> bool | str:
    if len(rate) != len(kernel.shape) - 2:
        return "the block spans other axes than the kernel"
    if sandwich_padding(crops, pads, rate, kernel.shape[:-2]) is None:
        return "the crops are those of neither padding='same' nor 'valid'"
    return per_channel(bias, kernel.shape[-2])


@layer(
    "Conv2DTranspose",
    where=_dilated_fits,
    config=lambda kernel, bias, rate, pads, crops: {
        "filters": kernel.shape[-2],
        "kernel_size": kernel.shape[:-2],
        "strides": (1, 1),
        "padding": sandwich_padding(crops, pads, rate, kernel.shape[:-2]),
        "output_padding": None,
        "data_format": "channels_last",
        "dilation_rate": tuple(rate),
        "use_bias": bias is not None,
        "activation": "linear",
    },
    weights=_weights,
)
def conv2d_transpose_dilated(
    x: Input, kernel: Weight, bias: Weight | None, rate: Array, pads: Dims, crops: Dims
) -> Term:
    """``tf.nn.atrous_conv2d_transpose``: what the one block pads, the other crops as well."""
    split, ones = op.SpaceToBatchND(x, rate, pads), (1, 1, 1, 1)
    named = {"strides": ones, "padding": "VALID"}
    inner = op.Conv2DBackpropInput(ANY, kernel, split, **named)
    made: Term = op.BatchToSpaceND(inner, rate, crops)
    return made + bias


conv2d_transpose = _transposed(
    "Conv2DBackpropInput", "conv2d_transpose", "Conv2DTranspose"
)
conv3d_transpose = _transposed(
    "Conv3DBackpropInputV2", "conv3d_transpose", "Conv3DTranspose"
)
