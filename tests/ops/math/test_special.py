"""Special functions against TensorFlow's kernels, small and large arguments, poles and what lies outside."""

from __future__ import annotations

import numpy as np

from tests.ops.oracle import Case, case, check, floats, table

LOOSE = {"tolerance": 1e-4}
ANY = np.float32(
    [-7.3, -2.5, -1.5, -0.4, 0.1, 0.7, 1.0, 2.0, 3.3, 9.5, 24.0, 26.0, 80.0]
)
ABOVE = np.float32([0.05, 0.3, 0.9, 1.0, 2.2, 5.0, 12.0, 19.0, 24.9, 25.1, 60.0])
PARTS = np.float32([0.001, 0.02, 0.3, 0.5, 0.75, 0.97])
A, B = floats(40, low=0.1, high=20.0), floats(40, low=0.1, high=20.0)
HALF = floats(5, low=0.2, high=3.0).astype(np.float16)
SINGLE = (
    "BesselI0e BesselI1e BesselJ0 BesselJ1 Dawsn FresnelCos FresnelSin Lgamma Digamma"
).split()
POSITIVE = (
    "BesselK0 BesselK0e BesselK1 BesselK1e BesselY0 BesselY1 Expint Spence"
).split()


@table(
    *(case(op, x=ANY, expect=LOOSE) for op in SINGLE),
    *(case(op, x=ABOVE, expect=LOOSE) for op in POSITIVE),
    *(case(op, x=np.float32([0.0, -1.0]), expect=LOOSE) for op in POSITIVE[:-1]),
    case("BesselI0", x=floats(9, low=-9, high=9), expect=LOOSE),
    case("BesselI1", x=floats(9, low=-9, high=9), expect=LOOSE),
    case("Lgamma", x=np.float32([0.0, -1.0, -3.0, 1e-4, 300.0]), expect=LOOSE),
    case("Digamma", x=HALF, expect={"tolerance": 5e-3}),
    case("Ndtri", x=PARTS, expect=LOOSE),
    case("Igamma", a=A, x=B, expect=LOOSE),
    case("Igamma", a=np.float32([1.0, 2.0, -1.0]), x=np.float32([0.0, -1.0, 1.0]), expect=LOOSE),
    case("Igammac", a=A, x=B, expect=LOOSE),
    case("Zeta", x=1.1 + A, q=B, expect=LOOSE),
    case("Zeta", x=np.float32([1.0, 0.5]), q=np.float32([2.0, 2.0]), expect=LOOSE),
    case("Polygamma", a=np.float32([0, 1, 2, 3, 4]), x=floats(5, low=0.3, high=8.0), expect=LOOSE),
    case("Polygamma", a=np.float32([0.5, -1.5, -1.0, 2.0]), x=np.float32([0.3, 1.0, 2.0, -0.4]), expect=LOOSE),
    case("Betainc", a=A, b=B, x=floats(40, low=0.0, high=1.0), expect=LOOSE),
    case("Betainc", a=A[:4], b=B[:4], x=np.float32([0.0, 1.0, 0.5, 2.0]), expect=LOOSE),
)  # fmt: skip
def test_special(row: Case) -> None:
    check(row)
