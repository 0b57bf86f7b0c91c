"""The steps of a program, gathered into the blocks that were found: a tree that has been checked to be the program."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ....graph import Tensor
from ..classes.signatures import signature_of
from ..program.program import Program, Step

_HOLE_OR_LITERAL = re.compile(
    r"(\0\d+\0)|(\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|(?<![\w.])\d+(?:\.\d*)?(?:e[+-]?\d+)?(?![\w.]))"
)


@dataclass(frozen=True, eq=False)
class Block:
    """One occurrence of a block: ``inputs`` from outside in the order of first use, one ``output``."""

    kind: str
    parts: tuple[Part, ...]
    inputs: tuple[Tensor, ...]
    output: Tensor


Part = Step | Block


def arrange(program: Program) -> tuple[Part, ...]:
    """All steps, in blocks where the program's regions have them; flat where these are not the program.

    A block that occurs once, whose occurrences are not written alike, or from which the outside reads more than one
    tensor is dissolved.
    """
    regions = program.regions
    if not regions:
        return program.steps
    parts = _Gathering(program.by_node, regions).parts(regions)
    if not _runs(program, parts):
        return program.steps
    return _Checking(program, _kinds(parts)).parts(parts)


class _Gathering:
    """Names and regions -> steps and nested tuples ``(kind, parts)``.

    A step that is no node of the layer graph comes before its first reader, at the end where there is none.
    """

    def __init__(self, steps: Mapping[str, Step], regions: Sequence[object]) -> None:
        self.steps = steps
        named = set(_names(regions))
        self.extra = {n: step for n, step in steps.items() if n not in named}

    def parts(self, regions: Sequence[object]) -> list[Any]:
        return [*self.within(regions), *self.extra.values()]

    def within(self, regions: Sequence[Any]) -> list[Any]:
        inner: list[Any] = []
        for part in regions:
            if not isinstance(part, str):
                inner.append((part.kind, self.within(part.parts)))
            elif part in self.steps:
                inner.extend(self.led_up_to(self.steps[part]))
        return inner

    def led_up_to(self, step: Step) -> list[Step]:
        """The step after those extra ones that it needs and that are not there yet."""
        chain = [step]
        for each in chain:
            for tensor in reversed(each.inputs):
                if tensor.node in self.extra:
                    chain.append(self.extra.pop(tensor.node))
        return chain[::-1]


def _names(regions: Sequence[Any]) -> Iterator[str]:
    stack = list(regions)
    while stack:
        part = stack.pop()
        if isinstance(part, str):
            yield part
        else:
            stack.extend(part.parts)


def flat(parts: Sequence[Any]) -> Iterator[Step]:
    """The steps in order."""
    stack = list(reversed(parts))
    while stack:
        part = stack.pop()
        if isinstance(part, Step):
            yield part
        else:
            stack.extend(reversed(part.parts if isinstance(part, Block) else part[1]))


def _runs(program: Program, parts: Sequence[object]) -> bool:
    """Whether the parts are all steps of the program, once each, none before its inputs."""
    known = {each.tensor for each in program.inputs}
    count = 0
    for step in flat(parts):
        if not known.issuperset(step.inputs):
            return False
        known.update(step.outputs())
        count += 1
    return count == len(program.steps) and known.issuperset(program.outputs)


def _kinds(parts: Sequence[Any]) -> set[str]:
    """What the blocks that were kinds are called."""
    stack, kinds = list(parts), set()
    while stack:
        part = stack.pop()
        if not isinstance(part, Step):
            kinds.add(part[0])
            stack.extend(part[1])
    return kinds


class _Checking:
    """Nested tuples -> Blocks, where all occurrences of a kind are written alike."""

    def __init__(self, program: Program, kinds: set[str]) -> None:
        self.kinds = kinds
        self.readers = program.readers
        self.forms: dict[tuple[str, Hashable], str] = {}

    def parts(self, parts: Sequence[object]) -> tuple[Part, ...]:
        """Dissolve until every kind that is left occurs at least twice."""
        checked = self.blocks(parts)
        while True:
            counts: dict[str, int] = {}
            for block in blocks_inside_out(checked):
                counts[block.kind] = counts.get(block.kind, 0) + 1
            once = {kind for kind, count in counts.items() if count < 2}
            if not once:
                return checked
            checked = _dissolved(checked, once)

    def blocks(self, parts: Sequence[Any]) -> tuple[Part, ...]:
        checked: list[Part] = []
        for part in parts:
            if isinstance(part, Step):
                checked.append(part)
                continue
            inside = self.blocks(part[1])
            block = self.block(part[0], inside)
            checked.extend([block] if block is not None else inside)
        return tuple(checked)

    def block(self, kind: str, parts: tuple[Part, ...]) -> Block | None:
        steps = list(flat(parts))
        if len(steps) < 2 or any(step.layer for step in steps):
            return None
        nodes = {step.node for step in steps}
        produced = {tensor for step in steps for tensor in step.outputs()}
        visible = [t for t in produced if self.readers.get(t, set()) - nodes]
        if len(visible) != 1 or visible[0] not in parts_outputs(parts[-1]):
            return None
        read = (t for part in parts for t in part.inputs)
        inputs = tuple(dict.fromkeys(t for t in read if t not in produced))
        form = (kind, _form(parts, inputs, visible[0]))
        named = self.forms.setdefault(form, self._name(kind))
        return Block(named, parts, inputs, visible[0])

    def _name(self, kind: str) -> str:
        names = set(self.forms.values())
        if kind not in names:
            return kind
        base, number = re.sub(r"_\d+$", "", kind), 2
        while f"{base}_{number}" in names | self.kinds:
            number += 1
        return f"{base}_{number}"


def parts_outputs(part: Part) -> tuple[Tensor, ...]:
    return part.outputs() if isinstance(part, Step) else (part.output,)


def _form(parts: Sequence[Part], inputs: Sequence[Tensor], output: Tensor) -> Hashable:
    """How a block is written, less its values: equal for two occurrences that one function can be."""
    places: dict[Tensor, Any] = {tensor: ("in", n) for n, tensor in enumerate(inputs)}
    form: list[Hashable] = []
    for at, part in enumerate(parts):
        read = tuple(places[tensor] for tensor in part.inputs)
        if isinstance(part, Block):
            form.append((part.kind, read))
        else:
            form.append(("", *form_of_step(part), read))
        for port, tensor in enumerate(parts_outputs(part)):
            places[tensor] = (at, port)
    return tuple(form), places[output]


def form_of_step(step: Step) -> tuple[Hashable, ...]:
    """How a step is written, less its values and what it reads."""
    signature = signature_of(step.constructor)
    unusual = tuple(
        n for n in step.arguments if not signature or n not in signature.arguments
    )
    frame, is_named = skeleton(step.text)[0], bool(step.shown)
    return step.constructor, frame, step.ports, is_named, unusual


def skeleton(text: str) -> tuple[str, list[str]]:
    """A step's text with a mark for each literal, and the literals."""
    literals: list[str] = []

    def cut(match: re.Match[str]) -> str:
        if match[1]:
            return match[1]
        literals.append(match[2])
        return "\1"

    return _HOLE_OR_LITERAL.sub(cut, text), literals


def blocks_inside_out(parts: Sequence[Part]) -> Iterator[Block]:
    """Every block after those inside it."""
    stack: list[tuple[Part, bool]] = [(part, False) for part in reversed(parts)]
    while stack:
        part, opened = stack.pop()
        if isinstance(part, Step):
            continue
        if opened:
            yield part
            continue
        stack.append((part, True))
        stack.extend((each, False) for each in reversed(part.parts))


def _dissolved(parts: Sequence[Part], kinds: set[str]) -> tuple[Part, ...]:
    parts_: list[Part] = []
    for part in parts:
        if isinstance(part, Step):
            parts_.append(part)
            continue
        inside = _dissolved(part.parts, kinds)
        if part.kind in kinds:
            parts_.extend(inside)
        else:
            parts_.append(Block(part.kind, inside, part.inputs, part.output))
    return tuple(parts_)
