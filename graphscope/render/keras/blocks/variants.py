"""A program in blocks of one kind or another -> the way that is written in the fewest lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from ..program.program import Program
from ..program.shown_names import with_names
from ..source.docstring import count_lines
from ..source.module import to_source
from .statements import Finder, blocks_of
from .tree import arrange, flat

_SHORT = 40  # lines: a model of so few has nothing that is worth another look
_LAYERS = 0.9  # of the statements are layers of Keras's where these are all of a model


def shortest(
    program: Program, blocks: Sequence[object], find: Finder | None
) -> Program:
    """The program in the order of the blocks of its layer graph, or of those among its statements where that is shorter."""
    plain = _in_order(program, lambda _: blocks)
    if find is None or not _is_mixed(program) or (lines := _lines(plain)) < _SHORT:
        return plain
    other = _in_order(program, partial(blocks_of, find=find))
    return other if _lines(other) < lines else plain


def _is_mixed(program: Program) -> bool:
    """Whether much is said in other words than the layer graph has: of Keras's layers alone both find the same blocks.

    What a setting says stands in each layer of the graph, and casts that a policy makes between them; neither is in the statements.
    """
    if program.settings:
        return True
    own = sum(step.constructor.startswith("layers.") for step in program.steps)
    return own < _LAYERS * len(program.steps)


def _lines(program: Program) -> int:
    return count_lines(to_source(program, ""))


def _in_order(
    program: Program, regions_of: Callable[[Program], Sequence[Any]]
) -> Program:
    """The program in the order of its regions, with the names that are written; its models likewise."""
    models = {n: _in_order(each, regions_of) for n, each in program.models.items()}
    inner = tuple(_in_order(each, regions_of) for each in program.parts)
    program = replace(program, regions=tuple(regions_of(program)))
    steps = tuple(flat(arrange(program)))
    return with_names(replace(program, steps=steps, models=models, parts=inner))
