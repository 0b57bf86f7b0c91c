"""Every class of both Keras and everyday compositions, in each form of file: counted, sized, written back, equal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from .compositions import COMPOSITIONS
from .layer_classes import CLASSES, LEFT_OUT, exported, models_of_classes
from .measure import rows

CANNOT = {
    ("keras", "Equalization"): "Keras itself cannot call it in a functional model",
    ("tf_keras", "SpectralNormalization"): "its InputSpec is the other Keras's here",
}
FAST = (
    "Bidirectional Conv2D GroupQueryAttention LSTM LocallyConnected2D MultiHeadAttention SpectralNormalization ThresholdedReLU"
).split()
FAST_COMPOSED = (
    "siamese three_deep several_outputs masked_embedding wrapped_model operators"
).split()


def keras_of(name: str) -> Any:
    return __import__(name)


def every(name: str) -> Iterator[tuple[str, Callable[[], Any]]]:
    K = keras_of(name)
    yield from models_of_classes(K)
    for composed, build in COMPOSITIONS.items():
        yield composed, lambda build=build: build(K)  # type: ignore[misc]


def check(keras: str, names: list[str] | None) -> None:
    wrong = []
    for name, build in every(keras):
        if (keras, name) in CANNOT or names is not None and name not in names:
            continue
        for form, what, reason in rows(name, build):
            if reason:
                wrong.append(f"{name}{form} {what}: {reason}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("keras", ["keras", "tf_keras"])
def test_a_few(keras: str) -> None:
    check(keras, [*FAST, *FAST_COMPOSED])


@pytest.mark.slow
@pytest.mark.parametrize("keras", ["keras", "tf_keras"])
def test_all(keras: str) -> None:
    check(keras, None)


@pytest.mark.parametrize("keras", ["keras", "tf_keras"])
def test_every_exported_class_has_a_case(keras: str) -> None:
    missing = set(exported(keras_of(keras))) - set(CLASSES) - set(LEFT_OUT)
    assert not missing
