"""Layers on integers: only what Keras leaves as it is may stand for ops on anything but floats."""

from __future__ import annotations

from typing import Any

import keras as k
import numpy as np
import pytest
import tensorflow as tf

from graphscope.match.pattern import KEEPS_ANY

from .spelling import found_in, v1

L = k.layers
LINE, IMAGE, VOLUME = (2, 4, 2), (2, 4, 4, 2), (2, 4, 4, 4, 2)
CALLS: dict[str, tuple[Any, tuple[int, ...]]] = {
    "Cropping2D": (lambda: L.Cropping2D(1), IMAGE),
    "Flatten": (L.Flatten, LINE),
    "GlobalMaxPooling2D": (L.GlobalMaxPooling2D, IMAGE),
    "Identity": (L.Identity, LINE),
    "MaxPooling2D": (L.MaxPooling2D, IMAGE),
    "Permute": (lambda: L.Permute((2, 1)), LINE),
    "ReLU": (L.ReLU, LINE),
    "RepeatVector": (lambda: L.RepeatVector(3), (2, 4)),
    "Rescaling": (lambda: L.Rescaling(2.0), LINE),
    "Reshape": (lambda: L.Reshape((8,)), LINE),
    "UpSampling2D": (L.UpSampling2D, IMAGE),
    "ZeroPadding3D": (lambda: L.ZeroPadding3D(1), VOLUME),
}
MERGES = ("Add", "Average", "Concatenate", "Maximum", "Minimum", "Multiply", "Subtract")
CALLS |= {name: (getattr(L, name), LINE) for name in MERGES}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8"])
def test_keras_keeps_the_dtype_of_these_alone(name: str, dtype: str) -> None:
    make, shape = CALLS[name]
    many = (lambda x: [x, x]) if name in MERGES else (lambda x: x)
    said = make()(many(k.Input(shape[1:], dtype=dtype))).dtype
    made = make()(many(np.ones(shape, dtype))).dtype
    kept = k.backend.standardize_dtype(made) == said == dtype
    assert kept == (name in KEEPS_ANY)


def numbers(name: str = "x") -> Any:
    return v1.placeholder(tf.int32, (None, 4, 2), name=name)


INTEGERS = {
    "Subtract": lambda: numbers() - numbers("y"),
    "Maximum": lambda: tf.maximum(numbers(), numbers("y")),
    "Concatenate": lambda: tf.concat([numbers(), numbers("y")], -1),
    "ZeroPadding1D": lambda: tf.pad(numbers(), [[0, 0], [1, 1], [0, 0]]),
    "GlobalMaxPooling1D": lambda: tf.reduce_max(numbers(), 1),
}


@pytest.mark.parametrize("name", INTEGERS)
def test_no_layer_stands_for_arithmetic_on_integers(name: str) -> None:
    assert not [each.op for each in found_in(INTEGERS[name]).layers]


def test_a_reshape_of_integers_is_a_layer() -> None:
    found = found_in(lambda: tf.reshape(numbers(), [-1, 8]))
    assert [each.op for each in found.layers] == ["Flatten"]
