"""Recurrent operators -> a loop over the steps, written as TensorFlow 2 writes Keras's own recurrent layers.

*before* ``UNIDIRECTIONAL_SEQUENCE_LSTM(x, 4 kernels, 4 recurrent kernels, 4 biases, states)``
*after* ``TensorListStack(While(cond, body)(0, outputs, h, c, steps, kernels))``, the body of which is the ops of the cell.
Source: tensorflow/lite/kernels/unidirectional_sequence_lstm.cc.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from .....errors import FormatError
from .....graph import Node, Tensor
from ....weights.lazy_const import Stored
from ..call import Call, lowers
from ..constants import array
from ..loop import Body, Once, run_steps

_EPSILON = 1e-8  # of LiteRT's normalisation of gates


class Slots(NamedTuple):
    """Which inputs of an operator are the weights of one LSTM; gates in Keras's order: input, forget, cell, output."""

    kernels: tuple[int, ...] = (1, 2, 3, 4)
    recurrent: tuple[int, ...] = (5, 6, 7, 8)
    peepholes: tuple[int, ...] = (9, 10, 11)
    biases: tuple[int, ...] = (12, 13, 14, 15)
    projection: tuple[int, ...] = (16, 17)
    norms: tuple[int, ...] = (20, 21, 22, 23)

    def is_coupled(self, call: Call) -> bool:
        """Whether there is no input gate: it is what the forget gate leaves."""
        return not call.has(self.kernels[0])


_ONE = Slots()
_FORWARD = Slots(norms=())
_BACKWARD = Slots(*(tuple(slot + 17 for slot in slots) for slots in _FORWARD))
_GATES = ("input", "forget", "cell", "output")
_OPEN = ("input", "forget", "output")  # the gates that see the cell through a peephole
_SIMPLE = ("kernel", "recurrent_kernel", "bias")


def _joined(call: Call, slots: Sequence[int], hint: str) -> Tensor:
    """Weights of several gates as one constant, side by side, their last axis the units."""
    parts = [call.tensor(slot) for slot in slots]
    if not all(part.length for part in parts):
        raise FormatError(
            f"{call.lowered.file.source.name}: the weights of a {call.operator.op} are no constants"
        )

    def make() -> np.ndarray:
        arrays = [array(call.lowered.file, part) for part in parts]
        return np.concatenate([each.T.astype(np.float32) for each in arrays], -1)

    width = sum(part.static[0] for part in parts)
    shape = (*parts[0].static[:0:-1], width)
    name = call.lowered.emitter.fresh(f"{call.stem}/{hint}")
    return call.lowered.emitter.put(name, Node("Const", Stored("float32", shape, make)))


def _weights(call: Call, slots: Slots) -> dict[str, Tensor]:
    """The weights of an LSTM by name; of a gate that is not there none."""
    skip = 1 if slots.is_coupled(call) else 0
    weights = {
        "kernel": _joined(call, slots.kernels[skip:], "kernel"),
        "recurrent_kernel": _joined(call, slots.recurrent[skip:], "recurrent_kernel"),
        "bias": _joined(call, slots.biases[skip:], "bias"),
    }
    single = {
        **{f"peephole_{g}": s for g, s in zip(_OPEN, slots.peepholes)},
        **{f"norm_{g}": s for g, s in zip(_GATES, slots.norms)},
        **dict(zip(("projection", "projection_bias"), slots.projection)),
    }
    for name, slot in single.items():
        if call.has(slot):
            weights[name] = _joined(call, [slot], name)
    return weights


def _sizes(call: Call, slots: Slots) -> tuple[int, int]:
    """Of the two states, the output first."""
    kernel, recurrent = slots.kernels[1], slots.recurrent[1]
    return call.tensor(recurrent).static[1], call.tensor(kernel).static[0]


def _lstm_layer(call: Call, slots: Slots, is_backward: bool = False) -> Tensor:
    def step(body: Body, x: Tensor, states: Sequence[Tensor]) -> list[Tensor]:
        return _lstm_step(call, slots, body, x, states)

    weights = _weights(call, slots)
    return run_steps(call, _sizes(call, slots), weights, step, is_backward)


@lowers("UNIDIRECTIONAL_SEQUENCE_LSTM")
def _lstm(call: Call) -> Tensor:
    return _lstm_layer(call, _ONE)


