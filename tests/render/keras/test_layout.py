"""What is written is what black would make of it, and no line is too long."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from graphscope.graph import Graph, Node, Tensor
from graphscope.render.keras.text.line_breaks import WIDTH, tidied, wrapped
from tests.render.keras.test_model_source import dense, placeholder, put, written
from tests.render.keras.test_ties import language_model

black = pytest.importorskip("black")

LINES = [
    'x = layers.Conv2DTranspose(32, 2, use_bias=False, name="atrous_conv2d_transpose2")(x)',
    'x = layers.Conv2D(64, (7, 3), strides=(2, 1), padding="same", use_bias=False, name="conv1")(x)',
    "x = layers.Concatenate(axis=1)([first_of_the_many, second_of_the_many, third_of_the_many, x])",
    'return layers.BatchNormalization(epsilon=1e-05, name=f"{name}_layer.3_normalization")(x)',
    "z = ops.concatenate([ops.reshape(first_value, (-1, 1)), ops.reshape(second_value, (-1, 1))], axis=1)",
    "for n, (filters, size) in enumerate(((64, 3), (128, 3), (256, 3), (512, 3), (512, 5), (512, 7)), 1):",
    "total = first_of_the_many * second_of_the_many + third_of_the_many * fourth_of_the_many - fifth",
    "total = ops.sigmoid(second_of_the_many) * ops.tanh(third_of_the_many + fourth_of_the_many + x)",
    "return first_of_the_many_values, second_of_the_many_values, third_of_the_many_values, fourth",
    'x = residual_block(x, 256, name="conv4_block1", strides=2, shortcut=True, rate=0.25, axis=-1)',
    'return keras.Model([input_ids, attention_mask, token_type_ids, positions], [x, y, z], name="m")',
    "x = layers.Normalization(mean=[0.485, 0.456, 0.406], variance=[0.0524, 0.0501, 0.0506, 1.25])(x)",
    "x, y = ops.split(layers.Dense(units, use_bias=False, name=f'{name}_projection')(inputs), 2, axis=-1)",
    "x = ops.where(ops.greater(first_of_the_many, 0.5), second_of_the_many, third_of_the_many * -1e+32)",
]


@pytest.mark.parametrize("line", LINES)
def test_long_lines_are_broken_as_black_breaks_them(line: str) -> None:
    ends = "\n        pass" if line.startswith("for") else ""
    code = f"def f():\n    {line}{ends}\n"
    assert tidied(code) == black.format_str(code, mode=black.Mode())
    assert max(map(len, wrapped(line))) <= WIDTH


@pytest.mark.parametrize(
    "code, want",
    [
        ("x = ops.pad(x, mode='reflect')", 'x = ops.pad(x, mode="reflect")'),
        ("x = 'a\"b'", "x = 'a\"b'"),
        ("y = (-1e+32) * x ** 2.0", "y = (-1e32) * x**2.0"),
        ("y = (a + b) ** 2", "y = (a + b) ** 2"),
        ("y = f(x, (-5.0))", "y = f(x, -5.0)"),
        ("y = f((-5.0), x)", "y = f(-5.0, x)"),
        ("y = f((-5.0,), x)", "y = f((-5.0,), x)"),
    ],
)
def test_small_things_are_spelled_as_black_spells_them(code: str, want: str) -> None:
    assert tidied(code) == want
    assert black.format_str(want, mode=black.Mode()) == f"{want}\n"


def test_long_docstring_is_filled() -> None:
    said = " ".join(f"word{n}" for n in range(30))
    code = tidied(f'def f():\n    """{said}."""\n    return 1\n')
    assert max(map(len, code.splitlines())) <= WIDTH
    assert black.format_str(code, mode=black.Mode()) == code
    scope: dict = {}
    exec(code, scope)
    assert " ".join(scope["f"].__doc__.split()) == f"{said}."


def test_whole_sources_are_clean(tmp_path: Path) -> None:
    graph, *_ = language_model(True, "relu")
    texts = [written(graph, tmp_path, "logits/out").source.text]
    graph = Graph()
    placeholder(graph, "a_rather_long_scope/of_another/with_a_name_that_goes_on/x")
    source = "a_rather_long_scope/of_another/with_a_name_that_goes_on/x"
    feed = Tensor(source)
    for n in range(4):
        dense(
            graph,
            f"encoder_layer_{n}_intermediate_dense",
            source,
            np.eye(4, dtype="f4"),
        )
        source = f"encoder_layer_{n}_intermediate_dense"
        put(graph, f"act{n}", "Activation", [source], config={"activation": "tanh"})
        source = f"act{n}"
    graph.add(
        "s",
        Node("AsString", {"T": "float32", "fill": "0", "width": 9}),
        [Tensor(source)],
    )
    texts.append(written(graph, tmp_path, "s", inputs=[feed]).source.text)
    for text in texts:
        assert black.format_str(text, mode=black.Mode()) == text
        assert max(map(len, text.splitlines())) <= WIDTH


def test_expression_that_one_line_reads_goes_into_it(tmp_path: Path) -> None:
    graph = Graph()
    placeholder(graph)
    source = "x"
    for n, op in enumerate(("Square", "Neg", "Exp", "Sqrt")):
        graph.add(f"n{n}", Node(op, {"T": "float32"}), [Tensor(source)])
        source = f"n{n}"
    graph.add("y", Node("AddV2", {"T": "float32"}), [Tensor(source), Tensor("n0")])
    text = written(graph, tmp_path, "y").source.text
    assert "    x = ops.square(inputs)\n" in text
    assert "ops.sqrt(ops.exp(-x))" in text and text.count(" = ") == 3
