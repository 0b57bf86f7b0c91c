"""Models of keras.applications as SavedModels and as checkpoints of TensorFlow 1: recovered with nothing but the path.

No output is named, no shape given: what a user has is the file. A small net runs in some forms; all others are slow.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from graphscope.analysis.results import Analysis
from graphscope.read import load

from .recovery import built, scaled
from .saving import FORMS, STANDS_FOR, Saved

keras = pytest.importorskip("keras")
pytest.importorskip("tf_keras")

# model: input size
MODELS = {
    "ConvNeXtTiny": 32,
    "DenseNet121": 32,
    "EfficientNetB0": 32,
    "InceptionV3": 96,
    "MobileNetV2": 32,
    "MobileNetV3Small": 32,
    "NASNetMobile": 224,
    "ResNet50": 32,
    "VGG16": 32,
    "Xception": 96,
}


def check(saved: Saved, folder: Path) -> None:
    found = Analysis(load(saved.path))
    assert len(found.sure_outputs()) == 1
    report = found.write_keras(folder)
    assert not report.not_portable and not report.unexplained
    steps = report.source.program.steps
    assert not any(step.constructor == "Weight" for step in steps)
    keras.backend.clear_session()
    made = built(folder)
    assert scaled(saved.expected, _first(made(saved.given, training=False))) < 1e-4
    assert report.parameters == saved.parameters - _fixed(saved, made)
    wanted = Counter(STANDS_FOR.get(each, each) for each in saved.classes.elements())
    got = Counter(each.__class__.__name__ for each in made.layers if each.weights)
    del wanted["Normalization"], got["Normalization"]  # weights or arguments
    assert got == wanted


def _fixed(saved: Saved, made: Any) -> int:
    """The statistics of images in three colours, and their count, where they come back as a Normalization's arguments."""
    kept = [
        each for each in made.layers if isinstance(each, keras.layers.Normalization)
    ]
    return 7 * (saved.classes["Normalization"] - sum(bool(e.weights) for e in kept))


def _first(outputs: Any) -> Any:
    import numpy as np

    while isinstance(outputs, list | tuple):
        outputs = outputs[0]
    return np.array(outputs)


def small_model(form: str, folder: Path) -> None:
    options = {"input_shape": (32, 32, 3), "classes": 10, "alpha": 0.25}
    check(FORMS[form]("MobileNet", folder, **options), folder / "keras")


@pytest.mark.parametrize(
    "form", ["savedmodel", "training checkpoint", "keras 2 training checkpoint"]
)
def test_small_model(form: str, tmp_path: Path) -> None:
    small_model(form, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_small_model_in_every_form(form: str, tmp_path: Path) -> None:
    small_model(form, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", MODELS)
def test_model_in_every_form(name: str, form: str, tmp_path: Path) -> None:
    size = MODELS[name]
    options = {"input_shape": (size, size, 3), "classes": 10}
    check(FORMS[form](name, tmp_path, **options), tmp_path / "keras")