@lowers("BIDIRECTIONAL_SEQUENCE_LSTM")
def _bidirectional_lstm(call: Call) -> list[Tensor] | None:
    """Two LSTMs, the second from the last step to the first; what a third sequence feeds to both is not known."""
    if any(call.has(slot) for slot in range(39, 48)):
        return None
    return _merged(
        call, _lstm_layer(call, _FORWARD), _lstm_layer(call, _BACKWARD, True)
    )


def _merged(call: Call, forward: Tensor, backward: Tensor) -> list[Tensor]:
    if not call.option("merge_outputs", False):
        return [forward, backward]
    return [call.op("ConcatV2", forward, backward, call.const(2, "axis"))]


def _lstm_step(
    call: Call, slots: Slots, body: Body, x: Tensor, states: Sequence[Tensor]
) -> list[Tensor]:
    h, c = states
    gates = _gates(body, x, h, slots.is_coupled(call))
    f = body.op("Sigmoid", _gate(body, gates, "forget", c))
    if slots.is_coupled(call):
        i = body.op("Sub", body.const(1.0, "one"), f)
    else:
        i = body.op("Sigmoid", _gate(body, gates, "input", c))
    g = body.activated(_gate(body, gates, "cell", c), call)
    c = body.op("AddV2", body.op("Mul", f, c), body.op("Mul", i, g))
    c = body.clipped(c, call.option("cell_clip", 0.0))
    o = body.op("Sigmoid", _gate(body, gates, "output", c))
    h = body.op("Mul", o, body.activated(c, call))
    if "projection" in body:
        h = body.op("MatMul", h, body["projection"])
        if "projection_bias" in body:
            h = body.op("BiasAdd", h, body["projection_bias"])
        h = body.clipped(h, call.option("proj_clip", 0.0))
    return [h, c]


def _gates(body: Body, x: Tensor, h: Tensor, is_coupled: bool) -> dict[str, Tensor]:
    """What goes into each gate, its bias with it; where gates are normalised the biases stand apart."""
    z = body.op("MatMul", x, body["kernel"])
    z = body.op("AddV2", z, body.op("MatMul", h, body["recurrent_kernel"]))
    names = _GATES[1:] if is_coupled else _GATES
    is_normal = any(f"norm_{name}" in body for name in names)
    if not is_normal:
        z = body.op("BiasAdd", z, body["bias"])
    gates = _split(body, z, names, 1)
    if is_normal:
        biases = _split(body, body["bias"], names, 0)
        gates |= {f"bias_{name}": bias for name, bias in biases.items()}
    return gates


def _split(body: Body, x: Tensor, names: Sequence[str], axis: int) -> dict[str, Tensor]:
    split = body.op("Split", body.const(axis, "axis"), x, num_split=len(names))
    return {name: Tensor(split.node, port) for port, name in enumerate(names)}


def _gate(body: Body, gates: Mapping[str, Tensor], name: str, c: Tensor) -> Tensor:
    """A gate before its activation: with what it sees of the cell, normalised where it is."""
    x = gates[name]
    if f"peephole_{name}" in body:
        x = body.op("AddV2", x, body.op("Mul", c, body[f"peephole_{name}"]))
    if f"bias_{name}" not in gates:
        return x
    if f"norm_{name}" in body:
        x = body.op("Mul", _normalised(body, x), body[f"norm_{name}"])
    return body.op("AddV2", x, gates[f"bias_{name}"])


def _normalised(body: Body, x: Tensor) -> Tensor:
    axis = body.const([-1], "axis")
    mean = body.op("Mean", x, axis, keep_dims=True)
    away = body.op("SquaredDifference", x, mean)
    variance = body.op("Mean", away, axis, keep_dims=True)
    spread = body.op("AddV2", variance, body.const(_EPSILON, "epsilon"))
    return body.op("Mul", body.op("Sub", x, mean), body.op("Rsqrt", spread))


@lowers("LSTM")
def _one_step(call: Call) -> list[Tensor] | None:
    """One step, its states inputs; of the older kernel the gates lie input, cell, forget, output in one matrix."""
    if call.option("kernel_type"):
        return _basic_step(call)
    h, c = call[18], call[19]
    once = Once(call, _weights(call, _ONE))
    return [_lstm_step(call, _ONE, once, call[0], [h, c])[0]]


