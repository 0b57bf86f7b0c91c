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
define("CTCGreedyDecoder", shape=lambda c: ((None, 2), (None,), (2,), (None, 1)))


def _ctc_loss_shape(call: Call) -> tuple[Shape, Shape]:
    inputs = ranked(call.shape(0), 3)
    return (inputs[1],), inputs


define("CTCLoss", "CTCLossV2", shape=_ctc_loss_shape)
