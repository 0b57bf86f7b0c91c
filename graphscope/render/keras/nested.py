"""Expressions that only the next one reads go into it, as long as the line can still be read at a glance."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from ...graph import Tensor
from .body import Statement
from .program import HOLE, filled, hole

_LONGEST = 64  # characters of a line that still takes another expression in
_DEEPEST = 3  # brackets in brackets
_CALL = re.compile(r"[\w.]+\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)(\[[^\[\]]*\])?")


def nested(
    statements: Iterable[Statement], results: Sequence[Tensor]
) -> list[Statement]:
    """The statements, fewer of them; what ``results`` names keeps a line of its own where it is read again."""
    known = list(statements)
    reads = Counter(tensor for each in known for tensor in each.inputs)
    reads.update(results)
    made: list[Statement] = []
    for statement in known:
        while made and _goes_into(made[-1], statement, reads):
            joined = _joined(made[-1], statement)
            if joined is None:
                break
            made.pop()
            statement = joined
        made.append(statement)
    return made


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
    if not _CALL.fullmatch(HOLE.sub("x", inner)) and not _is_whole(after.text, place):
        inner = f"({inner})"
    text = after.text.replace(hole(place), inner)
    shown = HOLE.sub("x", text)
    if len(shown) > _LONGEST or _depth(shown) > _DEEPEST:
        return None
    return _renumbered(
        replace(after, text=text, inputs=(*after.inputs, *before.inputs))
    )


def _is_whole(text: str, place: int) -> bool:
    """Whether a hole is a whole argument of a call, so that no operator binds it."""
    before, after = text.split(hole(place))
    return (
        before.endswith(("(", ", ", "["))
        and after[:1] in (")", ",", "]")
        or (not before and not after)
    )


def _renumbered(statement: Statement) -> Statement:
    """Holes numbered in the order in which they stand, each input once."""
    order = [statement.inputs[int(found)] for found in HOLE.findall(statement.text)]
    inputs = tuple(dict.fromkeys(order))
    numbers = [hole(inputs.index(t)) if t in inputs else "" for t in statement.inputs]
    return replace(statement, text=filled(statement.text, numbers), inputs=inputs)


def _depth(text: str) -> int:
    deepest = depth = 0
    for char in text:
        depth += (char in "([{") - (char in ")]}")
        deepest = max(deepest, depth)
    return deepest
