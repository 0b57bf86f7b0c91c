"""The normal form of one turn -> the cells in it: class, config, weights in Keras's layout, and what it carries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ....graph import Tensor, WeightUse
from ....graph.named_values import Arguments, Config
from ....match import Match, Solver, View, WeightRef
from ....match.explain import Deepest
from ....patterns.recurrent import CELLS, Cell
from .linear import Linear
from .normal_form import STATE, NormalForm

INVERTIBLE = frozenset({"sigmoid", "hard_sigmoid"})
"""Activations with ``1 - f(x) = f(-x)``."""


@dataclass(frozen=True)
class Unit:
    """One cell of a turn: ``op`` is the Keras class. ``inputs`` are the tensors of the normal form that go in, side by side; ``states`` the ports of what it
    carries, the output's first; ``output`` its tensor after the turn, ``mask`` what says that a row's state stays as it is.
    """

    op: str
    cell: Cell
    config: Config
    weights: Mapping[str, WeightUse]
    inputs: tuple[Tensor, ...]
    states: tuple[int, ...]
    output: Tensor
    units: int
    mask: Tensor | None = None
    after: tuple[Tensor, ...] = field(default=())


Uses = Mapping[str, WeightUse]


def find_unit(
    form: NormalForm,
    view: View,
    after: Mapping[int, Tensor],
    port: int,
    uses: Uses,
) -> Unit | None:
    """The cell whose output state is this loop variable; ``after`` are the loop variables after a turn, ``view`` one of the normal form.

    ``uses`` tells what the nodes that hold weights are in the file.
    """
    root = after[port]
    solver = Solver(view)
    for cell in CELLS:
        if view.ops[root.node] not in (cell.pattern.formula.roots or ()):
            continue
        for match in cell.pattern.solutions(solver, root):
            unit = _unit(form, cell, match, after, port, uses)
            if unit is not None:
                return unit
    return None


def why_none(view: View, after: Mapping[int, Tensor], port: int) -> str:
    """Where the formula that comes furthest parts from what a loop variable becomes: the gate, or what is done with it."""
    deepest = Deepest(view)
    solver = Solver(view, deepest)
    for cell in CELLS:
        for _ in cell.pattern.solutions(solver, after[port]):
            return (
                ""  # the formula fits, and what it carries or how wide it is does not
            )
    failures = deepest.told()
    return f"{after[port].node}: {failures[0]}" if failures else ""


def _unit(
    form: NormalForm,
    cell: Cell,
    match: Match,
    after: Mapping[int, Tensor],
    port: int,
    uses: Uses,
) -> Unit | None:
    ports = _ports(form, cell, match, after)
    if ports is None or ports[0] != port:
        return None
    names = [*cell.gates, *([cell.inner] if cell.inner else [])]
    gates = {name: form.linears[match.values[name].node] for name in names}
    config = cell.pattern.config_of(match, form.view())
    if cell.inverted and config.get("recurrent_activation") not in INVERTIBLE:
        return None
    weights = _Layout(cell, gates, uses).weights()
    if weights is None:
        return None
    *_, units, width = weights["cell/recurrent_kernel"].shape
    if width != units * len(cell.gates):
        return None
    rank = len(weights["cell/kernel"].shape) - 2
    if not rank:
        op, config = cell.op, {"units": units, **config}
    else:
        more = _convolutions(list(gates.values()), weights["cell/kernel"].shape)
        if cell.op != "LSTM" or more is None:
            return None
        op, config = f"ConvLSTM{rank}D", {"filters": units, **more, **config}
    if "cell/bias" not in weights:
        config["use_bias"] = False
    inputs = match.values["us"]
    return Unit(op, cell, config, weights, inputs, ports, after[port], units)


def _convolutions(gates: Sequence[Linear], shape: tuple[int, ...]) -> Arguments | None:
    """What the convolutions of a ConvLSTM are told; None where its state's are none that keep the size, or one differs."""
    inputs = {dict(t.settings).__repr__(): t for g in gates for t in g.terms[:-1]}
    states = [dict(g.terms[-1].settings) for g in gates]
    if len(inputs) != 1:
        return None
    settings = dict(next(iter(inputs.values())).settings)
    plain = all(
        each.get("padding") == "SAME"
        and set(each.get("strides", (1,))) == {1}
        and each.get("dilations", (1,)) == settings.get("dilations", (1,))
        for each in states
    )
    if not plain or settings.get("data_format", "NHWC") not in ("NHWC", "NDHWC"):
        return None
    if settings.get("padding") not in ("SAME", "VALID"):
        return None
    ones = (1,) * len(shape)
    return {
        "kernel_size": shape[:-2],
        "strides": tuple(settings.get("strides", ones))[1:-1],
        "padding": str(settings["padding"]).lower(),
        "dilation_rate": tuple(settings.get("dilations", ones))[1:-1],
    }


