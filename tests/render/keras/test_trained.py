"""Variables that belong to no layer of Keras's: added, multiplied, gathered from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")
tf_keras = pytest.importorskip("tf_keras")
v1 = tf.compat.v1

from graphscope import analyse  # noqa: E402


def image(rows: int = 5, columns: int = 6) -> Any:
    return v1.placeholder(tf.float32, [None, rows, columns], "x")


def variable(*shape: int) -> Any:
    return v1.get_variable("w", shape)


MADE = {
    "a bias after a concat": (
        lambda: tf.nn.bias_add(tf.concat([image(), image()[:, :, :2]], 2), variable(8)),
        "Bias(shape=(8,)",
    ),
    "positions": (lambda: image() + variable(5, 6), "Bias(shape=(5, 6)"),
    "a learned temperature": (
        lambda: tf.nn.relu(image()) * variable(),
        "Scale(shape=()",
    ),
    "a scale for each row": (lambda: variable(5, 1) * image(), "Scale(shape=(5, 1)"),
    "a number for each id": (
        lambda: tf.gather(variable(9), v1.placeholder(tf.int32, [None, 3], "ids")),
        "layers.Embedding(9, 1",
    ),
}


@pytest.mark.parametrize("form", ["frozen", "checkpoint"])
@pytest.mark.parametrize("name", MADE)
def test_it_is_a_layer_that_can_be_trained(
    name: str, form: str, tmp_path: Path
) -> None:
    build, wanted = MADE[name]
    found = analyse(saved(build, form, tmp_path), outputs=["out"])
    report = found.write_keras(tmp_path / "keras")
    assert wanted in report.source.text
    assert "Weight(" not in report.source.text
    assert found.prove(tmp_path / "keras").passed


ANCHORS = np.random.default_rng(2).normal(size=(5, 6)).astype(np.float32)
KEPT = {
    "a mean that was written": (
        lambda: image() - np.arange(6, dtype=np.float32),
        "frozen",
    ),
    "a constant beside variables": (
        lambda: tf.matmul(image(), variable(6, 6)) + tf.range(5.0)[:, None],
        "checkpoint",
    ),
    "a constant where all variables are a layer's": (
        lambda: tf.nn.relu(tf.matmul(image(), variable(6, 6))) * ANCHORS,
        "checkpoint",
    ),
}


@pytest.mark.parametrize("name", KEPT)
def test_a_constant_is_no_weight(name: str, tmp_path: Path) -> None:
    build, form = KEPT[name]
    found = analyse(saved(build, form, tmp_path), outputs=["out"])
    report = found.write_keras(tmp_path / "keras")
    assert "Bias(" not in report.source.text and "Scale(" not in report.source.text
    assert found.prove(tmp_path / "keras").passed


def row(count: int) -> Any:
    return np.linspace(0.1, 2.3, count, dtype=np.float32)


@pytest.mark.parametrize("count", [6, 40])
def test_a_row_of_constants_beside_variables_is_not_trained(
    count: int, tmp_path: Path
) -> None:
    """DDPG's bounds of its actions: a few are written, many are kept as they are."""

    def build() -> Any:
        return tf.nn.tanh(tf.matmul(image(), variable(6, count))) * row(count)

    found = analyse(saved(build, "checkpoint", tmp_path), outputs=["out"])
    text = found.write_keras(tmp_path / "keras").source.text
    written = "ops.array" in text and "EinsumDense" not in text
    assert written if count == 6 else text.count("trainable=False") == 1
    assert found.prove(tmp_path / "keras").passed


def two_products(*bias: int, twice: bool = False) -> Any:
    """DDPG's critic: state and action, each with a kernel of its own, and one bias."""
    first = tf.matmul(v1.placeholder(tf.float32, [None, 6], "x"), variable(6, 4))
    second = tf.matmul(
        v1.placeholder(tf.float32, [None, 3], "y"), v1.get_variable("u", [3, 4])
    )
    total = first + second + v1.get_variable("b", bias)
    return tf.concat([first, second, total], 1) if twice else tf.nn.relu(total)


@pytest.mark.parametrize("form", ["frozen", "checkpoint"])
@pytest.mark.parametrize("bias", [(4,), (1, 4)])
def test_a_bias_of_a_sum_is_that_of_a_layer_in_it(
    bias: tuple[int, ...], form: str, tmp_path: Path
) -> None:
    path = saved(lambda: two_products(*bias), form, tmp_path)
    found = analyse(path, outputs=["out"])
    report = found.write_keras(tmp_path / "keras")
    assert "Bias" not in report.source.text
    assert report.source.text.count("use_bias=False") == 1
    assert report.in_layers == report.parameters == 24 + 12 + 4
    assert found.prove(tmp_path / "keras").passed


def test_a_bias_after_a_product_is_its_layer_s(tmp_path: Path) -> None:
    """Keras's ``K.dot``, and a bias of the author's own: attention over words (Yang et al.)."""

    def build() -> Any:
        x = v1.placeholder(tf.float32, [None, 5, 6], "x")
        product = tf_keras.backend.dot(x, variable(6, 4))
        return tf.tanh(product + v1.get_variable("b", [4]))

    found = analyse(saved(build, "checkpoint", tmp_path), outputs=["out"])
    report = found.write_keras(tmp_path / "keras")
    assert "Bias" not in report.source.text and "use_bias" not in report.source.text
    assert report.in_layers == report.parameters == 28
    assert found.prove(tmp_path / "keras").passed


