"""Transposed convolutions as large as another map: Keras's layer and a crop, equal to what TensorFlow computes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from graphscope.analysis.results import Analysis
from graphscope.read import load

v1 = tf.compat.v1


def recovered(build: Any, folder: Path) -> tuple[Any, Any]:
    with tf.Graph().as_default() as graph, v1.Session(graph=graph) as session:
        output = build()
        session.run(v1.global_variables_initializer())
        path = v1.train.Saver().save(session, str(folder / "model.ckpt"))
    found = Analysis(load(path), outputs=[output.name])
    return found.write_keras(folder / "keras"), found.prove(folder / "keras")


def net(kernel: tuple[int, int], stride: int, bias: bool, scale: int = 1) -> Any:
    """A map, pooled to a third, brought back to its own size (or half of it) by a transposed convolution."""

    def build() -> Any:
        x = v1.placeholder(tf.float32, [None, None, None, 3], name="x")
        ones = [1, stride, stride, 1]
        y = v1.nn.max_pool(x, ones, ones, "SAME")
        size = tf.shape(x)
        asked = tf.stack([size[0], size[1] // scale, size[2] // scale, 4])
        w = v1.get_variable("w", [*kernel, 4, 3])
        y = v1.nn.conv2d_transpose(y, w, asked, ones, padding="SAME")
        if bias:
            b = v1.get_variable("b", [4], initializer=v1.random_normal_initializer())
            y = tf.nn.bias_add(y, b)
        return tf.nn.relu(y, name="y")

    return build


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("kernel, stride", [((4, 4), 2), ((3, 5), 3), ((2, 2), 2)])
def test_cropped_to_another_map(
    kernel: Any, stride: int, bias: bool, tmp_path: Path
) -> None:
    report, proof = recovered(net(kernel, stride, bias), tmp_path)
    assert proof.passed, proof.remarks
    names = [step.class_name for step in report.source.program.steps]
    assert names.count("Conv2DTranspose") == 1 and not report.not_portable
    assert report.parameters == kernel[0] * kernel[1] * 12 + 4 * bias
    assert "Weight" not in names


def test_a_kernel_smaller_than_its_stride_is_left_alone(tmp_path: Path) -> None:
    """What is asked for may then reach beyond the whole: nothing is cropped."""
    report, proof = recovered(net((1, 1), 2, False), tmp_path)
    assert proof.passed, proof.remarks
    assert "DynamicSlice" not in report.source.text


def test_a_size_of_its_own_is_left_alone(tmp_path: Path) -> None:
    """Twice the map's own size is what Keras's layer gives by itself, whatever the map was made of."""

    def build() -> Any:
        x = v1.placeholder(tf.float32, [None, None, None, 3], name="x")
        ones = [1, 2, 2, 1]
        y = v1.image.resize_bilinear(x, tf.shape(x)[1:3] // 2)
        size = tf.shape(y)
        asked = tf.stack([size[0], size[1] * 2, size[2] * 2, 4])
        w = v1.get_variable("w", [3, 3, 4, 3])
        return v1.nn.conv2d_transpose(y, w, asked, ones, padding="SAME", name="y")

    report, proof = recovered(build, tmp_path)
    assert proof.passed, proof.remarks
    assert "DynamicSlice" not in report.source.text
    assert "Conv2DTranspose(" in report.source.text


def test_a_sequence_is_asked_for_its_own_size(tmp_path: Path) -> None:
    """Keras computes the size from the sequence, before it is made a map of one row."""

    def build() -> Any:
        x = v1.placeholder(tf.float32, [None, None, 3], name="x")
        size = tf.shape(x)
        asked = tf.stack([size[0], size[1] * 2, 4])
        w = v1.get_variable("w", [2, 4, 3])
        return tf.nn.conv1d_transpose(x, w, asked, 2, padding="SAME", name="y")

    report, proof = recovered(build, tmp_path)
    assert proof.passed, proof.remarks
    assert "Conv1DTranspose(" in report.source.text
