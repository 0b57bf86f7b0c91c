"""A training graph -> its recipe: optimizers with their settings, and what is measured; what somebody needs who must go on training.

The settings are the scalar inputs of the ops that apply gradients, under the names that their OpDefs give them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from ...graph.named_values import Row
from ...ops import spellings
from ...wire import op_registry
from .arrays import Flow
from .op_kinds import APPLIES, READS, SOURCES, VARIABLES
from .roles import Training

_NAME = re.compile(r"(Resource)?(Sparse)?(Apply)?(?P<name>\w+?)(V2)?$")
_CLASSES = {
    "GradientDescent": "gradient descent",
    "ScatterSub": "gradient descent",
    "ScatterAdd": "gradient descent",
    "KerasMomentum": "Momentum",
    "CenteredRMSProp": "RMSProp, centered",
}
_WORDS = {"alpha": "lr"}  # in the OpDef of plain gradient descent
_SETTINGS = frozenset(
    "lr alpha momentum rho beta beta1 beta2 epsilon l1 l2 l2_shrinkage lr_power decay logbase sign_decay".split()
)
_ASIDE = ("update", "optimizer", "gradient", "initialiser", "save", "restore")
_SUBTRACTS = re.compile(r"AssignSub(VariableOp)?$")
_LOSSES = re.compile(r"\w*CrossEntropy\w*|CTCLoss(V2)?|SquaredDifference")
_MOST_STEPS = 32
_MEASURES = {"Square": "the square of a difference", "Abs": "the absolute difference"}
_DIFFERENCES = frozenset({*spellings.SUMS, "Sub", "Neg"})
Stored = Callable[[str], float | None]


def training_recipe(
    study: Training, stored: Stored = lambda variable: None
) -> list[Row]:
    """One entry for each optimizer with its settings: ``optimizer``, ``settings``, ``weights`` (how many it moves), ``text``.

    A setting is its number, or a text: the input that it is fed by, the variable that it is stored in, what it is computed
    from. ``stored`` gives the number that a variable holds, None where that is not known.
    """
    flow, seen = study.flow, Counter[tuple[str, tuple[tuple[str, Any], ...]]]()
    origins: dict[int, str] = {}  # of what is computed: one schedule serves all weights
    for i in study.updates:
        if not APPLIES.match(flow.ops[i]):
            continue
        if "Scatter" not in flow.ops[i] or not _is_slot(study, i):
            settings = _Settings(flow, origins, stored).of(i)
            seen[_class(flow, i), tuple(settings)] += 1
    if len(seen) == 1:
        seen[next(iter(seen))] += len(_by_rows(study))
    return [
        {
            "optimizer": name,
            "settings": dict(settings),
            "weights": count,
            "text": recipe_text(name, dict(settings), count),
        }
        for (name, settings), count in seen.most_common()
    ]


def recipe_text(optimizer: str, settings: Mapping[str, object], weights: int) -> str:
    """One line of a recipe.

    >>> recipe_text("Adam", {"lr": 0.001, "epsilon": "fed through eps"}, 10)
    'Adam (lr 0.001, epsilon fed through eps; 10 weights)'
    """
    values = (
        f"{_WORDS.get(name, name)} {value if isinstance(value, str) else f'{value:g}'}"
        for name, value in settings.items()
    )
    inside = "; ".join(
        filter(None, [", ".join(values), f"{weights:,} weight{'s' * (weights != 1)}"])
    )
    return f"{optimizer} ({inside})"


def loss_ops(study: Training) -> list[str]:
    """What a loss that is trained on measures, most frequent first: cross entropies, CTC, squared differences.

    A loss that is only looked at, beside the one that is trained on, is left out: no gradient reads what it reads.
    """
    flow = study.flow
    trained = [i for i, role in study.losses.role.items() if role == "loss"]
    trained = [i for i in trained if _is_differentiated(study, i)]
    ops = [flow.ops[i] for i in trained if _LOSSES.fullmatch(flow.ops[i])]
    ops = ops or [_MEASURES[flow.ops[i]] for i in trained if _is_distance(flow, i)]
    return [op for op, _ in Counter(ops).most_common()]


def _is_differentiated(study: Training, i: int) -> bool:
    """Whether the backward pass reads what a loss op yields or, where that is but a difference, what it reads."""
    flow = study.flow
    nodes = [i]
    if "CrossEntropy" not in flow.ops[i]:
        nodes += [source for source, _ in flow.inputs[i]]
    return any(study.backward[n] for node in nodes for n in flow.outputs[node])


def _is_distance(flow: Flow, i: int) -> bool:
    inputs = flow.inputs[i]
    return flow.ops[i] in _MEASURES and flow.ops[inputs[0][0]] in _DIFFERENCES


def _by_rows(study: Training) -> set[int]:
    """The variables that an optimizer without an op of its own moves, as Adam does with the rows of an embedding: it subtracts
    what it divided by a root, and does not look at the variable, as an average does.
    """
    flow, moved = study.flow, set()
    below_roots = flow.downstream(flow.by_kind("Sqrt".__eq__))
    for i in flow.by_kind(_SUBTRACTS.match):
        variable = flow.variable_of(flow.inputs[i][0][0]) if flow.inputs[i] else None
        wires = flow.inputs[i]
        if variable is None or len(wires) < 2 or not below_roots[wires[1][0]]:
            continue
        above = flow.behind(wires[1][0], partial(_is_own, study))
        if variable not in above and any(flow.ops[n] == "Sqrt" for n in above):
            moved.add(variable)
    return moved


def _is_own(study: Training, i: int) -> bool:
    """Whether an optimizer's arithmetic goes on above a node: no gradient, nothing scattered."""
    return not (study.backward[i] or "Scatter" in study.flow.ops[i])


