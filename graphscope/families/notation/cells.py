"""TensorFlow 1's recurrent cells keep what Keras keeps apart in one matrix, the inputs above the state: one -> the other."""

from __future__ import annotations

from collections.abc import Mapping

from ...graph import WeightUse

GATES = 4  # of an LSTM
_FORGET = 2  # where TensorFlow 1 has the forget gate


def lstm_weights(
    weights: Mapping[str, WeightUse], units: int, forget_bias: float = 0.0
) -> dict[str, WeightUse]:
    """[inputs; state] x (i, c, f, o) -> a kernel and a recurrent kernel in Keras's order i, f, c, o.

    The forget bias that the cell adds when it runs stands in no file: it goes into the bias.
    """
    parts = {
        role: _gates(use, units)
        for role, use in above_and_below(weights["kernel"], units).items()
    }
    if "bias" in weights:
        parts["bias"] = _gates(weights["bias"], units, forget_bias)
    return parts


def gru_weights(weights: Mapping[str, WeightUse], units: int) -> dict[str, WeightUse]:
    """Gates (r, u) and candidate -> Keras's (z, r, h), where z is u."""
    both = above_and_below(weights["gates/kernel"], units)
    last = above_and_below(weights["candidate/kernel"], units)
    pairs = {role: (both[role], last[role]) for role in both}
    if "gates/bias" in weights:
        pairs["bias"] = (weights["gates/bias"], weights["candidate/bias"])
    return {
        role: _beside(gates, state, units) for role, (gates, state) in pairs.items()
    }


def above_and_below(kernel: WeightUse, units: int) -> dict[str, WeightUse]:
    """[inputs; state] -> the kernel and the recurrent kernel."""
    height, width = kernel.shape
    rows = height - units
    above = (*kernel.steps, ("slice", (0, 0, rows)))
    below = (*kernel.steps, ("slice", (0, rows, height)))
    return {
        "kernel": WeightUse(kernel.node, (rows, width), above),
        "recurrent_kernel": WeightUse(kernel.node, (units, width), below),
    }


def _gates(use: WeightUse, units: int, forget_bias: float = 0.0) -> WeightUse:
    """i, c, f, o -> i, f, c, o along the last axis; a number is added to f."""
    axis = len(use.shape) - 1
    shape = (*use.shape[:-1], units)
    first, *others = (
        WeightUse(
            use.node,
            shape,
            (*use.steps, ("slice", (axis, gate * units, (gate + 1) * units)), *more),
        )
        for gate, more in (
            (0, ()),
            (_FORGET, (("shift", forget_bias),) if forget_bias else ()),
            (1, ()),
            (3, ()),
        )
    )
    steps = (*first.steps, ("join", (axis, tuple(others))))
    return WeightUse(use.node, (*use.shape[:-1], GATES * units), steps)


def _beside(gates: WeightUse, candidate: WeightUse, units: int) -> WeightUse:
    axis = len(gates.shape) - 1
    reset = (*gates.steps, ("slice", (axis, 0, units)))
    update = (*gates.steps, ("slice", (axis, units, 2 * units)))
    one = (*gates.shape[:-1], units)
    others = (WeightUse(gates.node, one, reset), candidate)
    shape = (*gates.shape[:-1], 3 * units)
    return WeightUse(gates.node, shape, (*update, ("join", (axis, others))))
