"""Graphs that run a CudnnRNN, which only a GPU can, and what they compute: cuDNN's documented equations, written out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

GATES = {"lstm": 4, "gru": 3, "rnn_tanh": 1, "rnn_relu": 1}
FEATURES, UNITS, STEPS = 4, 5, 6
Values = dict[str, np.ndarray]


def frozen(build: Callable[[], Any], path: Path) -> tuple[list[str], Values]:
    """The graph, its variables random constants (no session can open it): the names of its outputs, and the constants."""
    import tensorflow as tf

    v1 = tf.compat.v1
    v1.enable_control_flow_v2()
    v1.disable_resource_variables()
    rng = np.random.default_rng(0)
    with tf.Graph().as_default() as graph:
        names = [tensor.op.name for tensor in build()]
        values: Values = {
            v.op.name: rng.normal(0, 0.5, v.shape.as_list()).astype("float32")
            for v in v1.global_variables()
        }
        definition = v1.graph_util.extract_sub_graph(graph.as_graph_def(), names)
    for node in definition.node:
        if node.op == "VariableV2":
            node.op = "Const"
            node.attr.clear()
            node.attr["dtype"].type = tf.float32.as_datatype_enum
            value = tf.make_tensor_proto(values[node.name])
            node.attr["value"].tensor.CopyFrom(value)
    path.write_bytes(definition.SerializeToString())
    return names, values


class Raw(NamedTuple):
    """One op with a buffer of parameters, or with one that is packed of canonical ones."""

    mode: str
    layers: int = 1
    both: bool = False
    op: str = "CudnnRNN"
    canonical: bool = False

    @property
    def directions(self) -> int:
        return 2 if self.both else 1

    def shapes(self) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]]]:
        """Of the matrices, and of the biases."""
        gates, matrices = GATES[self.mode], list[tuple[int, ...]]()
        for layer in range(self.layers):
            width = UNITS * self.directions if layer else FEATURES
            matrices += [
                *[(UNITS, width)] * gates,
                *[(UNITS, UNITS)] * gates,
            ] * self.directions
        return matrices, [(UNITS,)] * (2 * gates * self.layers * self.directions)

    def build(self) -> list[Any]:
        import tensorflow as tf

        v1 = tf.compat.v1
        x = v1.placeholder(tf.float32, (STEPS, None, FEATURES), "x")
        sizes = (self.layers * self.directions, tf.shape(x)[1], UNITS)
        zero = tf.zeros(sizes)
        told = {
            "rnn_mode": self.mode,
            "direction": "bidirectional" if self.both else "unidirectional",
        }
        cell = zero if self.mode == "lstm" else tf.constant(0.0)
        operands = {"input": x, "input_h": zero, "input_c": cell}
        operands["params"] = self._parameters(told)
        if self.op == "CudnnRNNV3":
            operands["sequence_lengths"] = tf.fill([tf.shape(x)[1]], STEPS)
        result = getattr(tf.raw_ops, self.op)(**operands, **told, is_training=False)
        return [tf.identity(result.output), tf.identity(result.output_h)]

    def _parameters(self, told: dict[str, str]) -> Any:
        import tensorflow as tf

        matrices, biases = self.shapes()
        make = tf.compat.v1.get_variable
        if not self.canonical:
            size = sum(int(np.prod(shape)) for shape in matrices + biases)
            return make("opaque_kernel", (size,))
        return tf.raw_ops.CudnnRNNCanonicalToParams(
            num_layers=self.layers,
            num_units=UNITS,
            input_size=FEATURES,
            weights=[make(f"w{n}", shape) for n, shape in enumerate(matrices)],
            biases=[make(f"b{n}", shape) for n, shape in enumerate(biases)],
            **told,
        )

    def reference(self, values: Values, x: np.ndarray) -> list[np.ndarray]:
        """The sequence and the last states, time first."""
        matrices, biases = self._parts(values)
        gates, states = GATES[self.mode], []
        for layer in range(self.layers):
            ways = []
            for way in range(self.directions):
                at = (layer * self.directions + way) * 2 * gates
                own = slice(at, at + 2 * gates)
                turns = x[::-1] if way else x
                ys = _run(self.mode, matrices[own], biases[own], turns)
                states.append(ys[-1])
                ways.append(ys[::-1] if way else ys)
            x = np.concatenate(ways, -1)
        return [x, np.stack(states)]

    def _parts(self, values: Values) -> tuple[list[np.ndarray], list[np.ndarray]]:
        matrices, biases = self.shapes()
        if self.canonical:
            names = [f"w{n}" for n in range(len(matrices))]
            names += [f"b{n}" for n in range(len(biases))]
            parts = [values[name] for name in names]
        else:
            ends = np.cumsum([int(np.prod(shape)) for shape in matrices + biases])
            parts = np.split(values["opaque_kernel"], ends[:-1])
            parts = [p.reshape(shape) for p, shape in zip(parts, matrices + biases)]
        return parts[: len(matrices)], parts[len(matrices) :]


def _run(
    mode: str, matrices: list[np.ndarray], biases: list[np.ndarray], x: np.ndarray
) -> np.ndarray:
    """One layer in one direction: NVIDIA's equations, i f g o of an LSTM, r z n of a GRU."""

    def sigmoid(z: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-z))

    gates = GATES[mode]
    h = c = np.zeros((x.shape[1], UNITS))
    ys = []
    for step in x:
        ins = [step @ w.T + b for w, b in zip(matrices[:gates], biases)]
        own = [h @ r.T + b for r, b in zip(matrices[gates:], biases[gates:])]
        sums = [one + other for one, other in zip(ins, own)]
        if mode == "lstm":
            c = sigmoid(sums[1]) * c + sigmoid(sums[0]) * np.tanh(sums[2])
            h = sigmoid(sums[3]) * np.tanh(c)
        elif mode == "gru":
            z = sigmoid(sums[1])
            new = np.tanh(ins[2] + sigmoid(sums[0]) * own[2])
            h = (1 - z) * new + z * h
        else:
            h = np.tanh(sums[0]) if mode == "rnn_tanh" else np.maximum(sums[0], 0)
        ys.append(h)
    return np.stack(ys)