def _is_slot(study: Training, i: int) -> bool:
    """Whether an update is of a variable that nothing but updates, saving and filling reads."""
    flow = study.flow
    variable = flow.variable_of(flow.inputs[i][0][0])
    reached = [variable] if variable is not None else []
    for n in reached:  # grows
        for reader in flow.outputs[n]:
            if flow.ops[reader] in READS:
                reached.append(reader)
            elif study.roles.get(reader) not in _ASIDE:
                return False
    return bool(reached)


def _class(flow: Flow, i: int) -> str:
    match = _NAME.match(flow.ops[i])
    name = match["name"] if match else flow.ops[i]
    nesterov = flow.nodes[i].attrs.get("use_nesterov")
    return _CLASSES.get(name, name) + (", Nesterov" if nesterov else "")


@dataclass(frozen=True)
class _Settings:
    """How the settings of an update are read: where each comes from, and what the variables hold."""

    flow: Flow
    origins: dict[int, str]
    stored: Stored

    def of(self, i: int) -> Iterator[tuple[str, Any]]:
        """The settings of one update by their names in its OpDef."""
        definition = op_registry.find(self.flow.ops[i])
        arguments = definition.input_arg if definition is not None else ()
        for argument, (source, _) in zip(arguments, self.flow.inputs[i], strict=False):
            if argument.name in _SETTINGS:
                yield argument.name, self._value(source)

    def _value(self, i: int) -> Any:
        flow = self.flow
        for _ in range(_MOST_STEPS):
            op, name = flow.ops[i], flow.names[i]
            if op == "Const":
                value = flow.nodes[i].attrs.get("value")
                if value is not None and value.size == 1 and value.dtype.kind in "fiu":
                    return float(f"{float(value.item()):.6g}")
                return f"the constant {name}"
            if op in VARIABLES:
                number = self.stored(name)
                known = "" if number is None else f"{number:g} in "
                return f"{known}the variable {name}"
            if SOURCES.match(op):
                return f"fed through {name}"
            if op not in READS or not flow.inputs[i]:
                break
            i = flow.inputs[i][0][0]
        if i not in self.origins:
            self.origins[i] = _computed(flow, i)
        return self.origins[i]


def _computed(flow: Flow, i: int) -> str:
    """From what: feeds first, then what is stored (the step that a schedule follows)."""
    reached = sorted(flow.behind(i))
    for claim, word in (
        (SOURCES.match, "fed through"),
        (VARIABLES.__contains__, "computed from"),
    ):
        names = [flow.names[n] for n in reached if claim(flow.ops[n])]
        if names:
            return f"{word} {names[0]}"
    return "computed"
