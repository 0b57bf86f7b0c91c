"""Colours against TensorFlow's kernels, inside and outside of what is a colour."""

from __future__ import annotations

import numpy as np

from tests.ops.oracle import Case, case, check, floats, table

COLOURS, ANY = floats(2, 3, 4, 3, low=0, high=1), floats(2, 3, 3)


@table(
    case("RGBToHSV", images=COLOURS),
    case("HSVToRGB", images=COLOURS),
    case("HSVToRGB", images=ANY),
    case("AdjustContrastv2", images=COLOURS, contrast_factor=np.array(0.7, "float32")),
    case("AdjustHue", images=COLOURS, delta=np.array(0.3, "float32")),
    case("AdjustHue", images=COLOURS, delta=np.array(-0.9, "float32")),
    case("AdjustSaturation", images=COLOURS, scale=np.array(1.7, "float32")),
)
def test_colours(row: Case) -> None:
    check(row)
