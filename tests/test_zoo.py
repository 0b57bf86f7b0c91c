"""Models of keras.applications, frozen by TensorFlow, recovered: same layers, same config, same outputs, short source.

One row a model: its arguments, and the most lines of code that its source may have. The default rows are those that
README promises; all others of keras.applications are slow.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from graphscope.render.keras.classes.signatures import signatures

from .recovery import (
    Recovered,
    arguments,
    built,
    difference,
    freeze_model,
    randomised,
    recover,
    sample,
)

keras = pytest.importorskip("keras")

# model: (input size, most lines of code)
ROWS: dict[str, tuple[int, int]] = {
    "ResNet50": (64, 60),
    "VGG16": (32, 40),
    "InceptionV3": (96, 100),
    "MobileNetV2": (64, 80),
    "DenseNet121": (64, 60),
}
SLOW_ROWS: dict[str, tuple[int, int]] = {
    "ConvNeXtTiny": (64, 80),
    "ConvNeXtSmall": (64, 80),
    "ConvNeXtBase": (64, 80),
    "ConvNeXtLarge": (64, 80),
    "ConvNeXtXLarge": (64, 80),
    "DenseNet169": (64, 60),
    "DenseNet201": (64, 60),
    "EfficientNetB0": (64, 120),
    "EfficientNetB1": (64, 120),
    "EfficientNetB2": (64, 120),
    "EfficientNetB3": (64, 120),
    "EfficientNetB4": (64, 120),
    "EfficientNetB5": (64, 150),
    "EfficientNetB6": (64, 150),
    "EfficientNetB7": (64, 150),
    "EfficientNetV2B0": (64, 120),
    "EfficientNetV2B1": (64, 120),
    "EfficientNetV2B2": (64, 120),
    "EfficientNetV2B3": (64, 120),
    "EfficientNetV2L": (64, 150),
    "EfficientNetV2M": (64, 160),
    "EfficientNetV2S": (64, 150),
    "InceptionResNetV2": (96, 300),
    "MobileNet": (64, 60),
    "MobileNetV3Large": (64, 150),
    "MobileNetV3Small": (64, 120),
    "NASNetLarge": (331, 190),
    "NASNetMobile": (224, 190),
    "ResNet101": (64, 60),
    "ResNet101V2": (64, 60),
    "ResNet152": (64, 60),
    "ResNet152V2": (64, 60),
    "ResNet50V2": (64, 60),
    "VGG19": (32, 40),
    "Xception": (96, 80),
}


def test_every_class_of_keras_applications_has_a_row() -> None:
    classes = {name for name in dir(keras.applications) if name[0].isupper()}
    assert ROWS.keys() | SLOW_ROWS.keys() == classes


def weighted(model: Any) -> Iterator[Any]:
    """The layers that own weights, those of nested models too.

    The statistics of a Normalization are constants of a frozen graph: they come back as its arguments.
    """
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from weighted(layer)
        elif layer.weights and not isinstance(layer, keras.layers.Normalization):
            yield layer


def assert_same_layers(model: Any, recovered: Recovered) -> None:
    """Every layer that owns weights was recovered: same name, class and config."""
    wanted = {each.name: each for each in weighted(model)}
    found = {layer.name: layer for layer in recovered.owners}
    assert found.keys() == wanted.keys()
    for name, layer in found.items():
        if wanted[name].__class__.__name__ not in signatures():
            continue  # a class of keras.applications itself (LayerScale)
        rank = len(wanted[name].output.shape)
        config = wanted[name].get_config()
        assert layer.op == wanted[name].__class__.__name__
        mine = arguments(layer.op, layer.attrs, rank)
        theirs = arguments(
            layer.op, {**config, "momentum": mine.get("momentum", 0.99)}, rank
        )
        assert mine == theirs, name


def assert_same_model(model: Any, made: Any) -> None:
    """The model that the source builds has the weighted layers of the original, under their names."""
    wanted = {each.name: each.__class__.__name__ for each in weighted(model)}
    got = {each.name: each.__class__.__name__ for each in weighted(made)}
    assert got.keys() == wanted.keys()
    assert all(got[n] == wanted[n] for n in got if wanted[n] in signatures())


def check(name: str, size: int, most_lines: int, folder: Path) -> None:
    model = randomised(
        getattr(keras.applications, name), input_shape=(size, size, 3), classes=10
    )
    inputs, outputs = freeze_model(model, folder / "frozen.pb")
    recovered = recover(folder / "frozen.pb", inputs, outputs, folder / "keras")
    assert_same_layers(model, recovered)
    report = recovered.report
    statistics = sum(
        layer.count_params()
        for layer in model.layers
        if isinstance(layer, keras.layers.Normalization)
    )
    assert report.parameters == model.count_params() - statistics
    assert not report.not_portable
    assert not any(
        "weight" in step.class_name.lower() for step in report.source.program.steps
    )
    keras.backend.clear_session()
    made = built(folder / "keras")
    assert_same_model(model, made)
    assert difference(model, made, sample(model)) < 1e-4
    assert report.source.lines_of_code <= most_lines


@pytest.mark.parametrize("name", ROWS)
def test_model_is_recovered(name: str, tmp_path: Path) -> None:
    check(name, *ROWS[name], tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", SLOW_ROWS)
def test_other_model_is_recovered(name: str, tmp_path: Path) -> None:
    check(name, *SLOW_ROWS[name], tmp_path)
