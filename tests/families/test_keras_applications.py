"""Weights of Keras's own applications, alone in a file: named, wired, and equal to the class that they come from."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tf_keras

from graphscope import Analysis, analyse
from graphscope.families.solve import solve
from graphscope.families.weight_index import WeightIndex
from graphscope.verify.run.keras_source import run_source

apps = keras.applications
Build = Callable[[], Any]
SMALL = (64, 64, 3)


def app(name: str, **options: Any) -> Build:
    return lambda: getattr(apps, name)(weights=None, **options)


BUILDS: dict[str, tuple[str, Build]] = {
    "mobilenet": (
        "MobileNet, alpha 0.5, 7 classes",
        app("MobileNet", alpha=0.5, classes=7, input_shape=SMALL),
    ),
    "mobilenet_v2": (
        "MobileNet v2, alpha 0.35",
        app("MobileNetV2", alpha=0.35, include_top=False, input_shape=SMALL),
    ),
    "mobilenet_v2_classes": (
        "MobileNet v2, alpha 1.4, 9 classes",
        app("MobileNetV2", alpha=1.4, classes=9, input_shape=SMALL),
    ),
    "vgg16": ("VGG, 16 layers, 5 classes", app("VGG16", classes=5, input_shape=SMALL)),
    "vgg19": ("VGG, 19 layers", app("VGG19", include_top=False, input_shape=SMALL)),
    "resnet50": (
        "ResNet v1, 50 layers, 11 classes",
        app("ResNet50", classes=11, input_shape=SMALL),
    ),
    "resnet101": (
        "ResNet v1, 101 layers",
        app("ResNet101", include_top=False, input_shape=SMALL),
    ),
    "resnet50_v2": (
        "ResNet v2, 50 layers, 3 classes",
        app("ResNet50V2", classes=3, input_shape=SMALL),
    ),
    "resnet152_v2": (
        "ResNet v2, 152 layers",
        app("ResNet152V2", include_top=False, input_shape=SMALL),
    ),
    "densenet121": (
        "DenseNet, 121 layers, 6 classes",
        app("DenseNet121", classes=6, input_shape=SMALL),
    ),
    "densenet169": (
        "DenseNet, 169 layers",
        app("DenseNet169", include_top=False, input_shape=SMALL),
    ),
    "xception": (
        "Xception, 4 classes",
        app("Xception", classes=4, input_shape=(96, 96, 3)),
    ),
    "inception_v3": (
        "Inception v3, 8 classes",
        app("InceptionV3", classes=8, input_shape=(96, 96, 3)),
    ),
    "inception_resnet_v2": (
        "Inception-ResNet v2, 8 classes",
        app("InceptionResNetV2", classes=8, input_shape=(96, 96, 3)),
    ),
    "efficientnet_b0": (
        "EfficientNet, B0, 12 classes",
        app("EfficientNetB0", classes=12),
    ),
    "efficientnet_b3": ("EfficientNet, B3", app("EfficientNetB3", include_top=False)),
    "mobilenet_v3_small": (
        "MobileNet v3, small, alpha 1, 5 classes",
        app("MobileNetV3Small", classes=5, input_shape=SMALL),
    ),
    "mobilenet_v3_large": (
        "MobileNet v3, large, alpha 0.75",
        app("MobileNetV3Large", alpha=0.75, include_top=False, input_shape=SMALL),
    ),
    "mobilenet_v3_minimal": (
        "MobileNet v3, large minimalistic, alpha 1, 4 classes",
        app("MobileNetV3Large", minimalistic=True, classes=4, input_shape=SMALL),
    ),
    "efficientnet_v2_b0": (
        "EfficientNet v2, B0, 5 classes",
        app("EfficientNetV2B0", classes=5, input_shape=SMALL),
    ),
    "efficientnet_v2_b2": (
        "EfficientNet v2, B2",
        app("EfficientNetV2B2", include_top=False, input_shape=SMALL),
    ),
    "efficientnet_v2_s": (
        "EfficientNet v2, S, 3 classes",
        app("EfficientNetV2S", classes=3, input_shape=SMALL),
    ),
    "nasnet_mobile": (
        "NASNet-A, mobile, 6 classes",
        app("NASNetMobile", classes=6),
    ),
}
BUILDS["convnext_tiny"] = (
    "ConvNeXt, tiny, 5 classes",
    app("ConvNeXtTiny", classes=5, input_shape=SMALL),
)
BUILDS["convnext_base"] = (
    "ConvNeXt, base",
    app("ConvNeXtBase", include_top=False, input_shape=SMALL),
)
FAST = ("mobilenet",)


def saved(build: Build, folder: Path) -> tuple[Any, Path]:
    """A model with weights that no initialiser leaves, and the file that holds nothing but them."""
    keras.utils.clear_session()
    model = build()
    rng = np.random.default_rng(5)
    for weight in model.weights:
        spread = rng.uniform(0.8, 1.2, weight.shape).astype("float32")
        fresh = rng.normal(0, 0.05, weight.shape).astype("float32")
        is_scale = weight.name in ("gamma", "moving_variance", "variance", "variable")
        if "float" in str(weight.dtype):
            weight.assign(spread if is_scale else weight.numpy() * spread + 0.1 * fresh)
    path = folder / "model.weights.h5"
    model.save_weights(path)
    return model, path


def check_equal(model: Any, analysis: Analysis, folder: Path) -> None:
    """The written source computes what the class does."""
    analysis.write_keras(folder)
    recovered = run_source(folder)
    rng = np.random.default_rng(3)
    shape = [size or 64 for size in model.input_shape[1:]]
    x = rng.uniform(-1, 1, (2, *shape)).astype("float32")
    expected, actual = model(x).numpy(), recovered(x).numpy()
    scale = float(np.abs(expected).max())
    np.testing.assert_allclose(actual, expected, atol=1e-4 * scale, rtol=0)


@pytest.mark.parametrize(
    "name",
    [
        name if name in FAST else pytest.param(name, marks=pytest.mark.slow)
        for name in BUILDS
    ],
)
def test_weights_of_an_application_are_named_and_wired(
    name: str, tmp_path: Path
) -> None:
    title, build = BUILDS[name]
    model, path = saved(build, tmp_path)
    analysis = analyse(path)
    claim = analysis.family.claim
    assert claim is not None, analysis.family.remarks
    assert str(claim).startswith(title)
    assert (
        claim.net.bound.keys()
        == WeightIndex(analysis.family.model.variables).shapes.keys()
    )
    check_equal(model, analysis, tmp_path / "recovered")


def test_a_width_that_fits_nothing_is_not_claimed(tmp_path: Path) -> None:
    _, path = saved(BUILDS["mobilenet"][1], tmp_path)
    variables = list(analyse(path).family.model.variables)
    place = next(n for n, v in enumerate(variables) if v.name == "conv_pw_5/kernel")
    rows, columns, channels, filters = variables[place].shape or ()
    shape = (rows, columns, channels, (filters or 0) + 1)
    variables[place] = dataclasses.replace(variables[place], shape=shape)
    exact, near = solve(WeightIndex(variables))
    assert not exact
    assert near[0].why_not().startswith("not MobileNet: 1 of 137 do not fit: conv_pw_5")


@pytest.mark.slow
def test_keras_2_names_of_mobilenet_v3(tmp_path: Path) -> None:
    """tf_keras writes ``expanded_conv_1/expand/BatchNorm`` where Keras 3 writes ``expanded_conv_1_expand_bn``."""
    build = tf_keras.applications.MobileNetV3Small
    model = build(weights=None, classes=4, input_shape=SMALL)
    rng = np.random.default_rng(6)
    for weight in model.weights:
        fresh = rng.uniform(0.8, 1.2, weight.shape).astype("float32")
        weight.assign(weight.numpy() * fresh + 0.01 * fresh)
    model.save_weights(tmp_path / "w.h5")
    analysis = analyse(tmp_path / "w.h5")
    claim = analysis.family.claim
    assert claim is not None, analysis.family.remarks
    assert str(claim).startswith("MobileNet v3, small, alpha 1, 4 classes")
    check_equal(model, analysis, tmp_path / "recovered")
