"""Models of keras.applications as people change them: no top, another pooling, logits, channels first, half precision.

A small net runs in each way; the ten larger rows are slow. Where no CPU computes what channels-first convolutions say,
the model with channels last and the same weights tells what should come out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphscope.analysis.results import Analysis
from graphscope.read import load

from .recovery import built, freeze_model, randomised, scaled
from .saving import STANDS_FOR, layer_classes, random_values

keras = pytest.importorskip("keras")

WAYS: dict[str, dict[str, Any]] = {
    "without top": {"include_top": False, "input_shape": (None, None, 3)},
    "average of the features": {"include_top": False, "pooling": "avg"},
    "maximum of the features": {"include_top": False, "pooling": "max"},
    "logits": {"classifier_activation": None},
}
POLICIES = ["mixed_float16", "mixed_bfloat16", "float16", "bfloat16"]
SLOW = ["ConvNeXtTiny", "EfficientNetB0", "MobileNetV3Small", "ResNet50"]
IMAGES = np.random.default_rng(1).normal(size=(2, 32, 32, 3)).astype("float32")


@pytest.fixture(autouse=True)
def usual_settings() -> Iterator[None]:
    yield
    keras.config.set_image_data_format("channels_last")
    keras.config.set_dtype_policy("float32")


def made(name: str, policy: str = "float32", **options: Any) -> Any:
    def build(**given: Any) -> Any:
        keras.config.set_dtype_policy(policy)  # the session that is cleared has it
        return getattr(keras.applications, name)(**given)

    small = {"alpha": 0.25} if name == "MobileNet" else {}
    shape = {} if "input_shape" in options else {"input_shape": (32, 32, 3)}
    top = {"classes": 10} if options.get("include_top", True) else {}
    return randomised(build, **small, **shape, **top, **options)


def check(model: Any, images: np.ndarray, wanted: Any, folder: Path) -> Any:
    _, outputs = freeze_model(model, folder / "frozen.pb")
    found = Analysis(load(folder / "frozen.pb"), outputs=[str(t) for t in outputs])
    report = found.write_keras(folder / "keras")
    assert not report.not_portable
    assert not any(step.constructor == "Weight" for step in report.source.program.steps)
    recovered = built(folder / "keras")
    got = np.asarray(recovered(images, training=False), "float32")
    assert scaled(np.asarray(wanted, "float32"), got) < 1e-4
    classes = layer_classes(model).elements()
    expected = Counter(STANDS_FOR.get(each, each) for each in classes)
    del expected["Normalization"]  # its statistics are arguments
    assert layer_classes(recovered) == expected
    return recovered


def changed(name: str, way: str, folder: Path) -> None:
    model = made(name, **WAYS[way])
    found = check(model, IMAGES, model(IMAGES, training=False), folder)
    assert found.input_shape == model.input_shape


def in_half_precision(name: str, policy: str, folder: Path) -> None:
    model = made(name, policy)
    wanted = np.asarray(keras.ops.cast(model(IMAGES, training=False), "float32"))
    check(model, IMAGES, wanted, folder)


def with_channels_first(name: str, folder: Path) -> None:
    keras.config.set_image_data_format("channels_first")
    model = made(name, input_shape=(3, 32, 32))
    values = model.get_weights()
    keras.config.set_image_data_format("channels_last")
    twin = made(name)
    twin.set_weights(values)
    wanted = twin(IMAGES, training=False)
    keras.config.set_image_data_format("channels_first")
    check(model, IMAGES.transpose(0, 3, 1, 2), wanted, folder)


@pytest.mark.parametrize("way", WAYS)
def test_small_model_as_changed(way: str, tmp_path: Path) -> None:
    changed("MobileNet", way, tmp_path)


def test_small_model_in_half_precision(tmp_path: Path) -> None:
    in_half_precision("MobileNet", "mixed_float16", tmp_path)


def test_small_model_with_channels_first(tmp_path: Path) -> None:
    with_channels_first("MobileNet", tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("policy", POLICIES[1:])
def test_small_model_in_other_precisions(policy: str, tmp_path: Path) -> None:
    in_half_precision("MobileNet", policy, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", SLOW)
def test_model_without_top(name: str, tmp_path: Path) -> None:
    changed(name, "without top", tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", SLOW)
def test_model_in_half_precision(name: str, tmp_path: Path) -> None:
    in_half_precision(name, "mixed_float16", tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", SLOW[1:])  # Keras's ConvNeXt refuses it
def test_model_with_channels_first(name: str, tmp_path: Path) -> None:
    with_channels_first(name, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["MobileNet", *SLOW])
def test_model_of_keras_2(name: str, tmp_path: Path) -> None:
    applications = pytest.importorskip("tf_keras").applications
    build = getattr(applications, name)
    model = build(weights=None, input_shape=(32, 32, 3), classes=10)
    values = random_values([v.name for v in model.weights], model.weights)
    for variable, value in zip(model.weights, values, strict=True):
        variable.assign(value)
    check(model, IMAGES, model(IMAGES, training=False), tmp_path)