@pytest.mark.parametrize("bias, twice", [((), False), ((4,), True)])
def test_near_miss_a_bias_of_none_of_them(
    bias: tuple[int, ...], twice: bool, tmp_path: Path
) -> None:
    """It is one number, or both products are read without it."""
    path = saved(lambda: two_products(*bias, twice=twice), "checkpoint", tmp_path)
    found = analyse(path, outputs=["out"])
    report = found.write_keras(tmp_path / "keras")
    assert "Bias(" in report.source.text
    assert report.source.text.count("use_bias=False") == 2
    assert found.prove(tmp_path / "keras").passed


def saved(build: Any, form: str, folder: Path) -> str:
    """The graph of ``build()``, frozen or beside its checkpoint."""
    with tf.Graph().as_default() as graph, v1.Session(graph=graph) as session:
        tf.identity(build(), "out")
        session.run(v1.global_variables_initializer())
        rng = np.random.default_rng(0)
        for each in v1.global_variables():
            each.load(rng.normal(size=each.shape).astype("f"), session)
        if form == "checkpoint":
            return str(v1.train.Saver().save(session, str(folder / "model")))
        frozen = v1.graph_util.convert_variables_to_constants(
            session, graph.as_graph_def(), ["out"]
        )
    path = folder / "frozen.pb"
    path.write_bytes(frozen.SerializeToString())
    return str(path)


LOWER = np.tril(np.ones((5, 6), np.float32))  # numbers that nobody trained


def test_a_mask_is_not_trained(tmp_path: Path) -> None:
    found = analyse(saved(lambda: image() * LOWER, "frozen", tmp_path), outputs=["out"])
    text = found.write_keras(tmp_path / "keras").source.text
    assert "Scale(shape=(5, 6), trainable=False" in text
    assert found.prove(tmp_path / "keras").passed


def test_near_miss_what_was_a_variable_is_trained(tmp_path: Path) -> None:
    def build() -> Any:
        return image() * tf.identity(tf.constant(LOWER, name="mask"), "mask/read")

    found = analyse(saved(build, "frozen", tmp_path), outputs=["out"])
    text = found.write_keras(tmp_path / "keras").source.text
    assert "Scale(shape=(5, 6)" in text and "trainable" not in text


def test_a_few_whole_numbers_are_written(tmp_path: Path) -> None:
    rows = np.array([[1], [0], [1], [1], [0]], np.float32)
    found = analyse(saved(lambda: image() * rows, "frozen", tmp_path), outputs=["out"])
    text = found.write_keras(tmp_path / "keras").source.text
    assert "Scale" not in text and "[1.0], [0.0]" in text


def anchors() -> Any:
    return tf.constant(np.random.default_rng(1).normal(size=(1, 6)), tf.float32)


def test_what_the_graph_repeats_is_not_trained(tmp_path: Path) -> None:
    def build() -> Any:
        return image() * tf.tile(anchors(), (5, 1))

    found = analyse(saved(build, "frozen", tmp_path), outputs=["out"])
    report = found.write_keras(tmp_path / "keras")
    assert "Scale(shape=(5, 6), trainable=False" in report.source.text
    assert found.prove(tmp_path / "keras").passed


def test_near_miss_a_variable_that_the_graph_repeats_is_trained(tmp_path: Path) -> None:
    def build() -> Any:
        return image() * tf.tile(tf.identity(anchors(), "read"), (5, 1))

    found = analyse(saved(build, "frozen", tmp_path), outputs=["out"])
    assert "trainable" not in found.write_keras(tmp_path / "keras").source.text


def test_a_grid_added_to_a_sequence_is_no_position_embedding(tmp_path: Path) -> None:
    def build() -> Any:
        grid = np.stack(np.meshgrid(np.arange(5.0), np.arange(4.0)), -1)
        return image(20, 2) + tf.constant(grid.reshape(1, 20, 2), tf.float32)

    found = analyse(saved(build, "frozen", tmp_path), outputs=["out"])
    report = found.write_keras(tmp_path / "keras")
    assert "PositionEmbedding" not in report.source.text
    assert "trainable=False" in report.source.text
    assert report.in_layers == report.parameters == 40
    assert found.prove(tmp_path / "keras").passed


@pytest.mark.parametrize("dtype, lines", [("float32", 11), ("int32", 20)])
def test_a_weight_says_its_dtype_where_it_has_another(
    dtype: str, lines: int, tmp_path: Path
) -> None:
    def choose() -> Any:
        one = v1.get_variable("v", (5, 6))
        other = v1.get_variable("w", (5, 6), dtype, v1.zeros_initializer())
        return tf.where(
            image() > 0, one, tf.cast(tf.exp(tf.cast(other, "float32")), "float32")
        )

    found = analyse(saved(choose, "checkpoint", tmp_path), outputs=["out"])
    text = found.write_keras(tmp_path / "keras").source.text
    definition = text[text.index("class Weight") :].partition("\n\n\n")[0]
    code = [line for line in definition.splitlines() if line.strip()]
    assert len(code) == lines
    assert ('dtype="int32"' in text) == (dtype == "int32")
    assert found.prove(tmp_path / "keras").passed
