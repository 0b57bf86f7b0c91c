"""What would make a reader of ``model.py`` stumble: names nobody chose, words cut off, imports that nothing needs."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphscope.graph import Graph, Node, Tensor, TensorSpec
from graphscope.render.keras import to_keras
from graphscope.render.keras.blocks.wording import _enumerated
from graphscope.render.keras.source.module import _imports
from graphscope.render.keras.text.line_breaks import tidied
from tests.render.keras.test_model_source import (
    X,
    constant,
    dense,
    placeholder,
    put,
    run,
    written,
)


def source_of(graph: Graph, output: str, **kwargs: Any) -> str:
    kwargs.setdefault("inputs", [X])
    return to_keras(graph, outputs=[Tensor(output)], **kwargs).text


def test_a_string_that_names_a_module_does_not_import_it() -> None:
    said = _imports('x = layers.Dense(3, name="tf.np.x")(ops.abs(x))')
    assert said == "import keras\nfrom keras import layers, ops"
    assert "import tensorflow as tf" in _imports("y = tf.abs(x)")


def test_a_name_that_keras_2_gave_a_call_of_tensorflow_is_left_out() -> None:
    graph = Graph()
    placeholder(graph)
    put(graph, "tf.nn.relu_7", "ReLU", ["x"])
    dense(graph, "fc", "tf.nn.relu_7", np.eye(4, dtype="f4"))
    assert "layers.ReLU()(inputs)" in source_of(graph, "fc/out")


def test_what_a_function_is_made_of_is_never_cut_inside_a_word() -> None:
    words = [f"BatchNormalization{n}" for n in range(9)]
    said = _enumerated(words)
    assert said == ", ".join(words[:2]) + " and 7 more"
    assert _enumerated(words[:1]) == words[0]


def test_a_model_without_weights_says_nothing_of_loading_them() -> None:
    graph = Graph()
    placeholder(graph)
    put(graph, "scores", "ReLU", ["x"])
    text = source_of(graph, "scores/out")
    assert "load_weights" not in text and "with 0 parameters." in text


def test_one_parameter_is_one() -> None:
    graph = Graph()
    placeholder(graph, shape=(None, 1))
    dense(graph, "fc", "x", np.ones((1, 1), "f4"))
    assert "1 layer with 1 parameter.\n" in source_of(graph, "fc/out")


def test_a_docstring_that_just_does_not_fit_is_broken_between_words() -> None:
    text = f'class A:\n    """{"word " * 15}ab."""'
    assert len(text.split("\n")[1]) == 88
    text = text.replace("ab.", "abc.")  # one more than fits
    *_, last, closing = tidied(text).split("\n")
    assert closing == '    """' and last.strip() == "abc."


@pytest.mark.parametrize(
    ("ops", "text"),
    [
        (
            [("m", "Mul", "x", "two"), ("a", "AddV2", "m", "three")],
            "inputs * 2.0 + 3.0",
        ),
        (
            [("a", "AddV2", "x", "two"), ("m", "Mul", "a", "three")],
            "(inputs + 2.0) * 3.0",
        ),
        (
            [("s", "Sub", "x", "two"), ("r", "Sub", "three", "s")],
            "3.0 - (inputs - 2.0)",
        ),
        (
            [("e", "ExpandDims", "x", "one"), ("f", "ExpandDims", "e", "one")],
            "inputs[:, None, None]",
        ),
    ],
)
def test_an_expression_has_the_brackets_that_it_needs(ops: Any, text: str) -> None:
    graph = Graph()
    placeholder(graph)
    values = {"two": np.float32(2), "three": np.float32(3), "one": np.int32(1)}
    for name, value in values.items():
        constant(graph, name, value)
    for name, op, *given in ops:
        graph.add(name, Node(op, {"T": "float32"}), [Tensor(each) for each in given])
    known = {Tensor(name): np.asarray(value) for name, value in values.items()}
    specs = {tensor: TensorSpec("float32", ()) for tensor in known}
    source = source_of(graph, ops[-1][0], values=known.get, specs=specs)
    assert f"    x = {text}\n" in source


