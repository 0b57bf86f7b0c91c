"""TensorFlow Lite files of one operator, for those that today's converter does not write any more."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np


class Fed(NamedTuple):
    """An input of the model."""

    shape: tuple[int, ...]


class State(NamedTuple):
    """What the operator remembers from run to run."""

    shape: tuple[int, ...]


def single(
    op: str,
    inputs: list[Any],
    outputs: list[tuple[int, ...]],
    options: Any = None,
    custom: tuple[str, bytes] = ("", b""),
) -> bytes:
    """A file of one operator; an input is Fed, State, an array that is a constant, or None where it is left out."""
    import flatbuffers
    from tensorflow.lite.python import schema_py_generated as schema

    model = schema.ModelT()
    model.version, model.description = 3, b"one operator"
    graph, operator, code = (
        schema.SubGraphT(),
        schema.OperatorT(),
        schema.OperatorCodeT(),
    )
    model.buffers, graph.tensors = [schema.BufferT()], []
    graph.inputs, operator.inputs, operator.outputs = [], [], []

    def tensor(
        name: str, shape: Any, buffer: int = 0, is_variable: bool = False
    ) -> int:
        known = schema.TensorT()
        known.name, known.shape, known.buffer = name.encode(), list(shape), buffer
        known.isVariable, known.type = is_variable, schema.TensorType.FLOAT32
        graph.tensors.append(known)
        return len(graph.tensors) - 1

    for place, value in enumerate(inputs):
        if value is None:
            operator.inputs.append(-1)
        elif isinstance(value, np.ndarray):
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(value.astype("f").tobytes(), np.uint8)
            model.buffers.append(buffer)
            number = tensor(f"weight_{place}", value.shape, len(model.buffers) - 1)
            operator.inputs.append(number)
        else:
            is_state = isinstance(value, State)
            number = tensor(f"input_{place}", value.shape, 0, is_state)
            operator.inputs.append(number)
            graph.inputs += [] if is_state else [number]
    operator.outputs = [tensor(f"output_{n}", s) for n, s in enumerate(outputs)]
    graph.outputs, graph.operators = operator.outputs, [operator]
    _set_code(schema, code, op, custom)
    if options is not None:
        operator.builtinOptions = options
        name = type(options).__name__.removesuffix("T")
        operator.builtinOptionsType = getattr(schema.BuiltinOptions, name)
    if custom[1]:
        operator.customOptions = np.frombuffer(custom[1], np.uint8)
    model.operatorCodes, model.subgraphs = [code], [graph]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _set_code(schema: Any, code: Any, op: str, custom: tuple[str, bytes]) -> None:
    number = (
        schema.BuiltinOperator.CUSTOM
        if custom[0]
        else getattr(schema.BuiltinOperator, op)
    )
    code.builtinCode, code.version = number, 1
    code.deprecatedBuiltinCode = min(number, 127)
    if custom[0]:
        code.customCode = custom[0].encode()
