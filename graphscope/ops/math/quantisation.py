"""Quantisation: simulated (FakeQuant), to and from integers, and arithmetic on them."""

from __future__ import annotations

import numpy as np

from ...graph import Shape
from ..registry import Call, Unsaid, define
from ..text import literal
from ..values.dims import ranked, same


def _nudged(low: float, high: float, steps: int) -> tuple[float, float, float]:
    """The range moved so that 0 is one of its values: least, most and step, as TensorFlow's kernel has them."""
    if not low < high:
        raise Unsaid(f"the range {low} to {high} is empty")
    one = np.float32
    scale = (one(high) - one(low)) / one(steps)
    zero = one(0) - one(low) / scale
    point = one(np.clip(np.floor(zero + one(0.5)), 0, steps))
    return float(-point * scale), float((one(steps) - point) * scale), float(scale)


def _steps(num_bits: int, narrow_range: bool) -> int:
    return int(2**num_bits - 1 - bool(narrow_range))


def _simulated(call: Call, x: str, low: float, high: float) -> str:
    steps = _steps(int(call["num_bits"]), call["narrow_range"])
    least, most, scale = _nudged(low, high, steps)
    clipped = f"ops.clip({x}, {literal(least + 0.0)}, {literal(most)})"
    before, after = _added(-least), _added(least)
    shifted = f"({clipped}{before})" if before else clipped
    level = f"ops.floor({shifted} / {literal(scale)} + 0.5)"
    return f"{level} * {literal(scale)}{after}"


def _added(number: float) -> str:
    if not number:
        return ""
    return f" {'-' if number < 0 else '+'} {literal(abs(number))}"


def _simulated_by_inputs(call: Call, x: str, low: str, high: str) -> str | None:
    least, most = call.value(1), call.value(2)
    if least is None or most is None or least.size != 1 or most.size != 1:
        return None
    return _simulated(call, x, float(least.reshape(())), float(most.reshape(())))


def _simulate(
    x: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    *,
    num_bits: int,
    narrow_range: bool,
) -> np.ndarray:
    """As the kernel has it (fake_quant_ops_functor.h), for one range or one for each entry of the last axis."""
    steps = _steps(num_bits, narrow_range)
    pairs = zip(low.reshape(-1).tolist(), high.reshape(-1).tolist(), strict=True)
    nudged = [_nudged(*pair, steps) if any(pair) else (0.0, 0.0, 1.0) for pair in pairs]
    least, most, scale = np.array(nudged, np.float32).T.reshape(3, *low.shape)
    level = (np.clip(x, least, most) - least) * (np.float32(1) / scale)
    return np.floor(level + np.float32(0.5)) * scale + least


define(
    "FakeQuantWithMinMaxArgs",
    shape=same,
    keras=lambda call, x: _simulated(call, x, call["min"], call["max"]),
)
define(
    "FakeQuantWithMinMaxVars",
    shape=same,
    keras=_simulated_by_inputs,
    fold=_simulate,
)


def _simulated_by_channel(call: Call, x: str, low: str, high: str) -> str | None:
    least, most = call.value(1), call.value(2)
    if least is None or most is None or least.size > 16 or least.shape != most.shape:
        return None
    steps = _steps(int(call["num_bits"]), call["narrow_range"])
    pairs = zip(least.tolist(), most.tolist(), strict=True)
    nudged = [_nudged(*pair, steps) if any(pair) else (0.0, 0.0, 1.0) for pair in pairs]
    bottom, top, scale = (
        f'ops.array({literal([n + 0.0 for n in row])}, "float32")'
        for row in zip(*nudged)
    )
    clipped = f"ops.minimum(ops.maximum({x}, {bottom}), {top})"
    return f"ops.floor(({clipped} - {bottom}) / {scale} + 0.5) * {scale} + {bottom}"


define(
    "FakeQuantWithMinMaxVarsPerChannel",
    shape=same,
    keras=_simulated_by_channel,
    fold=_simulate,
)
define(
    "QuantizeAndDequantize",
    "QuantizeAndDequantizeV2",
    "QuantizeAndDequantizeV3",
    "QuantizeAndDequantizeV4",
    shape=same,
)
define(
    "FakeQuantWithMinMaxVarsGradient",
    shape=lambda call: (call.shape(0), (), ()),
)
define(
    "Dequantize",
    shape=same,
)
define(
    "QuantizeV2",
    "Requantize",
    "QuantizedRelu",
    "QuantizedRelu6",
    "QuantizedReluX",
    "QuantizeDownAndShrinkRange",
    shape=lambda call: (call.shape(0), (), ()),
)
define("RequantizationRange", shape=lambda call: ((), ()))


def _quantised_product(call: Call) -> tuple[Shape, ...]:
    left, right = ranked(call.shape(0), 2), ranked(call.shape(1), 2)
    rows = left[1] if call.get("transpose_a") else left[0]
    columns = right[0] if call.get("transpose_b") else right[1]
    return (rows, columns), (), ()


define("QuantizedMatMul", shape=_quantised_product)
define("QuantizedBiasAdd", shape=lambda call: (call.shape(0), (), ()))
