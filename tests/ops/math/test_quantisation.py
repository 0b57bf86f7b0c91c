"""Quantisation against TensorFlow."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from graphscope import ops
from graphscope.graph import TensorSpec
from tests.ops.oracle import OPS, Case, case, check, floats, known, table

IMAGE = floats(2, 5, 4, 3, low=-8, high=8)
OPS.add("Dequantize")  # whose operand is of no type that numpy has


def simulated(low: float, high: float, **more: object) -> Case:
    return case(
        "FakeQuantWithMinMaxVars",
        inputs=IMAGE,
        min=known(low, "float32"),
        max=known(high, "float32"),
        **more,
    )


def stored(mode: str, low: float, high: float, **more: object) -> tuple[Any, Any]:
    """A line over the numbers of a constant, which Keras holds as plain integers: the op and our text."""
    kind = str(more.pop("kind", "quint8"))
    attrs = {"T": kind, "mode": mode, "axis": -1, "dtype": "float32", **more}
    numbers = np.arange(256, dtype="uint8")
    if kind == "qint8":
        numbers = numbers.view("int8")
    specs = [TensorSpec(kind, (256,)), *[TensorSpec("float32", ())] * 2]
    ends = np.float32(low), np.float32(high)
    call = ops.Call("Dequantize", attrs, specs, [None, *map(np.array, ends)])
    text = ops.keras_text(call, ["x", "low", "high"])
    assert text is not None
    wanted = tf.raw_ops.Dequantize(
        input=tf.bitcast(numbers, tf.as_dtype(kind)),
        min_range=low,
        max_range=high,
        mode=mode,
        **more,
    )
    return eval(text, {"ops": keras.ops, "x": numbers}), wanted


@pytest.mark.parametrize("kind", ["quint8", "qint8"])
@pytest.mark.parametrize("mode", ["MIN_COMBINED", "MIN_FIRST", "SCALED"])
def test_what_is_dequantised_by_a_known_range(mode: str, kind: str) -> None:
    for low, high in ((-1.0, 1.0), (-0.7, 1.3), (0.0, 6.0), (-3.1, 0.2)):
        ours, theirs = stored(mode, low, high, kind=kind)
        np.testing.assert_allclose(ours, theirs, 1e-5, 1e-6, err_msg=f"{low} {high}")


def test_a_narrow_scale() -> None:
    ours, theirs = stored("SCALED", -2.0, 1.0, kind="qint8", narrow_range=True)
    np.testing.assert_allclose(ours, theirs, 1e-5, 1e-6)


LOW, HIGH = np.array(-0.8, "float32"), np.array(0.5, "float32")


@table(
    case(
        "QuantizeAndDequantizeV2",
        input=np.float32([-0.2]),
        input_min=LOW,
        input_max=HIGH,
        signed_input=False,
    ),
    *(
        case(
            "QuantizeAndDequantizeV3",
            input=floats(3, 4),
            input_min=LOW,
            input_max=HIGH,
            num_bits=np.array(5, "int32"),
            **more,
        )
        for more in (
            {},
            {"narrow_range": True, "range_given": True},
            {"signed_input": False, "range_given": True},
        )
    ),
    case(
        "QuantizeAndDequantizeV4Grad",
        gradients=floats(3, 4),
        input=floats(3, 4) * 2,
        input_min=LOW,
        input_max=HIGH,
        expect={"less": True},
    ),
    case(
        "FakeQuantWithMinMaxArgsGradient",
        gradients=floats(2, 3),
        inputs=floats(2, 3) * 8,
    ),
    case(
        "FakeQuantWithMinMaxVarsGradient",
        gradients=floats(9),
        inputs=floats(9) * 3,
        min=np.array(-1.1, "float32"),
        max=np.array(2.0, "float32"),
        expect={"less": True},
    ),
    *(
        case(
            op,
            input=floats(3, 4),
            input_min=np.array(-0.8, "float32"),
            input_max=np.array(0.5, "float32"),
            **more,
        )
        for op in ("QuantizeAndDequantizeV2", "QuantizeAndDequantizeV4")
        for more in (
            {"range_given": True},
            {},
            {"narrow_range": True, "num_bits": 5},
            {"round_mode": "HALF_UP"},
        )
    ),
    case(
        "QuantizeAndDequantizeV2",
        input=floats(3, 4, low=0.0, high=2.0),
        input_min=np.array(0.0, "float32"),
        input_max=np.array(1.5, "float32"),
        signed_input=False,
        range_given=True,
    ),
    case(
        "QuantizeAndDequantizeV3",
        input=floats(3, 4),
        input_min=np.array(-0.8, "float32"),
        input_max=np.array(0.5, "float32"),
        num_bits=known(6),
        range_given=True,
    ),
    case("FakeQuantWithMinMaxArgs", inputs=IMAGE),
    case("FakeQuantWithMinMaxArgs", inputs=IMAGE, min=-1.5, max=3.0, num_bits=4),
    simulated(-1, 1),
    simulated(-3.3, 5.7),
    simulated(0, 6),
    simulated(-0.7, 7, num_bits=5, narrow_range=True),
    case(
        "FakeQuantWithMinMaxVars",
        inputs=IMAGE,
        min=floats(),
        max=floats(low=3, high=4),
        expect={"keras": False},
    ),
    case(
        "FakeQuantWithMinMaxVarsPerChannel",
        inputs=IMAGE,
        min=known([-1, -2, -3], "float32"),
        max=known([1, 2, 3], "float32"),
    ),
    case(
        "QuantizeV2",
        input=IMAGE,
        min_range=known(-2, "float32"),
        max_range=known(2, "float32"),
        T="quint8",
    ),
)
def test_quantisation(row: Case) -> None:
    check(row)
