"""What is drawn where no noise can be shared is compared by what it is drawn from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from graphscope.verify import Verification, compare

v1 = tf.compat.v1
KERNEL = np.random.default_rng(0).normal(size=(6, 8)).astype("f")


def classes_in_a_loop(logits: Any) -> Any:
    def add(i: Any, total: Any) -> Any:
        return i + 1, total + tf.squeeze(v1.multinomial(logits, 1), 1)

    start = [0, tf.zeros([tf.shape(logits)[0]], tf.int64)]
    return tf.while_loop(lambda i, _: i < 3, add, start)[1]


def walk(mean: Any) -> Any:
    def step(i: Any, at: Any) -> Any:
        return i + 1, at + tf.random.normal(tf.shape(mean)) * 0.1

    return tf.while_loop(lambda i, _: i < 3, step, [0, mean])[1]


DRAWN = {"classes": classes_in_a_loop, "walk": walk}


def graph(path: Path, build: Callable[[Any], Any], kernel: np.ndarray) -> Path:
    with tf.Graph().as_default() as made:
        x = v1.placeholder(tf.float32, [None, 6], name="x")
        tf.identity(build(tf.matmul(x, kernel, name="logits")), name="y")
    path.write_bytes(made.as_graph_def().SerializeToString())
    return path


def proof(folder: Path, kind: str, other: np.ndarray) -> Verification:
    paths = (
        graph(folder / f"{n}.pb", DRAWN[kind], kernel)
        for n, kernel in enumerate((KERNEL, other))
    )
    return compare(*paths)


@pytest.mark.parametrize("functional", [False, True])
@pytest.mark.parametrize("kind", DRAWN)
def test_a_sample_is_compared_by_its_parameters(
    kind: str, functional: bool, tmp_path: Path
) -> None:
    (v1.enable_control_flow_v2 if functional else v1.disable_control_flow_v2)()
    same = proof(tmp_path, kind, KERNEL)
    assert same.verdict == "equal"
    assert "by what it is drawn from: y:0 (logits:0)" in same.account()
    assert {row["a"]: row.get("through") for row in same.outputs}["y:0"] == ["logits:0"]
    changed = KERNEL.copy()
    changed[0, 0] += 1
    other = proof(tmp_path, kind, changed)
    assert other.verdict == "different" and 0.01 < other.max_rel < 1
