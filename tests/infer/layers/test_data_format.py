"""Layers between two Permutes are written channels first, but where Keras would add their bias along another axis."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from graphscope import analyse
from graphscope.analysis.results import Analysis
from graphscope.verify import compare
from graphscope.verify.run.keras_source import run_source

v1 = tf.compat.v1


def frozen(folder: Path, call: Any, *shape: int | None) -> Analysis:
    made = tf.Graph()
    with made.as_default():
        x = v1.placeholder(tf.float32, shape, name="x")
        tf.identity(call(x), name="out")
    path = folder / "frozen.pb"
    path.write_bytes(made.as_graph_def().SerializeToString())
    return analyse(str(path), outputs=["out"])


def values(*shape: int) -> Any:
    """Numbers that are the same for nobody, so that a bias along another axis is seen."""
    return np.random.default_rng(sum(shape)).normal(0, 1, shape).astype("float32")


def classes(found: Analysis) -> list[str]:
    return [layer.op for layer in found.layers]


def first(x: Any, filters: int, bias: bool = True) -> Any:
    kernel = values(3, 3, x.shape[1], filters)
    made = tf.nn.conv2d(x, kernel, 1, "SAME", data_format="NCHW")
    return tf.nn.bias_add(made, values(filters), data_format="NCHW") if bias else made


def check(found: Analysis, folder: Path) -> str:
    found.write_keras(folder)
    assert found.prove(folder).passed
    return (folder / "model.py").read_text()


def test_as_many_filters_as_columns_are_computed_channels_last(tmp_path: Path) -> None:
    found = frozen(tmp_path, lambda x: first(x, 6), None, 4, 5, 6)
    assert classes(found) == ["Permute", "Conv2D", "Permute"]
    check(found, tmp_path / "keras")


@pytest.mark.parametrize("filters,bias", [(5, True), (6, False)])
def test_near_miss_is_channels_first(tmp_path: Path, filters: int, bias: bool) -> None:
    found = frozen(tmp_path, lambda x: first(x, filters, bias), None, 4, 5, 6)
    assert classes(found) == ["Conv2D"]
    assert "channels_first" in check(found, tmp_path / "keras")


def test_what_stands_between_two_of_them_is_turned_as_well(tmp_path: Path) -> None:
    def call(x: Any) -> Any:
        x = tf.nn.max_pool(tf.nn.elu(first(x, 6)), 3, 1, "SAME", data_format="NCHW")
        return first(x, 6)

    found = frozen(tmp_path, call, None, 4, 6, 6)
    text = check(found, tmp_path / "keras")
    assert text.count("Permute") == 2 and "channels_first" not in text


def turned(x: Any, compute: Any) -> Any:
    """As onnx-tf writes everything."""
    return tf.transpose(compute(tf.transpose(x, [0, 2, 3, 1])), [0, 3, 1, 2])


def grouped(x: Any) -> Any:
    pairs = zip(tf.split(x, 2, -1), tf.split(values(3, 3, 2, 8), 2, -1))
    return tf.concat([tf.nn.conv2d(a, k, 1, "SAME") for a, k in pairs], -1)


def test_a_layer_of_many_ops_is_turned(tmp_path: Path) -> None:
    def call(x: Any) -> Any:
        return turned(x, lambda y: tf.nn.leaky_relu(grouped(y)) * 2.0)

    found = frozen(tmp_path, call, None, 4, 5, 7)
    assert "Conv2D" in classes(found)
    check(found, tmp_path / "keras")

    found = frozen(tmp_path, lambda x: turned(x, grouped), None, 4, 5, 7)
    text = check(found, tmp_path / "keras")
    assert "Permute" not in text and "groups=2" in text


def test_near_miss_what_another_layer_reads_stays_turned(tmp_path: Path) -> None:
    def call(x: Any) -> Any:
        last = grouped(tf.transpose(x, [0, 2, 3, 1]))
        one = tf.transpose(last, [0, 3, 1, 2])
        return tf.reduce_max(one, [2, 3]) + tf.reduce_mean(last, [1, 2]) ** 2

    found = frozen(tmp_path, call, None, 4, 5, 7)
    assert classes(found).count("Permute") == 2
    check(found, tmp_path / "keras")


def test_near_miss_a_softmax_is_over_the_last_axis(tmp_path: Path) -> None:
    def call(x: Any) -> Any:
        return turned(x, lambda y: tf.nn.softmax(grouped(y)))

    found = frozen(tmp_path, call, None, 4, 5, 7)
    assert classes(found).count("Permute") == 2
    check(found, tmp_path / "keras")


@pytest.mark.parametrize("width", [6, 8])
def test_of_open_width_the_bias_is_added_apart(tmp_path: Path, width: int) -> None:
    """Keras would add it along the last axis where the picture is as wide as there are filters."""
    keras = pytest.importorskip("keras")
    found = frozen(tmp_path, lambda x: tf.nn.relu(first(x, 6)), None, 4, None, None)
    assert classes(found) == ["Conv2D"] and found.layers[0].attrs["use_bias"]
    text = check(found, tmp_path / "keras")
    assert "Bias(shape=(6, 1, 1)" in text and "use_bias=False" in text
    model = run_source(tmp_path / "keras")
    x = values(2, 4, 5, width)
    want = np.asarray(tf.transpose(first_last(x), [0, 3, 1, 2]))
    np.testing.assert_allclose(np.asarray(model(keras.ops.array(x))), want, 1e-4, 1e-5)


def first_last(x: Any) -> Any:
    """What ``first`` of six filters and a ReLU compute, channels last."""
    made = tf.nn.conv2d(tf.transpose(x, [0, 2, 3, 1]), values(3, 3, 4, 6), 1, "SAME")
    return tf.nn.relu(made + values(6))


def test_a_proof_meets_pictures_as_wide_as_there_are_filters(tmp_path: Path) -> None:
    keras = pytest.importorskip("keras")
    frozen(tmp_path, lambda x: first(x, 6), None, 4, None, None)
    x = keras.Input((4, None, None), name="x")
    conv = keras.layers.Conv2D(6, 3, padding="same", data_format="channels_first")
    model = keras.Model(x, conv(x))
    conv.set_weights([values(3, 3, 4, 6), values(6)])
    proof = compare(str(tmp_path / "frozen.pb"), model, outputs=["out"])
    assert proof.verdict == "different"
