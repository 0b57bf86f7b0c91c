"""Statements over tensors -> the lines of a function body: variables chosen, long lines broken."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ....errors import GraphError
from ....graph import Tensor
from ....graph.names import unused
from ..program.program import filled, hole
from .line_breaks import wrapped

VARIABLES = ("x", "y", "z")


@dataclass(frozen=True)
class Statement:
    """``outputs = text``, with a hole for each of ``inputs``.

    Where ``loop`` is a ``for`` line, the statement is its body and carries its first input into its output from turn
    to turn. ``called`` is what a value of it is called where it lives long. ``is_expression``: it calls no layer.
    """

    text: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    loop: str = ""
    called: str = ""
    is_expression: bool = False


def body_lines(
    statements: Sequence[Statement],
    variables: Mapping[Tensor, str],
    results: Sequence[Tensor],
    reserved: Iterable[str] = (),
    returned: bool = False,
) -> tuple[list[list[str]], list[str]]:
    """The lines of each statement, not indented, and the variables that hold the results at the end.

    ``variables`` are those that hold tensors at the start, ``reserved`` names that must stay as they are. A
    variable is used again when what it holds is no longer needed. ``returned``: a ``return`` of the one result ends them.
    """
    statements, results = _less_aliases(statements, results)
    allocation = _Allocation(statements, variables, results, reserved)
    allocation.returned = results[0] if returned else None
    lines = [list(allocation.lines(at, each)) for at, each in enumerate(statements)]
    values = [allocation.holds[tensor] for tensor in results]
    if returned and allocation.returned is not None:
        lines.append([f"return {values[0]}"])
    return lines, values


def _less_aliases(
    statements: Sequence[Statement], results: Sequence[Tensor]
) -> tuple[list[Statement], list[Tensor]]:
    """Without statements that give a value another name."""
    same: dict[Tensor, Tensor] = {}
    lines = []
    for each in statements:
        inputs = tuple(same.get(tensor, tensor) for tensor in each.inputs)
        if each.text == hole(0) and not each.loop and len(each.outputs) == 1:
            same[each.outputs[0]] = inputs[0]
        else:
            lines.append(replace(each, inputs=inputs))
    return lines, [same.get(tensor, tensor) for tensor in results]


class _Allocation:
    def __init__(
        self,
        statements: Sequence[Statement],
        variables: Mapping[Tensor, str],
        results: Sequence[Tensor],
        reserved: Iterable[str],
    ) -> None:
        self.holds = dict(variables)
        self.taken = {*reserved, *variables.values()}
        self.fixed = frozenset(self.taken)
        for statement in statements:
            self.taken.update(re.findall(r"\w+", statement.loop))
        self.returned: Tensor | None = None
        self.whole: dict[str, str] = {}  # the elements of a list -> the list
        self.end = len(statements) - 1
        self.loose = set(VARIABLES)  # the names that may be used again
        self.loose -= set(variables.values()) & set(reserved)
        merges = (each for each in statements if "[\0" in each.text)
        wide = (each for each in merges if len(each.inputs) > 3)
        self.many = {tensor for each in wide for tensor in each.inputs}
        self.last: dict[Tensor, int] = {}
        for at, statement in enumerate(statements):
            self.last.update(dict.fromkeys(statement.inputs, at))
        self.last.update(dict.fromkeys(results, len(statements)))

    def _held(self, tensor: Tensor) -> str:
        if tensor not in self.holds:
            raise GraphError(f"{tensor} is read, but its node has no such output")
        return self.holds[tensor]

    def lines(self, at: int, statement: Statement) -> Iterator[str]:
        names = [self._held(tensor) for tensor in statement.inputs]
        if statement.loop:
            carried = statement.inputs[0]
            if self.last[carried] > at or names[0] in self.fixed - self.loose:
                before, names[0] = names[0], self.new(statement)
                yield f"{names[0]} = {before}"
            self.release(at, statement, keep=names[0])
            self.hold(statement.outputs[0], names[0])
            yield from wrapped(statement.loop)
            yield from wrapped(f"    {names[0]} = {self.said(statement.text, names)}")
            return
        self.release(at, statement)
        if len(statement.outputs) > 3:
            name = self.unique(statement.called or "parts")
            self.taken.add(name)
            for number, tensor in enumerate(statement.outputs):
                self.holds[tensor] = f"{name}[{number}]"
            self.whole[", ".join(map(self.holds.__getitem__, statement.outputs))] = name
            yield from wrapped(f"{name} = {self.said(statement.text, names)}")
            return
        targets = [self.target(at, tensor, statement) for tensor in statement.outputs]
        if (self.returned,) == statement.outputs and at == self.end:
            self.returned = None
            yield from wrapped(f"return {self.said(statement.text, names)}")
            return
        yield from wrapped(f"{', '.join(targets)} = {self.said(statement.text, names)}")

    def said(self, text: str, names: Sequence[str]) -> str:
        """The text over these variables; a list of all that a list holds is that list."""
        text = filled(text, names)
        for elements, name in self.whole.items():
            text = text.replace(f"[{elements}]", name)
        return text

    def release(self, at: int, statement: Statement, keep: str = "") -> None:
        """Free the variables whose last use this statement is."""
        for tensor in statement.inputs:
            name = self.holds[tensor]
            if self.last[tensor] <= at and name != keep and name in self.loose:
                self.taken.discard(name)

    def target(self, at: int, tensor: Tensor, statement: Statement) -> str:
        if tensor not in self.last:
            return "_"
        far = self.last[tensor] - at > 12 or tensor.port < 0 or tensor in self.many
        long = statement.called and far
        name = self.unique(statement.called) if long else self.new(statement)
        self.hold(tensor, name)
        return name

    def hold(self, tensor: Tensor, name: str) -> None:
        self.holds[tensor] = name
        self.taken.add(name)

    def new(self, statement: Statement) -> str:
        for name in VARIABLES:
            if name not in self.taken:
                return name
        name = self.unique(statement.called or "x")
        self.loose.update(() if statement.called else (name,))
        return name

    def unique(self, name: str) -> str:
        return unused(name, self.taken, first=2)
