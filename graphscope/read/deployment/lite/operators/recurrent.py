"""Recurrent operators -> a loop over the steps, written as TensorFlow 2 writes Keras's own recurrent layers.

*before* ``UNIDIRECTIONAL_SEQUENCE_LSTM(x, 4 kernels, 4 recurrent kernels, 4 biases, states)``
*after* ``TensorListStack(While(cond, body)(0, outputs, h, c, steps, kernels))``, the body of which is the ops of the cell.
Source: tensorflow/lite/kernels/unidirectional_sequence_lstm.cc.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .....errors import FormatError
from .....graph import Node, Tensor
from ....weights.lazy_const import Stored
from ..call import Call, lowers
from ..constants import array
from ..loop import Body, run_steps

_GATES = 4
_KERNELS, _RECURRENT, _PEEPHOLES = (1, 2, 3, 4), (5, 6, 7, 8), (9, 10, 11)
_BIASES, _PROJECTION, _NORMS = (12, 13, 14, 15), (16, 17), (20, 21, 22, 23)


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


@lowers("UNIDIRECTIONAL_SEQUENCE_LSTM")
def _lstm(call: Call) -> Tensor | None:
    """Gates in Keras's order: input, forget, cell, output; without an input gate it is what the forget gate leaves."""
    if any(call.has(slot) for slot in _NORMS):
        return None
    coupled = not call.has(_KERNELS[0])
    skip = 1 if coupled else 0
    weights = {
        "kernel": _joined(call, _KERNELS[skip:], "kernel"),
        "recurrent_kernel": _joined(call, _RECURRENT[skip:], "recurrent_kernel"),
        "bias": _joined(call, _BIASES[skip:], "bias"),
    }
    for slot, gate in zip(_PEEPHOLES, ("input", "forget", "output")):
        if call.has(slot):
            weights[f"peephole_{gate}"] = _joined(call, [slot], f"peephole_{gate}")
    for slot, name in zip(_PROJECTION, ("projection", "projection_bias")):
        if call.has(slot):
            weights[name] = _joined(call, [slot], name)
    units, width = (
        call.tensor(_KERNELS[1]).static[0],
        call.tensor(_RECURRENT[1]).static[1],
    )

    def step(body: Body, x: Tensor, states: Sequence[Tensor]) -> list[Tensor]:
        return _lstm_step(call, body, x, states)

    return run_steps(call, (width, units), weights, step)


def _lstm_step(
    call: Call, body: Body, x: Tensor, states: Sequence[Tensor]
) -> list[Tensor]:
    h, c = states
    z = body.op("MatMul", x, body["kernel"])
    z = body.op("AddV2", z, body.op("MatMul", h, body["recurrent_kernel"]))
    z = body.op("BiasAdd", z, body["bias"])
    count = _GATES if call.has(_KERNELS[0]) else _GATES - 1
    split = body.op("Split", body.const(1, "axis"), z, num_split=count)
    *first, f, g, o = [Tensor(split.node, port) for port in range(count)]
    f = body.op("Sigmoid", body.with_peephole(f, c, "peephole_forget"))
    if first:
        i = body.op("Sigmoid", body.with_peephole(first[0], c, "peephole_input"))
    else:
        i = body.op("Sub", body.const(1.0, "one"), f)
    g = body.activated(g, call)
    c = body.op("AddV2", body.op("Mul", f, c), body.op("Mul", i, g))
    c = body.clipped(c, call.option("cell_clip", 0.0))
    o = body.op("Sigmoid", body.with_peephole(o, c, "peephole_output"))
    h = body.op("Mul", o, body.activated(c, call))
    if "projection" in body:
        h = body.op("MatMul", h, body["projection"])
        if "projection_bias" in body:
            h = body.op("BiasAdd", h, body["projection_bias"])
        h = body.clipped(h, call.option("proj_clip", 0.0))
    return [h, c]


@lowers("UNIDIRECTIONAL_SEQUENCE_RNN")
def _rnn(call: Call) -> Tensor | None:
    """Inputs: x, kernel, recurrent kernel, bias, state."""
    names = ("kernel", "recurrent_kernel", "bias")
    weights = {name: _joined(call, [slot], name) for slot, name in enumerate(names, 1)}

    def step(body: Body, x: Tensor, states: Sequence[Tensor]) -> list[Tensor]:
        z = body.op("BiasAdd", body.op("MatMul", x, body["kernel"]), body["bias"])
        z = body.op("AddV2", z, body.op("MatMul", states[0], body["recurrent_kernel"]))
        return [body.activated(z, call)]

    return run_steps(call, (call.tensor(1).static[0],), weights, step)
