"""Channels that become pixels, spelled out by two reshapes around a transposition: ``ops.depth_to_space``, equal to TensorFlow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from graphscope import analyse

v1 = tf.compat.v1


def spelled(x: Any, cells: list[Any], image: list[Any], turn: Any = None) -> Any:
    turned = tf.transpose(tf.reshape(x, cells), turn or [0, 1, 3, 2, 4, 5])
    return tf.reshape(turned, image)


def open_image(channels: int, known: bool = False) -> tuple[Any, Any, Any, Any]:
    """An image and its sizes, all but the channels' open, or none but the batch."""
    shape = [None, 4, 6] if known else [None, None, None]
    x = v1.placeholder(tf.float32, [*shape, channels], name="x")
    batch, height, width, _ = tf.unstack(tf.shape(x))
    return x, batch, *(shape[1:] if known else (height, width))


def to_space(known: bool = False) -> Any:
    x, b, h, w = open_image(18, known)
    return spelled(x, [b, h, w, 3, 3, 2], [b, 3 * h, 3 * w, 2])


def to_depth(known: bool = False) -> Any:
    x, b, h, w = open_image(2, known)
    return spelled(x, [b, h // 2, 2, w // 2, 2, 2], [b, h // 2, w // 2, 8])


def wide_squares() -> Any:
    """Squares that are not as high as they are wide."""
    x, b, h, w = open_image(6)
    return spelled(x, [b, h, w, 3, 2, 1], [b, 3 * h, 2 * w, 1])


def to_rows() -> Any:
    """PixelShuffle's order would be another; here the image is turned as well."""
    x, b, h, w = open_image(4)
    return spelled(x, [b, h, w, 2, 2, 1], [b, 2 * w, 2 * h, 1])


def other_turn() -> Any:
    x, b, h, w = open_image(4)
    cells, image = [b, h, w, 2, 2, 1], [b, 2 * h, 2 * w, 1]
    return spelled(x, cells, image, [0, 1, 4, 2, 3, 5])


def source(build: Any, folder: Path) -> str:
    with tf.Graph().as_default() as graph:
        tf.identity(build(), "out")
    path = folder / "graph.pb"
    path.write_bytes(graph.as_graph_def().SerializeToString())
    analysis = analyse(str(path), outputs=["out"])
    report = analysis.write_keras(folder / "keras")
    proof = analysis.prove(folder / "keras")
    assert proof.passed, proof.remarks
    assert not report.not_portable
    return report.source.text


@pytest.mark.parametrize("known", [False, True])
def test_channels_become_pixels(known: bool, tmp_path: Path) -> None:
    text = source(lambda: to_space(known), tmp_path)
    assert "ops.depth_to_space(inputs, 3" in text and "reshape" not in text


def test_pixels_become_channels(tmp_path: Path) -> None:
    """Of known sizes: of open ones nobody knows that they can be halved."""
    text = source(lambda: to_depth(known=True), tmp_path)
    assert "ops.space_to_depth(inputs, 2" in text and "reshape" not in text


@pytest.mark.parametrize("build", [wide_squares, to_rows, other_turn])
def test_what_is_no_square_stays_reshapes(build: Any, tmp_path: Path) -> None:
    assert "to_space" not in source(build, tmp_path)
