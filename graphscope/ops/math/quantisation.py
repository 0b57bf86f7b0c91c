"""Quantisation: simulated (FakeQuant), to and from integers, and arithmetic on them."""

from __future__ import annotations

import numpy as np

from ...graph import Shape
from ..registry import Call, Unsaid, define
from ..text import literal, tensor_text
from ..values.dims import merge, ranked, same


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


def _simulated_body(call: Call, x: str, low: str, high: str) -> str | None:
    """By a range that is fed, as the kernel has it."""
    if call.dtype(0) != "float32":
        return None
    steps = float(_steps(int(call["num_bits"]), call["narrow_range"]))
    return f"""
step = ({high} - {low}) / {steps}
step = ops.where(step > 0.0, step, 1.0)
zero = ops.clip(ops.floor(0.5 - {low} / step), 0.0, {steps})
least, most = -zero * step, ({steps} - zero) * step
level = (ops.minimum(ops.maximum({x}, least), most) - least) / step
y = ops.floor(level + 0.5) * step + least
return ops.where(ops.logical_and({low} == 0.0, {high} == 0.0), 0.0, y)
"""


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
    body=_simulated_body,
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
    body=_simulated_body,
    fold=_simulate,
)


def _gradient_args_body(call: Call, dy: str, x: str) -> str | None:
    """What lies within the range lets its gradient through."""
    steps = _steps(int(call["num_bits"]), call["narrow_range"])
    least, most, _ = _nudged(float(call["min"]), float(call["max"]), steps)
    within = f"ops.logical_and({x} >= {literal(least + 0.0)}, {x} <= {literal(most)})"
    return f"return ops.where({within}, {dy}, 0.0)"


define(
    "FakeQuantWithMinMaxArgsGradient",
    shape=lambda call: (merge(call.shape(0), call.shape(1)),),
    body=_gradient_args_body,
    traits="elementwise",
)


def _gradient_body(call: Call, dy: str, x: str, low: str, high: str) -> str | None:
    """That of what lies beyond either end of the fed range goes there."""
    if call.dtype(0) != "float32":
        return None
    steps = float(_steps(int(call["num_bits"]), call["narrow_range"]))
    return f"""
step = ({high} - {low}) / {steps}
step = ops.where(step > 0.0, step, 1.0)
zero = ops.clip(ops.floor(0.5 - {low} / step), 0.0, {steps})
least, most = -zero * step, ({steps} - zero) * step
below, above = {x} < least, {x} > most
return (
    ops.where(ops.logical_or(below, above), 0.0, {dy}),
    ops.sum(ops.where(below, {dy}, 0.0)),
    ops.sum(ops.where(above, {dy}, 0.0)),
)
"""


define(
    "FakeQuantWithMinMaxVarsGradient",
    shape=lambda call: (call.shape(0), (), ()),
    body=_gradient_body,
)


def _round_trip_body(call: Call, x: str, low: str, high: str, *bits: str) -> str | None:
    """To whole numbers of a symmetric scale and back (quantize_and_dequantize_op.h); the range is fed, or that of the tensor."""
    dtype, rank = call.dtype(0), call.rank(0)
    if (
        dtype not in ("float32", "float64")
        or rank is None
        or call.get("axis", -1) != -1
    ):
        return None
    ends = (low, high) if call["range_given"] else (f"ops.min({x})", f"ops.max({x})")
    first, last = _ends(call, *bits)
    most = literal(float(np.finfo(dtype).max))
    lines = [f"least, most = {', '.join(ends)}"]
    lines.append(f"scale = ops.where(most > 0.0, {last} / most, {most})")
    lines.append(f"step = most / {last}")
    if first:
        lines.append(f"by_least = ops.where(least < 0.0, {first} / least, {most})")
        lines.append(f"step = ops.where(by_least < scale, least / {first}, step)")
        lines.append("scale = ops.minimum(scale, by_least)")
    if call["range_given"]:
        x = f"ops.clip({x}, {first or '0.0'} * step, {last} * step)"
    level = f"ops.round({x} * scale)"
    if call.get("round_mode") == "HALF_UP":
        level = f"ops.floor({x} * scale + 0.5)"
    return "\n".join([*lines, f"return {level} * step"])


