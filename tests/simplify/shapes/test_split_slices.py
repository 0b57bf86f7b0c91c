"""Slices of the channels, each convolved: one split where they are equal and all of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf

from graphscope import analyse

v1 = tf.compat.v1


def graph_of(slices: Callable[[Any], list[Any]], folder: Path) -> Any:
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float32, [None, 5, 5, 6], name="x")
        made = [
            tf.nn.conv2d(part, tf.ones([1, 1, int(part.shape[-1]), 2]), 1, "SAME")
            for part in slices(x)
        ]
        tf.concat(made, 3, name="out")
    path = folder / "graph.pb"
    path.write_bytes(graph.as_graph_def().SerializeToString())
    return analyse(str(path), outputs=["out"]).graph


@pytest.mark.parametrize(
    "slices, count",
    [
        (lambda x: [x[:, :, :, 2 * i : 2 * i + 2] for i in range(3)], 3),
        (lambda x: [x[..., 3:], x[..., :3]], 2),
        (lambda x: [tf.slice(x, [0, 0, 0, n], [-1, -1, -1, 3]) for n in (0, 3)], 2),
    ],
)
def test_equal_slices_of_all_channels_are_a_split(
    slices: Any, count: int, tmp_path: Path
) -> None:
    graph = graph_of(slices, tmp_path)
    (split,) = graph.by_op("Split")
    assert graph.attrs(split)["num_split"] == count
    assert not list(graph.by_op("StridedSlice"))


@pytest.mark.parametrize(
    "slices",
    [
        lambda x: [x[..., :2], x[..., 2:4]],
        lambda x: [x[..., :2], x[..., 2:]],
        lambda x: [x[..., :4], x[..., 2:]],
        lambda x: [x[:, 1:, :, :3], x[:, 1:, :, 3:]],
        lambda x: [x[..., :3], x[..., :3]],
    ],
    ids=["a part", "unequal", "overlapping", "rows too", "twice"],
)
def test_others_stay_slices(slices: Any, tmp_path: Path) -> None:
    assert not list(graph_of(slices, tmp_path).by_op("Split"))
