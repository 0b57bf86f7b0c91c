"""What TensorFlow runs of feeds that no file gives a rank is run, and never on a shape that would end the process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from graphscope.freeze import freeze_model
from graphscope.read import load
from graphscope.verify import compare

v1 = tf.compat.v1
RNG = np.random.default_rng(0)


def feed(dtype: Any = tf.float32) -> Any:
    return v1.placeholder(dtype, None)


def array(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype("f")


MODELS: dict[str, tuple[Callable[[], Any], int]] = {
    "convolution": (lambda: tf.nn.conv2d(feed(), array(3, 3, 5, 4), 1, "SAME"), 4),
    "convolution of rows": (
        lambda: tf.nn.conv1d(feed(), array(3, 5, 4), 1, "SAME"),
        3,
    ),
    "convolution of volumes": (
        lambda: tf.nn.conv3d(feed(), array(2, 2, 2, 2, 4), [1] * 5, "SAME"),
        5,
    ),
    "product": (lambda: tf.matmul(feed(), array(7, 4)), 2),
    "two products": (lambda: feed() @ array(5, 4) + feed() @ array(3, 4), 2),
    "turned and scaled": (lambda: tf.transpose(feed(), [0, 2, 1]) * array(11), 3),
    "rows of a table": (
        lambda: tf.reduce_sum(tf.gather(array(20, 4), feed(tf.int32)), 1),
        2,
    ),
    "resized": (
        lambda: tf.raw_ops.ResizeBilinear(images=feed(), size=[8, 8]),
        4,
    ),
    "flattened": (lambda: tf.reshape(feed(), [-1, 12]) @ array(12, 4), 2),
}


@pytest.mark.parametrize("kind", MODELS)
def test_a_feed_of_no_rank_is_drawn_in_one_that_the_graph_admits(
    kind: str, tmp_path: Path
) -> None:
    build, rank = MODELS[kind]
    with tf.Graph().as_default() as graph:
        tf.identity(build(), name="y")
    path = tmp_path / "graph.pb"
    path.write_bytes(graph.as_graph_def().SerializeToString())
    freeze_model(load(str(path)), ["y"], tmp_path / "f.pb")
    proof = compare(path, tmp_path / "f.pb")
    assert proof.verdict == "equal"
    assert {len(shape) for drawn in proof.drawn for shape in drawn.values()} == {rank}
