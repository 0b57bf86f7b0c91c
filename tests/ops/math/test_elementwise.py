"""Arithmetic, comparison, logic and rounding against TensorFlow."""

from __future__ import annotations

import numpy as np

from tests.ops.oracle import Case, bools, case, check, floats, ints, known, table

X, POSITIVE, UNIT = floats(2, 3, 4), floats(2, 3, 4, low=0.1), floats(2, 3, 4) / 2.5
A, B, ROW, COLUMN = floats(2, 3), floats(2, 3), floats(3), floats(2, 1)
I, J, NATURAL = ints(4, 5), ints(4, 5, low=1), ints(4, 5, low=0)
HOLES = np.array([[0.0, 1.0, -2.0], [3.0, 0.0, 0.0]], np.float32)


@table(
    *(
        case(op, x=X)
        for op in "Abs Neg Sign Square Exp Expm1 Sin Cos Tan Atan Sinh Cosh Asinh Ceil Floor Rint"
        " Erf Erfc BesselI0 IsNan IsInf IsFinite Reciprocal Inv ZerosLike OnesLike".split()
    ),
    *(case(op, x=POSITIVE) for op in "Sqrt Rsqrt Log Log1p Lgamma Digamma".split()),
    *(case(op, x=UNIT) for op in "Asin Acos Atanh Erfinv Ndtri".split()),
    case("Acosh", x=POSITIVE + 1),
    case(
        "Round",
        x=np.array([-3, 0, 7], np.int32),
        expect={"keras": False, "fold": False},
    ),
    case("Round", x=np.array([-1.5, -0.5, 0.5, 1.5, 2.5, 2.4], np.float32)),
    case("Abs", x=I),
    case("Neg", x=I),
    case("Sign", x=I),
    case("Square", x=I),
    case("ZerosLike", x=I),
    case("Invert", x=I),
    case("LogicalNot", x=bools(3, 2)),
    case("IsNan", x=np.array([np.nan, 1, np.inf], np.float32)),
)
def test_unary(row: Case) -> None:
    check(row)


@table(
    case("Cast", x=X * 5, DstT=np.int32),
    case("Cast", x=X, DstT=np.bool_),
    case("Cast", x=X, DstT=np.float16),
    case("Cast", x=X, DstT=np.float32),
    case("Cast", x=I, DstT=np.float32),
    case("Cast", x=I, DstT=np.int64),
    case("Cast", x=I, DstT=np.float64),
    case("Cast", x=bools(3), DstT=np.float32),
    case("Cast", x=X, DstT=np.complex64, expect={"keras": False}),
)
def test_cast(row: Case) -> None:
    check(row)


@table(
    *(
        case(op, x=left, y=right)
        for op in (
            "Add",
            "AddV2",
            "Sub",
            "Mul",
            "RealDiv",
            "Maximum",
            "Minimum",
            "SquaredDifference",
        )
        for left, right in ((A, B), (A, ROW), (COLUMN, ROW), (A, known(2.0, "float32")))
    ),
    case("Sub", x=known([1, 2, 3], "float32"), y=A),
    case("RealDiv", x=known(1.0, "float32"), y=POSITIVE),
    *(
        case(op, x=I, y=J)
        for op in (
            "Add",
            "Sub",
            "Mul",
            "Div",
            "FloorDiv",
            "FloorMod",
            "TruncateDiv",
            "Maximum",
        )
    ),
    case("Mod", x=I, y=J),
    case("TruncateMod", x=I, y=J),
    case("TruncateDiv", x=A, y=floats(2, 3, low=0.5)),
    case("Div", x=A, y=POSITIVE[0, :2, :3] if False else floats(2, 3, low=0.5)),
    case("FloorDiv", x=A, y=floats(2, 3, low=0.5)),
    case("FloorMod", x=A, y=floats(2, 3, low=0.5)),
    case("Mod", x=A, y=floats(2, 3, low=0.5)),
    case("Pow", x=POSITIVE, y=floats(4)),
    case("Pow", x=NATURAL, y=known(2)),
    case("Atan2", y=A, x=B),
    case("DivNoNan", x=A, y=HOLES),
    case("MulNoNan", x=A, y=HOLES),
    case("Xdivy", x=HOLES, y=HOLES),
    case("Xlogy", x=HOLES, y=np.abs(HOLES)),
    case("Xlog1py", x=HOLES, y=np.abs(HOLES)),
    case("NextAfter", x1=A, x2=B),
    *(
        case(op, x=I, y=J)
        for op in ("Less", "LessEqual", "Greater", "GreaterEqual", "Equal", "NotEqual")
    ),
    case(
        "Equal",
        x=ints(2, 3),
        y=ints(4),
        incompatible_shape_error=False,
        expect={"keras": False, "fold": False, "runs": False},
    ),
    case("LogicalAnd", x=bools(3, 4), y=bools(4)),
    case("LogicalOr", x=bools(3, 4), y=bools(4)),
    case("BitwiseAnd", x=I, y=J),
    case("BitwiseOr", x=I, y=J),
    case("BitwiseXor", x=I, y=J),
    case("LeftShift", x=NATURAL, y=known(2)),
    case("LeftShift", x=NATURAL, y=known(33)),
    case("RightShift", x=-NATURAL, y=NATURAL * 20),
    case("RightShift", x=NATURAL, y=known(2)),
    case("ApproximateEqual", x=A, y=A + 1e-6),
    case("Igamma", a=floats(3, low=0.5), x=floats(3, low=0.5)),
    case("Complex", real=A, imag=B),
)
def test_binary(row: Case) -> None:
    check(row)


@table(
    case("AddN", inputs=[A, B, A]),
    case("AddN", inputs=[A]),
    case("BiasAdd", value=floats(2, 4, 4, 3), bias=floats(3)),
    case("BiasAdd", value=floats(2, 3, 4, 4), bias=floats(3), data_format="NCHW"),
    case("BiasAdd", value=floats(2, 3, 4), bias=floats(3), data_format="NCHW"),
    case("BiasAdd", value=floats(2, 3), bias=known([1, 2, 3], "float32")),
    case("AccumulateNV2", inputs=[A, B], shape=(2, 3), expect={"runs": False}),
)
def test_sums(row: Case) -> None:
    check(row)