def _ends(call: Call, *bits: str) -> tuple[str, str]:
    """The least and the greatest of the whole numbers, "" for 0."""
    signed, narrow = bool(call["signed_input"]), bool(call.get("narrow_range"))
    count = call.integer(3) if bits else int(call["num_bits"])
    if count is None:
        power = f'2.0 ** (ops.cast({bits[0]}, "{call.dtype(0)}") - {float(signed)})'
        return (
            f"({1.0 if narrow else 0.0} - {power})" if signed else ""
        ), f"({power} - 1.0)"
    first = float(narrow - 2 ** (count - 1))
    return f"{first}" if signed else "", f"{2.0 ** (count - signed) - 1.0}"


def _round_trip_gradient_body(
    call: Call, dy: str, x: str, low: str, high: str
) -> str | None:
    """What lies within the range lets its gradient through; the kernel gives the range none."""
    if call.dtype(0) not in ("float32", "float64") or call.get("axis", -1) != -1:
        return None
    low, high = tensor_text(call, 2, low), tensor_text(call, 3, high)
    return f"""
within = ops.logical_and({x} >= {low}, {x} <= {high})
return ops.where(within, {dy}, 0.0), ops.zeros_like({low}), ops.zeros_like({high})
"""


define(
    "QuantizeAndDequantizeV4Grad",
    shape=lambda call: (
        merge(call.shape(0), call.shape(1)),
        call.shape(2),
        call.shape(3),
    ),
    body=_round_trip_gradient_body,
)
define(
    "QuantizeAndDequantizeV2",
    "QuantizeAndDequantizeV3",
    "QuantizeAndDequantizeV4",
    shape=same,
    body=_round_trip_body,
)
define("QuantizeAndDequantize", shape=same)
_BITS = {"quint8": 8, "qint8": 8, "quint16": 16, "qint16": 16}


def _line(
    low: np.ndarray, high: np.ndarray, dtype: str, mode: str, is_narrow: bool
) -> tuple[float, float]:
    """Slope and height of the line that gives the numbers back from their levels, as the mode tells (dequantize_op.cc).

    Raises Unsaid for more than one range, an empty one, and levels of a type that has none.
    """
    bits = _BITS.get(dtype)
    if bits is None or low.size != 1 or high.size != 1:
        raise Unsaid(f"levels of {dtype} over {low.size} ranges")
    steps, is_signed = 2**bits - 1, dtype.startswith("qi")
    start, end = float(low.reshape(())), float(high.reshape(()))
    first = -(2 ** (bits - 1)) if is_signed else 0
    if mode == "SCALED":
        slope = _symmetric(
            start, end, first + bool(is_narrow and is_signed), first + steps
        )
        height = 0.0
    else:
        slope = float(np.float32((end - start) / steps))
        if mode == "MIN_FIRST" and slope:
            start = _whole_steps(start, slope)
        height = start - first * slope
    if not slope:
        raise Unsaid(f"the range {start} to {end} is empty")
    return float(np.float32(slope)), float(np.float32(height))


def _dequantised_text(call: Call, x: str, low: str, high: str) -> str | None:
    """A line over a known range."""
    least, most = call.value(1), call.value(2)
    if least is None or most is None:
        return None
    if call["axis"] != -1 or call["dtype"] != "float32":
        return None
    slope, height = _line(
        least, most, call.dtype(0), call["mode"], call["narrow_range"]
    )
    return f'ops.cast({x}, "float32") * {literal(slope)}{_added(height)}'


def _dequantise(
    x: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    *,
    T: str,
    mode: str,
    narrow_range: bool,
    axis: int,
    dtype: str,
) -> np.ndarray | None:
    if axis != -1 or dtype != "float32":
        return None
    slope, height = map(np.float32, _line(low, high, T, mode, narrow_range))
    return np.asarray(x.astype(np.float32) * slope + height)


def _symmetric(low: float, high: float, first: int, last: int) -> float:
    """The one factor of a scale around 0."""
    return high / last if not first else max(low / first, high / last)


def _whole_steps(start: float, step: float) -> float:
    """The start of a range moved to a whole number of steps, in float32 and halves away from 0 as in C."""
    count = float(np.float32(start) / np.float32(step))
    return float(np.copysign(np.floor(abs(count) + 0.5), count)) * step


define("Dequantize", shape=same, keras=_dequantised_text, fold=_dequantise)
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
