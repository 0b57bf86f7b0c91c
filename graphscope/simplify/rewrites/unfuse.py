"""Grappler's fused ops -> the plain ops that they stand for, so that every pattern and every Keras text applies.

``_FusedConv2D(x, k, bias, fused_ops=["BiasAdd", "Relu"])`` called ``n`` becomes ``n/Conv2D``, ``n/BiasAdd`` and a Relu that
keeps the name ``n``. Sources: tensorflow/core/grappler/optimizers/remapper.cc; tfjs-converter's fuse_prelu.py for TensorFlow.js's
``Prelu(x, alpha)``, which TensorFlow has no op for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ... import ops
from ...graph import Graph, Node, Tensor
from ...graph.edit import fresh
from ...graph.named_values import Attributes

_BASES: Mapping[str, str] = {
    "_FusedConv2D": "Conv2D",
    "_FusedDepthwiseConv2dNative": "DepthwiseConv2dNative",
    "_FusedMatMul": "MatMul",
    "_FusedBatchNormEx": "FusedBatchNormV3",
}
_UNARY = frozenset(("Relu", "Relu6", "Elu", "Tanh", "Sigmoid", "LeakyRelu"))
_TAKES: Mapping[str, int] = {"BiasAdd": 1, "Add": 1, "FusedBatchNorm": 4, "Prelu": 1}
_KEPT: Mapping[str, tuple[str, ...]] = {
    "Conv2D": ("strides", "padding", "explicit_paddings", "data_format", "dilations"),
    "DepthwiseConv2dNative": ("strides", "padding", "data_format", "dilations"),
    "MatMul": ("transpose_a", "transpose_b"),
    "FusedBatchNormV3": ("U", "epsilon", "exponential_avg_factor", "data_format")
    + ("is_training",),
    "BiasAdd": ("data_format",),
    "FusedBatchNormV3 in a chain": ("epsilon", "data_format"),
}


class Step(NamedTuple):
    """One plain op of the chain: what it takes beside the step before it."""

    op: str
    attrs: Attributes
    more: Sequence[Tensor]


def unfuse(graph: Graph) -> Graph:
    """A graph without fused ops; the graph itself where it has none. A node fused of ops unknown here stays."""
    fused = {name: _steps(graph, name) for name in graph.by_op(*_BASES, "Prelu")}
    if not any(fused.values()):
        return graph
    plain = Graph()
    for name in graph:
        steps = fused.get(name)
        if steps:
            _expand(graph, plain, name, steps)
        else:
            plain.add(name, graph.node(name), graph.inputs(name))
    return plain


def _steps(graph: Graph, name: str) -> list[Step]:
    """The chain that a fused node stands for; empty where a part of it is not known here."""
    node, inputs = graph.node(name), graph.inputs(name)
    if node.op == "_FusedBatchNormEx":
        alone = graph.ports(name) <= {0}
        return _normalised(node, inputs) if alone else []
    if node.op == "Prelu":
        return (
            [Step("Prelu", _attrs(node, "Prelu"), inputs)] if len(inputs) == 2 else []
        )
    base = _BASES[node.op]
    steps = [Step(base, _attrs(node, base), inputs[:2])]
    left = list(inputs[2:])
    for kind in ops.Call(node.op, node.attrs).get("fused_ops") or ():
        if kind not in _UNARY and kind not in _TAKES:
            return []
        count = _TAKES.get(kind, 0)
        if len(left) < count:
            return []
        steps.append(_step(node, kind, left[:count]))
        left = left[count:]
    return steps


def _step(node: Node, kind: str, more: list[Tensor]) -> Step:
    if kind == "FusedBatchNorm":
        attrs = _attrs(node, "FusedBatchNormV3 in a chain")
        return Step(
            "FusedBatchNormV3", {**attrs, "U": "float32", "is_training": False}, more
        )
    attrs = _attrs(node, kind)
    if kind == "LeakyRelu":
        attrs["alpha"] = ops.Call(node.op, node.attrs).get("leakyrelu_alpha", 0.2)
    return Step("AddV2" if kind == "Add" else kind, attrs, more)


def _normalised(node: Node, inputs: Sequence[Tensor]) -> list[Step]:
    """Batch normalization, then what was added to it, then the activation."""
    call = ops.Call(node.op, node.attrs)
    op = "FusedBatchNormV3"
    steps = [Step(op, _attrs(node, op), inputs[:5])]
    if call.get("num_side_inputs", 0):
        steps.append(Step("AddV2", _attrs(node, "AddV2"), inputs[5:6]))
    mode = call.get("activation_mode", "Identity")
    if mode != "Identity":
        steps.append(Step(mode, _attrs(node, mode), ()))
    return steps if mode in (*_UNARY, "Identity") else []


def _attrs(node: Node, op: str) -> dict[str, Any]:
    """The dtype, and what the fused node says of this part."""
    names = ("T", *_KEPT.get(op, ()))
    return {name: node.attrs[name] for name in names if name in node.attrs}


def _expand(graph: Graph, plain: Graph, name: str, steps: list[Step]) -> None:
    node, before = graph.node(name), None
    for at, (step, own) in enumerate(
        zip(steps, _names(graph, name, steps), strict=True)
    ):
        inputs = [*([before] if before else []), *step.more]
        controls = node.controls if at == 0 else ()
        if step.op == "Prelu":
            _add_prelu(graph, plain, own, step.attrs, inputs, (controls, node.device))
        else:
            plain.add(own, Node(step.op, step.attrs, (), controls, node.device), inputs)
        before = Tensor(own)


def _add_prelu(
    graph: Graph,
    plain: Graph,
    name: str,
    attrs: Attributes,
    inputs: Sequence[Tensor],
    where: tuple[tuple[str, ...], str],
) -> None:
    """``relu(x) - alpha * relu(-x)``, as Keras 2 wrote its PReLU."""
    x, alpha = inputs
    controls, device = where
    attrs = {"T": "float32", **attrs}  # TensorFlow.js leaves it out
    parts: dict[str, tuple[str, tuple[Tensor | str, ...]]] = {
        "Relu": ("Relu", (x,)),
        "Neg": ("Neg", (x,)),
        "Relu_1": ("Relu", ("Neg",)),
        "mul": ("Mul", (alpha, "Relu_1")),
    }
    own = {key: fresh(graph, f"{name}/{key}") for key in parts}
    for key, (op, reads) in parts.items():
        read = [r if isinstance(r, Tensor) else Tensor(own[r]) for r in reads]
        first = controls if key in ("Relu", "Neg") else ()
        plain.add(own[key], Node(op, attrs, (), first, device), read)
    last = [Tensor(own["Relu"]), Tensor(own["mul"])]
    plain.add(name, Node("Sub", attrs, (), (), device), last)


def _names(graph: Graph, name: str, steps: list[Step]) -> Iterator[str]:
    """The last one is called as the fused node was: its readers need not know."""
    for step in steps[:-1]:
        yield fresh(graph, f"{name}/{step.op}")
    yield name