def _basic_step(call: Call) -> list[Tensor]:
    """Inputs: x, h, kernel, bias, c. Outputs: h, c, and two that only serve the kernel: ``[x, h]`` and the gates."""
    joined = call.op("ConcatV2", call[0], call[1], call.const(1, "axis"))
    kernel = call.weight(2, np.transpose, (1, 0))
    z = call.op("BiasAdd", call.op("MatMul", joined, kernel), call[3])
    split = call.op("Split", call.const(1, "axis"), z, num_split=4)
    i, g, f, o = (Tensor(split.node, port) for port in range(4))
    remembered = call.op("Mul", call.op("Sigmoid", f), call[4])
    c = call.op(
        "AddV2", remembered, call.op("Mul", call.op("Sigmoid", i), call.op("Tanh", g))
    )
    h = call.op("Mul", call.op("Sigmoid", o), call.op("Tanh", c))
    return [h, c, joined, z][: len(call.operator.outputs)]


def _rnn_layer(call: Call, slots: Sequence[int], is_backward: bool = False) -> Tensor:
    """Slots: kernel, recurrent kernel, bias."""
    weights = {n: _joined(call, [slot], n) for n, slot in zip(_SIMPLE, slots)}

    def step(body: Body, x: Tensor, states: Sequence[Tensor]) -> list[Tensor]:
        return [body.activated(_simple(body, x, states[0]), call)]

    size = (call.tensor(slots[0]).static[0],)
    return run_steps(call, size, weights, step, is_backward)


def _simple(body: Body, x: Tensor, h: Tensor) -> Tensor:
    z = body.op("BiasAdd", body.op("MatMul", x, body["kernel"]), body["bias"])
    return body.op("AddV2", z, body.op("MatMul", h, body["recurrent_kernel"]))


@lowers("UNIDIRECTIONAL_SEQUENCE_RNN")
def _rnn(call: Call) -> Tensor:
    """Inputs: x, kernel, recurrent kernel, bias, state."""
    return _rnn_layer(call, (1, 2, 3))


@lowers("BIDIRECTIONAL_SEQUENCE_RNN")
def _bidirectional_rnn(call: Call) -> list[Tensor] | None:
    """Inputs: x, three weights and a state forward, the same backward; what a second sequence feeds is not known."""
    if any(call.has(slot) for slot in range(9, 12)):
        return None
    forward, backward = _rnn_layer(call, (1, 2, 3)), _rnn_layer(call, (5, 6, 7), True)
    return _merged(call, forward, backward)


@lowers("RNN")
def _one_simple_step(call: Call) -> Tensor:
    weights = {n: _joined(call, [slot], n) for n, slot in zip(_SIMPLE, (1, 2, 3))}
    once = Once(call, weights)
    return once.activated(_simple(once, call[0], call[4]), call)


@lowers("SVDF")
def _filters(call: Call) -> Tensor:
    """A filter over time of each feature, ``rank`` of them a unit; the features of former runs are a state.

    Inputs: x, weights of features, weights of time, bias, the state of all filters and times, oldest first.
    Source: tensorflow/lite/kernels/internal/reference/svdf.h.
    """
    rank, (filters, times) = call.option("rank", 1), call.tensor(2).static
    feature = call.op("MatMul", call[0], call.weight(1, np.transpose, (1, 0)))
    state = call.op("Reshape", call[4], call.const([-1, filters, times], "memory"))
    begin, size = call.const([0, 0, 1], "begin"), call.const([-1, -1, -1], "size")
    newest = call.op("ExpandDims", feature, call.const(2, "axis"))
    former = call.op("Slice", state, begin, size)
    memory = call.op("ConcatV2", former, newest, call.const(2, "axis"))
    last = call.const([2], "axis")
    each = call.op("Sum", call.op("Mul", memory, call[2]), last, keep_dims=False)
    units = call.op("Reshape", each, call.const([-1, filters // rank, rank], "units"))
    x = call.op("Sum", units, last, keep_dims=False)
    return call.activated(call.op("BiasAdd", x, call[3]) if call.has(3) else x)
