"""Arithmetic, comparison, logic and rounding, element by element, with broadcasting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...graph import Shape
from ..registry import Call, Unsaid, define
from ..text import literal
from ..values.dims import adds_in_order, broadcasting, merge, same

_KERAS_DTYPES = frozenset(
    "float16 bfloat16 float32 float64 int8 int16 int32 int64 uint8 uint16 uint32 bool".split()
)


def _unary(
    name: str,
    keras: str | None = None,
    fold: Callable[..., Any] | None = None,
    traits: str = "elementwise",
) -> None:
    define(name, shape=same, keras=keras, fold=fold, traits=traits)


_unary("Abs", "ops.abs({0})", np.abs)
_unary("Neg", "-{0}", np.negative)
_unary("Sign", "ops.sign({0})", np.sign)
_unary("Square", "ops.square({0})", np.square)
_unary("Sqrt", "ops.sqrt({0})", np.sqrt)
_unary("Rsqrt", "ops.rsqrt({0})", lambda x: (1 / np.sqrt(x)).astype(x.dtype))
_unary("Reciprocal", "1.0 / {0}", lambda x: (1 / x).astype(x.dtype))
_unary("Inv", "1.0 / {0}", lambda x: (1 / x).astype(x.dtype))
_unary("Exp", "ops.exp({0})", np.exp)
_unary("Expm1", "ops.expm1({0})", np.expm1)
_unary("Log", "ops.log({0})", np.log)
_unary("Log1p", "ops.log1p({0})", np.log1p)
_unary("Sin", "ops.sin({0})", np.sin)
_unary("Cos", "ops.cos({0})", np.cos)
_unary("Tan", "ops.tan({0})", np.tan)
_unary("Asin", "ops.arcsin({0})", np.arcsin)
_unary("Acos", "ops.arccos({0})", np.arccos)
_unary("Atan", "ops.arctan({0})", np.arctan)
_unary("Sinh", "ops.sinh({0})", np.sinh)
_unary("Cosh", "ops.cosh({0})", np.cosh)
_unary("Asinh", "ops.arcsinh({0})", np.arcsinh)
_unary("Acosh", "ops.arccosh({0})", np.arccosh)
_unary("Atanh", "ops.arctanh({0})", np.arctanh)
_unary("Ceil", "ops.ceil({0})", np.ceil)
_unary("Floor", "ops.floor({0})", np.floor)
define(
    "Round",
    shape=same,
    keras=lambda call, x: (
        f"ops.round({x})" if call.dtype(0).startswith(("float", "bfloat")) else None
    ),  # of whole numbers TensorFlow's kernel makes others
    fold=lambda x: np.rint(x) if x.dtype.kind == "f" else None,
    traits="elementwise",
)
_unary("Rint", "ops.round({0})", np.rint)
_unary("Erf", "ops.erf({0})")
_unary("Erfc", "ops.erfc({0})")
_unary("Erfinv", "ops.erfinv({0})")
_unary("BesselI0", "ops.i0({0})")
_unary("IsNan", "ops.isnan({0})", np.isnan)
_unary("IsInf", "ops.isinf({0})", np.isinf)
_unary("IsFinite", "ops.isfinite({0})", np.isfinite)
_unary("LogicalNot", "ops.logical_not({0})", np.logical_not)
_unary("Invert", "ops.bitwise_not({0})", np.invert)
_unary(
    "ZerosLike",
    "ops.zeros_like({0})",
    lambda x: np.zeros_like(x) if x.dtype != object else None,
    "elementwise shape-only",
)
_unary("OnesLike", "ops.ones_like({0})", np.ones_like, "elementwise shape-only")
_unary("_UnaryOpsComposition")


def _cast_text(call: Call, x: str) -> str | None:
    source, target = call.dtype(0) or call.get("SrcT", ""), call["DstT"]
    if target not in _KERAS_DTYPES or source not in _KERAS_DTYPES:
        return None
    return x if source == target else f"ops.cast({x}, {literal(target)})"


def _cast(x: np.ndarray, *, DstT: str) -> np.ndarray | None:  # noqa: N803
    from ...wire.attrs import numpy_dtype

    dtype = numpy_dtype(DstT)
    # to numpy float64 is equal to None, so None is asked for by identity
    return None if dtype is None or dtype == object else x.astype(dtype)


define("Cast", shape=same, keras=_cast_text, fold=_cast, traits="elementwise")


def _binary(
    *names: str,
    keras: str | Callable[..., str | None] | None = None,
    fold: Callable[..., Any] | None = None,
    traits: str = "",
) -> None:
    traits = f"elementwise {traits}"
    define(*names, shape=broadcasting, keras=keras, fold=fold, traits=traits)


def _operator(symbol: str, function: str) -> Callable[..., str]:
    """``a + b``, but ``ops.add(a, b)`` where ``a`` is an array: numpy would want to convert ``b``."""

    def text(call: Call, a: str, b: str) -> str:
        array = call.value(0)
        if array is not None and array.ndim:
            return f"ops.{function}({a}, {b})"
        return f"{a} {symbol} {b}"

    return text


def _shifted(function: np.ufunc) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """By no more places than there are, and no fewer than none, as TensorFlow's kernel has it."""
    return lambda x, y: function(x, np.clip(y, 0, 8 * x.dtype.itemsize - 1))


