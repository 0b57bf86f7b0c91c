"""Recurrent cells: what one step of a Keras layer computes, as a formula over its gates.

A ``Gate`` is a sum of matrix products of what goes in (``us``) and of the state, plus a bias: its spellings are settled before
(``infer/recurrence``). Which gate is which follows from its place in the formula, never from a name or an order.
Hochreiter and Schmidhuber 1997; Cho et al. 2014; Shi et al. 2015 (with a Conv2D in each product).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..match import (
    Attr,
    Input,
    Inputs,
    Pattern,
    Scalar,
    Term,
    Value,
    layer,
    layers,
    named,
    op,
)


@dataclass(frozen=True)
class Cell:
    """One Keras class: ``pattern`` yields the first state (and the output); ``gates`` are in Keras's order.

    ``states`` are its variables for what is carried, ``after`` the names that it gives what the later ones are after the step;
    ``inverted`` is a gate that is one less what Keras calls by that name, ``inner`` one that is multiplied before it is added.
    """

    op: str
    pattern: Pattern
    gates: tuple[str, ...]
    states: tuple[str, ...] = ("h",)
    after: tuple[str, ...] = ()
    inverted: str = ""
    inner: str = ""


CELLS: list[Cell] = []
"""Every cell. They are no patterns of ``layers()``: no graph of a file holds a Gate."""


def cell(
    op: str, gates: str, /, constants: dict[str, Any] | None = None, **options: Any
) -> Callable[[Callable[..., Term]], Cell]:
    """Make a Cell of a function of typed variables that returns its formula, and list it."""

    def made(function: Callable[..., Term]) -> Cell:
        pattern = layer(op, **(constants or {}))(function)
        CELLS.append(Cell(op, pattern, tuple(gates.split()), **options))
        return CELLS[-1]

    return made


def _steep(x: Input, slope: Scalar) -> Term:
    """Keras 2's hard sigmoid: ``clip(0.2 * x + 0.5, 0, 1)``."""
    line = x * slope + 0.5
    return (
        op.ClipByValue(line, 0.0, 1.0)
        | op.Maximum(op.Minimum(line, 1.0), 0.0)
        | op.Minimum(op.Maximum(line, 0.0), 1.0)
    )


STEEPS = (layer("Activation", activation="hard_sigmoid")(_steep),)
"""A hard sigmoid of any slope: as ``x`` times a number goes into Keras's, whose slope is 1 / HARD_SLOPE."""
HARD_SLOPE = 6.0


@cell("LSTM", "i f g o", states=("h", "c"), after=("c_after",))
def lstm(
    us: Inputs, h: Value, c: Value, activation: Attr, recurrent_activation: Attr
) -> Term:
    i, f, g, o = (named(name, op.Gate(us, h)) for name in "ifgo")
    i, f, o = (layers.Activation(z, activation=recurrent_activation) for z in (i, f, o))
    g = layers.Activation(g, activation=activation)
    c_after = named("c_after", f * c + i * g)
    return o * layers.Activation(c_after, activation=activation)


def _mixed(z: Term, one: Term, other: Term) -> Term:
    """``z`` parts of one and the rest of the other."""
    return (
        z * one + (1.0 - z) * other
        | z * (one - other) + other
        | z * one + other - other * z
    )


def _gates(us: Term, h: Term, activation: Term) -> tuple[Term, Term]:
    update, reset = (named(name, op.Gate(us, h)) for name in "zr")
    return (
        layers.Activation(update, activation=activation),
        layers.Activation(reset, activation=activation),
    )


def _reset_before(us: Term, h: Term, r: Term, activation: Term) -> Term:
    return layers.Activation(named("n", op.Gate(us, r * h)), activation=activation)


def _reset_after(us: Term, h: Term, r: Term, activation: Term) -> Term:
    inner = named("inner", op.Gate(h))
    return layers.Activation(named("n", op.Gate(us)) + r * inner, activation=activation)


@cell("GRU", "z r n", {"reset_after": False})
def gru(us: Inputs, h: Value, activation: Attr, recurrent_activation: Attr) -> Term:
    z, r = _gates(us, h, recurrent_activation)
    return _mixed(z, h, _reset_before(us, h, r, activation))


@cell("GRU", "z r n", {"reset_after": False}, inverted="z")
def gru_inverted(
    us: Inputs, h: Value, activation: Attr, recurrent_activation: Attr
) -> Term:
    """The update gate is the share of what is new: one less Keras's."""
    z, r = _gates(us, h, recurrent_activation)
    return _mixed(z, _reset_before(us, h, r, activation), h)


@cell("GRU", "z r n", {"reset_after": True}, inner="inner")
def gru_reset_after(
    us: Inputs, h: Value, activation: Attr, recurrent_activation: Attr
) -> Term:
    """cuDNN's: the state is multiplied first and reset then, so that it has a bias of its own."""
    z, r = _gates(us, h, recurrent_activation)
    return _mixed(z, h, _reset_after(us, h, r, activation))


@cell("GRU", "z r n", {"reset_after": True}, inverted="z", inner="inner")
def gru_reset_after_inverted(
    us: Inputs, h: Value, activation: Attr, recurrent_activation: Attr
) -> Term:
    z, r = _gates(us, h, recurrent_activation)
    return _mixed(z, _reset_after(us, h, r, activation), h)


@cell("SimpleRNN", "n")
def simple_rnn(us: Inputs, h: Value, activation: Attr) -> Term:
    return layers.Activation(named("n", op.Gate(us, h)), activation=activation)
