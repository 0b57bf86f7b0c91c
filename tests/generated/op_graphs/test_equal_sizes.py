"""Where sizes that mean different things happen to be equal, what is written still computes the same.

Keras on TensorFlow tells a bias by its size alone (``ops.add``), so each of these is fed at the size that it may be taken for.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from . import run
from .net import Net, variants
from .test_op_graphs import ending
from .tf_graph import styled

N = 4
"""Batch, filters, width, steps and heads at once."""


def fed(net: Net, *open_shape: int | None) -> Any:
    return net.feed(net.floats(*(s or N for s in open_shape)), "x", list(open_shape))


def turned(x: Any, compute: Callable[[Any], Any]) -> Any:
    """Channels first around what is computed channels last."""
    rank = len(x.shape)
    last, first = [0, *range(2, rank), 1], [0, rank - 1, *range(1, rank - 1)]
    return tf.transpose(compute(tf.transpose(x, last)), first)


def bias(net: Net, axes: int = 2) -> Any:
    return net.floats(N, *[1] * axes)


def depthwise(net: Net) -> Any:
    x, kernel = fed(net, None, N, None, None), net.floats(2, 2, N, 1)
    return bias(net) + turned(
        x, lambda x: tf.nn.depthwise_conv2d(x, kernel, [1] * 4, "SAME")
    )


def separable(net: Net) -> Any:
    x = fed(net, None, 3, None, None)
    kernels = net.floats(2, 2, 3, 1), net.floats(1, 1, 3, N)
    return bias(net) + turned(
        x, lambda x: tf.nn.separable_conv2d(x, *kernels, [1] * 4, "SAME")
    )


def transposed(net: Net) -> Any:
    x, kernel = fed(net, None, 3, None, None), net.floats(2, 2, N, 3)

    def compute(x: Any) -> Any:
        size = tf.shape(x)
        sizes = tf.stack([size[0], 2 * size[1], 2 * size[2], N])
        return tf.nn.conv2d_transpose(x, kernel, sizes, 2, "SAME")

    return turned(x[:, :, :2, :2], compute) + bias(net)


def attention(net: Net, width: int) -> Any:
    """Heads of so many numbers over as many steps as heads, and a mask of as many examples as steps."""
    x = fed(net, None, None, 8)
    mask = net.feed(net.rng.random((N, N)) < 0.7, "mask", [None, None])

    def heads() -> Any:
        y = tf.tensordot(x, net.floats(8, N * width), 1) + net.floats(N * width)
        sizes = tf.shape(y)
        split = tf.reshape(y, tf.stack([sizes[0], sizes[1], N, width]))
        return tf.transpose(split, [0, 2, 1, 3])

    q, k, v = heads(), heads(), heads()
    scores = tf.matmul(q, k, transpose_b=True) / np.sqrt(width).astype("float32")
    scores += (1.0 - tf.cast(mask, tf.float32)[:, None, None]) * -1e9
    y = tf.transpose(tf.matmul(tf.nn.softmax(scores), v), [0, 2, 1, 3])
    sizes = tf.shape(y)
    y = tf.reshape(y, tf.stack([sizes[0], sizes[1], N * width]))
    return tf.tensordot(y, net.floats(N * width, 8), 1) + net.floats(8)


def group_norm(net: Net) -> Any:
    x = fed(net, None, N, N, N)
    y = tf.reshape(x, [-1, 2, 2, N, N])
    mean, variance = tf.nn.moments(y, [2, 3, 4], keepdims=True)
    y = tf.reshape((y - mean) * tf.math.rsqrt(variance + 1e-3), [-1, N, N, N])
    return y * net.floats(N, 1, 1) + net.floats(N, 1, 1)


def layer_norm(net: Net, axis: int) -> Any:
    x, shape = fed(net, None, N, N), [1] * 3
    shape[axis] = N
    mean, variance = tf.nn.moments(x, [axis], keepdims=True)
    y = (x - mean) * tf.math.rsqrt(variance + 1e-3)
    return y * net.floats(*shape) + net.floats(*shape)


def batch_norm(net: Net) -> Any:
    x, rows = fed(net, None, N, None, None), [net.floats(N, 1, 1) for _ in range(3)]
    variance = np.abs(net.floats(N, 1, 1)) + 0.5
    return tf.nn.batch_normalization(x, *rows, variance, 1e-3)


SIZES: dict[str, Callable[[Net], Any]] = {
    "conv2d": lambda net: tf.nn.bias_add(
        tf.nn.conv2d(
            fed(net, None, 3, None, None),
            net.floats(1, 1, 3, N),
            1,
            "SAME",
            data_format="NCHW",
        ),
        net.floats(N),
        "NCHW",
    ),
    "conv2d_relu": lambda net: tf.nn.relu(
        turned(
            fed(net, None, 3, None, None),
            lambda x: tf.nn.conv2d(x, net.floats(3, 3, 3, N), 1, "SAME"),
        )
        + bias(net)
    ),
    "conv2d_known": lambda net: turned(
        fed(net, None, 3, N, N),
        lambda x: tf.nn.conv2d(x, net.floats(3, 3, 3, N), 1, "SAME"),
    )
    + bias(net),
    "conv1d": lambda net: turned(
        fed(net, None, 3, None),
        lambda x: tf.nn.conv1d(x, net.floats(3, 3, N), 1, "SAME"),
    )
    + bias(net, 1),
    "conv3d": lambda net: turned(
        fed(net, None, 2, None, None, None),
        lambda x: tf.nn.conv3d(x, net.floats(2, 2, 2, 2, N), [1] * 5, "SAME"),
    )
    + bias(net, 3),
    "depthwise": depthwise,
    "separable": separable,
    "transposed": transposed,
    "batch_norm": batch_norm,
    "group_norm": group_norm,
    "layer_norm": lambda net: layer_norm(net, 1),
    "layer_norm_last": lambda net: layer_norm(net, 2),
    "prelu": lambda net: (
        lambda x: tf.nn.relu(x) - net.floats(N, 1, 1) * tf.nn.relu(-x)
    )(fed(net, None, N, N, N)),
    "colours": lambda net: (fed(net, None, N, N, N) - bias(net)) / 3.0 + bias(net),
    "column": lambda net: (lambda x: x + tf.reduce_max(x, 1, keepdims=True))(
        fed(net, None, N)
    ),
    "column_of_steps": lambda net: (
        lambda x: tf.nn.relu(x) + tf.reduce_mean(x, 2, keepdims=True)
    )(fed(net, None, None, N)),
    "steps": lambda net: fed(net, 1, N, N) + tf.constant(net.floats(N, 1)),
    "stored_steps": lambda net: fed(net, None, N, N) + net.floats(1, N, 1) * 2.0,
    "higher_rank": lambda net: fed(net, 1, N)
    + net.feed(net.floats(1, 1, N), "y", [1, 1, N]),
    "outer": lambda net: fed(net, 1, N) + net.feed(net.floats(N, 1), "y", [N, 1]),
    "outer_of_open_sizes": lambda net: fed(net, 1, N)
    + net.feed(net.floats(N, 1), "y", [None, 1]),
    "mean_of_two": lambda net: (
        fed(net, None, N, N) + net.feed(net.floats(N, 1, N), "y", [None, 1, N])
    )
    * 0.5,
    "contrast": lambda net: tf.image.adjust_contrast(fed(net, None, N, N, 1), 2.0),
    "dilation": lambda net: tf.nn.dilation2d(
        fed(net, 1, N, N, 1),
        net.floats(2, 2, 1),
        [1] * 4,
        "SAME",
        "NHWC",
        [1] * 4,
    ),
    "dense_of_rank_three": lambda net: tf.tensordot(
        fed(net, None, None, N), net.floats(N, N), 1
    )
    + net.floats(N),
    "einsum": lambda net: tf.einsum(
        "abc,cd->adb", fed(net, None, N, N), net.floats(N, N)
    )
    + net.floats(N, 1),
    "heads_of_one": lambda net: tf.einsum(
        "abc,cde->abde", fed(net, None, None, N), net.floats(N, N, 1)
    )
    + net.floats(N, 1),
    "attention": lambda net: attention(net, 3),
    "attention_of_one": lambda net: attention(net, 1),
    "select": lambda net: tf.raw_ops.Select(
        condition=net.feed(net.rng.random(N) < 0.5, "c", [None]),
        x=fed(net, None, N),
        y=net.feed(net.floats(N, N), "y", [None, N]),
    ),
}
variants("size", SIZES)


@pytest.mark.parametrize("kind", SIZES)
def test_equal_sizes(kind: str, tmp_path: Path) -> None:
    end = ending(styled(f"size_{kind}", 3), tmp_path)
    assert end["how"] == "equal", end
    assert run.ELSEWHERE or end["portable"], end
