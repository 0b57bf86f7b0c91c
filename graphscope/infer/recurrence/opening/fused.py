"""Ops that are a cell, or a loop over one, -> the ops that they are made of: what is read afterwards is spelled in one way.

*before* ``LSTMBlockCell(x, c, h, w, ..., b)``; *after* ``MatMul(Concat(x, h), w) + b``, split, activated, multiplied. The order of the gates
and what is added to them are those of the ops' documentation (``tensorflow/core/ops/rnn_ops.cc``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ....graph import Graph, Node, Tensor, TensorSpec
from ....graph.edit import fresh

Add = Callable[[str, Node, Sequence[Tensor]], str]
CELLS = frozenset({"LSTMBlockCell", "GRUBlockCell"})
LOOP_OPS = frozenset({"BlockLSTM", "BlockLSTMV2"})


@dataclass
class Builder:
    """Puts nodes into a graph, named below one; ``names`` are those of all that were put in."""

    graph: Graph
    scope: str
    names: list[str]

    def op(
        self, op: str, *inputs: Tensor, width: int | None = None, **attrs: Any
    ) -> Tensor:
        spec = TensorSpec("float32", (None, width)) if width else TensorSpec("float32")
        name = fresh(self.graph, f"{self.scope}/{op}")
        self.graph.add(name, Node(op, attrs, (spec,)), inputs)
        self.names.append(name)
        return Tensor(name)

    def constant(self, value: Any, dtype: str) -> Tensor:
        array = np.asarray(value, dtype)
        name = fresh(self.graph, f"{self.scope}/Const")
        node = Node("Const", {"dtype": dtype, "value": array})
        self.graph.add(name, node)
        self.names.append(name)
        return Tensor(name)

    def gates(
        self, x: Tensor, h: Tensor, w: Tensor, b: Tensor, count: int
    ) -> list[Tensor]:
        """``count`` gates side by side."""
        axis, units = self.constant(1, "int32"), self.units(w, count)
        both = self.op("ConcatV2", x, h, axis, N=2)
        z = self.op("MatMul", both, w, width=units * count)
        z = self.op("BiasAdd", z, b, width=units * count)
        split = self.op("Split", axis, z, num_split=count, width=units)
        return [Tensor(split.node, port) for port in range(count)]

    def units(self, weight: Tensor, count: int) -> int:
        node = self.graph.node(weight.node)
        spec = node.outputs[weight.port] if node.outputs else TensorSpec()
        shape = spec.shape or node.attrs.get("shape")
        if not shape and "value" in node.attrs:
            shape = node.attrs["value"].shape
        return int((shape or (0, 0))[-1] or 0) // count


def lstm_step(
    build: Builder,
    inputs: Sequence[Tensor],
    forget_bias: float,
    order: str,
) -> tuple[Tensor, Tensor]:
    """Output and cell of one step; ``inputs`` are x, c, h, the weight and the bias."""
    x, c, h, w, b = inputs
    parts = dict(zip(order, build.gates(x, h, w, b, 4)))
    if forget_bias:
        more = build.constant(forget_bias, "float32")
        parts["f"] = build.op("AddV2", parts["f"], more)
    i, f, o = (build.op("Sigmoid", parts[name]) for name in "ifo")
    new = build.op("Mul", i, build.op("Tanh", parts["g"]))
    c = build.op("AddV2", build.op("Mul", f, c), new)
    return build.op("Mul", o, build.op("Tanh", c)), c


def gru_step(build: Builder, inputs: Sequence[Tensor]) -> Tensor:
    """The state after one step; ``inputs`` are x, h, the weights of the gates and of what is new, and the biases."""
    x, h, w_ru, w_c, b_ru, b_c = inputs
    r, z = (build.op("Sigmoid", part) for part in build.gates(x, h, w_ru, b_ru, 2))
    axis = build.constant(1, "int32")
    reset = build.op("Mul", r, h, width=build.units(w_c, 1))
    both = build.op("ConcatV2", x, reset, axis, N=2)
    new = build.op("BiasAdd", build.op("MatMul", both, w_c), b_c)
    rest = build.op("Sub", build.constant(1.0, "float32"), z)
    return build.op(
        "AddV2", build.op("Mul", z, h), build.op("Mul", rest, build.op("Tanh", new))
    )


def is_plain(attrs: Mapping[str, Any], clip: float) -> bool:
    """Whether a fused LSTM neither clips its cell nor looks at it through peepholes."""
    return not attrs.get("use_peephole") and float(attrs.get("cell_clip", clip)) <= 0


def expand_cell(graph: Graph, name: str) -> tuple[dict[int, Tensor], list[str]] | None:
    """The ops of a fused cell, put beside it: what stands for each output that a loop carries, and their names; None where it does more."""
    node, inputs = graph.node(name), graph.inputs(name)
    build = Builder(graph, name, [])
    if node.op == "GRUBlockCell":
        return {3: gru_step(build, inputs)}, build.names
    if not is_plain(node.attrs, 3.0):
        return None
    x, c, h, w, *_, b = inputs
    bias = float(node.attrs.get("forget_bias", 1.0))
    output, cell = lstm_step(build, (x, c, h, w, b), bias, "igfo")
    return {6: output, 1: cell}, build.names


def block_settings(node: Node) -> tuple[float, str]:
    """What is added to the forget gate, and the order of the gates: the first version has them as the cell has."""
    if node.op == "BlockLSTM":
        return float(node.attrs.get("forget_bias", 1.0)), "igfo"
    return 0.0, "ifgo"
