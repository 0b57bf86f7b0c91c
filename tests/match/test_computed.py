"""Weights that the graph computes of variables: a bias plus the identity, a scaled kernel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from graphscope import analyse
from graphscope.errors import MissingWeight
from graphscope.graph import Layer

v1 = tf.compat.v1


def saved(build: Any, folder: Path) -> str:
    """A checkpoint of the graph; variables are 1, 2, 3 ..."""
    with tf.Graph().as_default() as graph, v1.Session(graph=graph) as session:
        build()
        for variable in v1.global_variables():
            size = variable.shape.num_elements()
            variable.load(np.arange(1.0, size + 1).reshape(variable.shape), session)
        v1.train.Saver().save(session, str(folder / "model"))
    return str(folder / "model")


def equalised() -> None:
    """ProGAN's dense layer: the kernel is scaled where it is used, the bias is shifted."""
    x = v1.placeholder(tf.float32, [None, 2], "x")
    kernel = v1.get_variable("w", [2, 3]) * tf.constant(0.5)
    bias = v1.get_variable("b", [3]) + np.array([1.0, 0.0, -1.0], "f")
    tf.identity(tf.matmul(x, kernel) + bias, "out")


def layer_of(path: str, **options: Any) -> tuple[Any, Layer]:
    found = analyse(path, outputs=["out"], **options)
    (layer,) = found.layers
    return found, layer


def test_its_values_are_computed_of_the_variables(tmp_path: Path) -> None:
    found, layer = layer_of(saved(equalised, tmp_path))
    assert layer.op == "Dense"
    kernel, bias = (layer.weights[n].array(found.flat) for n in ("kernel", "bias"))
    np.testing.assert_allclose(kernel, np.arange(1, 7).reshape(2, 3) / 2)
    np.testing.assert_allclose(bias, [2, 2, 2])


def test_without_values_it_is_a_missing_weight(tmp_path: Path) -> None:
    path = saved(equalised, tmp_path)
    for part in tmp_path.glob("model.[di]*"):
        part.unlink()
    found, layer = layer_of(f"{path}.meta")
    with pytest.raises(MissingWeight, match="w"):
        layer.weights["kernel"].array(found.flat)


def test_what_is_fed_is_no_weight(tmp_path: Path) -> None:
    def build() -> None:
        x = v1.placeholder(tf.float32, [None, 2], "x")
        scale = v1.placeholder(tf.float32, [], "scale")
        tf.identity(tf.matmul(x, v1.get_variable("w", [2, 3]) * scale), "out")

    found = analyse(saved(build, tmp_path), outputs=["out"])
    assert not any(layer.weights for layer in found.layers)
