"""Fused recurrent cells and layers."""

from __future__ import annotations

from collections.abc import Sequence

from ...graph import Shape
from ..registry import Call, define
from ..text import literal, tensor_text
from ..values.dims import ranked


def _lstm_cell_shape(call: Call) -> tuple[Shape, ...]:
    """Gates, cell state, output: all (batch, units)."""
    x, previous = ranked(call.shape(0), 2), ranked(call.shape(1), 2)
    return ((x[0], previous[1]),) * 7


_GATES = """
def step(state, x):
    cs, h = state[1], state[6]
    gates = ops.matmul(ops.concatenate([x, h], axis=1), {w}) + {b}
    {order} = ops.split(gates, 4, axis=1)
    i = ops.sigmoid(i{into})
    f = ops.sigmoid(f{keep})
    ci = ops.tanh(ci)
    cs = {cell}
    o = ops.sigmoid(o{out})
    co = ops.tanh(cs)
    return i, cs, f, o, ci, co, o * co
"""


def _gates(call: Call, weights: Sequence[str], bias: str) -> str:
    """One step (lstm_ops.cc): gates, cell state and output from those of the step before; peepholes see the cell."""
    w, wci, wcf, wco = weights
    peepholes = [f" + {p} * {s}" for p, s in ((wci, "cs"), (wcf, "cs"), (wco, "cs"))]
    if not call["use_peephole"]:
        peepholes = [""] * 3
    into, keep, out = peepholes
    forget, clip = call.get("forget_bias", 0.0), float(call["cell_clip"])
    cell = "ci * i + cs * f"
    return _GATES.format(
        w=w,
        b=bias,
        order="i, f, ci, o" if call.op.endswith("V2") else "i, ci, f, o",
        into=into,
        keep=(f" + {literal(forget)}" if forget else "") + keep,
        cell=f"ops.clip({cell}, {-clip}, {clip})" if clip > 0 else cell,
        out=out,
    )


def _cell_body(call: Call, x: str, cs: str, h: str, *rest: str) -> str | None:
    if call.dtype(0) != "float32":
        return None
    texts = [tensor_text(call, i, t) for i, t in enumerate((x, cs, h, *rest))]
    x, cs, h, *weights, bias = texts
    zeros = f"ops.zeros_like({h})"
    state = f"({zeros}, {cs}, {zeros}, {zeros}, {zeros}, {zeros}, {h})"
    return f"{_gates(call, weights, bias).strip()}\n\nreturn step({state}, {x})"


define("LSTMBlockCell", shape=_lstm_cell_shape, body=_cell_body)


def _block_lstm_shape(call: Call) -> tuple[Shape, ...]:
    """As the cell, a step before each: inputs are (steps, batch, features)."""
    x = ranked(call.shape(1), 3)
    bias = ranked(call.shape(8), 1)[0]
    return ((x[0], x[1], None if bias is None else bias // 4),) * 7


def _block_body(
    call: Call, most: str, x: str, cs: str, h: str, *rest: str
) -> str | None:
    """The cell over all steps; what comes after the last one is 0."""
    if call.dtype(1) != "float32":
        return None
    texts = [tensor_text(call, i, t) for i, t in enumerate((x, cs, h, *rest), 1)]
    x, cs, h, *weights, bias = texts
    return f"""
{_gates(call, weights, bias).strip()}

def both(state, x):
    state = step(state, x)
    return state, state

zeros = ops.zeros_like({h})
state = (zeros, {cs}, zeros, zeros, zeros, zeros, {h})
_, outputs = ops.scan(both, state, {x})
steps = ops.reshape(ops.arange(ops.shape({x})[0]), (-1, 1, 1))
return [ops.where(steps < ops.cast({most}, "int32"), y, 0.0) for y in outputs]
"""


define("BlockLSTM", "BlockLSTMV2", shape=_block_lstm_shape, body=_block_body)


def _gru_cell_shape(call: Call) -> tuple[Shape, ...]:
    x, previous = ranked(call.shape(0), 2), ranked(call.shape(1), 2)
    return ((x[0], previous[1]),) * 4


def _gru_body(
    call: Call, x: str, h: str, w: str, wc: str, b: str, bc: str
) -> str | None:
    if call.dtype(0) != "float32":
        return None
    texts = [tensor_text(call, i, t) for i, t in enumerate((x, h, w, wc, b, bc))]
    x, h, w, wc, b, bc = texts
    return f"""
gates = ops.sigmoid(ops.matmul(ops.concatenate([{x}, {h}], axis=1), {w}) + {b})
r, u = ops.split(gates, 2, axis=1)
c = ops.tanh(ops.matmul(ops.concatenate([{x}, r * {h}], axis=1), {wc}) + {bc})
return r, u, c, u * {h} + (1.0 - u) * c
"""


define("GRUBlockCell", shape=_gru_cell_shape, body=_gru_body)


def _cudnn_shape(call: Call) -> tuple[Shape, ...]:
    """Steps, batch, then units once or, in both directions, twice; the states as they came."""
    x, state = ranked(call.shape(0), 3), ranked(call.shape(1), 3)
    both = 2 if call["direction"] == "bidirectional" else 1
    units = None if state[2] is None else state[2] * both
    cell: Shape = state if call["rnn_mode"] == "lstm" else ()
    return ((x[0], x[1], units), state, cell)


define("CudnnRNN", "CudnnRNNV2", "CudnnRNNV3", shape=_cudnn_shape)


def _greedy_body(call: Call, x: str, lengths: str) -> str | None:
    """The best class of each step: what is blank, or again what it was, is left out."""
    if call.dtype(0) not in ("float32", "float64"):
        return None
    blank = int(call.get("blank_index", -1))
    last = f"ops.shape({x})[2] - {-blank}" if blank < 0 else str(blank)
    merge = (
        "kept = ops.logical_and(kept, ops.logical_or(steps == 0, best != ops.roll(best, 1, axis=1)))"
        if call["merge_repeated"]
        else ""
    )
    return f"""
best = ops.cast(ops.transpose(ops.argmax({x}, axis=2)), "int32")
steps = ops.arange(ops.shape({x})[0])
live = steps < ops.expand_dims(ops.cast({lengths}, "int32"), 1)
kept = ops.logical_and(live, best != {last})
{merge}
row, step = ops.nonzero(kept)
counts = ops.cumsum(ops.cast(kept, "int32"), axis=1)
places = row * ops.shape({x})[0] + step
index = ops.stack([row, ops.take(ops.reshape(counts, (-1,)), places) - 1], axis=1)
classes = ops.take(ops.reshape(best, (-1,)), places)
sizes = ops.stack([ops.shape({x})[1], ops.max(counts)])
highest = ops.where(live, ops.transpose(ops.max({x}, axis=2)), 0.0)
return (
    ops.cast(index, "int64"),
    ops.cast(classes, "int64"),
    ops.cast(sizes, "int64"),
    -ops.sum(highest, axis=1, keepdims=True),
)
""".replace("\n\n", "\n")


define(
    "CTCGreedyDecoder",
    shape=lambda c: ((None, 2), (None,), (2,), (ranked(c.shape(0), 3)[1], 1)),
    body=_greedy_body,
)


def _ctc_loss_shape(call: Call) -> tuple[Shape, Shape]:
    inputs = ranked(call.shape(0), 3)
    return (inputs[1],), inputs


define("CTCLoss", "CTCLossV2", shape=_ctc_loss_shape)
