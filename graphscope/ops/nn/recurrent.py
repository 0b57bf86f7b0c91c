"""Fused recurrent cells and layers."""

from __future__ import annotations

from ...graph import Shape
from ..registry import Call, define
from ..values.dims import ranked


def _lstm_cell_shape(call: Call) -> tuple[Shape, ...]:
    """Gates, cell state, output: all (batch, units)."""
    x, previous = ranked(call.shape(0), 2), ranked(call.shape(1), 2)
    return ((x[0], previous[1]),) * 7


define("LSTMBlockCell", shape=_lstm_cell_shape)


def _block_lstm_shape(call: Call) -> tuple[Shape, ...]:
    """As the cell, a step before each: inputs are (steps, batch, features)."""
    x = ranked(call.shape(1), 3)
    bias = ranked(call.shape(8), 1)[0]
    return ((x[0], x[1], None if bias is None else bias // 4),) * 7


define("BlockLSTM", "BlockLSTMV2", shape=_block_lstm_shape)


def _gru_cell_shape(call: Call) -> tuple[Shape, ...]:
    x, previous = ranked(call.shape(0), 2), ranked(call.shape(1), 2)
    return ((x[0], previous[1]),) * 4


define("GRUBlockCell", shape=_gru_cell_shape)


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
