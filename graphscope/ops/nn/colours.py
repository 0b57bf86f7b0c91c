"""Colours: between RGB and HSV, contrast, hue and saturation."""

from __future__ import annotations

from collections.abc import Callable

from ..registry import Call, define
from ..values.dims import same


def _rgb(h: str, s: str, v: str) -> str:
    """As TensorFlow's kernel has it for any number; elsewhere Keras takes hues modulo 1 (3.15)."""
    return f"""
h = 6.0 * {h}
parts = [ops.abs(h - 3.0) - 1.0, 2.0 - ops.abs(h - 2.0), 2.0 - ops.abs(h - 4.0)]
return (1.0 - {s} + {s} * ops.clip(ops.concatenate(parts, axis=-1), 0.0, 1.0)) * {v}
"""


def _colours_body(call: Call, x: str) -> str | None:
    if call.dtype(0) not in ("float32", "float64"):
        return None
    return _rgb(f"{x}[..., 0:1]", f"{x}[..., 1:2]", f"{x}[..., 2:3]")


def _adjusted(hue: str, saturation: str) -> Callable[[Call, str, str], str | None]:
    def body(call: Call, x: str, change: str) -> str | None:
        if call.dtype(0) != "float32" or call.rank(0) is None:
            return None
        hsv = f'hsv = ops.image.rgb_to_hsv({x}, data_format="channels_last")'
        changed = [text.format(change=change) for text in (hue, saturation)]
        return hsv + _rgb(changed[0], changed[1], "hsv[..., 2:3]")

    return body


define(
    "RGBToHSV",
    shape=same,
    keras='ops.image.rgb_to_hsv({0}, data_format="channels_last")',
)
define("HSVToRGB", shape=same, body=_colours_body)


def _contrast_text(call: Call, x: str, factor: str, *_: str) -> str | None:
    if call.dtype(0) != "float32" or len(call.inputs) != 2:
        return None
    mean = f"ops.mean({x}, axis=(-3, -2), keepdims=True)"
    return (
        f"{mean} + ({x} - {mean}) * {factor}"  # a mean behind might be taken for a bias
    )


define("AdjustContrastv2", shape=same, keras=_contrast_text)
define("AdjustContrast", shape=same)


def _turned_body(call: Call, x: str, delta: str) -> str | None:
    """Between the least and the greatest of the three, as the kernel has it: they may be negative (adjust_hue_op.cc)."""
    if call.dtype(0) != "float32" or call.rank(0) is None:
        return None
    return f"""
hue = ops.image.rgb_to_hsv({x}, data_format="channels_last")[..., 0:1]
low, high = ops.min({x}, axis=-1, keepdims=True), ops.max({x}, axis=-1, keepdims=True)
h = 6.0 * ops.mod(hue + {delta} + 1.0, 1.0)
parts = [ops.abs(h - 3.0) - 1.0, 2.0 - ops.abs(h - 2.0), 2.0 - ops.abs(h - 4.0)]
return low + (high - low) * ops.clip(ops.concatenate(parts, axis=-1), 0.0, 1.0)
"""


define("AdjustHue", shape=same, body=_turned_body)
define(
    "AdjustSaturation",
    shape=same,
    body=_adjusted("hsv[..., 0:1]", "ops.clip(hsv[..., 1:2] * {change}, 0.0, 1.0)"),
)
