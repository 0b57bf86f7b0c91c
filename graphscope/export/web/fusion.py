"""Graph -> Graph with convolutions and products fused with the bias and the activation behind them, as TensorFlow.js's kernels take them."""

from __future__ import annotations

from collections.abc import Iterable

from ...graph import Graph, Node, Tensor
from ...graph.edit import put, redirect
from ...ops import spellings
from ..frozen.body import stored_value, value_of

FUSED = {
    "Conv2D": "_FusedConv2D",
    "DepthwiseConv2dNative": "FusedDepthwiseConv2dNative",
    "MatMul": "_FusedMatMul",
}
ACTIVATIONS = frozenset("Relu Relu6 Elu LeakyRelu Sigmoid".split())
SUMS = frozenset({*spellings.SUMS, "BiasAdd"})


def fuse(graph: Graph, outputs: Iterable[Tensor]) -> int:
    """``Relu(BiasAdd(Conv2D(x, k), b)) -> _FusedConv2D(x, k, b, fused_ops=[BiasAdd, Relu])``, in place; how many were fused.

    Only what nothing else reads; the node keeps the name of the last of them.
    """
    ends, count = {tensor.node for tensor in outputs}, 0
    for name in list(graph.by_op(*FUSED)):
        chain = _chain(graph, name, ends)
        if len(chain) > 1:
            _join(graph, chain)
            count += 1
    return count


def _chain(graph: Graph, name: str, ends: set[str]) -> list[str]:
    """The product, its bias, its activation: as far as they follow each other alone."""
    chain = [name]
    attrs = graph.attrs(name)
    if attrs.get("data_format", "NHWC") != "NHWC" or attrs.get("transpose_b"):
        return chain  # wasm's fused product of a transposed matrix adds wrongly
    bias = _only_reader(graph, name, ends)
    if not bias or graph.op(bias) not in SUMS or not _bias(graph, bias, name):
        return chain
    chain.append(bias)
    after = _only_reader(graph, bias, ends)
    if after and graph.op(after) in ACTIVATIONS:
        chain.append(after)
    return chain


def _only_reader(graph: Graph, name: str, ends: set[str]) -> str:
    readers = graph.consumers(name)
    if len(readers) != 1 or name in ends:
        return ""
    reader = readers[0][0]
    return "" if graph.node(reader).controls else reader


def _bias(graph: Graph, name: str, source: str) -> Tensor | None:
    """The other operand of the sum, where it is a constant vector: one number a channel."""
    if graph.attrs(name).get("data_format", "NHWC") != "NHWC":
        return None
    others = [t for t in graph.inputs(name) if t.node != source]
    if len(others) != 1 or graph.op(others[0].node) != "Const":
        return None
    node = graph.node(others[0].node)
    body = stored_value(node)
    shape = value_of(node).shape if body is None else body.shape
    return others[0] if len(shape) == 1 and shape[0] > 1 else None


def _join(graph: Graph, chain: list[str]) -> None:
    first, sum_name, last = chain[0], chain[1], chain[-1]
    node, bias = graph.node(first), _bias(graph, sum_name, first)
    words = ["BiasAdd"] + [graph.op(each) for each in chain[2:]]
    attrs = {key: node.attrs[key] for key in node.attrs}
    attrs |= {"fused_ops": tuple(words), "num_args": 1, "epsilon": 0.0}
    if words[-1] == "LeakyRelu":
        attrs["leakyrelu_alpha"] = graph.attrs(last).get("alpha", 0.2)
    inputs = [*graph.inputs(first)[:2]] + ([bias] if bias else [])
    put(graph, last, Node(FUSED[node.op], attrs, (), node.controls), inputs)
    for each in chain[:-1]:
        redirect(graph, Tensor(each), Tensor(last))
        graph.remove_node(each)
