"""Smaller files: weights as half floats, or as 8-bit integers with one scale a channel, and the ops that make them floats again."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ...graph import Graph, Node, Tensor
from ...graph.edit import duplicate, fresh, put
from ...read.weights.lazy_const import Converted, Stored
from ...wire.mapped import pieces
from ..report import Change
from .channels import KERNEL_SLOT, output_axes

LEAST = 1024  # elements; smaller constants are biases and settings, not worth an error
MOST_HALF = float(np.finfo(np.float16).max)
HALF_STEP = (
    2.0**-11
)  # the most that rounding to float16 changes a number, as a part of it
SMALLEST_NORMAL = np.float32(2.0**-14)  # of float16
HALF_BITS = np.uint32(0x3F000000)  # 0.5 as float32
SMALLEST_HALF = 2.0**-24  # below 6.1e-5 numbers lie so far apart


def halve(graph: Graph) -> tuple[Graph, list[Change]]:
    """The graph with its float32 weights stored as float16 and cast where they are read.

    A weight that float16 cannot hold (above 65,504) stays as it is. The change says how large the worst error is.
    """
    copy, worst, names = duplicate(graph), 0.0, []
    for name in _weights(graph):
        ranges = [_largest(piece) for _, piece in pieces(graph.attrs(name)["value"])]
        scale = float(np.maximum.reduce(ranges))  # NaN where there is one
        if not scale < MOST_HALF:
            continue
        worst = max(worst, HALF_STEP, SMALLEST_HALF / 2 / (scale or 1.0))
        _store(copy, name, "half", Converted("float16", graph.attrs(name), _as_half))
        names.append(name)
    text = (
        f"{len(names)} weights as float16, each within {worst:.1e} of its largest value"
    )
    return copy, [Change(text, tuple(names))] if names else []


def _as_half(piece: np.ndarray, cut: slice) -> np.ndarray:
    """Rounded to even, as a cast does it; numpy's cast alone takes twenty times as long over a number below 2**-14."""
    tiny = np.abs(piece) < SMALLEST_NORMAL
    if np.count_nonzero(tiny) * 100 < piece.size:
        return piece.astype(np.float16)
    # In [0.5, 1) float32 numbers lie 2**-24 apart, as float16 ones below 2**-14 do: the sum is rounded as they are.
    sums = np.abs(piece * tiny) + np.float32(0.5)
    steps = (sums.view(np.uint32) - HALF_BITS).astype(np.uint16)
    half = (piece * ~tiny).astype(np.float16)  # zeros keep their sign
    return (half.view(np.uint16) | steps).view(np.float16)


def _largest(piece: np.ndarray, axes: tuple[int, ...] | None = None) -> np.ndarray:
    """The largest absolute value along some axes, all of them kept; without a copy of the piece."""
    return np.maximum(
        piece.max(axes, keepdims=axes is not None, initial=0),
        -piece.min(axes, keepdims=axes is not None, initial=0),
    )


def quantize(graph: Graph) -> tuple[Graph, list[Change]]:
    """The graph with its kernels and tables stored as int8 times one float32 scale a channel.

    Symmetric and weight-only: activations stay floats. The change says how large the worst error is.
    """
    copy, worst, names = duplicate(graph), 0.0, []
    for name in _weights(graph):
        value = graph.attrs(name)["value"]
        if value.ndim < 2:
            continue
        most = _channel_range(value, _channel_axes(graph, name, value.ndim))
        if not np.isfinite(most).all():
            continue
        scale = (np.where(most > 0, most, 127.0) / 127.0).astype(np.float32)
        whole = _store(copy, name, "int8", _as_int8(graph.attrs(name), scale))
        _scale(copy, name, whole, scale)
        worst = max(worst, float(np.max(scale) / 2 / (np.max(most) or 1.0)))
        names.append(name)
    text = f"{len(names)} weights as int8 with a scale for each channel, each within {worst:.1e} of its largest value"
    return copy, [Change(text, tuple(names))] if names else []


def _channel_range(value: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    """The largest absolute value of each channel; the other axes are kept with size 1."""
    others = tuple(axis for axis in range(value.ndim) if axis not in axes)
    ranges = [_largest(piece, others) for _, piece in pieces(value)]
    if 0 in axes:
        return np.concatenate(ranges)
    return np.maximum.reduce(ranges)  # type: ignore[no-any-return]


def _as_int8(attrs: Mapping[str, object], scale: np.ndarray) -> Converted:
    def convert(piece: np.ndarray, cut: slice) -> np.ndarray:
        own = scale[cut] if len(scale) > 1 else scale
        whole = piece / own
        return np.clip(np.rint(whole, out=whole), -127, 127, out=whole).astype(np.int8)

    return Converted("int8", attrs, convert)


def _weights(graph: Graph) -> list[str]:
    """The float32 constants that are large enough to be worth it."""
    weights = []
    for name in graph.by_op("Const"):
        attrs = graph.attrs(name)
        if attrs.get("dtype") == "float32" and graph._succ[name]:
            shape = attrs.shape if isinstance(attrs, Stored) else attrs["value"].shape
            if int(np.prod(shape)) >= LEAST:
                weights.append(name)
    return weights


def _channel_axes(graph: Graph, name: str, rank: int) -> tuple[int, ...]:
    """The axes that one scale each is kept for: the output channels of what reads the weight, rows of a table."""
    for reader, slot in graph.consumers(name):
        op = graph.op(reader)
        if op.startswith("Gather") and slot == 0:
            return (0,)
        if KERNEL_SLOT.get(op) == slot:
            axes = output_axes(graph, reader, rank)
            if axes:
                return axes
    return (rank - 1,)


def _store(graph: Graph, name: str, suffix: str, attrs: Converted) -> str:
    """Put the short constant beside the weight, whose name now is that of the Cast."""
    old = graph.node(name)
    short = fresh(graph, f"{name}/{suffix}")
    put(graph, short, Node("Const", attrs, (), old.controls, old.device), ())
    types = {"SrcT": attrs.dtype, "DstT": "float32"}
    cast = Node("Cast", types, (), old.controls, old.device)
    put(graph, name, cast, [Tensor(short)])
    return short


def _scale(graph: Graph, name: str, short: str, scale: np.ndarray) -> None:
    """The weight's name becomes the product of the cast integers and their scale."""
    cast = graph.node(name)
    floats, factor = fresh(graph, f"{short}/cast"), fresh(graph, f"{name}/scale")
    put(graph, floats, cast, [Tensor(short)])
    attrs = {"dtype": "float32", "value": scale}
    put(graph, factor, Node("Const", attrs, (), cast.controls, cast.device), ())
    product = Node("Mul", {"T": "float32"}, (), cast.controls, cast.device)
    put(graph, name, product, [Tensor(floats), Tensor(factor)])
