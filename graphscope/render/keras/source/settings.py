"""What most layers of a program say alike -> said once, as a setting of Keras: the policy of half floats, the place of channels."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ....graph import Tensor
from ..classes.signatures import signatures
from ..program.half_precision import HALVES
from ..program.literals import Code
from ..program.program import Program, Step

_ANYWHERE = frozenset(  # layers to which the place of channels in an image is nothing
    "Activation Add Average BatchNormalization Concatenate Dense Dropout ELU GroupNormalization Identity "
    "LayerNormalization LeakyReLU Maximum Minimum Multiply Normalization PReLU Permute ReLU Reshape Softmax "
    "Subtract UnitNormalization".split()
)
_ON_IMAGES = re.compile(r"\bops\.(image\b|\w*(conv|pool|depth|space|norm))")
Rewrite = Callable[[Step], Mapping[str, Any]]


def with_settings(program: Program, dtype: Callable[[Tensor], str]) -> Program:
    """The program with its settings, and layers that no longer say them; ``dtype`` tells that of a tensor, ``""`` where nobody knows."""
    layers = [step for step in program.all_steps if step.constructor]
    if not all(map(_is_plain, layers)):
        return program
    return _with_format(_with_policy(program, layers, dtype))


def _is_plain(step: Step) -> bool:
    """Whether Keras has the layer, and is given no other that would do what it does not say."""
    parts = any(isinstance(value, Code) for value in step.arguments.values())
    return step.constructor.startswith("layers.") and not parts


def _with_policy(
    program: Program, layers: list[Step], dtype: Callable[[Tensor], str]
) -> Program:
    """``Dense(2, dtype="mixed_float16") -> Dense(2)`` under the policy of most layers; all others then say theirs."""
    policies = Counter(str(step.arguments.get("dtype", "")) for step in layers)
    halves = {p: n for p, n in policies.items() if p.removeprefix("mixed_") in HALVES}
    kinds = {policy.removeprefix("mixed_") for policy in halves}
    if len(kinds) != 1 or 2 * sum(halves.values()) <= len(layers):
        return program
    (kind,) = kinds

    def rewritten(step: Step) -> Mapping[str, Any]:
        arguments = dict(step.arguments)
        policy = arguments.get("dtype", "")
        if policy in halves:
            del arguments["dtype"]
        elif policy == "" and dtype(Tensor(step.node)) in ("", "float32"):
            arguments["dtype"] = "float32"
        return arguments

    policy = f"mixed_{kind}" if f"mixed_{kind}" in halves else kind
    return _set(program, "dtype_policy", policy, rewritten)


def _with_format(program: Program) -> Program:
    """``Conv2D(2, 3, data_format="channels_first") -> Conv2D(2, 3)`` where most layers read images so; all others then say theirs."""
    layers = [step for step in program.all_steps if step.constructor]
    placed = [step for step in layers if _has_format(step)]
    first = sum(s.arguments.get("data_format") == "channels_first" for s in placed)
    if 2 * first <= len(placed) or not all(map(_is_told, program.all_steps)):
        return program

    def rewritten(step: Step) -> Mapping[str, Any]:
        arguments = dict(step.arguments)
        if _has_format(step) and arguments.pop("data_format", "") != "channels_first":
            arguments["data_format"] = "channels_last"
        return arguments

    return _set(program, "image_data_format", "channels_first", rewritten)


def _has_format(step: Step) -> bool:
    signature = signatures().get(step.class_name)
    return signature is not None and "data_format" in signature.arguments


def _is_told(step: Step) -> bool:
    """Whether a step does the same wherever the channels of images are, once its own arguments say so."""
    if not step.constructor:
        return _ON_IMAGES.search(step.text) is None
    if step.class_name == "Rescaling":
        return all(isinstance(n, int | float) for n in step.arguments.values())
    return step.class_name in _ANYWHERE or _has_format(step)


def _set(program: Program, setting: str, value: str, rewritten: Rewrite) -> Program:
    """The program under a setting, its layers and those of its models rewritten."""

    def inner(each: Program) -> Program:
        steps = (
            replace(step, arguments=rewritten(step)) if step.constructor else step
            for step in each.steps
        )
        return replace(
            each,
            steps=tuple(steps),
            models={node: inner(model) for node, model in each.models.items()},
            parts=tuple(map(inner, each.parts)),
        )

    return replace(inner(program), settings={**program.settings, setting: value})
