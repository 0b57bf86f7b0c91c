"""Program -> the text of ``model.py``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ...graph import Shape, Tensor
from .body import Statement, body_lines, wrapped
from .literals import literal
from .names import Namespace, identifier
from .program import Input, Program, Step
from .signatures import REQUIRED, signatures

_POSITIONAL = frozenset({"pool_size", "padding", "cropping", "size"})


def to_source(program: Program, docstring: str) -> str:
    """The module: imports, small layers of its own, ``build_model``."""
    body = [f"    {line}" if line else "" for line in _model_lines(program)]
    definitions = [text.strip("\n") for text in program.classes.values()]
    model = "\n".join(
        ["def build_model():", '    """The model, without its weights."""', *body]
    )
    code = "\n\n\n".join([*definitions, model])
    return f'"""{_docstring(docstring)}"""\n\n{_imports(code)}\n\n\n{code}\n'


def _imports(code: str) -> str:
    names = [name for name in ("layers", "ops") if re.search(rf"\b{name}\.", code)]
    lines = ["import tensorflow as tf"] if re.search(r"\btf\.", code) else []
    lines = ["import keras", *lines]
    if names:
        lines.append(f"from keras import {', '.join(names)}")
    return "\n".join(lines)


def _docstring(text: str) -> str:
    """Text that may hold anything, made safe between triple quotes."""
    shown = "".join(
        c if c == "\n" or c.isascii() and c.isprintable() else ascii(c)[1:-1]
        for c in text
    )
    return shown.replace("\\", "\\\\").replace('"', "'")


def _model_lines(program: Program) -> Iterator[str]:
    names = Namespace({"x", "y", "z"})
    variables: dict[Tensor, str] = {}
    for each in program.inputs:
        wanted = "inputs" if len(program.inputs) == 1 else identifier(each.name)
        variables[each.tensor] = names.unique(wanted)
        yield from wrapped(f"{variables[each.tensor]} = {input_text(each)}")
    statements = list(_statements(program.steps))
    lines, results = body_lines(statements, variables, program.outputs)
    yield from lines
    given = _one_or_list([variables[each.tensor] for each in program.inputs])
    yield from wrapped(
        f"return keras.Model({given}, {_one_or_list(results)}, name={literal(program.name)})"
    )


def _one_or_list(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"[{', '.join(names)}]"


def input_text(each: Input) -> str:
    """The ``keras.Input`` of one input; a batch size that the graph fixes is kept."""
    arguments = [_shape_text(each.shape)]
    if each.dtype != "float32":
        arguments.append(f"dtype={literal(each.dtype)}")
    return f"keras.Input({', '.join([*arguments, f'name={literal(each.name)}'])})"


def _shape_text(shape: Shape) -> str:
    if not shape or shape[0] is not None:
        return f"batch_shape={literal(tuple(shape or ()))}"
    return literal(tuple(shape[1:]))


def _statements(steps: Sequence[Step]) -> Iterator[Statement]:
    shared: set[str] = set()
    for step in steps:
        if not step.layer:
            yield Statement(
                step_text(step),
                step.inputs,
                step.outputs(),
                called=identifier(step.name or step.node),
            )
            continue
        holder = Tensor(step.layer, -1)
        if step.layer not in shared:
            shared.add(step.layer)
            yield Statement(
                constructor_text(step), (), (holder,), called=identifier(step.name)
            )
        yield Statement(
            f"\0{len(step.inputs)}\0({step.text})",
            (*step.inputs, holder),
            step.outputs(),
            called=identifier(step.name),
        )


def step_text(step: Step) -> str:
    """The statement's right side, with holes for its inputs."""
    return f"{constructor_text(step)}({step.text})" if step.constructor else step.text


def constructor_text(step: Step) -> str:
    """``layers.Conv2D(64, 3, name="conv1")``."""
    found = signatures().get(step.constructor.removeprefix("layers."))
    known = found.arguments if found else {}
    texts = []
    for position, (name, value) in enumerate(step.arguments.items()):
        in_place = list(known)[position : position + 1] == [name]
        bare = in_place and (
            known[name] is REQUIRED or position == 0 and name in _POSITIONAL
        )
        texts.append(literal(value) if bare else f"{name}={literal(value)}")
    if step.name:
        texts.append(f"name={literal(step.name)}")
    return f"{step.constructor}({', '.join(texts)})"
