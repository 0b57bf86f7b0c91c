"""Graph -> Graph that TensorFlow.js computes rightly: what its runtimes do otherwise than TensorFlow is spelled so that they need not.

Each repair changes a graph (the main one, or the body of a function) in place and says what it did.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from ...graph import Graph, Node, Tensor
from ...graph.edit import fresh, put, put_constant, redirect
from .spellings import SPELLINGS, SPELT

Repair = Callable[[Graph], Iterator[str]]


def spell_plainly(graph: Graph) -> Iterator[str]:
    """``BatchMatMulV3(x, y) -> BatchMatMulV2(x, y)`` and the like: one meaning, the name that TensorFlow.js has for it."""
    for name in list(graph.by_op(*PLAIN)):
        node = graph.node(name)
        new = PLAIN[node.op]
        put(graph, name, replace(node, op=new))
        yield f"{node.op} written as {new}"


PLAIN = {
    "EnsureShape": "Identity",  # TensorFlow.js looks for the shape among its inputs
    "CheckNumerics": "Identity",
    "PreventGradient": "Identity",
    "BiasAddV1": "BiasAdd",
    "BatchMatMulV3": "BatchMatMulV2",
    "PlaceholderV2": "Placeholder",
    "Rint": "Round",
    "Inv": "Reciprocal",
    "TopK": "TopKV2",
    "TruncateMod": "Mod",
    "MutableHashTableV2": "HashTableV2",
    "MutableHashTable": "HashTable",
    "_FusedDepthwiseConv2dNative": "FusedDepthwiseConv2dNative",
    "StatefulPartitionedCall": "PartitionedCall",
}


def tie_branch_constants(graph: Graph) -> Iterator[str]:
    """``Const[^pivot] -> Switch(Const, predicate):branch``: a Merge of TensorFlow.js takes the first input there is.

    It ignores control edges, so a constant that a branch returns would always be there.
    """
    for name in list(graph.by_op("Const")):
        node = graph.node(name)
        pivot = next((p for c in node.controls if (p := _pivot(graph, c))), None)
        if pivot is None:
            continue
        predicate = graph.inputs(pivot.node)[1]
        if graph.op(predicate.node) == "LoopCond":
            continue  # seen in every iteration as it is
        switch = fresh(graph, f"{name}/taken")
        redirect(graph, Tensor(name), Tensor(switch, pivot.port))
        put(graph, name, replace(node, controls=()))
        attrs = {"T": node.attrs["dtype"]}
        put(graph, switch, Node("Switch", attrs), [Tensor(name), predicate])
        yield "constants of branches switched with their branch"


def _pivot(graph: Graph, control: str) -> Tensor | None:
    """The output of the Switch that says that a branch is taken, behind the node that a control edge names."""
    if control not in graph or graph.op(control) not in ("Identity", "Switch"):
        return None
    inputs = graph.inputs(control)
    if graph.op(control) == "Identity" and graph.op(inputs[0].node) == "Switch":
        return inputs[0]
    return None


def count_one_hots(graph: Graph) -> Iterator[str]:
    """``OneHot(i, n, on, off): float -> Cast(OneHot(i, n, 1, 0): int) * (on - off) + off``: wasm writes the bits of integers whatever the type."""
    for name in list(graph.by_op("OneHot")):
        node, inputs = graph.node(name), graph.inputs(name)
        dtype = str(node.attrs.get("T", "float32"))
        if dtype not in ("float32", "float64", "float16", "bfloat16"):
            continue
        bits = fresh(graph, f"{name}/bits")
        one, zero = (put_constant(graph, f"{name}/{n}", n, "int32") for n in (1, 0))
        attrs = {
            "axis": node.attrs.get("axis", -1),
            "T": "int32",
            "TI": node.attrs.get("TI", "int64"),
        }
        put(graph, bits, Node("OneHot", attrs), [*inputs[:2], one, zero])
        float_bits = fresh(graph, f"{name}/floats")
        cast = Node("Cast", {"SrcT": "int32", "DstT": dtype})
        put(graph, float_bits, cast, [Tensor(bits)])
        kind = {"T": dtype}
        span, scaled = fresh(graph, f"{name}/span"), fresh(graph, f"{name}/scaled")
        put(graph, span, Node("Sub", kind), inputs[2:4])
        put(graph, scaled, Node("Mul", kind), [Tensor(float_bits), Tensor(span)])
        put(graph, name, Node("AddV2", kind), [Tensor(scaled), inputs[3]])
        yield "one-hot vectors of floats made from integers"


def shape_lookups(graph: Graph) -> Iterator[str]:
    """``LookupTableFind(t, keys, default) -> Reshape(LookupTableFind(t, keys, default), Shape(keys))``: it answers with a flat tensor."""
    for name in list(graph.by_op("LookupTableFind", "LookupTableFindV2")):
        node, keys = graph.node(name), graph.inputs(name)[1]
        flat, shape = fresh(graph, f"{name}/flat"), fresh(graph, f"{name}/shape")
        put(graph, flat, node, graph.inputs(name))
        sizes = Node("Shape", {"T": node.attrs["Tin"], "out_type": "int32"})
        put(graph, shape, sizes, [keys])
        attrs = {"T": node.attrs["Tout"], "Tshape": "int32"}
        put(graph, name, Node("Reshape", attrs), [Tensor(flat), Tensor(shape)])
        yield "lookups given the shape of their keys"


def join_softsigns(graph: Graph) -> Iterator[str]:
    """``Softsign(x) -> x / (1 + Abs(x))``: TensorFlow.js has no such op."""
    for name in list(graph.by_op("Softsign")):
        x, kind = graph.inputs(name)[0], {"T": graph.attrs(name)["T"]}
        size, whole = fresh(graph, f"{name}/abs"), fresh(graph, f"{name}/sum")
        one = put_constant(graph, f"{name}/one", 1, str(kind["T"]))
        put(graph, size, Node("Abs", kind), [x])
        put(graph, whole, Node("AddV2", kind), [Tensor(size), one])
        put(graph, name, Node("RealDiv", kind), [x, Tensor(whole)])
        yield "Softsign written as x / (1 + |x|)"


WRITTEN_OTHERWISE = frozenset(PLAIN) | {"Softsign"} | SPELT
"""Ops that a repair gives another spelling."""

REPAIRS: tuple[Repair, ...] = (
    spell_plainly,
    join_softsigns,
    count_one_hots,
    shape_lookups,
    tie_branch_constants,
    *SPELLINGS,
)


def repair(graph: Graph) -> list[str]:
    """All repairs, in place; what was done, once each."""
    done = [note for each in REPAIRS for note in each(graph)]
    return list(dict.fromkeys(done))
