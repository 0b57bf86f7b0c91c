"""Nets whose examples lie in columns are Dense layers over rows; TensorFlow says whether they compute the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.render.keras.loop_models import recovered_v1


def weight(v1: Any, name: str, *shape: int) -> Any:
    return v1.get_variable(name, shape)


def two_layers(v1: Any) -> Any:
    x = v1.placeholder("float32", [6, None], "x")
    h = v1.nn.relu(
        v1.matmul(weight(v1, "w", 4, 6), x) + weight(v1, "b", 4, 1), name="h"
    )
    z = v1.matmul(weight(v1, "w2", 2, 4), h) + weight(v1, "b2", 2, 1)
    return v1.nn.softmax(z, axis=0)


def inner_value(v1: Any) -> Any:
    """What lies within is read as it is, too."""
    x = v1.placeholder("float32", [6, None], "x")
    h = v1.tanh(v1.matmul(weight(v1, "w", 4, 6), x) + weight(v1, "b", 4, 1))
    y = weight(v1, "b2", 3, 1) + v1.matmul(
        weight(v1, "w2", 4, 3), h + v1.sigmoid(h), transpose_a=True
    )
    return v1.reduce_sum(h, 0), y


def rows_before(v1: Any) -> Any:
    """Rows that are turned for the products: the transposes are gone."""
    x = v1.placeholder("float32", [None, 6], "x")
    z = v1.matmul(weight(v1, "w", 4, 6), v1.transpose(x)) + weight(v1, "b", 4, 1)
    return v1.transpose(v1.nn.relu(z))


def without_bias(v1: Any) -> Any:
    x = v1.placeholder("float32", [6, None], "x")
    return v1.nn.sigmoid(v1.matmul(weight(v1, "w", 4, 6), x))


def neighbours(v1: Any) -> Any:
    """A graph convolution: a stored matrix comes first there, and it mixes the examples themselves."""
    x = v1.placeholder("float32", [5, 6], "x")
    support = v1.matmul(
        weight(v1, "adjacency", 5, 5), v1.matmul(x, weight(v1, "w", 6, 3))
    )
    return v1.nn.relu(support + weight(v1, "b", 3))


@pytest.mark.parametrize(
    "build, dense, transposes",
    [
        (two_layers, 2, 2),
        (inner_value, 2, 3),
        (rows_before, 1, 0),
        (without_bias, 1, 2),
        (neighbours, 1, 0),
    ],
)
def test_columns_are_rows_of_dense_layers(
    build: Callable[[Any], Any], dense: int, transposes: int, tmp_path: Path
) -> None:
    made = recovered_v1(build, tmp_path)
    assert made.proof.passed
    assert made.source.count("layers.Dense(") == dense
    turned = made.source.count("ops.transpose(") + made.source.count("layers.Permute(")
    assert turned == transposes
