"""Weights alone, of a known family: from a file without any graph to every target."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from graphscope.analysis import Analysis, analyse
from graphscope.export import all_targets
from tests.families.test_keras_applications import app, saved

from .runtimes import MODULES, _packages

__all__ = ["_packages"]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> tuple[keras.Model, Analysis]:
    build = app("MobileNetV2", alpha=0.35, input_shape=(96, 96, 3), classes=10)
    model, path = saved(build, tmp_path_factory.mktemp("weights"))
    return model, analyse(path)


def test_a_saved_model_computes_what_the_class_does(
    weights: tuple[keras.Model, Analysis], tmp_path: Path
) -> None:
    model, analysis = weights
    report = analysis.export(tmp_path / "saved", "savedmodel")
    assert report.verified.passed
    (name,), (output,) = report.inputs, report.outputs
    pictures = np.random.default_rng(0).uniform(-1, 1, (2, 96, 96, 3)).astype("f")
    loaded = tf.saved_model.load(str(tmp_path / "saved"))
    answer = loaded.signatures["serving_default"](**{name: tf.constant(pictures)})
    np.testing.assert_allclose(answer[output], model(pictures), atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("target", sorted(all_targets().keys() - {"savedmodel"}))
def test_every_target(
    weights: tuple[keras.Model, Analysis], tmp_path: Path, target: str
) -> None:
    known = all_targets()[target]
    place = tmp_path / f"net{'' if known.IS_FOLDER else known.MARK}"
    report = weights[1].export(place, target)
    if target == "tfjs" and not MODULES.is_dir():
        pytest.skip("no packages: npm ci --prefix tests")
    assert report.verified.passed and report.verified.max_rel < 1e-5
    assert [each.name for each in tmp_path.iterdir()] == [place.name]
