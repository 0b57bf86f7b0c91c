"""What a cond guards against a tensor without rows -> ops that give it one, where both branches are computed.

``tf.cond(tf.shape(boxes)[0] > 0, ...)`` keeps a detector from running a net on no boxes at all, and TensorFlow's
convolutions need that: on a CPU with oneDNN they give an empty tensor back in the shape that it came in. A selection runs the
branch all the same, so it is run on one row of zeros, and what comes of that is not selected.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...graph import Graph, Tensor, TensorSpec
from ...graph.edit import duplicate, put_constant, put_new, read_instead
from ...graph.named_values import Attributes
from ...ops import spellings
from .conds_to_selects import resolved

_NEEDING = frozenset(spellings.CONVOLUTIONS)
_ONE_ELEMENT = (*spellings.GATHERS, "StridedSlice", "Cast", "Squeeze", "Identity")
# what compares a size with a bound: (op, bound) -> the port of a Switch behind which there are rows
_TESTS = {
    ("Greater", 0): 1,
    ("GreaterEqual", 1): 1,
    ("NotEqual", 0): 1,
    ("Equal", 0): 0,
    ("LessEqual", 0): 0,
    ("Less", 1): 0,
}
_MIRRORED = {"Less": "Greater", "LessEqual": "GreaterEqual"}
_MIRRORED |= {b: a for a, b in _MIRRORED.items()}


def give_rows(
    graph: Graph, whole: Graph, specs: Callable[[], Callable[[Tensor], TensorSpec]]
) -> Graph:
    """A copy of ``graph``, in which the conds of ``whole`` are selections, with a row for what enters a guarded net.

    ``graph`` itself where nothing is guarded so. A count of rows ``n`` asks for ``1 // (n + 1)`` rows more: one where there are
    none. ``specs``, called where that is needed, tells what is known of the tensors of ``graph``.
    """
    guarded = _guarded(whole)
    if not guarded or next(graph.by_op(*_NEEDING), None) is None:
        return graph
    convolved, spec_of = graph.upstream(graph.by_op(*_NEEDING)), specs()
    guards: dict[tuple[Tensor, Tensor], list[tuple[str, int]]] = {}
    needing = {count for (name, _), count in guarded.items() if name in convolved}
    for (name, slot), count in guarded.items():
        if count in needing and name in graph:
            data = graph.inputs(name)[slot]
            if (spec_of(data).shape or (1,))[0] is None:
                guards.setdefault((data, count), []).append((name, slot))
    copy = duplicate(graph)
    for (data, count), readers in guards.items():
        filled = _filled(copy, data, count, spec_of(data), spec_of(count).dtype)
        for name, slot in readers:
            read_instead(copy, name, slot, filled)
    return copy


def _guarded(graph: Graph) -> dict[tuple[str, int], Tensor]:
    """The inputs of nodes that a test for rows lets into a branch, with the size that it tests."""
    guarded: dict[tuple[str, int], Tensor] = {}
    for switch in graph.by_op("Switch"):
        inputs = graph.inputs(switch)
        test = _test(graph, inputs[1]) if len(inputs) == 2 else None
        if test is not None:
            size, port = test
            guarded |= dict.fromkeys(graph.consumers(switch, port), size)
    return guarded


def _test(graph: Graph, predicate: Tensor) -> tuple[Tensor, int] | None:
    """The size that a predicate compares with nothing, and the port behind which it is more."""
    test = resolved(graph, predicate).node
    op, sides = graph.op(test), graph.inputs(test)
    if len(sides) != 2:
        return None
    if graph.op(sides[0].node) == "Const":
        op, sides = _MIRRORED.get(op, op), sides[::-1]
    bound = _number(graph.attrs(sides[1].node))
    port = None if bound is None else _TESTS.get((op, bound))
    if port is None or not _is_size(graph, sides[0]):
        return None
    return sides[0], port


def _number(attrs: Attributes) -> int | None:
    value = attrs.get("value")
    if not isinstance(value, np.ndarray) or value.size != 1 or value.dtype.kind != "i":
        return None
    return int(value.ravel()[0])


def _is_size(graph: Graph, tensor: Tensor) -> bool:
    """Whether a tensor is one size of another, or its number of elements."""
    for _ in range(len(graph)):
        op, inputs = graph.op(tensor.node), graph.inputs(tensor.node)
        if op in ("Shape", "Size"):
            return True
        if op not in _ONE_ELEMENT or not inputs:
            break
        tensor = inputs[0]
    return False


def _filled(
    graph: Graph, data: Tensor, count: Tensor, spec: TensorSpec, counted: str
) -> Tensor:
    """``pad(data, [[0, 1 // (count + 1)], [0, 0], ...])``."""

    def add(part: str, op: str, attrs: Attributes, *inputs: Tensor) -> Tensor:
        return put_new(graph, f"{data.node}/rows/{part}", op, attrs, *inputs)

    def constant(part: str, value: int | list[int]) -> Tensor:
        return put_constant(graph, f"{data.node}/rows/{part}", value)

    if counted != "int32":
        count = add("count", "Cast", {"SrcT": counted, "DstT": "int32"}, count)
    one, none = constant("one", 1), constant("none", 0)
    more = add("more", "AddV2", {"T": "int32"}, count, one)
    missing = add("missing", "FloorDiv", {"T": "int32"}, one, more)
    packed = {"T": "int32", "axis": 0}
    pairs = [add("first", "Pack", {**packed, "N": 2}, none, missing)]
    rank = len(spec.shape or ())
    pairs += [constant(f"axis{axis}", [0, 0]) for axis in range(1, rank)]
    pads = add("paddings", "Pack", {**packed, "N": rank}, *pairs)
    return add("filled", "Pad", {"T": spec.dtype, "Tpaddings": "int32"}, data, pads)
