"""Python source from calls: literals, TensorFlow's raw_ops, and nothing else from the file."""

from __future__ import annotations

import ast
import inspect
import keyword

import numpy as np
import pytest
import tensorflow as tf

from graphscope import ops
from graphscope.ops.text import _RENAMED, arrays_as_arguments, literal
from graphscope.wire import op_registry


@pytest.mark.parametrize(
    "value, text",
    [
        (0.20000000298023224, "0.2"),
        (1e-3, "0.001"),
        (float("inf"), 'float("inf")'),
        (float(np.finfo("float32").min), "-3.4028234663852886e+38"),
        (float("nan"), 'float("nan")'),
        (True, "True"),
        ((1,), "(1,)"),
        ((1, None), "(1, None)"),
        ([1, 2], "[1, 2]"),
        (np.float32(0.1), "0.1"),
        (np.array([1, 2]), "[1, 2]"),
        ('"); import os', "'\"); import os'"),
    ],
)
def test_literals(value: object, text: str) -> None:
    assert literal(value) == text


def test_raw_ops_take_every_argument_by_the_name_we_write() -> None:
    """TensorFlow's Python API renames some arguments of the OpDefs."""
    wrong = {}
    for op, definition in op_registry.registry().items():
        function = getattr(tf.raw_ops, op, None)
        if function is None:
            continue
        inferred = {
            n
            for a in definition.input_arg
            for n in (a.type_attr, a.number_attr, a.type_list_attr)
        }
        names = [a.name for a in definition.input_arg]
        names += [a.name for a in definition.attr if a.name not in inferred]
        names = [_RENAMED.get(op, {}).get(name, name) for name in names]
        taken = inspect.signature(function).parameters
        missing = [
            n for n in names if (f"{n}_" if keyword.iskeyword(n) else n) not in taken
        ]
        if missing:
            wrong[op] = missing
    assert not wrong


def test_names_from_a_file_stay_literals() -> None:
    attrs = {"equation": "ij->ji'); __import__('os').system('x"}
    for text in (
        ops.keras_text(ops.Call("Einsum", attrs), ["x"]),
        ops.tensorflow_text("Einsum", {**attrs, "N": 1, "T": "float32"}, ["x"]),
    ):
        assert text is not None
        calls = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Call)]
        assert len(calls) == 1


def test_what_cannot_be_said_is_none() -> None:
    assert ops.keras_text(ops.Call("NoSuchOp", {}), ["x"]) is None
    assert ops.tensorflow_text("NoSuchOp", {}, ["x"]) is None
    assert ops.tensorflow_text("StridedSlice", {}, ["x", "begin"]) is None
    assert ops.keras_text(ops.Call("Betainc", {}), ["a", "b", "x"]) is None
    assert ops.tensorflow_text("Cast", {"DstT": "float32); evil("}, ["x"]) is None


@pytest.mark.parametrize(
    "text, wanted",
    [
        ("ops.array([1.0]) + {x}", "ops.add(ops.array([1.0]), {x})"),
        ("{x} + ops.array([1.0])", "{x} + ops.array([1.0])"),
        (
            "ops.reshape(ops.array([1.0]), (1,)) * (2.0 - ops.array([2.0]) / {x})",
            "ops.multiply(ops.reshape(ops.array([1.0]), (1,)), 2.0 - ops.true_divide(ops.array([2.0]), {x}))",
        ),
        ("ops.array([1.0]) * ops.array([2.0]) * {x}", None),
    ],
)
def test_an_array_is_no_left_operand_of_a_tensor(text: str, wanted: str | None) -> None:
    """JAX's arrays refuse what is symbolic."""
    wanted = wanted or "ops.multiply(ops.array([1.0]) * ops.array([2.0]), {x})"
    hole = {"x": "\0" + "0" + "\0"}
    assert arrays_as_arguments(text.format(**hole)) == wanted.format(**hole)