def _shift_text(function: str) -> Callable[..., str]:
    """By no more places than TensorFlow shifts: beyond a word's last bit the backends do not agree."""

    def text(call: Call, x: str, places: str) -> str:
        last, known = 8 * np.dtype(call.dtype(0) or "int64").itemsize - 1, call.value(1)
        if known is None or known.min(initial=0) < 0 or known.max(initial=0) > last:
            places = f"ops.clip({places}, 0, {last})"
        return f"ops.{function}({x}, {places})"

    return text


def _add_text(call: Call, a: str, b: str) -> str:
    """``a + b``; the other way round, or as a difference, where Keras would take ``b`` for a bias along another axis."""
    one, other = call.shape(0), call.shape(1)
    plain = _operator("+", "add")
    if adds_in_order(one, other) or call.dtype(0).startswith("uint"):
        return plain(call, a, b)  # what is unsigned has no negative
    if not adds_in_order(other, one) or call.value(1) is not None:
        return f"ops.subtract({a}, -{b})"
    return f"{b} + {a}"


def _trunc_divide(a: np.ndarray, b: np.ndarray) -> np.ndarray | None:
    if a.dtype.kind not in "iu":
        return np.divide(a, b)
    if not np.all(b):
        return None
    return (np.sign(a) * np.sign(b) * (np.abs(a) // np.abs(b))).astype(a.dtype)


def _div_text(call: Call, a: str, b: str) -> str:
    if call.dtype(0).startswith(("int", "uint")):
        return f"ops.sign({a}) * ops.sign({b}) * (ops.abs({a}) // ops.abs({b}))"
    return f"{a} / {b}"


def _floor_divide(a: np.ndarray, b: np.ndarray) -> np.ndarray | None:
    return np.floor_divide(a, b) if a.dtype.kind == "f" or np.all(b) else None


def _mod(a: np.ndarray, b: np.ndarray) -> np.ndarray | None:
    return np.mod(a, b) if a.dtype.kind == "f" or np.all(b) else None


def _truncated_mod(a: np.ndarray, b: np.ndarray) -> np.ndarray | None:
    return np.fmod(a, b) if a.dtype.kind == "f" or np.all(b) else None


def _power(a: np.ndarray, b: np.ndarray) -> np.ndarray | None:
    if a.dtype.kind in "iu" and np.any(b < 0):
        return None
    return np.power(a, b)


def _quiet(keras: str) -> Callable[..., str]:
    """``keras`` where the first input is not 0, else 0, whatever the second holds."""
    return lambda call, a, b: (
        f"ops.where(ops.equal({a}, 0), ops.zeros_like({a} * {b}), {keras.format(a, b)})"
    )


_binary(
    "Add",
    "AddV2",
    keras=_add_text,
    fold=lambda a, b: np.add(a, b),
    traits="commutative",
)
_binary("Sub", keras=_operator("-", "subtract"), fold=np.subtract)
_binary("Mul", keras=_operator("*", "multiply"), fold=np.multiply, traits="commutative")
_binary("RealDiv", keras=_operator("/", "divide"), fold=np.divide)
_binary("Div", keras=_div_text, fold=_trunc_divide)
_binary(
    "TruncateDiv",
    keras=lambda call, a, b: (
        f"ops.trunc({a} / {b})"
        if call.dtype(0).startswith("float")
        else _div_text(call, a, b)
    ),
    fold=lambda a, b: np.trunc(a / b) if a.dtype.kind == "f" else _trunc_divide(a, b),
)
_binary("FloorDiv", keras=_operator("//", "floor_divide"), fold=_floor_divide)
_binary("FloorMod", keras=_operator("%", "mod"), fold=_mod)
_binary("Mod", "TruncateMod", keras="ops.fmod({0}, {1})", fold=_truncated_mod)
_binary("Pow", keras=_operator("**", "power"), fold=_power)
_binary("Maximum", keras="ops.maximum({0}, {1})", fold=np.maximum, traits="commutative")
_binary("Minimum", keras="ops.minimum({0}, {1})", fold=np.minimum, traits="commutative")
_binary(
    "SquaredDifference",
    keras="ops.square({0} - {1})",
    fold=lambda a, b: np.square(a - b),
    traits="commutative",
)
_binary(
    "DivNoNan",
    keras="ops.divide_no_nan({0}, {1})",
    fold=lambda a, b: np.where(b == 0, np.zeros((), a.dtype), a / b),
)
_binary(
    "MulNoNan",
    keras=lambda call, a, b: _quiet("{0} * {1}")(call, b, a),
    fold=lambda a, b: np.where(b == 0, np.zeros((), a.dtype), a * b),
)
_binary(
    "Xdivy",
    keras=_quiet("{0} / {1}"),
    fold=lambda a, b: np.where(a == 0, np.zeros((), a.dtype), a / b),
)
_binary(
    "Xlogy",
    keras=_quiet("{0} * ops.log({1})"),
    fold=lambda a, b: np.where(a == 0, np.zeros((), a.dtype), a * np.log(b)),
)
_binary(
    "Xlog1py",
    keras=_quiet("{0} * ops.log1p({1})"),
    fold=lambda a, b: np.where(a == 0, np.zeros((), a.dtype), a * np.log1p(b)),
)
_binary("Atan2", keras="ops.arctan2({0}, {1})", fold=np.arctan2)
_binary("NextAfter", keras="ops.nextafter({0}, {1})", fold=np.nextafter)
_binary("Less", keras="ops.less({0}, {1})", fold=np.less)
_binary("LessEqual", keras="ops.less_equal({0}, {1})", fold=np.less_equal)
_binary("Greater", keras="ops.greater({0}, {1})", fold=np.greater)
_binary("GreaterEqual", keras="ops.greater_equal({0}, {1})", fold=np.greater_equal)
_binary(
    "LogicalAnd",
    keras="ops.logical_and({0}, {1})",
    fold=np.logical_and,
    traits="commutative",
)
_binary(
    "LogicalOr",
    keras="ops.logical_or({0}, {1})",
    fold=np.logical_or,
    traits="commutative",
)
_binary(
    "BitwiseAnd",
    keras="ops.bitwise_and({0}, {1})",
    fold=np.bitwise_and,
    traits="commutative",
)
_binary(
    "BitwiseOr",
    keras="ops.bitwise_or({0}, {1})",
    fold=np.bitwise_or,
    traits="commutative",
)
_binary(
    "BitwiseXor",
    keras="ops.bitwise_xor({0}, {1})",
    fold=np.bitwise_xor,
    traits="commutative",
)
_binary("LeftShift", keras=_shift_text("left_shift"), fold=_shifted(np.left_shift))
_binary("RightShift", keras=_shift_text("right_shift"), fold=_shifted(np.right_shift))
_binary("IgammaGradA")
_binary("RandomGammaGrad")


def _equal_shape(call: Call) -> tuple[Shape]:
    """Broadcasting; False (a scalar) where the shapes do not broadcast and the node says that this is no error."""
    try:
        return broadcasting(call)
    except Unsaid:
        return ((),) if not call.get("incompatible_shape_error", True) else (None,)


define(
    "Equal",
    shape=_equal_shape,
    keras="ops.equal({0}, {1})",
    fold=np.equal,
    traits="elementwise commutative",
)
define(
    "NotEqual",
    shape=_equal_shape,
    keras="ops.not_equal({0}, {1})",
    fold=np.not_equal,
    traits="elementwise commutative",
)
define(
    "ApproximateEqual",
    shape=broadcasting,
    keras="ops.less(ops.abs({0} - {1}), {tolerance})",
    fold=lambda a, b, *, tolerance: np.abs(a - b) < tolerance,
    traits="elementwise commutative",
)


def _all_alike(call: Call) -> tuple[Shape]:
    shape = call.shape(0)
    for spec in call.inputs[1:]:
        shape = merge(shape, spec.shape)
    return (shape,)


define(
    "AddN",
    shape=_all_alike,
    keras=lambda call, *texts: " + ".join(texts),
    fold=lambda *xs: np.sum(xs, axis=0, dtype=xs[0].dtype),
    traits="elementwise commutative",
)
define(
    "AccumulateNV2",
    shape=lambda call: (merge(_all_alike(call)[0], call.get("shape")),),
    keras=lambda call, *texts: " + ".join(texts),
    traits="elementwise commutative",
)


def _bias_shape(call: Call) -> tuple[Shape]:
    shape, bias = call.shape(0), call.shape(1)
    if shape is None or bias is None or not shape:
        return (shape,)
    axis = 1 if call.get("data_format") == "NCHW" else -1
    channels = list(shape)
    if channels[axis] is None:
        channels[axis] = bias[0]
    return (tuple(channels),)


def _bias_text(call: Call, x: str, bias: str) -> str | None:
    if call.get("data_format", "NHWC") != "NCHW":
        return f"{x} + {bias}"
    rank = call.rank(0)
    if rank is None:
        return None
    shape = (1, -1) + (1,) * (rank - 2)
    sizes, column = call.shape(0), (1, (call.shape(1) or (None,))[0], *shape[2:])
    if not adds_in_order(sizes, column):
        return f"{x} - ops.reshape(-{bias}, {literal(shape)})"
    return f"{x} + ops.reshape({bias}, {literal(shape)})"


def _bias(x: np.ndarray, b: np.ndarray, *, data_format: str) -> np.ndarray:
    tail = x.ndim - 2 if data_format == "NCHW" else 0
    return x + b.reshape(b.shape + (1,) * tail)


define("BiasAdd", shape=_bias_shape, keras=_bias_text, fold=_bias)
define("BiasAddV1", shape=_bias_shape, keras="{0} + {1}", fold=np.add)
