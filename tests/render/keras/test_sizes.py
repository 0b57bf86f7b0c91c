"""What a graph computes from the sizes of its tensors -> layers that ask for shapes; held against TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from graphscope.analysis.results import Analysis
from graphscope.ops.values.size import Size
from graphscope.read import load
from graphscope.render.keras.operands.call_texts import progression_text

v1 = tf.compat.v1


def image(*shape: int | None) -> Any:
    return v1.placeholder(tf.float32, shape or (None, None, None, 3), name="x")


def cropped() -> Any:
    x = image()
    y = v1.nn.max_pool(x, [1, 3, 3, 1], [1, 1, 1, 1], "VALID")
    y = v1.nn.avg_pool(y, [1, 2, 2, 1], [1, 2, 2, 1], "SAME")
    a, b = tf.shape(x), tf.shape(y)
    begin = [0, (a[1] - b[1]) // 2, (a[2] - b[2]) // 2, 0]
    return tf.slice(x, begin, [-1, b[1], b[2], -1])


def merged() -> Any:
    x = image()
    size = tf.shape(x)
    flat = tf.reshape(x, [size[0] * size[1], size[2], 3])
    return tf.reshape(tf.nn.relu(flat), [size[0], size[1], 3 * size[2]])


def grid() -> Any:
    x = image()
    size = tf.shape(x)
    columns, rows = tf.meshgrid(tf.range(size[2]), tf.range(size[1]))
    places = tf.cast(tf.stack([columns, rows], axis=-1), tf.float32)
    return x[..., :2] + tf.reshape(places, [1, size[1], size[2], 2])


def constant_grid() -> Any:
    x = image(None, 8, 8, 2)
    columns, rows = tf.meshgrid(tf.range(8), tf.range(8))
    return x + tf.cast(tf.stack([columns, rows], axis=-1), tf.float32)


def resized() -> Any:
    x = image()
    y = v1.nn.max_pool(x, [1, 2, 2, 1], [1, 2, 2, 1], "SAME")
    return v1.image.resize_bilinear(y, tf.shape(x)[1:3], align_corners=True)


def spread() -> Any:
    x = image()
    mean = tf.reduce_mean(x, [1, 2], keepdims=True)
    return v1.image.resize_bilinear(mean, tf.shape(x)[1:3]) - x


def filled() -> Any:
    x = image()
    size = tf.shape(x)
    border = tf.fill([size[0], size[1], 2, 3], 7.0)
    return tf.concat([x, border], axis=2)


def from_the_end() -> Any:
    x = image()
    size = tf.shape(x)
    return x[:, 1 : size[1] - 2, size[2] // 2 :]


def tiled() -> Any:
    x = image()
    vector = tf.reduce_max(x, [1, 2])[:, None]
    return tf.tile(vector, [1, tf.shape(x)[1] * 2, 1])


def as_numbers() -> Any:
    x = image()
    return x / tf.cast(tf.reduce_prod(tf.shape(x)[1:3]), tf.float32)


def as_output() -> Any:
    x = image()
    return [tf.nn.relu(x), tf.shape(x)[1:3] * 2]


def scattered() -> Any:
    x = image(None, 4, 4, 3)
    nowhere = tf.zeros([0, 2], tf.int32)
    table = tf.tensor_scatter_nd_update(x[0, :, :, 0], nowhere, tf.zeros([0]))
    return x + table[:, :, None]


def counted_down() -> Any:
    """As XLNet counts how far two places are from each other."""
    x = image(None, None, 4)
    length = tf.shape(x)[1]
    ends = tf.cast(length, tf.float32), tf.cast(-length, tf.float32)
    return x + tf.reduce_sum(tf.range(*ends, -1.0))


def identity_matrix() -> Any:
    x = image(None, None, 4)
    return tf.matmul(2.0 * tf.eye(tf.shape(x)[1]), x)


def windows() -> Any:
    """As Swin takes windows apart and joins them again."""
    x = image(None, 8, 8, 3)
    apart = tf.transpose(tf.reshape(x, [-1, 2, 4, 2, 4, 3]), [0, 1, 3, 2, 4, 5])
    each = tf.nn.relu(tf.reshape(apart, [-1, 4, 4, 3]))
    return tf.reshape(each, [tf.shape(each)[0] // 4, 2, 2, 4, 4, -1])


def split_rows() -> Any:
    """As DeBERTa parts the rows of a batch from the heads that lie in them."""
    x = image(None, 4, None, 3)
    rows = tf.nn.relu(tf.reshape(x, [-1, tf.shape(x)[2], 3]))
    scores = tf.cumsum(tf.matmul(rows, rows, transpose_b=True), axis=1)
    size = tf.shape(scores)
    return tf.reshape(scores, [-1, 4, size[1], size[2]])


BUILDERS = [
    split_rows,
    counted_down,
    identity_matrix,
    windows,
    scattered,
    cropped,
    merged,
    grid,
    constant_grid,
    resized,
    spread,
    filled,
    from_the_end,
    tiled,
    as_numbers,
    as_output,
]


def recovered(build: Callable[[], Any], folder: Path) -> tuple[Any, Any]:
    """The report and the proof of what a graph becomes."""
    with tf.Graph().as_default() as graph:
        made = build()
        outputs = [
            tensor.name for tensor in (made if isinstance(made, list) else [made])
        ]
    path = folder / "graph.pb"
    path.write_bytes(graph.as_graph_def().SerializeToString())
    found = Analysis(load(str(path)), outputs=outputs)
    return found.write_keras(folder / "keras"), found.prove(folder / "keras")


@pytest.mark.parametrize("build", BUILDERS, ids=lambda build: build.__name__)
def test_sizes_are_asked_of_tensors(build: Callable[[], Any], tmp_path: Path) -> None:
    report, proof = recovered(build, tmp_path)
    assert proof.passed, proof.remarks
    assert not report.not_portable
    assert "tf." not in report.source.text
    assert "class Weight" not in report.source.text  # a grid is no weight


def test_a_division_that_jax_cannot_trace_says_its_shape(tmp_path: Path) -> None:
    """Rows of an unknown number that are parted by four: JAX cannot tell that they can be, so the layer says what comes."""
    report, _ = recovered(split_rows, tmp_path)
    assert report.source.text.count("def compute_output_spec") == 1
    assert 'keras.KerasTensor((None, 4, None, None), "float32")' in report.source.text


def test_a_count_of_sizes_takes_whole_steps(tmp_path: Path) -> None:
    """JAX takes no other step between sizes that only a run knows."""
    report, _ = recovered(counted_down, tmp_path)
    assert ', -1, dtype="float32")' in report.source.text


def test_a_branch_that_sizes_choose_stands_alone(tmp_path: Path) -> None:
    def chosen() -> Any:
        x = image(None, 8, 8, 3)
        large = tf.shape(x)[1] > 4
        return tf.where(large, tf.nn.relu(x), tf.nn.tanh(x))

    report, proof = recovered(chosen, tmp_path)
    assert proof.passed
    assert [step.class_name for step in report.source.program.steps] == ["Activation"]


def test_one_layer_says_the_whole_arithmetic(tmp_path: Path) -> None:
    report, _ = recovered(cropped, tmp_path)
    (crop,) = (s for s in report.source.program.steps if s.class_name == "DynamicSlice")
    assert len(crop.inputs) == 2
    assert "i = (x_shape[1] - y_shape[1]) // 2" in report.source.text
    assert "return x[:, i : i + y_shape[1], j : j + y_shape[2]]" in report.source.text


@pytest.mark.parametrize("shape", [(3, 4), "dynamic"])
def test_noise_is_drawn_anew_in_each_call(shape: Any, tmp_path: Path) -> None:
    def noisy() -> Any:
        x = image(None, 4)
        return x + v1.random_normal(tf.shape(x) if shape == "dynamic" else [4])

    report, _ = recovered(noisy, tmp_path)
    assert not report.not_portable
    namespace: dict[str, Any] = {}
    exec(report.source.text, namespace)
    model, x = namespace["build_model"](), np.zeros((3, 4), "f")
    assert not np.array_equal(model(x), model(x))


SIZES: list[Any] = [
    lambda a, b: (a - b) // 2 + 1,
    lambda a, b: 2 * (a + 1) - (b - a),
    lambda a, b: a - (b + 1) * -3,
    lambda a, b: (3 - a) * (b % 4) // 5,
    lambda a, b: 7 // (a * b + 1) - (a * 4 + 8) // 4,
    lambda a, b: (a + 1 - 1) * b - b * a + (a * 6) % 3,
    lambda a, b: -1 * (b - 2) * 2 - (0 - a),
    lambda a, b: -(a - b) * 2 - (-b),
]


@pytest.mark.parametrize("compute", SIZES)
def test_a_size_is_arithmetic_in_text(compute: Any) -> None:
    """What Python computes of the text is what it computes of the numbers."""
    size = compute(Size.named("a"), Size.named("b"))
    for a in range(1, 9):
        for b in range(1, 9):
            assert eval(str(size), {"a": a, "b": b}) == compute(a, b), str(size)


def test_the_text_of_a_size_is_short() -> None:
    a, b = Size.named("a"), Size.named("b")
    assert str((a - b) // 2 + 1) == "(a - b) // 2 + 1"
    assert str((a * 4 + 8) // 4) == "a + 2" and str(3 - a) == "3 - a"
    assert (a + 0, a * 1, a - a, a // 1) == (a, a, 0, a)
    assert ((a + 1) - 1, a * b - b * a, (a * 6) % 3) == (a, 0, 0)
    assert a != 3 and a == Size.named("a")
    for other in (0.5, True, "a"):
        with pytest.raises(TypeError):
            a + other


@pytest.mark.parametrize(
    "base, count, width, text",
    [
        (10000.0, 16, 16, "ops.logspace(0.0, -3.75, 16)"),
        (10000.0, 20, 32, "ops.logspace(0.0, -2.375, 20)"),
        (100.0, 8, 8, "ops.logspace(0.0, -1.75, 8)"),
    ],
)
def test_frequencies_are_a_progression(
    base: float, count: int, width: int, text: str, tmp_path: Path
) -> None:
    """As Transformer's and XLNet's positions are made of sines."""

    def sines() -> Any:
        x = image(None, None, 2 * count)
        steps = tf.range(tf.cast(tf.shape(x)[1], tf.float32))
        frequencies = 1 / base ** (tf.range(float(count)) / width)
        angles = steps[:, None] * frequencies
        return x + tf.concat([tf.sin(angles), tf.cos(angles)], -1)

    report, proof = recovered(sines, tmp_path)
    assert proof.passed, proof.remarks
    assert "".join(text.split()) in "".join(report.source.text.split())
    assert "class Weight" not in report.source.text


def test_other_numbers_are_no_progression() -> None:
    row = (10.0 ** -np.arange(8)).astype("float32")
    assert progression_text(row) == "ops.logspace(0.0, -7.0, 8)"
    bent = row * np.where(np.arange(8) == 3, np.float32(1.00001), 1)
    for other in (bent, -row, row[:6], row.astype("float64"), np.ones(8, "float32")):
        assert progression_text(other) is None


def test_what_stands_already_is_not_made_again(tmp_path: Path) -> None:
    """As DeBERTa looks up two tables by one grid of distances: the second layer reads what the first has made."""

    def distances() -> Any:
        x = image(None, None, 4)
        places = tf.range(tf.shape(x)[1])
        near = tf.minimum(tf.abs(places[:, None] - places[None, :]), 3)
        tables = np.random.default_rng(0).normal(size=(2, 4, 40)).astype("float32")
        one = tf.reduce_sum(tf.gather(tables[0], near))
        return x * one + tf.reduce_sum(tf.gather(tables[1], tf.maximum(near, 1)))

    report, proof = recovered(distances, tmp_path)
    assert proof.passed, proof.remarks
    assert report.source.text.count("ops.arange") == 1, report.source.text
    assert "ops.maximum(x, 1)" in report.source.text  # no layer of its own
