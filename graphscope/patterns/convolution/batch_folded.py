"""Dilated convolutions of one axis whose author folded time into the batch by hand, before Conv1D knew a dilation rate.

``[batch, time, channels]`` becomes ``[rate * batch, time / rate, channels]``, is convolved, unfolded, and cut to what a
convolution with that dilation rate computes: the first WaveNets in TensorFlow (ibab/tensorflow-wavenet, 2016).
"""

from __future__ import annotations

from typing import Any

from ...graph import Tensor
from ...match import (
    ANY,
    Array,
    Attr,
    Dims,
    Held,
    Input,
    Sizes,
    Term,
    View,
    Weight,
    layer,
    named,
    op,
)
from ..keras_arguments import kept_axis, per_channel

Shape = tuple[int, ...]


def _folds(x: Shape, padded: Shape, rows: Shape, folded: Shape) -> bool:
    """Whether every ``rate``-th row of x, padded at its end, goes into one example."""
    if not len(x) == len(padded) == len(rows) == len(folded) == 3 or not rows[0]:
        return False
    batch, time, channels = padded
    rate, length = rows[0], time // rows[0]
    exact = time % rate == 0 and time >= x[1] and (x[0], x[2]) == (batch, channels)
    return (
        exact
        and rows == (rate, batch * length, channels)
        and folded == (rate * batch, length, channels)
    )


def _unfolds(convolved: Shape, columns: Shape, restored: Shape) -> bool:
    """Whether ``columns`` (``[batch * time, rate, filters]``) and ``restored`` undo the folding."""
    if not len(convolved) == len(columns) == len(restored) == 3 or not columns[1]:
        return False
    examples, length, filters = convolved
    rate = columns[1]
    batch = examples // rate
    return (
        batch * rate == examples
        and columns == (batch * length, rate, filters)
        and restored == (batch, length * rate, filters)
    )


def _rate(view: View, rows: Tensor) -> int:
    return (view.shape(rows) or (0,))[0] or 0


def _line(kernel: Held, axis: Any) -> Held:
    """The kernel without the axis of size 1 that was put in."""
    shape = list(kernel.shape)
    del shape[int(axis) % 4 - 1]
    return kernel.reshaped(*shape)


def _is_folded(
    view: View,
    x: Tensor,
    kernel: Held,
    bias: Held | None,
    pads: Sizes | None,
    there: Any,
    back: Any,
    begin: Any,
    axis: Any,
    axes: Any,
    padded: Tensor,
    rows: Tensor,
    folded: Tensor,
    convolved: Tensor,
    columns: Tensor,
    restored: Tensor,
    cut: Tensor,
) -> bool | str:
    if tuple(there) != (1, 0, 2) or tuple(back) != (1, 0, 2):
        return "it is not the first two axes that are exchanged"
    if pads is not None and any(p is None or p.number != 0 for p in pads[:3]):
        return "it is not the end that is padded"
    if begin is not None and any(begin):
        return "it is not the start that is kept"
    line = kept_axis(axis, "NHWC")
    if line is None or [a % 4 for a in axes or ()] != [int(axis) % 4]:
        return "it is no convolution of one axis"
    if len(kernel.shape) != 4 or kernel.shape[int(axis) % 4 - 1] != 1:
        return "the kernel spans the inserted axis"
    if not view.always(_folds, x, padded, rows, folded):
        return "it does not fold time into the batch"
    if not view.always(_unfolds, convolved, columns, restored):
        return "it does not unfold what was folded"
    shorter = (_line(kernel, axis).shape[0] - 1) * _rate(view, rows)

    def is_cut(given: Shape, made: Shape) -> bool:
        return made[:2] == (given[0], given[1] - shorter)

    if not view.always(is_cut, x, cut):
        return "it is not cut to what a dilated convolution computes"
    return per_channel(bias, kernel.shape[-1])


@layer(
    "Conv1D",
    where=_is_folded,
    config=lambda view, kernel, bias, axis, rows: {
        "filters": kernel.shape[-1],
        "kernel_size": (_line(kernel, axis).shape[0],),
        "strides": (1,),
        "padding": "valid",
        "data_format": "channels_last",
        "dilation_rate": (_rate(view, rows),),
        "groups": 1,
        "use_bias": bias is not None,
        "activation": "linear",
    },
    weights=lambda kernel, bias, axis: {
        "kernel": _line(kernel, axis),
        "bias": bias.flat() if bias else None,
    },
    evidence="time is folded into the batch, convolved and unfolded: a dilation rate",
)
def conv1d_folded_by_hand(
    x: Input,
    kernel: Weight,
    bias: Weight | None,
    pads: Dims,
    there: Array,
    back: Array,
    begin: Array,
    axis: Array,
    axes: Attr,
) -> Term:
    """``time_to_batch``, ``conv1d``, ``batch_to_time`` and a slice; what has nothing to do may be missing."""
    padded = named("padded", op.Pad(x, pads) | x)
    rows = named("rows", op.Transpose(op.Reshape(padded, ANY), there))
    folded = named("folded", op.Reshape(rows, ANY) | rows)
    wide = op.Conv2D(
        op.ExpandDims(folded, axis), kernel, strides=[1, 1, 1, 1], padding="VALID"
    )
    convolved = named("convolved", op.Squeeze(wide, squeeze_dims=axes))
    columns = named(
        "columns", op.Transpose(op.Reshape(convolved, ANY) | convolved, back)
    )
    restored = named("restored", op.Reshape(columns, ANY))
    ended = op.StridedSlice(
        restored, begin, ANY, [1, 1, 1], begin_mask=ANY, end_mask=ANY
    )
    cut = named("cut", op.Slice(restored, begin, ANY) | ended | restored)
    return cut + bias
