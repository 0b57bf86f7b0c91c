"""Fused recurrent cells and layers against TensorFlow's inference."""

from __future__ import annotations

from tests.ops.oracle import Case, case, check_shapes, floats, known, table

B, D, U, T = 2, 3, 4, 5
W, BIAS, PEEP = floats(D + U, 4 * U), floats(4 * U), floats(U)
STATE = floats(B, U)


@table(
    case(
        "LSTMBlockCell",
        x=floats(B, D),
        cs_prev=STATE,
        h_prev=STATE,
        w=W,
        wci=PEEP,
        wcf=PEEP,
        wco=PEEP,
        b=BIAS,
    ),
    case(
        "BlockLSTM",
        seq_len_max=known(5, "int64"),
        x=floats(T, B, D),
        cs_prev=STATE,
        h_prev=STATE,
        w=W,
        wci=PEEP,
        wcf=PEEP,
        wco=PEEP,
        b=BIAS,
    ),
    case(
        "GRUBlockCell",
        x=floats(B, D),
        h_prev=STATE,
        w_ru=floats(D + U, 2 * U),
        w_c=floats(D + U, U),
        b_ru=floats(2 * U),
        b_c=PEEP,
    ),
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
