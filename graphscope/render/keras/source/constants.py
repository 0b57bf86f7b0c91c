"""What many layers are given alike, a regularizer say -> a constant of the module."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from ..program.literals import Code, literal
from ..program.program import Program, Step

_OFTEN = 3  # uses that make a constant worth its line


def named_constants(program: Program) -> tuple[Program, str]:
    """The program with a name for each call that many layers are given, and the lines that define the names."""
    counts = Counter(
        text
        for step in program.all_steps
        for value in step.arguments.values()
        if (text := _call_text(value))
    )
    often = [text for text, count in counts.items() if count >= _OFTEN]
    names = {
        text: f"REGULARIZER{'_%d' % n if n else ''}" for n, text in enumerate(often)
    }
    if not names:
        return program, ""
    lines = "".join(f"\n{name} = {text}" for text, name in names.items())
    return _renamed(program, names), f"\n{lines}"


def _call_text(value: object) -> str:
    """The text of a regularizer, which Keras keeps as a class name and a config; ``""`` of all else."""
    text = literal(value) if isinstance(value, Mapping) else ""
    return text if text.startswith("regularizers.") else ""


def _renamed(program: Program, names: Mapping[str, str]) -> Program:
    def renamed(step: Step) -> Step:
        arguments = {
            key: Code(name) if (name := names.get(_call_text(value), "")) else value
            for key, value in step.arguments.items()
        }
        return replace(step, arguments=arguments)

    return replace(
        program,
        steps=tuple(map(renamed, program.steps)),
        models={node: _renamed(each, names) for node, each in program.models.items()},
        parts=tuple(_renamed(each, names) for each in program.parts),
    )
