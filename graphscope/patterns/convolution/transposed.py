"""Transposed convolutions: what TensorFlow calls the gradient of a convolution by its input."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...graph import Tensor
from ...match import (
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
)
from ...match.keras_arguments import spatial
from ..canonical.convolutions import family
from ..keras_arguments import channel_axis, conv_output_size, per_channel
from .convolution import plain_window


def _axes(
    view: View,
    x: Tensor,
    kernel: Held,
    strides: Any,
    dilations: Any,
    data_format: str,
    sizes: Sizes,
) -> Iterator[tuple[Size, Size | None, int, int]]:
    """For each spatial axis: the size that comes in, the size that is asked for, the kernel's reach and the stride."""
    first = 2 if channel_axis(data_format) == 1 else 1
    steps, rates = spatial(strides, data_format), spatial(dilations, data_format)
    for i, (long, step, rate) in enumerate(zip(kernel.shape, steps, rates)):
        size = sizes[first + i] if first + i < len(sizes) else None
        yield view.axis_size(x, first + i), size, (long - 1) * rate + 1, step


def _extra(
    before: Size, after: Size | None, long: int, stride: int, padding: str
) -> int | str | None:
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
    x: Tensor,
    kernel: Held,
    strides: Any,
    padding: str,
    dilations: Any,
    data_format: str,
    sizes: Sizes,
) -> Any:
    axes = _axes(view, x, kernel, strides, dilations, data_format, sizes)
    extras = [
        _extra(before, after, long, stride, padding.lower())
        for before, after, long, stride in axes
    ]
    for extra in extras:
        if isinstance(extra, str):
            return extra
    if all(extra is None for extra in extras):
        return None
    if any(extra is None for extra in extras):
        return "one axis has its default size and another has not"
    return tuple(extras) if len(extras) > 1 else extras[0]


def _fits(
    view: View,
    x: Tensor,
    kernel: Held,
    bias: Held | None,
    strides: Any,
    padding: str,
    data_format: str,
    dilations: Any,
    sizes: Sizes,
) -> bool | str:
    plain = plain_window(padding, strides, dilations, data_format)
    if plain is not True:
        return plain
    extra = _output_padding(
        view, x, kernel, strides, padding, dilations, data_format, sizes
    )
    if isinstance(extra, str):
        return extra
    return per_channel(bias, kernel.shape[-2], data_format, len(kernel.shape))


def _config(
    view: View,
    x: Tensor,
    kernel: Held,
    strides: Any,
    padding: str,
    data_format: str,
    dilations: Any,
    sizes: Sizes,
) -> dict[str, Any]:
    extra = _output_padding(
        view, x, kernel, strides, padding, dilations, data_format, sizes
    )
    return {"output_padding": extra}


def _evidence(
    view: View,
    x: Tensor,
    kernel: Held,
    strides: Any,
    dilations: Any,
    data_format: str,
    sizes: Sizes,
) -> str:
    axes = _axes(view, x, kernel, strides, dilations, data_format, sizes)
    known = all(
        after is not None and (before.number is not None or bool(after.axes))
        for before, after, _, _ in axes
    )
    return "" if known else "the size asked for is not known: Keras's own is assumed"


def _transposed(kind: str, axes: int) -> Pattern:
    def formula(
        sizes: Dims,
        kernel: Weight,
        x: Input,
        bias: Weight | None,
        strides: Attr,
        padding: Attr,
        data_format: Attr,
        dilations: Attr,
    ) -> Term:
        named = {"strides": strides, "padding": padding, "dilations": dilations}
        conv = getattr(family(axes), kind)
        return conv(sizes, kernel, x, **named, data_format=data_format) + bias

    formula.__name__ = f"conv{axes}d_transpose"
    options: Any = {"where": _fits, "config": _config, "evidence": _evidence}
    return layer(f"Conv{axes}DTranspose", **options)(formula)


conv1d_transpose = _transposed("Conv2DBackpropInput", 1)
conv2d_transpose = _transposed("Conv2DBackpropInput", 2)
conv3d_transpose = _transposed("Conv3DBackpropInputV2", 3)
