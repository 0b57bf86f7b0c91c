"""Transposed convolutions: what TensorFlow calls the gradient of a convolution by its input."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...match import (
    Attr,
    Bindings,
    Dims,
    Input,
    Pattern,
    Size,
    Term,
    Weight,
    layer,
)
from ...match.keras_arguments import spatial
from ..canonical.convolutions import family
from ..keras_arguments import channel_axis, conv_output_size, per_channel
from .convolution import plain_window


def _axes(b: Bindings) -> Iterator[tuple[Size, Size | None, int, int]]:
    """For each spatial axis: the size that comes in, the size that is asked for, the kernel's reach and the stride."""
    first = 2 if channel_axis(b.data_format) == 1 else 1
    steps, rates = spatial(b.strides, b.data_format), spatial(
        b.dilations, b.data_format
    )
    for i, (long, step, rate) in enumerate(zip(b.kernel.shape, steps, rates)):
        size = b.sizes[first + i] if first + i < len(b.sizes) else None
        yield b.view.axis_size(b.x, first + i), size, (long - 1) * rate + 1, step


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


def _output_padding(b: Bindings) -> Any:
    axes = _axes(b)
    extras = [
        _extra(before, after, long, stride, b.padding.lower())
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


def _fits(b: Bindings) -> bool | str:
    plain = plain_window(b.padding, b.strides, b.dilations, b.data_format)
    if plain is not True:
        return plain
    extra = _output_padding(b)
    if isinstance(extra, str):
        return extra
    return per_channel(b.bias, b.kernel.shape[-2], b.data_format, len(b.kernel.shape))


def _config(b: Bindings) -> dict[str, Any]:
    extra = _output_padding(b)
    return {"output_padding": extra}


def _evidence(b: Bindings) -> str:
    axes = _axes(b)
    is_certain = all(
        after is not None and (before.number is not None or bool(after.axes))
        for before, after, _, _ in axes
    )
    return (
        "" if is_certain else "the size asked for is not known: Keras's own is assumed"
    )


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