def test_an_input_and_a_layer_or_an_operation_never_get_one_name(
    tmp_path: Path,
) -> None:
    graph = Graph()
    placeholder(graph, "multiply")
    placeholder(graph, "re_lu")
    for name, source in (("tf.nn.relu", "multiply"), ("tf.nn.relu_1", "re_lu")):
        put(graph, name, "ReLU", [source])
    given = [Tensor("tf.nn.relu"), Tensor("tf.nn.relu_1")]
    graph.add("sum", Node("Mul", {"T": "float32"}), given)
    inputs = [Tensor("multiply"), Tensor("re_lu")]
    spec = TensorSpec("float32", (None, 4))
    specs = dict.fromkeys([*inputs, *given, Tensor("sum")], spec)
    written(graph, tmp_path, "sum", inputs=inputs, specs=specs)
    names = [each.name for each in run(tmp_path).operations]
    assert len(set(names)) == len(names) == 5


def test_a_list_of_many_outputs_is_one_variable(tmp_path: Path) -> None:
    graph = Graph()
    placeholder(graph)
    attrs = {"T": "float32", "num_split": 4}
    constant(graph, "axis", np.int32(1))
    graph.add("parts", Node("Split", attrs), [Tensor("axis"), X])
    given = [Tensor("parts", port) for port in range(4)]
    graph.add("pack", Node("Pack", {"T": "float32", "N": 4, "axis": 1}), given)
    specs = {each: TensorSpec("float32", (None, 1)) for each in given}
    values = {Tensor("axis"): np.asarray(1)}.get
    text = written(graph, tmp_path, "pack", specs=specs, values=values).source.text
    assert "parts = ops.split(inputs, 4, axis=1)" in text
    assert "ops.stack(parts, axis=1)" in text
    assert run(tmp_path)(np.ones((2, 4), "f4")).shape == (2, 4, 1)


def test_a_merge_of_many_reads_what_its_branches_are_called() -> None:
    graph = Graph()
    placeholder(graph)
    names = [f"branch{n}" for n in range(4)]
    for name in names:
        dense(graph, name, "x", np.eye(4, dtype="f4"))
    put(graph, "joined", "Concatenate", names)
    assert "([branch0, branch1, branch2, branch3])" in source_of(graph, "joined/out")


def test_an_output_that_only_renames_takes_no_line() -> None:
    graph = Graph()
    placeholder(graph)
    dense(graph, "fc", "x", np.eye(4, dtype="f4"))
    graph.add("result", Node("Snapshot", {"T": "float32"}), [Tensor("fc")])
    graph.add("named", Node("PreventGradient", {"T": "float32"}), [Tensor("result")])
    text = source_of(graph, "named")
    assert "x = x\n" not in text and "keras.Model(inputs, x" in text


def test_a_weight_is_called_on_what_it_meets() -> None:
    graph = Graph()
    placeholder(graph, "a", (None, 5, 4))
    placeholder(graph, "b", (None, 5, 4))
    put(graph, "late", "ReLU", ["b"])
    constant(graph, "table", np.ones((1, 5, 4), "f4"))
    given = [Tensor("table"), Tensor("late")]
    graph.add("meet", Node("Maximum", {"T": "float32"}), given)
    put(graph, "sum", "Add", ["meet", "a"])
    known = {Tensor("table"): np.ones((1, 5, 4), "f4")}
    text = source_of(
        graph, "sum/out", inputs=[Tensor("a"), Tensor("b")], values=known.get
    )
    assert 'name="table")(x)' in text, text


def test_einsums_of_one_model_leave_open_what_one_of_them_leaves_open(
    tmp_path: Path,
) -> None:
    graph = Graph()
    placeholder(graph, shape=(None, 5, 4))
    source = "x"
    for name, size in (("first", None), ("second", 5)):
        config = {"equation": "abc,c->abc", "output_shape": (size, 4)}
        weights = {"kernel": constant(graph, f"{name}/kernel", np.full(4, 2, "f4"))}
        put(graph, name, "EinsumDense", [source], config=config, weights=weights)
        source = name
    text = written(graph, tmp_path, "second/out").source.text
    assert text.count('("abc,c->abc", (None, 4)') == 2
    ones = np.ones((2, 5, 4), "f4")
    np.testing.assert_allclose(run(tmp_path)(ones), 4 * ones)


@pytest.mark.parametrize("name", ["layer_._0/conv.1", "a.b", "._x._"])
def test_no_layer_bears_a_dot(name: str) -> None:
    """PyTorch refuses one in what holds a parameter."""
    graph = Graph()
    placeholder(graph)
    dense(graph, name, "x", np.eye(4, dtype="f4"))
    tree = ast.parse(source_of(graph, f"{name}/out"))
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    names = [k.value for call in calls for k in call.keywords if k.arg == "name"]
    said = [each.value for each in names if isinstance(each, ast.Constant)]
    assert len(said) == 3 and not any("." in each for each in said)
