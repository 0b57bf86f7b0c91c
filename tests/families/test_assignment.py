"""``assign``: pairs of a checkpoint's variables and a model's weights, and the source that loads them."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from click.testing import CliRunner

from graphscope.cli import cli
from graphscope.errors import UnsafeModel
from graphscope.families.assignment import Assignment, Weight, assign

v1 = tf.compat.v1
KERAS = """
import keras
from keras import layers


def build_model():
    x = inputs = keras.Input((8, 8, 1))
    x = layers.Conv2D(4, 3, padding="same", name="first")(x)
    x = layers.BatchNormalization(name="norm")(x)
    x = layers.Conv2D(4, 3, padding="same", name="second")(x)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(3, name="top")(x))
"""
GRAPH = """
import tensorflow as tf

v1 = tf.compat.v1
graph = tf.Graph()
with graph.as_default(), v1.variable_scope("mine"):
    v1.get_variable("c1/kernel", [3, 3, 1, 4])
    v1.get_variable("c1/bias", [4])
"""
SHAPES = {
    "net/c1/weights": [3, 3, 1, 4],
    "net/c1/biases": [4],
    "net/c1/bn/gamma": [4],
    "net/c1/bn/beta": [4],
    "net/c1/bn/moving_mean": [4],
    "net/c1/bn/moving_variance": [4],
    "net/c2/weights": [3, 3, 4, 4],
    "net/c2/biases": [4],
    "net/fc/weights": [4, 3],
    "net/fc/biases": [3],
}


def pairs(sources: dict[str, Any], targets: dict[str, Any]) -> Assignment:
    sides = [
        [Weight(name, name, tuple(shape)) for name, shape in side.items()]
        for side in (sources, targets)
    ]
    return assign(*sides)


def names(assignment: Assignment) -> dict[str, str]:
    return {pair.source.name: pair.target.name for pair in assignment.pairs}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("saved")
    rng = np.random.default_rng(1)
    with tf.Graph().as_default(), v1.Session() as session:
        listed = [v1.get_variable(name, shape) for name, shape in SHAPES.items()]
        for variable in listed:
            session.run(variable.initializer)
            session.run(variable.assign(rng.normal(size=variable.shape.as_list())))
        saver = v1.train.Saver()
        return saver.save(session, str(folder / "m"), write_meta_graph=False)


def run(*arguments: str) -> Any:
    return CliRunner().invoke(cli, ["assign", *arguments])


def test_source_loads_every_weight_of_a_keras_model(
    checkpoint: str, tmp_path: Path
) -> None:
    (tmp_path / "mine.py").write_text(KERAS)
    out = str(tmp_path / "load.py")
    result = run(checkpoint, str(tmp_path / "mine.py"), "-o", out, "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert len(document["pairs"]) == len(SHAPES)
    assert not document["only_in_model"] and not document["only_in_checkpoint"]
    model = runpy.run_path(str(tmp_path / "mine.py"))["build_model"]()
    by_path = {w.path: w for w in model.weights}
    assert {pair["weight"] for pair in document["pairs"]} == set(by_path)
    runpy.run_path(out)["load"](model)
    reader = tf.train.load_checkpoint(checkpoint)
    for pair in document["pairs"]:
        stored = reader.get_tensor(pair["variable"])
        np.testing.assert_array_equal(by_path[pair["weight"]].numpy(), stored)


def test_source_is_run_only_where_it_is_trusted(
    checkpoint: str, tmp_path: Path
) -> None:
    source = tmp_path / "graph.py"
    source.write_text(GRAPH)
    refused = run(checkpoint, str(source))
    assert isinstance(refused.exception, UnsafeModel)
    out = str(tmp_path / "load.py")
    result = run(checkpoint, str(source), "--trust", "-o", out)
    assert result.exit_code == 0, result.output
    assert "2 of 2 weights" in result.stdout
    code = runpy.run_path(out)
    assert code["ASSIGNMENT_MAP"] == {
        "net/c1/weights": "mine/c1/kernel",
        "net/c1/biases": "mine/c1/bias",
    }
    with tf.Graph().as_default(), v1.Session() as session:
        with v1.variable_scope("mine"):
            kernel = v1.get_variable("c1/kernel", [3, 3, 1, 4])
            v1.get_variable("c1/bias", [4])
        code["load"]()
        session.run(v1.global_variables_initializer())
        stored = tf.train.load_checkpoint(checkpoint).get_tensor("net/c1/weights")
        np.testing.assert_array_equal(session.run(kernel), stored)


def test_a_checkpoint_is_assigned_to_another(checkpoint: str) -> None:
    result = run(checkpoint, checkpoint)
    assert result.exit_code == 0 and "10 of 10 weights" in result.stdout


def test_names_go_before_order() -> None:
    sources = {"a/w": (3, 3), "b/w": (3, 3)}
    targets = {"x/b/kernel": (3, 3), "x/a/kernel": (3, 3)}
    assert names(pairs(sources, targets)) == {"a/w": "x/a/kernel", "b/w": "x/b/kernel"}


def test_a_name_whose_shape_does_not_fit_is_said_and_not_paired() -> None:
    result = pairs({"fc/w": (4, 10), "fc/b": (10,)}, {"fc/w": (4, 2), "fc/b": (2,)})
    assert not result.pairs and len(result.conflicts) >= 2
    assert not result.is_complete


def test_layers_are_aligned_in_order_and_a_new_head_is_left_out() -> None:
    body = {f"old/l{n}/w": (n, n + 1) for n in (3, 4, 5)}
    sources = {**body, "old/head/w": (6, 1000)}
    targets = {f"new_{n}/kernel": (n, n + 1) for n in (3, 4, 5)} | {
        "top/kernel": (6, 7)
    }
    result = pairs(sources, targets)
    assert names(result) == {f"old/l{n}/w": f"new_{n}/kernel" for n in (3, 4, 5)}
    assert [w.name for w in result.only_target] == ["top/kernel"]
    assert [(a.name, b.name) for a, b in result.conflicts] == [
        ("old/head/w", "top/kernel")
    ]


def test_two_that_only_order_could_tell_are_not_told_by_shape() -> None:
    result = pairs({"p": (3,), "q": (3,)}, {"u/gamma": (3,), "v/beta": (3,)})
    assert not result.pairs


def test_a_transposed_kernel_fits_where_nothing_else_does() -> None:
    (pair,) = pairs({"logits": (7, 3)}, {"dense/kernel": (3, 7)}).pairs
    assert pair.step == "transpose"
    (pair,) = pairs({"fc/w": (1, 1, 3, 7)}, {"dense/kernel": (3, 7)}).pairs
    assert pair.step == "reshape"
