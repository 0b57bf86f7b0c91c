"""A product with a number before a loop: Keras says that it is sparse, which no loop can take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.render.keras.loop_models import recovered_v1


def doubled_until(v1: Any, x: Any) -> Any:
    return v1.while_loop(
        lambda y: v1.reduce_max(v1.abs(y)) < 100.0, lambda y: (y * 2.0 + 0.1,), (x,)
    )


@pytest.mark.parametrize(
    "before",
    [
        lambda v1, x: v1.nn.relu(x) * 0.25,
        lambda v1, x: v1.abs(0.25 * v1.sin(x)),
        lambda v1, x: v1.reshape(v1.nn.relu(x) * 0.25, (-1, 2, 2)),
    ],
)
def test_a_loop_reads_a_product(before: Any, tmp_path: Path) -> None:
    def build(v1: Any) -> Any:
        x = v1.placeholder(v1.float32, (None, 4), name="x")
        return v1.identity(doubled_until(v1, before(v1, x)), name="out")

    made = recovered_v1(build, tmp_path)
    assert made.proof.passed, made.proof
    assert "layers.Rescaling(0.25)" in made.source


def test_other_products_stay_as_they_are(tmp_path: Path) -> None:
    def build(v1: Any) -> Any:
        x = v1.placeholder(v1.float32, (None, 4), name="x")
        looped = doubled_until(v1, v1.tanh(v1.sin(x) * 0.25))
        return v1.identity(looped, name="out"), v1.identity(v1.sin(x) * 0.5, name="two")

    made = recovered_v1(build, tmp_path)
    assert made.proof.passed, made.proof
    assert "* 0.25" in made.source and "* 0.5" in made.source


def test_the_names_of_two_loops_stay_apart_when_a_model_is_built_again(
    tmp_path: Path,
) -> None:
    def build(v1: Any) -> Any:
        x = v1.placeholder(v1.float32, (None, 4), name="x")
        y = v1.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, y * y), (0, x))[1]
        y = v1.while_loop(lambda i, y: i < 2, lambda i, y: (i + 1, y + 1.0), (0, y))[1]
        return v1.identity(y, name="out")

    made = recovered_v1(build, tmp_path)
    assert made.proof.passed, made.proof
    made.model()
    names = [layer.name for layer in made.model().layers]
    assert len(set(names)) == len(names)
