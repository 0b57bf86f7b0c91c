"""What is written of a step, of a block and of a loop: constructors, defaults, ``for`` lines, summaries."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..classes.signatures import REQUIRED, signature_of
from ..program.literals import literal
from ..program.program import Step
from .tree import Block, Part
from .unify import NUMBER, VALUE, Parameter

_LONGEST = 70  # characters of what a function is said to be made of
_POSITIONAL = frozenset({"pool_size", "padding", "cropping", "size"})


def step_text(step: Step) -> str:
    """The right side of a step, with holes for its inputs."""
    return f"{constructor_text(step)}({step.text})" if step.constructor else step.text


def constructor_text(step: Step) -> str:
    """``layers.Conv2D(64, 3, name="conv1")``."""
    signature = signature_of(step.constructor)
    known = signature.arguments if signature else {}
    texts = []
    for position, (name, value) in enumerate(step.arguments.items()):
        in_place = list(known)[position : position + 1] == [name]
        bare = in_place and (
            known[name] is REQUIRED or position == 0 and name in _POSITIONAL
        )
        texts.append(literal(value) if bare else f"{name}={literal(value)}")
    if step.shown:
        texts.append(f"name={literal(step.shown)}")
    return f"{step.constructor}({', '.join(texts)})"


def default(part: Part, key: Any) -> Any:
    """What an argument that is not written stands for."""
    if isinstance(part, Step) and key[0] == "argument":
        signature = signature_of(part.constructor)
        default = signature.arguments.get(key[1], REQUIRED) if signature else REQUIRED
        return None if default is REQUIRED else _short(default)
    return None


def _short(value: Any) -> Any:
    """A default as ``config`` writes it: ``(1, 1)`` is ``1``."""
    alike = isinstance(value, tuple) and all(v == value[0] for v in value)
    return value[0] if alike and isinstance(value[0], int) else value


def order(step: Step) -> Mapping[str, int]:
    signature = signature_of(step.constructor)
    return (
        {name: at for at, name in enumerate(signature.arguments)} if signature else {}
    )


def loop_head(parameters: Sequence[Parameter], count: int) -> str:
    """The ``for`` line that gives the parameters their values, turn by turn."""
    if not parameters:
        return f"for _ in range({count}):"
    numbers = [p for p in parameters if p.role == NUMBER and _steady(p.values)]
    others = [p for p in parameters if p not in numbers[:1]]
    columns = list(zip(*(p.texts for p in others)))
    rows = ", ".join(c[0] if len(c) == 1 else f"({', '.join(c)})" for c in columns)
    names = ", ".join(p.name for p in others)
    if not numbers:
        return f"for {names} in ({rows}):"
    start, step = numbers[0].values[0], numbers[0].values[1] - numbers[0].values[0]
    if others and step == 1:
        names = f"({names})" if len(others) > 1 else names
        begin = f", {start}" if start else ""
        return f"for {numbers[0].name}, {names} in enumerate(({rows}){begin}):"
    if others:
        return loop_head([replace(numbers[0], role=VALUE), *others], count)
    stop = start + step * count
    bounds = f"{start}, {stop}" if start or step != 1 else str(stop)
    return (
        f"for {numbers[0].name} in range({bounds}{f', {step}' if step != 1 else ''}):"
    )


def _steady(values: Sequence[int]) -> bool:
    return len({b - a for a, b in zip(values, values[1:])}) == 1


def summary(block: Block) -> str:
    """What a block is made of, in a line: its layers, else its ops."""
    words = [
        part.kind if isinstance(part, Block) else part.constructor
        for part in block.parts
    ]
    if not any(words):
        texts = " ".join(part.text for part in block.parts if isinstance(part, Step))
        words = re.findall(r"ops\.(\w+)\(", texts) or ["arithmetic"]
    kinds = dict.fromkeys(word.removeprefix("layers.") for word in words if word)
    return f"{_enumerated(list(kinds))}."


def _enumerated(words: Sequence[str]) -> str:
    """The words with commas between them, as many as fit in a line.

    >>> _enumerated(["DepthwiseConv2D"] * 5)
    'DepthwiseConv2D, DepthwiseConv2D, DepthwiseConv2D and 2 more'
    """
    for count in range(len(words), 1, -1):
        left = len(words) - count
        text = ", ".join(words[:count]) + (f" and {left} more" if left else "")
        if len(text) <= _LONGEST:
            return text
    return ", ".join(words)
