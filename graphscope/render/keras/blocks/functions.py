"""Blocks -> functions, runs of equal blocks -> loops: the statements of a model as a person would have written them."""

from __future__ import annotations

import re
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ....graph import Tensor
from ....graph.names import unused
from ..program.literals import Code, literal
from ..program.names import identifier, variable_name
from ..program.program import Program, Step, hole
from ..program.shown_names import countable, is_counted
from ..text.body import VARIABLES, Statement, body_lines
from ..text.inline import nested
from ..text.line_breaks import WIDTH, wrapped
from .tree import Block, Part, blocks_inside_out, parts_outputs, skeleton
from .unify import COUNTED, IDLE, NAME, NUMBER, VALUE, Field, Parameter, Unifier
from .wording import constructor_text, default, loop_head, order, step_text, summary

Values = Mapping[Hashable, Any]

_MOST_IN_A_LOOP = (
    3  # values that are no numbers; a wider table is harder to read than the calls
)


@dataclass
class _Function:
    """One kind of block: how it is called."""

    name: str
    parameters: list[Parameter]

    def call(self, holes: int, values: Values) -> str:
        """The call's text; a parameter that most calls leave at its default is named where it differs."""
        texts = [hole(number) for number in range(holes)]
        for parameter in self.parameters:
            text = literal(values[parameter.name])
            if parameter.default is None:
                texts.append(text)
            elif text != parameter.default:
                texts.append(f"{parameter.name}={text}")
        return f"{self.name}({', '.join(texts)})"


