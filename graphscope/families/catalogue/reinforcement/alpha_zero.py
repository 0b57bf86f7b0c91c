"""The net of AlphaZero (arXiv 1712.01815) for Othello. Source: suragnair/alpha-zero-general, othello/tensorflow/OthelloNNet.py."""

from __future__ import annotations

from math import isqrt

from ... import family
from ...notation.layers import Net
from ...notation.net import Handle
from ...notation.unknowns import Size, Width, size

_EPSILON = 1e-3
_LOST = 4  # rows that two convolutions without padding take from a board


def _norm(net: Net, x: Handle) -> Handle:
    x = net.batch_norm(x, net.auto("batch_normalization"), _EPSILON)
    return net.activation(x, "relu")


@family(
    "AlphaZero (Othello)",
    "batch_normalization_5/gamma",
    "conv2d_3/kernel",
    "dense_3/bias",
    variant=lambda channels, actions: f"a board of {isqrt(actions - 1)}, {channels} channels",
)
def othello(net: Net, channels: Size = size(), actions: Size = size()) -> None:
    """The probability of each move and who wins, of a square board; the last move is to pass."""
    side = isqrt(max(0, (net.stored_size("dense_2/kernel", -1) or 1) - 1))
    width = net.stored_size("conv2d/kernel", -1) or 0
    rows = net.stored_size("dense/kernel", 0) or 0
    moves = side * side + 1
    net.need(
        net.stored_size("dense_2/kernel", -1) == moves,
        "dense_2 has no move for each field of a square board and one more",
    )
    left = max(0, side - _LOST)
    net.need(rows == left * left * width, f"dense has {rows} rows: not of that board")
    board = net.input(side or 1, rank=3)
    net.sized(board, side or 1)
    x = net.reshape(board, (side or 1, side or 1, 1))
    for padding in ("same", "same", "valid", "valid"):
        name = net.auto("conv2d")
        x = _norm(net, net.conv(x, name, channels, 3, padding=padding, bias=False))
    x = net.flatten(x, rows)
    for width_of in (Width("first"), Width("second")):
        x = _norm(net, net.dense(x, net.auto("dense"), width_of, bias=False))
    net.activation(net.dense(x, net.auto("dense"), actions), "softmax")
    net.activation(net.dense(x, net.auto("dense"), 1), "tanh")
