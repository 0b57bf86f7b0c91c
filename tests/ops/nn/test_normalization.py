"""Normalization against TensorFlow."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from graphscope import ops
from graphscope.graph import TensorSpec
from tests.ops.oracle import (
    BLURS,
    Case,
    build,
    case,
    check,
    check_body,
    floats,
    known,
    run,
    table,
)

IMAGE = floats(2, 5, 4, 3)
MEAN, VARIANCE, GAMMA, BETA = floats(3), floats(3, low=0.5), floats(3), floats(3)
EMPTY = known([], "float32")


def fused(op: str, training: bool, **more: Any) -> Case:
    mean, variance = (EMPTY, EMPTY) if training else (MEAN, VARIANCE)
    return case(
        op,
        x=IMAGE,
        scale=GAMMA,
        offset=BETA,
        mean=mean,
        variance=variance,
        epsilon=0.01,
        is_training=training,
        expect={"tolerance": 1e-4},
        **more,
    )


@table(
    fused("FusedBatchNorm", False),
    fused("FusedBatchNormV2", False),
    fused("FusedBatchNormV3", False),
    fused("FusedBatchNormV3", True),
    case(
        "FusedBatchNormV3",
        x=floats(2, 3, 5, 4),
        scale=GAMMA,
        offset=BETA,
        mean=MEAN,
        variance=VARIANCE,
        is_training=False,
        data_format="NCHW",
        expect={"runs": False},
    ),
    case("LRN", input=floats(2, 4, 4, 9)),
)
def test_normalization(row: Case) -> None:
    check(row)


def test_known_statistics_are_outputs_of_a_body() -> None:
    row = fused("FusedBatchNormV3", False)
    row.arguments["mean"] = known(MEAN, "float32")
    built = build(row, BLURS["all known"])
    check_body(row, built, run(row, built))


def test_the_oldest_batch_normalization_has_a_text() -> None:
    """TensorFlow no longer imports it (GraphDef version 9), so Keras computes both sides."""
    attrs = {"variance_epsilon": 0.5, "scale_after_normalization": True}
    specs = [TensorSpec("float32", IMAGE.shape), *[TensorSpec("float32", (3,))] * 4]
    call = ops.Call("BatchNormWithGlobalNormalization", attrs, specs, [None] * 5)
    assert ops.shapes(call, 1) == (IMAGE.shape,)
    text = ops.keras_text(call, ["x", "mean", "variance", "beta", "gamma"])
    assert text is not None
    names = dict(x=IMAGE, mean=MEAN, variance=VARIANCE, beta=BETA, gamma=GAMMA)
    found = eval(text, {"ops": keras.ops, **names})
    wanted = (IMAGE - MEAN) / np.sqrt(VARIANCE + 0.5) * GAMMA + BETA
    np.testing.assert_allclose(found, wanted, 1e-4, 1e-4)
