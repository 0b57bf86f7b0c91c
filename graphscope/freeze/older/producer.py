"""A graph that an older TensorFlow reads: today's ops in the spelling of then, nothing said that is the default, and all else refused.

What a version knew is a closed list (``op_history.py``): the ops and attributes that the registries of its time hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ...errors import NotExpressible
from ...graph import Function, Graph, Node, Tensor
from ...graph.edit import duplicate, fresh, put, put_constant, put_new
from ...ops import spellings
from ...wire.attrs import numpy_dtype
from ...wire.write import Edited
from ..shrink.fold import strip_defaults
from .op_history import NEVER, lifetimes, release_of, releases

OLD = 38  # below it: TensorFlow 1.13 and before
_PLAIN = {
    "AddV2": "Add",
    "BatchMatMulV2": "BatchMatMul",
    "BatchMatMulV3": "BatchMatMul",
    "FusedBatchNormV2": "FusedBatchNorm",
    "FusedBatchNormV3": "FusedBatchNorm",
}
_CONTROL = (*spellings.WHILES, *spellings.IFS)
_HINTS = ("output_shapes", "parallel_iterations")  # no value depends on them
_ADDED = frozenset("float16 float32 float64 int32 int64 int16 int8 uint8".split())
Functions = Mapping[str, Function]


def for_producer(
    graph: Graph, functions: Functions, producer: int
) -> tuple[Graph, dict[str, Function]]:
    """The graph and its functions as TensorFlow of that GraphDef version reads them.

    Raises NotExpressible where an op or an attribute was not known then and has no older spelling.
    """
    if producer < min(releases()):
        raise NotExpressible(
            f"what TensorFlow of GraphDef version {producer} knew is not known here: the oldest is {min(releases())} "
            f"(TensorFlow {release_of(min(releases()))})"
        )
    bodies = {
        name: replace(each, graph=_older(each.graph, producer), message=None)
        for name, each in functions.items()
    }
    graph = _older(graph, producer)
    _check([graph, *(each.graph for each in bodies.values())], bodies, producer)
    return graph, bodies


def _older(graph: Graph, producer: int) -> Graph:
    copy = duplicate(graph)
    for name in list(copy.by_op(*_PLAIN)) if producer < OLD else ():
        put(copy, name, _spelled(copy, name))
    for op, rewrite in _REWRITES.items():
        for name in () if lifetimes()[op].knows(producer) else list(copy.by_op(op)):
            rewrite(copy, name)
    for name in copy.by_op(*_CONTROL):
        node = copy.node(name)
        later = lifetimes()[node.op].attrs
        hints = {
            k: None for k in _HINTS if k in node.attrs and later.get(k, 0) > producer
        }
        put(copy, name, replace(node, attrs=Edited(node.attrs, hints)))
    return strip_defaults(copy)


def _check(graphs: list[Graph], functions: Functions, producer: int) -> None:
    """Raise with the first thing that was not known, and with the version that knows all."""
    faults, needed = [], producer
    for graph in graphs:
        for name in graph:
            if graph.op(name) in functions:  # a call of TensorFlow 1
                continue
            for fault, since in _unknown(graph.node(name), name, producer):
                faults.append(fault)
                needed = max(needed, since)
    if not faults:
        return
    release = f"TensorFlow {release_of(producer)}, GraphDef version {producer},"
    more = f", and {len(faults) - 1} more like it" if len(faults) > 1 else ""
    advice = (
        f"--producer {needed} is the lowest that knows all of the graph"
        if needed < NEVER
        else "no release of TensorFlow is known to have it"
    )
    raise NotExpressible(f"{release} has no {faults[0]}{more}; {advice}")


def _unknown(node: Node, name: str, producer: int) -> list[tuple[str, int]]:
    """What of a node was not known, and since when it is."""
    life = lifetimes().get(node.op)
    if life is None:
        return [(f"{node.op} (node {name!r})", NEVER)]
    later = {attr: since for attr, since in life.attrs.items() if attr in node.attrs}
    if not life.knows(producer):
        since = NEVER if producer >= life.gone else max(life.since, *later.values(), 0)
        return [(f"{node.op} (node {name!r})", since)]
    return [
        (f"attribute {attr} of {node.op} (node {name!r})", since)
        for attr, since in later.items()
        if since > producer
    ]


def _spelled(graph: Graph, name: str) -> Node:
    node = graph.node(name)
    if not node.op.startswith("FusedBatchNorm"):
        types = {} if node.op != "BatchMatMulV3" else _one_type(node, name)
        matmul_attrs = {
            k: node.attrs[k] for k in ("T", "adj_x", "adj_y") if k in node.attrs
        }
        return replace(node, op=_PLAIN[node.op], attrs={**matmul_attrs, **types})
    if node.attrs.get("is_training", True) or graph.consumers(name, 5):
        raise NotExpressible(
            f"{node.op} (node {name!r}) in training mode has no spelling for TensorFlow 1.13 and before"
        )
    attrs = {
        k: node.attrs[k]
        for k in ("T", "epsilon", "data_format", "is_training")
        if k in node.attrs
    }
    if node.attrs.get("T") == "float32":
        return replace(node, op="FusedBatchNorm", attrs=attrs)
    return replace(node, op="FusedBatchNormV2", attrs={**attrs, "U": "float32"})


def _one_type(node: Node, name: str) -> dict[str, str]:
    types = {str(node.attrs[key]) for key in ("Ta", "Tb", "Tout")}
    if len(types) > 1:
        raise NotExpressible(
            f"{node.op} (node {name!r}) of several types has no spelling for TensorFlow 1.13 and before"
        )
    return {"T": types.pop()}


def _by_select(graph: Graph, name: str) -> None:
    """``SelectV2(c, x, y) -> Select(c', x', y')``, each of its operands spread to the shape of all by adding zeros."""
    node, (condition, x, y) = graph.node(name), graph.inputs(name)
    dtype = str(node.attrs["T"])
    if dtype not in _ADDED:
        return
    typed = {"T": dtype}

    def add(op: str, attrs: dict[str, str], *inputs: Tensor) -> Tensor:
        new = fresh(graph, f"{name}/{op}")
        put(graph, new, Node(op, attrs, (), (), node.device), inputs)
        return Tensor(new)

    truth = add("Cast", {"SrcT": "bool", "DstT": dtype}, condition)
    zeros = [add("ZerosLike", typed, operand) for operand in (truth, x, y)]
    spread = add("Add", typed, add("Add", typed, *zeros[:2]), zeros[2])
    wide = [add("Add", typed, operand, spread) for operand in (truth, x, y)]
    wide[0] = add("NotEqual", typed, wide[0], spread)
    put(graph, name, replace(node, op="Select", attrs=typed), wide)


def _by_maximum(graph: Graph, name: str) -> None:
    """``LeakyRelu(x) -> Maximum(x, alpha x)``, where alpha is at most 1."""
    node, (x,) = graph.node(name), graph.inputs(name)
    alpha = float(node.attrs.get("alpha", 0.2))
    dtype = str(node.attrs.get("T", "float32"))
    if alpha > 1:
        return
    value = np.array(alpha, numpy_dtype(dtype))
    slope = put_constant(graph, f"{name}/alpha", value, dtype)
    scaled = put_new(graph, f"{name}/scaled", "Mul", {"T": dtype}, x, slope)
    maximum = replace(node, op="Maximum", attrs={"T": dtype})
    put(graph, name, maximum, (x, scaled))


_REWRITES = {"SelectV2": _by_select, "LeakyRelu": _by_maximum}
