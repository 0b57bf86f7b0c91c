"""Ops that more than one runtime lacks -> the same by ops that all have, in place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from ...graph import Function, Graph, Node, Tensor
from ...graph.edit import duplicate, put, put_constant, put_new
from ...wire.write import referenced
from .frozen import Frozen


@dataclass(frozen=True)
class Parts:
    """New nodes below the name of the one that they stand for."""

    graph: Graph
    name: str

    def node(
        self, part: str, op: str, attrs: Mapping[str, object], *inputs: Tensor
    ) -> Tensor:
        return put_new(self.graph, f"{self.name}/{part}", op, attrs, *inputs)

    def constant(self, part: str, value: np.ndarray) -> Tensor:
        return put_constant(self.graph, f"{self.name}/{part}", value)

    def end(self, op: str, attrs: Mapping[str, object], *inputs: Tensor) -> None:
        """The node itself, of another op."""
        put(self.graph, self.name, Node(op, attrs), inputs)


def spell_erfc(graph: Graph) -> Iterator[str]:
    """``Erfc(-x * c) -> Erf(x * c) + 1``, which converters know in a GELU; ``Erfc(x) -> 1 - Erf(x)``."""
    for name in list(graph.by_op("Erfc")):
        parts, kind = Parts(graph, name), {"T": graph.attrs(name)["T"]}
        x = graph.inputs(name)[0]
        one = parts.constant("one", np.array(1, str(kind["T"])))
        opposite = _opposite(parts, x, kind)
        if opposite is None:
            parts.end("Sub", kind, one, parts.node("erf", "Erf", kind, x))
        else:
            parts.end("AddV2", kind, parts.node("erf", "Erf", kind, opposite), one)
        yield "Erfc written by Erf"


def _opposite(parts: Parts, x: Tensor, kind: Mapping[str, object]) -> Tensor | None:
    """What a tensor is the negative of: ``-y``, ``-y * c``, ``-y / c``."""
    graph = parts.graph
    if graph.op(x.node) == "Neg":
        return graph.inputs(x.node)[0]
    if graph.op(x.node) not in ("Mul", "RealDiv"):
        return None
    inputs = list(graph.inputs(x.node))
    for slot, source in enumerate(inputs):
        if graph.op(source.node) == "Neg":
            inputs[slot] = graph.inputs(source.node)[0]
            return parts.node("scaled", graph.op(x.node), kind, *inputs)
    return None


def spell_clips(graph: Graph) -> Iterator[str]:
    """``ClipByValue(x, low, high) -> Minimum(Maximum(x, low), high)``."""
    for name in list(graph.by_op("ClipByValue")):
        parts, kind = Parts(graph, name), {"T": graph.attrs(name)["T"]}
        x, low, high = graph.inputs(name)
        parts.end("Minimum", kind, parts.node("low", "Maximum", kind, x, low), high)
        yield "ClipByValue written as Minimum of Maximum"


def spell_logarithms(graph: Graph) -> Iterator[str]:
    """``Log1p(x) -> Log(x + 1)``, ``Expm1(x) -> Exp(x) - 1``, ``Inv(x) -> Reciprocal(x)``."""
    for name in list(graph.by_op("Log1p", "Expm1", "Inv")):
        op, parts = graph.op(name), Parts(graph, name)
        kind, x = {"T": graph.attrs(name)["T"]}, graph.inputs(name)[0]
        one = parts.constant("one", np.array(1, str(kind["T"])))
        if op == "Log1p":
            parts.end("Log", kind, parts.node("sum", "AddV2", kind, x, one))
        elif op == "Expm1":
            parts.end("Sub", kind, parts.node("exp", "Exp", kind, x), one)
        else:
            parts.end("Reciprocal", kind, x)
        yield f"{op} written otherwise"


def spell_buckets(graph: Graph) -> Iterator[str]:
    """``Bucketize(x, boundaries) -> Reshape(Sum(Cast(Reshape(x, [-1, 1]) >= boundaries), -1), Shape(x))``.

    In two axes, since TensorFlow.js on WebGPU compares five wrongly.
    """
    for name in list(graph.by_op("Bucketize")):
        parts, x = Parts(graph, name), graph.inputs(name)[0]
        dtype, last = str(graph.attrs(name)["T"]), np.array(-1, np.int32)
        bounds = np.array(graph.attrs(name)["boundaries"], "float32")
        axis, floats = parts.constant("last", last), {"T": "float32"}
        if dtype != "float32":
            x = parts.node("floats", "Cast", {"SrcT": dtype, "DstT": "float32"}, x)
        shape = parts.node("shape", "Shape", {"T": "float32", "out_type": "int32"}, x)
        one = parts.constant("one", np.array([-1, 1], np.int32))
        rows = {"T": "float32", "Tshape": "int32"}
        column = parts.node("column", "Reshape", rows, x, one)
        limits = parts.constant("boundaries", bounds)
        above = parts.node("above", "GreaterEqual", floats, column, limits)
        cast = {"SrcT": "bool", "DstT": "int32"}
        counts = parts.node("counts", "Cast", cast, above)
        reduce = {"T": "int32", "Tidx": "int32", "keep_dims": False}
        total = parts.node("total", "Sum", reduce, counts, axis)
        parts.end("Reshape", {"T": "int32", "Tshape": "int32"}, total, shape)
        yield "Bucketize written as a count of the boundaries below"


SPELLINGS = {
    "Erfc": spell_erfc,
    "Bucketize": spell_buckets,
    "ClipByValue": spell_clips,
    "Log1p": spell_logarithms,
    "Expm1": spell_logarithms,
    "Inv": spell_logarithms,
}


def spelt(frozen: Frozen, known: frozenset[str]) -> Frozen:
    """The same model with what is not ``known`` written by what is, where there is a spelling for it."""
    library = {f.name: f for f in referenced(frozen.graph, frozen.functions)}
    bodies = [frozen.graph, *(f.graph for f in library.values())]
    lacking = {op for b in bodies for op in SPELLINGS if next(b.by_op(op), None)}
    if not lacking - known:
        return frozen
    graph = _spelt(frozen.graph, lacking - known)
    functions: dict[str, Function] = {
        name: replace(f, graph=_spelt(f.graph, lacking - known), message=None)
        for name, f in library.items()
    }
    return replace(frozen, graph=graph, functions={**frozen.functions, **functions})


def _spelt(graph: Graph, ops: set[str]) -> Graph:
    copy = duplicate(graph)
    for spell in dict.fromkeys(SPELLINGS[op] for op in sorted(ops)):
        for _ in spell(copy):
            pass
    return copy
