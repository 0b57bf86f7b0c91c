"""Dilated convolutions of one axis whose author folded time into the batch by hand, before Conv1D knew a dilation rate.

``[batch, time, channels]`` becomes ``[rate * batch, time / rate, channels]``, is convolved, unfolded, and cut to what a
convolution with that dilation rate computes: the first WaveNets in TensorFlow (ibab/tensorflow-wavenet, 2016).
"""

from __future__ import annotations

from ...graph import Tensor
from ...match import (
    ANY,
    Array,
    Bindings,
    Dims,
    Input,
    New,
    Term,
    View,
    Weight,
    form,
    line,
    named,
    op,
)
from .convolutions import plain_attributes

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


def _is_folded(b: Bindings) -> bool | str:
    if b.pads is not None and any(p is None or p.number != 0 for p in b.pads[:3]):
        return "it is not the end that is padded"
    if b.begin is not None and any(b.begin):
        return "it is not the start that is kept"
    if not b.view.always(_folds, b.x, b.padded, b.rows, b.folded):
        return "it does not fold time into the batch"
    if not b.view.always(_unfolds, b.convolved, b.columns, b.restored):
        return "it does not unfold what was folded"
    shorter = (b.kernel.shape[0] - 1) * _rate(b.view, b.rows)

    def is_cut(whole: Shape, left: Shape) -> bool:
        return left[:2] == (whole[0], whole[1] - shorter)

    fits = b.view.always(is_cut, b.x, b.cut)
    return fits or "it is not cut to what a dilated convolution computes"


def _dilated(b: Bindings) -> New:
    rate = (1, _rate(b.view, b.rows), 1)
    attrs = {**plain_attributes(1), "dilations": rate}
    return New("line.Conv2D", (b.read("x"), b.read("kernel")), attrs)


@form(
    "line.Conv2D",
    where=_is_folded,
    becomes=_dilated,
    evidence="time is folded into the batch, convolved and unfolded: a dilation rate",
)
def folded_by_hand(x: Input, kernel: Weight, pads: Dims, begin: Array) -> Term:
    """``time_to_batch``, ``conv1d``, ``batch_to_time`` and a slice -> ``conv(x, dilations=rate)``.

    What has nothing to do may be missing.
    """
    padded, turn = named("padded", op.Pad(x, pads) | x), [1, 0, 2]
    rows = named("rows", op.Transpose(op.Reshape(padded, ANY), turn))
    folded = named("folded", op.Reshape(rows, ANY) | rows)
    inner = line.Conv2D(folded, kernel, **plain_attributes(1))
    convolved = named("convolved", inner)
    flat = op.Reshape(convolved, ANY) | convolved
    columns = named("columns", op.Transpose(flat, turn))
    restored = named("restored", op.Reshape(columns, ANY))
    masks = {"begin_mask": ANY, "end_mask": ANY}
    ended = op.StridedSlice(restored, begin, ANY, [1, 1, 1], **masks)
    return named("cut", op.Slice(restored, begin, ANY) | ended | restored)
