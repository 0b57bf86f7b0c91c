"""Nets that a cond keeps from running on no rows at all: the recovered model takes none either, and computes the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.render.keras.loop_models import Made, recovered_v1

PADS = "1 // (shape[0] + 1)"


def guarded(test: Callable[[Any, Any], Any], swapped: bool = False) -> Any:
    """The patches whose brightness passes a threshold, through a small net where there are any."""

    def build(v1: Any) -> Any:
        x = v1.placeholder(v1.float32, (None, 6, 6, 3), name="x")
        chosen = v1.boolean_mask(x, v1.reduce_mean(x, (1, 2, 3)) > 0.0, name="chosen")
        weights = v1.reshape(v1.reduce_sum(chosen, (1, 2)), (-1, 3))
        kernel = v1.get_variable("kernel", (3, 3, 3, 4))
        bias = v1.get_variable("bias", (4,))

        def net() -> Any:
            y = v1.nn.bias_add(v1.nn.conv2d(chosen, kernel, padding="VALID"), bias)
            y = v1.reduce_mean(v1.nn.relu(y), (1, 2))
            return v1.concat([y, weights], 1)

        def nothing() -> Any:
            return v1.zeros((0, 7))

        branches = (nothing, net) if swapped else (net, nothing)
        return v1.identity(v1.cond(test(v1, chosen), *branches), name="out")

    return build


def predict(made: Made, x: np.ndarray) -> np.ndarray:
    return np.asarray(made.model()(x))


TESTS = {
    "rows": (lambda v1, x: v1.shape(x)[0] > 0, False),
    "size": (lambda v1, x: v1.less(0, v1.size(x)), False),
    "wide": (lambda v1, x: v1.shape(x, out_type=v1.int64)[0] >= 1, False),
    "none": (lambda v1, x: v1.equal(v1.shape(x)[0], 0), True),
}


@pytest.mark.parametrize("name", TESTS)
def test_a_net_that_no_rows_may_enter(name: str, tmp_path: Path) -> None:
    made = recovered_v1(guarded(*TESTS[name]), tmp_path)
    assert made.proof.passed, made.proof
    assert "1 // (" in made.source
    dark = -np.ones((3, 6, 6, 3), np.float32)
    assert predict(made, dark).shape == (0, 7)
    dark[1] = 1.0
    assert predict(made, dark).shape == (1, 7)


def test_rows_are_added_only_where_a_test_keeps_none_out(tmp_path: Path) -> None:
    many = guarded(lambda v1, x: v1.shape(x)[0] > 1)
    made = recovered_v1(many, tmp_path)
    assert PADS not in made.source
    bright = np.ones((2, 6, 6, 3), np.float32)
    assert predict(made, bright).shape == (2, 7)


def test_what_has_rows_gets_none(tmp_path: Path) -> None:
    def build(v1: Any) -> Any:
        x = v1.placeholder(v1.float32, (2, 6, 6, 3), name="x")
        kernel = v1.get_variable("kernel", (3, 3, 3, 4))
        count = v1.placeholder(v1.float32, (None,), name="count")
        y = v1.cond(
            v1.shape(count)[0] > 0,
            lambda: v1.nn.conv2d(x, kernel, padding="SAME"),
            lambda: v1.zeros((2, 6, 6, 4)),
        )
        return v1.identity(y, name="out")

    made = recovered_v1(build, tmp_path)
    assert made.proof.passed, made.proof
    assert "// (" not in made.source
