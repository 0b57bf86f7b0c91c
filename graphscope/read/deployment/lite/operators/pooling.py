"""Pooling, resizing and reductions."""

from __future__ import annotations

from functools import partial

from .....graph import Tensor
from ..call import Call, lowers

_REDUCTIONS = {
    "MEAN": "Mean",
    "SUM": "Sum",
    "REDUCE_MAX": "Max",
    "REDUCE_MIN": "Min",
    "REDUCE_PROD": "Prod",
    "REDUCE_ANY": "Any",
    "REDUCE_ALL": "All",
}
_SEGMENTS = {
    "SEGMENT_SUM": "SegmentSum",
    "UNSORTED_SEGMENT_SUM": "UnsortedSegmentSum",
    "UNSORTED_SEGMENT_MAX": "UnsortedSegmentMax",
    "UNSORTED_SEGMENT_MIN": "UnsortedSegmentMin",
    "UNSORTED_SEGMENT_PROD": "UnsortedSegmentProd",
}


def _windows(call: Call) -> dict[str, object]:
    sizes = (1, call.option("filter_height", 1), call.option("filter_width", 1), 1)
    strides = (1, call.option("stride_h", 1), call.option("stride_w", 1), 1)
    padding = call.option("padding", "VALID")
    return {"ksize": sizes, "strides": strides, "padding": padding}


@lowers("MAX_POOL_2D")
def _largest(call: Call) -> Tensor:
    return call.activated(call.op("MaxPool", call[0], **_windows(call)))


@lowers("AVERAGE_POOL_2D")
def _average(call: Call) -> Tensor:
    return call.activated(call.op("AvgPool", call[0], **_windows(call)))


@lowers("L2_POOL_2D")
def _root_mean_square(call: Call) -> Tensor:
    mean = call.op("AvgPool", call.op("Square", call[0]), **_windows(call))
    return call.activated(call.op("Sqrt", mean))


def _reduce(op: str, call: Call) -> Tensor:
    return call.op(op, call[0], call[1], keep_dims=bool(call.option("keep_dims")))


def _segments(op: str, call: Call) -> Tensor:
    return call.op(op, *call.all)


for _name, _op in _REDUCTIONS.items():
    lowers(_name)(partial(_reduce, _op))
for _name, _op in _SEGMENTS.items():
    lowers(_name)(partial(_segments, _op))


def _resize(op: str, call: Call) -> Tensor:
    names = ("align_corners", "half_pixel_centers")
    attrs = {name: bool(call.option(name)) for name in names}
    return call.op(op, call[0], call[1], **attrs)


lowers("RESIZE_BILINEAR")(partial(_resize, "ResizeBilinear"))
lowers("RESIZE_NEAREST_NEIGHBOR")(partial(_resize, "ResizeNearestNeighbor"))


@lowers("CUMSUM")
def _running_sum(call: Call) -> Tensor:
    attrs = {name: bool(call.option(name)) for name in ("exclusive", "reverse")}
    return call.op("Cumsum", call[0], call[1], **attrs)


def _arg(op: str, call: Call) -> Tensor:
    return call.op(op, call[0], call[1], output_type=call.dtype())


lowers("ARG_MAX")(partial(_arg, "ArgMax"))
lowers("ARG_MIN")(partial(_arg, "ArgMin"))


@lowers("TOPK_V2")
def _top(call: Call) -> list[Tensor]:
    x = call.op("TopKV2", call[0], call[1])
    return [x, Tensor(x.node, 1)]