class Writer:
    """Turns parts into function definitions and statements."""

    def __init__(
        self, program: Program, parts: Sequence[Part], reserved: Collection[str] = ()
    ) -> None:
        self.program, self.parts, self.taken = program, parts, reserved
        self.functions: dict[str, _Function] = {}
        self.arguments: dict[int, dict[Hashable, Any]] = {}
        self.countable = countable(program)

    @property
    def names(self) -> set[str]:
        """What its functions are called."""
        return {function.name for function in self.functions.values()}

    def definitions(self) -> Iterator[str]:
        """One function for each kind of block, those that others call before them."""
        kinds: dict[str, list[Block]] = {}
        for block in blocks_inside_out(self.parts):
            kinds.setdefault(block.kind, []).append(block)
        for kind, blocks in kinds.items():
            yield self._definition(kind, blocks)

    def statements(self, reserved: Iterable[str] = ()) -> list[Statement]:
        """The statements of the whole model."""
        lines = [(part, self.values(part)) for part in self.parts]
        statements = self._looped(lines, {*reserved, *VARIABLES}, named=True)
        return nested(statements, self.program.outputs)

    def _definition(self, kind: str, blocks: list[Block]) -> str:
        name = unused(kind, self.taken)
        unifier = Unifier({*VARIABLES, *_inputs(blocks[0]), name, *self.names})
        fields: list[Field] = []
        columns = list(zip(*(block.parts for block in blocks)))
        for at, column in enumerate(columns):
            fields += self._fields(at, column)
        unified = unifier.unify(fields)
        parameters = sorted(unifier.parameters, key=_rank)
        function = self.functions[kind] = _Function(name, parameters)
        for number, block in enumerate(blocks):
            self.arguments[id(block)] = {p.name: p.values[number] for p in parameters}
        lines: list[tuple[Part, Values]] = []
        for at, column in enumerate(columns):
            values = {key[1]: value for key, value in unified.items() if key[0] == at}  # type: ignore[index]
            lines.append((column[0], values))
        return self._function_text(function, blocks[0], lines)

    def _fields(self, at: int, column: Sequence[Part]) -> Iterator[Field]:
        """What the parts at one place of a block's occurrences hold, aligned."""
        many = [self.values(part) for part in column]
        for key in dict.fromkeys(key for values in many for key in values):
            row = tuple(v[key] if key in v else default(column[0], key) for v in many)
            label, role = self._label(column[0], key)
            yield Field((at, key), label, row, role)

    def values(self, part: Part) -> dict[Hashable, Any]:
        """What is written into the text of a part, by key: arguments, name, literals; or a call's arguments."""
        if isinstance(part, Block):
            return self.arguments[id(part)]
        values: dict[Hashable, Any] = {
            ("argument", n): v for n, v in part.arguments.items()
        }
        if part.shown:
            values["name"] = part.shown
        for number, text in enumerate(skeleton(part.text)[1]):
            values["literal", number] = int(text) if text.isdigit() else Code(text)
        return values

    def _label(self, part: Part, key: Any) -> tuple[str, str]:
        if isinstance(part, Block):
            of = next(p for p in self.functions[part.kind].parameters if p.name == key)
            return of.name.rstrip("_0123456789"), of.role
        if key == "name":
            idle = not part.weights and part.class_name in self.countable
            return "name", COUNTED if is_counted(part) else IDLE if idle else NAME
        return (key[1], VALUE) if key[0] == "argument" else ("size", VALUE)

    def text(self, part: Part, values: Values) -> str:
        """The right side of a part's statement, with holes for its inputs."""
        if isinstance(part, Block):
            return self.functions[part.kind].call(len(part.inputs), values)
        frame, literals = skeleton(part.text)
        for number in range(len(literals)):
            frame = frame.replace("\1", literal(values["literal", number]), 1)
        arguments = {key[1]: v for key, v in values.items() if key[0] == "argument"}  # type: ignore[index]
        places = order(part)
        ordered = dict(
            sorted(arguments.items(), key=lambda item: places.get(item[0], 99))
        )
        shown = values.get("name", "")
        return step_text(replace(part, text=frame, arguments=ordered, shown=shown))

    def _function_text(
        self, function: _Function, block: Block, lines: list[tuple[Part, Values]]
    ) -> str:
        variables = dict(zip(block.inputs, _inputs(block), strict=True))
        parameters = [p.name for p in function.parameters]
        looped = self._looped(lines, {*VARIABLES, *variables.values(), *parameters})
        statements = nested(looped, [block.output])
        body, _ = body_lines(
            statements, variables, [block.output], parameters, returned=True
        )
        shown = [
            p.name if p.default is None else f"{p.name}={p.default}"
            for p in function.parameters
        ]
        head = f"def {function.name}({', '.join([*variables.values(), *shown])}):"
        return "\n".join(
            [
                *wrapped(head, WIDTH),
                f'    """{summary(block)}"""',
                *(f"    {line}" for group in body for line in group),
            ]
        )

    def _looped(
        self,
        lines: Sequence[tuple[Part, Values]],
        reserved: set[str],
        named: bool = False,
    ) -> Iterator[Statement]:
        """Statements, with a run of equal parts as one loop where that is shorter."""
        at = 0
        shared: set[str] = set()
        while at < len(lines):
            end = self._run_end(lines, at)
            part = lines[at][0]
            if isinstance(part, Step) and part.layer and end - at > 2:
                yield from self._held(part, shared)
                yield self._turns([line[0] for line in lines[at:end]])
                at = end
                continue
            loop = self._loop(lines[at:end], reserved) if end - at > 2 else None
            if loop is not None:
                yield loop
                at = end
                continue
            yield from self._plain(*lines[at], named, shared)
            at += 1

    def _plain(
        self, part: Part, values: Values, named: bool, shared: set[str]
    ) -> Iterator[Statement]:
        outputs = parts_outputs(part)
        called = variable_name(outputs[0].node) if named else _role(part)
        if isinstance(part, Block) or not part.layer:
            yield Statement(
                self.text(part, values),
                part.inputs,
                outputs,
                called=called,
                is_expression=isinstance(part, Step) and not part.constructor,
            )
            return
        yield from self._held(part, shared)
        text = f"{hole(len(part.inputs))}({part.text})"
        arguments = (*part.inputs, Tensor(part.layer, -1))
        yield Statement(text, arguments, outputs, called=called)

    def _held(self, part: Step, shared: set[str]) -> Iterator[Statement]:
        """The layer object that several steps call, made before the first of them."""
        if part.layer in shared:
            return
        shared.add(part.layer)
        text = constructor_text(replace(part, text=""))
        lowering = Tensor(part.layer, -1)
        yield Statement(text, (), (lowering,), called=variable_name(part.name))

    def _turns(self, parts: Sequence[Part]) -> Statement:
        """Calls of one layer object on what the one before yielded."""
        first, last = parts[0], parts[-1]
        layer, text = (first.layer, first.text) if isinstance(first, Step) else ("", "")
        return Statement(
            f"{hole(len(first.inputs))}({text})",
            (*first.inputs, Tensor(layer, -1)),
            parts_outputs(last),
            loop=f"for _ in range({len(parts)}):",
        )

    def _run_end(self, lines: Sequence[tuple[Part, Values]], start: int) -> int:
        """Where the run ends in which each part does what the first does, to what the one before yielded."""
        end = start + 1
        while end < len(lines) and self._follows(lines[end - 1][0], lines[end][0]):
            end += 1
        return end

    def _follows(self, before: Part, part: Part) -> bool:
        outputs = parts_outputs(before)
        if (
            len(outputs) != 1
            or part.inputs[:1] != outputs
            or len(parts_outputs(part)) != 1
        ):
            return False
        if before.inputs[1:] != part.inputs[1:] or outputs[0] in part.inputs[1:]:
            return False
        nodes = (
            {part.node} if isinstance(part, Step) else {s.node for s in _steps(part)}
        )
        if self.program.readers.get(outputs[0], set()) - nodes:
            return False
        return _form_of(before) == _form_of(part)

    def _loop(
        self, lines: Sequence[tuple[Part, Values]], reserved: set[str]
    ) -> Statement | None:
        unifier = Unifier(reserved, by_prefix=False)
        first = lines[0][0]
        keys = dict.fromkeys(key for _, values in lines for key in values)
        fields = []
        for key in keys:
            row = tuple(v[key] if key in v else default(first, key) for _, v in lines)
            label, role = self._label(first, key)
            fields.append(Field(key, label, row, role))
        unified = unifier.unify(fields)
        if sum(p.role != NUMBER for p in unifier.parameters) > _MOST_IN_A_LOOP:
            return None
        head = loop_head(unifier.parameters, len(lines))
        text = self.text(first, unified)
        cost = len(wrapped(head)) + len(wrapped(f"    x = {text}"))
        plain = sum(len(wrapped(f"x = {self.text(*line)}")) for line in lines)
        if cost >= plain:
            return None
        return Statement(text, first.inputs, parts_outputs(lines[-1][0]), loop=head)


def _rank(parameter: Parameter) -> tuple[bool, bool]:
    """What calls must give comes before what they may leave out, values before names."""
    return parameter.default is not None, parameter.role != VALUE


def _form_of(part: Part) -> Hashable:
    if isinstance(part, Block):
        return part.kind, len(part.inputs)
    text = part.text if part.layer else skeleton(part.text)[0]
    return part.constructor, text, bool(part.shown), part.layer


def _steps(block: Block) -> Iterator[Step]:
    stack: list[Part] = [block]
    while stack:
        part = stack.pop()
        if isinstance(part, Step):
            yield part
        else:
            stack.extend(part.parts)


def _role(part: Part) -> str:
    """What a value is called inside of a function: the last word of its layer's name, where that is a word."""
    last = re.split(r"[_.\-]", part.shown)[-1] if isinstance(part, Step) else ""
    return identifier(last) if re.fullmatch("[A-Za-z]{3,16}", last) else ""


def _inputs(block: Block) -> list[str]:
    """What a function calls its tensors: x, y, z, x_4, x_5 and so on."""
    more = (f"x_{number}" for number in range(4, len(block.inputs) + 1))
    return [*VARIABLES, *more][: len(block.inputs)]
