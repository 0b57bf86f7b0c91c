"""Program -> the text of ``model.py``."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator, Sequence

from ....graph import Shape, Tensor
from ....graph.names import Names
from ..blocks.functions import Writer
from ..blocks.tree import arrange
from ..classes.own_layers import LOADER
from ..program.literals import literal
from ..program.names import identifier
from ..program.program import Input, Program
from ..text.body import body_lines
from ..text.line_breaks import WIDTH, tidied, wrapped
from .constants import named_constants
from .signatures import SignatureEnds, to_function


def to_source(
    program: Program,
    docstring: str,
    weights: str = "",
    signatures: Sequence[SignatureEnds] = (),
) -> str:
    """The module: imports, small layers of its own, a function for each block, ``build_model``, ``signatures``."""
    program, constants = named_constants(program)
    definitions = [text.strip("\n") for text in program.classes.values()]
    names: set[str] = set()
    for each in program.all_models:
        count = sum(1 for step in each.steps if step.class_name)
        about = f"What is called as one: {count} layer{'s' * (count != 1)} with the same weights."
        name = f"build_{identifier(each.name)}"
        definitions += _functions(each, name, about, names)
    about = "The model, without its weights."
    definitions += _functions(program, "build_model", about, names)
    if signatures:
        definitions.append(to_function(program, signatures))
    if weights.endswith(".npz"):
        definitions.append(LOADER.strip("\n"))
    code = tidied("\n\n\n".join(definitions))
    return f'"""{_docstring(docstring)}"""\n\n{_imports(code + constants)}{constants}\n\n\n{code}\n'


def _functions(
    program: Program, name: str, about: str, names: set[str]
) -> Iterator[str]:
    """The functions of the blocks of a model, then the one that builds it; names in ``names`` are not theirs."""
    writer = Writer(program, arrange(program), names)
    yield from writer.definitions()
    body = [f"    {line}" if line else "" for line in _model_lines(program, writer)]
    yield "\n".join([f"def {name}() -> keras.Model:", f'    """{about}"""', *body])
    names.update(writer.names)


def _imports(code: str) -> str:
    used = _names_in(code)
    names = [
        name
        for name in ("constraints", "initializers", "layers", "ops", "regularizers")
        if name in used
    ]
    lines = ["import keras"]
    lines += ["import numpy as np"] if "np" in used else []
    lines += ["import tensorflow as tf"] if "tf" in used else []
    if names:
        lines.append(f"from keras import {', '.join(names)}")
    return "\n".join(lines)


def _names_in(code: str) -> set[str]:
    """The names that the code reads: not what its strings hold, which may be called ``tf.reshape``."""
    return {node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)}


def _docstring(text: str) -> str:
    """Text that may hold anything, made safe between triple quotes."""
    shown = "".join(
        c if c == "\n" or c.isascii() and c.isprintable() else ascii(c)[1:-1]
        for c in text
    )
    lines = shown.replace("\\", "\\\\").replace('"', "'").split("\n")
    return "\n".join(row for line in lines for row in _filled(line))


def _filled(line: str) -> list[str]:
    """A line of the docstring, over several where it is long."""
    after = "  " if line.startswith("- ") else ""
    rows = textwrap.wrap(
        line,
        WIDTH,
        subsequent_indent=after,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return rows or [""]


def _model_lines(program: Program, writer: Writer) -> Iterator[str]:
    names = Names({"z", *"xy"[: len(program.inputs) == 1], *program.settings})
    variables: dict[Tensor, str] = {}
    for setting, value in program.settings.items():
        yield f"{setting} = keras.config.{setting}()"
        yield f"keras.config.set_{setting}({literal(value)})"
    for each in program.inputs:
        candidate = "inputs" if len(program.inputs) == 1 else identifier(each.name)
        variables[each.tensor] = names.unique(candidate)
        yield from wrapped(f"{variables[each.tensor]} = {input_text(each)}")
    own = {*program.settings, *program.classes}
    reserved = {*variables.values(), *writer.names, *own}
    statements = writer.statements(reserved)
    lines, results = body_lines(statements, variables, program.outputs, reserved)
    for group in lines:
        yield from group
    for setting in program.settings:
        yield f"keras.config.set_{setting}({setting})"
    inputs_text = _one_or_list([variables[each.tensor] for each in program.inputs])
    yield from wrapped(
        f"return {program.model_class}({inputs_text}, {_one_or_list(results)}, name={literal(program.name)})"
    )


def _one_or_list(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"[{', '.join(names)}]"


def input_text(each: Input) -> str:
    """The ``keras.Input`` of one input; a batch size that the graph fixes is kept."""
    arguments = [_shape_text(each.shape)]
    if each.dtype != "float32":
        arguments.append(f"dtype={literal(each.dtype)}")
    if each.sparse:
        arguments.append("sparse=True")
    return f"keras.Input({', '.join([*arguments, f'name={literal(each.name)}'])})"


def _shape_text(shape: Shape) -> str:
    if not shape or shape[0] is not None:
        return f"batch_shape={literal(tuple(shape or ()))}"
    return literal(tuple(shape[1:]))
