"""Fused recurrent cells and layers against TensorFlow's inference."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.ops.oracle import Case, case, check, check_shapes, floats, known, table

B, D, U, T = 2, 3, 4, 5
W, BIAS, PEEP = floats(D + U, 4 * U), floats(4 * U), floats(U)
STATE = floats(B, U)


CELL = {"cs_prev": STATE, "h_prev": STATE, "w": W, "b": BIAS}
CELL |= {name: PEEP for name in ("wci", "wcf", "wco")}


def block(op: str, **more: Any) -> Case:
    """Beyond the last step TensorFlow sets the cell's state and the output alone."""
    steps = more.pop("steps", T)
    ports = None if steps == T else (1, 6)
    length = np.array(steps, "int64")
    more |= {"x": floats(T, B, D), "expect": {"ports": ports}}
    return case(op, seq_len_max=length, **CELL, **more)


@table(
    case("LSTMBlockCell", x=floats(B, D), **CELL),
    case("LSTMBlockCell", x=floats(B, D), **CELL, use_peephole=True, cell_clip=0.3),
    block("BlockLSTM", cell_clip=0.3),
    block("BlockLSTM", use_peephole=True, steps=3, cell_clip=-1.0),
    block("BlockLSTMV2"),
    block("BlockLSTMV2", use_peephole=True, steps=4),
    case(
        "GRUBlockCell",
        x=floats(B, D),
        h_prev=STATE,
        w_ru=floats(D + U, 2 * U),
        w_c=floats(D + U, U),
        b_ru=floats(2 * U),
        b_c=PEEP,
    ),
)
def test_cells(row: Case) -> None:
    check(row)


@table(
    case(
        "CudnnRNN",
        input=floats(T, B, D),
        input_h=floats(1, B, U),
        input_c=floats(1, B, U),
        params=floats(99),
    ),
    case(
        "CudnnRNN",
        input=floats(T, B, D),
        input_h=floats(2, B, U),
        input_c=floats(1),
        params=floats(99),
        rnn_mode="gru",
        direction="bidirectional",
    ),
    case(
        "CTCLoss",
        inputs=floats(T, B, D),
        labels_indices=known([[0, 0]], "int64"),
        labels_values=known([0]),
        sequence_length=known([5, 5]),
    ),
)
def test_recurrent(row: Case) -> None:
    check_shapes(row)
