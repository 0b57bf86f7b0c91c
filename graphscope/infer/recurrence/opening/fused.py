"""Ops that are a cell, or a loop over one, -> the ops that they are made of: what is read afterwards is spelled in one way.

*before* ``LSTMBlockCell(x, c, h, w, ..., b)``; *after* ``MatMul(Concat(x, h), w) + b``, split, activated, multiplied. The order of the gates
and what is added to them are those of the ops' documentation (``tensorflow/core/ops/rnn_ops.cc``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ....graph import Graph, Node, Tensor, TensorSpec
from ....graph.edit import fresh
from ....ops import spellings

Add = Callable[[str, Node, Sequence[Tensor]], str]
CELLS = frozenset({"LSTMBlockCell", "GRUBlockCell"})
LOOP_OPS = frozenset(spellings.BLOCK_LSTMS)


@dataclass
class Builder:
    """Puts nodes into a graph, named below one; ``names`` are those of all that were put in."""

    graph: Graph
    scope: str
    names: list[str]

    def op(
        self, op: str, *inputs: Tensor, width: int | None = None, **attrs: object
    ) -> Tensor:
        spec = TensorSpec("float32", (None, width)) if width else TensorSpec("float32")
        name = fresh(self.graph, f"{self.scope}/{op}")
        self.graph.add(name, Node(op, attrs, (spec,)), inputs)
        self.names.append(name)
        return Tensor(name)

    def constant(self, value: object, dtype: str) -> Tensor:
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


@dataclass(frozen=True)
class LSTMSettings:
    """What a fused LSTM is told: a number for the forget gate, the order of its gates, whether they see the cell, and what clips it."""

    forget_bias: float
    order: str
    peepholes: bool = False
    clip: float = 0.0


def lstm_step(
    build: Builder, inputs: Sequence[Tensor], settings: LSTMSettings
) -> tuple[Tensor, Tensor]:
    """Output and cell of one step; ``inputs`` are those of the op: x, c, h, the weight, three peepholes, the bias."""
    x, c, h, w, *peepholes, b = inputs
    parts = dict(zip(settings.order, build.gates(x, h, w, b, 4)))
    if settings.forget_bias:
        more = build.constant(settings.forget_bias, "float32")
        parts["f"] = build.op("AddV2", parts["f"], more)
    if settings.peepholes:
        for name, weight in zip("if", peepholes):
            parts[name] = build.op("AddV2", parts[name], build.op("Mul", c, weight))
    i, f = (build.op("Sigmoid", parts[name]) for name in "if")
    new = build.op("Mul", i, build.op("Tanh", parts["g"]))
    c = build.op("AddV2", build.op("Mul", f, c), new, width=build.units(w, 4))
    if settings.clip > 0:
        ends = (build.constant(s * settings.clip, "float32") for s in (-1, 1))
        c = build.op("ClipByValue", c, *ends, width=build.units(w, 4))
    if settings.peepholes:
        peephole = build.op("Mul", c, peepholes[2])
        parts["o"] = build.op("AddV2", parts["o"], peephole)
    o = build.op("Sigmoid", parts["o"])
    return build.op("Mul", o, build.op("Tanh", c), width=build.units(w, 4)), c


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


def expand_cell(graph: Graph, name: str) -> tuple[dict[int, Tensor], list[str]] | None:
    """The ops of a fused cell, put beside it: what stands for each output that a loop carries, and their names; None where it does more."""
    node, inputs = graph.node(name), graph.inputs(name)
    build = Builder(graph, name, [])
    if node.op == "GRUBlockCell":
        return {3: gru_step(build, inputs)}, build.names
    output, cell = lstm_step(build, inputs, lstm_settings(node))
    return {6: output, 1: cell}, build.names


_CLIPS = {"BlockLSTMV2": 0.0}  # of the other two ops: 3, as their OpDefs say


def lstm_settings(node: Node) -> LSTMSettings:
    """What a fused LSTM is told; the second version adds nothing, and has its gates in another order."""
    second = node.op == "BlockLSTMV2"
    return LSTMSettings(
        0.0 if second else float(node.attrs.get("forget_bias", 1.0)),
        "ifgo" if second else "igfo",
        bool(node.attrs.get("use_peephole")),
        float(node.attrs.get("cell_clip", _CLIPS.get(node.op, 3.0))),
    )
