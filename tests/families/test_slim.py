"""slim's nets from their checkpoints alone, against the graphs that tf_slim builds."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from graphscope import analyse
from graphscope.verify.run.keras_source import run_source
from tests.architectures.legacy import slim, tensorflow_1  # before tf_slim's own nets

inception, resnet_v1, resnet_v2, vgg = (
    importlib.import_module(f"tf_slim.nets.{name}")
    for name in ("inception", "resnet_v1", "resnet_v2", "vgg")
)

v1 = tf.compat.v1
Net = Callable[[Any], Any]


def resnet(module: Any, name: str) -> Net:
    def build(x: Any) -> Any:
        with slim.arg_scope(module.resnet_arg_scope()):
            return getattr(module, name)(x, num_classes=7, is_training=False)[0]

    return build


def inception_v1(x: Any) -> Any:
    with slim.arg_scope(inception.inception_v3_arg_scope()):
        return inception.inception_v1(x, num_classes=9, is_training=False)[0]


def vgg_a(x: Any) -> Any:
    with slim.arg_scope(vgg.vgg_arg_scope()):
        return vgg.vgg_a(x, num_classes=5, is_training=False)[0]


SLIM: dict[str, tuple[Net, int, str]] = {
    "resnet_v1_50": (
        resnet(resnet_v1, "resnet_v1_50"),
        97,
        "ResNet v1 (slim), 50 layers, 7 classes",
    ),
    "resnet_v2_50": (
        resnet(resnet_v2, "resnet_v2_50"),
        96,
        "ResNet v2 (slim), 50 layers, 7 classes",
    ),
    "inception_v1": (inception_v1, 224, "Inception v1 (slim)"),
    "vgg_a": (vgg_a, 224, "VGG (slim), 11 layers, 5 classes"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SLIM)
def test_a_net_of_slim_is_named_and_equal(name: str, tmp_path: Path) -> None:
    build, side, title = SLIM[name]
    rng = np.random.default_rng(2)
    image = rng.uniform(-1, 1, (2, side, side, 3)).astype("float32")
    with tensorflow_1(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [None, side, side, 3])
        output = build(x)
        session.run(v1.global_variables_initializer())
        for variable in v1.global_variables():
            if "BatchNorm" in variable.op.name:
                fresh = rng.uniform(0.7, 1.3, variable.shape.as_list())
                session.run(variable.assign(fresh))
        saver = v1.train.Saver()
        path = saver.save(session, str(tmp_path / "m"), write_meta_graph=False)
        expected = session.run(output, {x: image})
    analysis = analyse(path)
    claim = analysis.family.claim
    assert claim is not None, analysis.family.remarks
    assert str(claim).startswith(title)
    analysis.write_keras(tmp_path / "keras")
    actual = np.asarray(run_source(tmp_path / "keras")(image))
    scale = float(np.abs(expected).max())
    np.testing.assert_allclose(
        actual.reshape(expected.shape), expected, atol=1e-4 * scale
    )
