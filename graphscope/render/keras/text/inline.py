"""Expressions that only the next one reads go into it, as long as the line can still be read at a glance."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from ....graph import Tensor
from ..program.program import HOLE, filled, hole
from .body import Statement

_LONGEST = 64  # characters of a line that still takes another expression in
_DEEPEST = 3  # brackets in brackets
_TWO_AXES = re.compile(
    r"ops\.expand_dims\(ops\.expand_dims\((\0\d+\0|\w+), axis=(-?\d)\), axis=(-?\d)\)"
)
_AND_BACK = re.compile(
    r"ops\.squeeze\(ops\.expand_dims\((\0\d+\0|\w+), axis=(-?\d)\), axis=\2\)"
)
_BOUND = r"\(?(-?\d+\.\d*(?:e-?\d+)?)\)?"
_TWO_BOUNDS = re.compile(
    rf"ops\.(?:(max)imum\(ops\.minimum|(min)imum\(ops\.maximum)\((\0\d+\0|\w+), {_BOUND}\), {_BOUND}\)"
)


def nested(
    statements: Iterable[Statement], results: Sequence[Tensor]
) -> list[Statement]:
    """The statements, fewer of them; what ``results`` names keeps a line of its own where it is read again."""
    known = list(statements)
    reads = Counter(tensor for each in known for tensor in each.inputs)
    reads.update(results)
    statements_: list[Statement] = []
    for statement in known:
        while statements_ and _goes_into(statements_[-1], statement, reads):
            joined = _joined(statements_[-1], statement)
            if joined is None:
                break
            statements_.pop()
            statement = joined
        statements_.append(statement)
    return statements_


def _goes_into(before: Statement, after: Statement, reads: Counter[Tensor]) -> bool:
    if not (before.is_expression and after.is_expression) or len(before.outputs) != 1:
        return False
    return reads[before.outputs[0]] == 1 and before.outputs[0] in after.inputs


def _joined(before: Statement, after: Statement) -> Statement | None:
    """One statement for two; None where it would be hard to read."""
    place = after.inputs.index(before.outputs[0])
    if after.text.count(hole(place)) != 1:
        return None
    inner = filled(
        before.text, [hole(len(after.inputs) + n) for n in range(len(before.inputs))]
    )
    text = after.text.replace(hole(place), f"({inner})")
    bare = after.text.replace(hole(place), inner)
    text = _clipped(_indexed(bare if _parsed(bare) == _parsed(text) else text))
    shown = HOLE.sub("x", text)
    if len(shown) > _LONGEST or _depth(shown) > _DEEPEST:
        return None
    return _renumbered(
        replace(after, text=text, inputs=(*after.inputs, *before.inputs))
    )


def _parsed(text: str) -> str:
    """What Python takes an expression for: brackets that change nothing are not in it."""
    return ast.dump(ast.parse(HOLE.sub(r"_\1_", text), mode="eval"))


def _indexed(text: str) -> str:
    """Axes that are put in one after the other, as one index.

    >>> _indexed("ops.expand_dims(ops.expand_dims(x, axis=1), axis=1)")
    'x[:, None, None]'
    >>> _indexed("ops.expand_dims(ops.expand_dims(x, axis=-1), axis=0)")
    'x[None, ..., None]'
    >>> _indexed("ops.squeeze(ops.expand_dims(x, axis=1), axis=1)")
    'x'
    """
    text = _AND_BACK.sub(r"\1", text)
    return _TWO_AXES.sub(
        lambda match: _index(match[1], int(match[2]), int(match[3])) or match[0], text
    )


def _clipped(text: str) -> str:
    """The larger of a bound and the smaller of another and x, which is x between the two.

    >>> _clipped("ops.maximum(ops.minimum(x, 6.0), (-1.5))")
    'ops.clip(x, -1.5, 6.0)'
    >>> _clipped("ops.minimum(ops.maximum(x, 6.0), 1.5)")  # bounds that cross: always the last
    'ops.minimum(ops.maximum(x, 6.0), 1.5)'
    """

    def clip(match: re.Match[str]) -> str:
        operand, inner, outer = match.groups()[2:]
        low, high = (outer, inner) if match[1] else (inner, outer)
        if float(low) > float(high):
            return match[0]
        return f"ops.clip({operand}, {low}, {high})"

    return _TWO_BOUNDS.sub(clip, text)


def _index(text: str, first: int, second: int) -> str | None:
    if first >= 0 and second >= 0:
        places = {second, first + (second <= first)}
        marks = ["None" if n in places else ":" for n in range(max(places) + 1)]
    elif (first, second) == (-1, -1):
        marks = ["...", "None", "None"]
    elif first == -1 and second >= 0:
        marks = [*":" * second, "None", "...", "None"]
    elif second == -1:
        marks = [*":" * first, "None", "...", "None"]
    else:
        return None
    return f"{text}[{', '.join(marks)}]"


def _renumbered(statement: Statement) -> Statement:
    """Holes numbered in the order in which they stand, each input once."""
    order = [statement.inputs[int(number)] for number in HOLE.findall(statement.text)]
    inputs = tuple(dict.fromkeys(order))
    numbers = [hole(inputs.index(t)) if t in inputs else "" for t in statement.inputs]
    return replace(statement, text=filled(statement.text, numbers), inputs=inputs)


def _depth(text: str) -> int:
    deepest = depth = 0
    for char in text:
        depth += (char in "([{") - (char in ")]}")
        deepest = max(deepest, depth)
    return deepest
