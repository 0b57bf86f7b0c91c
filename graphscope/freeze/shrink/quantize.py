"""Smaller files: weights as half floats, or as 8-bit integers with one scale a channel, and the ops that make them floats again."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...graph import Graph, Node, Tensor
from ...graph.edit import duplicate, fresh, put
from ...read.weights.lazy_const import Stored
from ..report import Change
from .channels import KERNEL_SLOT, output_axes

LEAST = 1024  # elements; smaller constants are biases and settings, not worth an error
MOST_HALF = float(np.finfo(np.float16).max)


def halve(graph: Graph) -> tuple[Graph, list[Change]]:
    """The graph with its float32 weights stored as float16 and cast where they are read.

    A weight that float16 cannot hold (above 65,504) stays as it is. The change says how large the worst error is.
    """
    copy, worst, names = duplicate(graph), 0.0, []
    for name in _weights(graph):
        value = graph.attrs(name)["value"]
        scale = float(np.max(np.abs(value), initial=0.0))
        if not scale < MOST_HALF:
            continue
        short = value.astype(np.float16).astype(np.float32)
        worst = max(worst, float(np.max(np.abs(short - value))) / (scale or 1.0))
        _store(copy, name, "half", "float16", _as_half(graph, name))
        names.append(name)
    text = (
        f"{len(names)} weights as float16, each within {worst:.1e} of its largest value"
    )
    return copy, [Change(text, tuple(names))] if names else []


def _as_half(graph: Graph, name: str) -> Callable[[], np.ndarray]:
    attrs = graph.attrs(name)
    return lambda: attrs["value"].astype(np.float16)


def quantize(graph: Graph) -> tuple[Graph, list[Change]]:
    """The graph with its kernels and tables stored as int8 times one float32 scale a channel.

    Symmetric and weight-only: activations stay floats. The change says how large the worst error is.
    """
    copy, worst, names = duplicate(graph), 0.0, []
    for name in _weights(graph):
        value = graph.attrs(name)["value"]
        if value.ndim < 2:
            continue
        axes = _channel_axes(graph, name, value.ndim)
        others = tuple(axis for axis in range(value.ndim) if axis not in axes)
        most = np.max(np.abs(value), axis=others, keepdims=True)
        if not np.isfinite(most).all():
            continue
        scale = (np.where(most > 0, most, 127.0) / 127.0).astype(np.float32)
        whole = _store(copy, name, "int8", "int8", _as_int8(graph, name, scale))
        _scale(copy, name, whole, scale)
        worst = max(worst, float(np.max(scale) / 2 / (np.max(most) or 1.0)))
        names.append(name)
    text = f"{len(names)} weights as int8 with a scale for each channel, each within {worst:.1e} of its largest value"
    return copy, [Change(text, tuple(names))] if names else []


def _as_int8(graph: Graph, name: str, scale: np.ndarray) -> Callable[[], np.ndarray]:
    attrs = graph.attrs(name)
    return lambda: np.clip(np.rint(attrs["value"] / scale), -127, 127).astype(np.int8)


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


def _store(
    graph: Graph, name: str, suffix: str, dtype: str, make: Callable[[], np.ndarray]
) -> str:
    """Put the short constant beside the weight, whose name now is that of the Cast."""
    old = graph.node(name)
    short = fresh(graph, f"{name}/{suffix}")
    shape = (
        old.attrs.shape if isinstance(old.attrs, Stored) else old.attrs["value"].shape
    )
    attrs = Stored(dtype, tuple(shape), make)
    put(graph, short, Node("Const", attrs, (), old.controls, old.device), ())
    cast = Node(
        "Cast", {"SrcT": dtype, "DstT": "float32"}, (), old.controls, old.device
    )
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