def _ports(
    form: NormalForm, cell: Cell, match: Match, after: Mapping[int, Tensor]
) -> tuple[int, ...] | None:
    """The loop variables that are the cell's states; None where one is none, or becomes something else than the cell says."""
    ports = []
    for name in cell.states:
        leaf = match.values[name]
        if form.graph.op(leaf.node) != STATE:
            return None
        ports.append(form.turn.port[form.origin[leaf.node]])
    for name, port in zip(cell.after, ports[1:]):
        if after.get(port) != match.values[name]:
            return None
    return tuple(ports)


class _Layout:
    """Gates -> kernel, recurrent kernel and bias, as Keras stores them."""

    def __init__(
        self,
        cell: Cell,
        gates: Mapping[str, Linear],
        uses: Uses,
    ) -> None:
        self.cell, self.gates, self.uses = cell, gates, uses
        self.inner = gates.get(cell.inner)

    def weights(self) -> dict[str, WeightUse] | None:
        parts = [self._split(name) for name in self.cell.gates]
        if any(part is None for part in parts):
            return None
        kernels, states = zip(*(part for part in parts if part is not None))
        if len({k.shape for k in kernels}) != 1 or len({s.shape for s in states}) != 1:
            return None
        units = states[0].shape[-1]
        weights = {
            "cell/kernel": _beside(kernels),
            "cell/recurrent_kernel": _beside(states),
        }
        biases = self._biases(units)
        if biases is None:
            return None
        if biases:
            weights["cell/bias"] = biases[0]
        return {n: use_of(weight, self.uses) for n, weight in weights.items()}

    def _split(self, name: str) -> tuple[WeightRef, WeightRef] | None:
        """The matrix of what goes in and that of the state, of one gate."""
        terms = list(self.gates[name].terms)
        if self.inner is None or name != "n":
            *inputs, last = terms
            state = last.kernel
        elif len(self.inner.terms) == 1:
            inputs, state = terms, self.inner.terms[0].kernel
        else:
            return None
        if not inputs:
            return None
        first, *others = (term.kernel for term in inputs)
        kernel = first.joined(len(first.shape) - 2, others)
        return self._gate_weight(name, kernel), self._gate_weight(name, state)

    def _gate_weight(self, name: str, weight: WeightRef) -> WeightRef:
        """The weight of a gate, negated where the gate is the rest of Keras's."""
        inverted = name == self.cell.inverted
        return weight.then("scale", -1.0, weight.shape) if inverted else weight

    def _biases(self, units: int) -> list[WeightRef] | None:
        """The bias, in a list that is empty where there is none; None where one has another shape."""
        every = [*self.gates.values()]
        if any(b.shape != (units,) for gate in every for b in gate.biases):
            return None
        if not any(gate.biases or gate.offset for gate in every):
            return []
        if self.inner is None:
            sums = [
                self._sum(name, self.gates[name].biases, units)
                for name in self.cell.gates
            ]
            return [_beside(sums)]
        rows: list[list[WeightRef]] = [[], []]
        for name in self.cell.gates:
            biases = sorted(self.gates[name].biases, key=lambda b: repr(b.steps))
            split = len(biases) // 2 if name != "n" else len(biases)
            split = split or len(biases)
            rows[0].append(self._sum(name, biases[:split], units))
            rest = self.inner.biases if name == "n" else biases[split:]
            rows[1].append(
                self._sum(name, rest, units, self.inner.offset if name == "n" else 0.0)
            )
        whole = [_beside(row) for row in rows]
        whole = [row.reshaped(1, *row.shape) for row in whole]
        return [whole[0].joined(0, whole[1:])]

    def _sum(
        self,
        name: str,
        biases: Sequence[WeightRef],
        units: int,
        offset: float | None = None,
    ) -> WeightRef:
        """What a gate adds: its biases and its number."""
        number = self.gates[name].offset if offset is None else offset
        if not biases:
            value = np.full((units,), number, np.float32)
            return self._gate_weight(name, WeightRef("", (units,), value=value))
        first, *others = biases
        if others:
            first = first.then("sum", tuple(others), first.shape)
        if number:
            first = first.then("shift", number, first.shape)
        return self._gate_weight(name, first)


def _beside(parts: Sequence[WeightRef]) -> WeightRef:
    first, *others = parts
    return first.joined(len(first.shape) - 1, others)


def use_of(weight: WeightRef, uses: Uses) -> WeightUse:
    """A weight as the file has it."""
    steps = tuple(_step(step, argument, uses) for step, argument in weight.steps)
    use = uses.get(weight.node)
    if use is not None:
        return replace(use, shape=weight.shape, steps=(*use.steps, *steps))
    if weight.value is not None:
        return WeightUse("", weight.shape, steps, weight.value)
    return WeightUse(weight.node, weight.shape, steps)


def _step(step: str, argument: Any, uses: Uses) -> tuple[str, Any]:
    if step == "join":
        axis, others = argument
        return step, (axis, tuple(use_of(each, uses) for each in others))
    if step == "sum":
        return step, tuple(use_of(each, uses) for each in argument)
    return step, argument
