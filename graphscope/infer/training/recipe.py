"""A training graph -> its recipe: optimizers with their settings, and what is measured; what somebody needs who must go on training.

The settings are the scalar inputs of the ops that apply gradients, under the names that their OpDefs give them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

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
_SETTINGS = frozenset(
    "lr alpha momentum rho beta beta1 beta2 epsilon l1 l2 l2_shrinkage lr_power decay logbase sign_decay".split()
)
_LOSSES = re.compile(r"\w*CrossEntropy\w*|CTCLoss(V2)?|SquaredDifference")
_MOST_STEPS = 32


def training_recipe(study: Training) -> list[dict[str, Any]]:
    """One entry for each optimizer with its settings: ``optimizer``, ``settings``, ``weights`` (how many it moves), ``text``.

    A setting is its number, or a text: the input that it is fed by, the variable that it is stored in, what it is computed from.
    """
    flow, seen = study.flow, Counter[tuple[str, tuple[tuple[str, Any], ...]]]()
    origins: dict[int, str] = {}  # of what is computed: one schedule serves all weights
    for i in study.updates:
        if APPLIES.match(flow.ops[i]):
            seen[_class(flow, i), tuple(_settings(flow, i, origins))] += 1
    return [
        {
            "optimizer": name,
            "settings": dict(settings),
            "weights": count,
            "text": recipe_text(name, dict(settings), count),
        }
        for (name, settings), count in seen.most_common()
    ]


def recipe_text(optimizer: str, settings: Mapping[str, Any], weights: int) -> str:
    """One line of a recipe.

    >>> recipe_text("Adam", {"lr": 0.001, "epsilon": "fed through eps"}, 10)
    'Adam (lr 0.001, epsilon fed through eps; 10 weights)'
    """
    values = (
        f"{name} {value if isinstance(value, str) else f'{value:g}'}"
        for name, value in settings.items()
    )
    inside = "; ".join(filter(None, [", ".join(values), f"{weights:,} weights"]))
    return f"{optimizer} ({inside})"


def loss_ops(study: Training) -> list[str]:
    """The ops that say what a loss is, most frequent first: cross entropies, CTC, squared differences."""
    ops = [study.flow.ops[i] for i, role in study.losses.role.items() if role == "loss"]
    return [op for op, _ in Counter(filter(_LOSSES.fullmatch, ops)).most_common()]


def _class(flow: Flow, i: int) -> str:
    match = _NAME.match(flow.ops[i])
    name = match["name"] if match else flow.ops[i]
    nesterov = flow.nodes[i].attrs.get("use_nesterov")
    return _CLASSES.get(name, name) + (", Nesterov" if nesterov else "")


def _settings(flow: Flow, i: int, origins: dict[int, str]) -> Iterator[tuple[str, Any]]:
    definition = op_registry.find(flow.ops[i])
    arguments = definition.input_arg if definition is not None else ()
    for argument, (source, _) in zip(arguments, flow.inputs[i], strict=False):
        if argument.name in _SETTINGS:
            yield argument.name, _value(flow, source, origins)


def _value(flow: Flow, i: int, origins: dict[int, str]) -> Any:
    for _ in range(_MOST_STEPS):
        op = flow.ops[i]
        if op == "Const":
            value = flow.nodes[i].attrs.get("value")
            if value is not None and value.size == 1 and value.dtype.kind in "fiu":
                return float(f"{float(value.item()):.6g}")
            return f"the constant {flow.names[i]}"
        if op in VARIABLES:
            return f"the variable {flow.names[i]}"
        if SOURCES.match(op):
            return f"fed through {flow.names[i]}"
        if op not in READS or not flow.inputs[i]:
            break
        i = flow.inputs[i][0][0]
    if i not in origins:
        origins[i] = _computed(flow, i)
    return origins[i]


def _computed(flow: Flow, i: int) -> str:
    """From what: feeds first, then what is stored (the step that a schedule follows)."""
    above = flow.upstream([i])
    reached = [n for n in range(len(flow)) if above[n]]
    for claim, word in (
        (SOURCES.match, "fed through"),
        (VARIABLES.__contains__, "computed from"),
    ):
        names = [flow.names[n] for n in reached if claim(flow.ops[n])]
        if names:
            return f"{word} {names[0]}"
    return "computed"
