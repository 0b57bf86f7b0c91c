"""Arithmetic, comparisons and activations, number by number."""

from __future__ import annotations

from functools import partial

import numpy as np

from .....graph import Tensor
from ..call import Call, lowers

_PLAIN = {
    "ABS": "Abs",
    "ADD_N": "AddN",
    "ATAN2": "Atan2",
    "BITCAST": "Bitcast",
    "BITWISE_XOR": "BitwiseXor",
    "CEIL": "Ceil",
    "COMPLEX_ABS": "ComplexAbs",
    "COS": "Cos",
    "ELU": "Elu",
    "EQUAL": "Equal",
    "EXP": "Exp",
    "FLOOR": "Floor",
    "FLOOR_DIV": "FloorDiv",
    "FLOOR_MOD": "FloorMod",
    "GREATER": "Greater",
    "GREATER_EQUAL": "GreaterEqual",
    "IMAG": "Imag",
    "LESS": "Less",
    "LESS_EQUAL": "LessEqual",
    "LOG": "Log",
    "LOGICAL_AND": "LogicalAnd",
    "LOGICAL_NOT": "LogicalNot",
    "LOGICAL_OR": "LogicalOr",
    "LOGISTIC": "Sigmoid",
    "LOG_SOFTMAX": "LogSoftmax",
    "MAXIMUM": "Maximum",
    "MINIMUM": "Minimum",
    "NEG": "Neg",
    "NOT_EQUAL": "NotEqual",
    "POW": "Pow",
    "REAL": "Real",
    "RELU": "Relu",
    "RELU6": "Relu6",
    "RIGHT_SHIFT": "RightShift",
    "ROUND": "Round",
    "RSQRT": "Rsqrt",
    "SIGN": "Sign",
    "SIN": "Sin",
    "SQRT": "Sqrt",
    "SQUARE": "Square",
    "SQUARED_DIFFERENCE": "SquaredDifference",
    "TANH": "Tanh",
    "ZEROS_LIKE": "ZerosLike",
}
_FUSED = {"ADD": "AddV2", "SUB": "Sub", "MUL": "Mul"}


def _plain(op: str, call: Call) -> Tensor:
    return call.op(op, *call.all)


def _fused(op: str, call: Call) -> Tensor:
    return call.activated(call.op(op, _operand(call, 0), _operand(call, 1)))


def _operand(call: Call, slot: int) -> Tensor:
    """An operand; a constant without the leading axes of size one that broadcasting gives it anyway."""
    tensor, other = call.tensor(slot), call.tensor(1 - slot)
    leading = len(tensor.static) - len(np.trim_zeros(np.array(tensor.static) - 1, "f"))
    if not tensor.length or not leading or len(other.static) < len(tensor.static):
        return call[slot]

    def trimmed(values: np.ndarray) -> np.ndarray:
        return values.reshape(values.shape[leading:])

    return call.lowered.read(call.operator.inputs[slot], trimmed)


for _name, _op in _PLAIN.items():
    lowers(_name)(partial(_plain, _op))
for _name, _op in _FUSED.items():
    lowers(_name)(partial(_fused, _op))


@lowers("DIV")
def _divide(call: Call) -> Tensor:
    op = "RealDiv" if call.dtype().startswith("float") else "TruncateDiv"
    return call.activated(call.op(op, _operand(call, 0), _operand(call, 1)))


@lowers("RELU_N1_TO_1")
def _relu_n1_to_1(call: Call) -> Tensor:
    return call.clipped(call[0], -1.0, 1.0)


@lowers("RELU_0_TO_1")
def _relu_0_to_1(call: Call) -> Tensor:
    return call.clipped(call[0], 0.0, 1.0)


@lowers("LEAKY_RELU")
def _leaky_relu(call: Call) -> Tensor:
    return call.op("LeakyRelu", call[0], alpha=call.option("alpha", 0.2))


@lowers("PRELU")
def _prelu(call: Call) -> Tensor:
    """As Keras writes it: ``relu(x) - alpha * relu(-x)``."""
    below = call.op("Relu", call.op("Neg", call[0]))
    scaled = call.op("Mul", call.op("Neg", call[1]), below)
    return call.op("AddV2", call.op("Relu", call[0]), scaled)


@lowers("HARD_SWISH")
def _hard_swish(call: Call) -> Tensor:
    gate = call.op("Relu6", call.op("AddV2", call[0], call.const(3.0, "three")))
    return call.op("Mul", call[0], call.op("Mul", gate, call.const(1 / 6, "sixth")))


@lowers("GELU")
def _gelu(call: Call) -> Tensor:
    x, half = call[0], call.const(0.5, "half")
    if call.option("approximate", False):
        cube = call.op("Pow", x, call.const(3.0, "three"))
        inner = call.op("Mul", cube, call.const(0.044715, "factor"))
        inner = call.op("AddV2", x, inner)
        root = call.const(float(np.sqrt(2 / np.pi)), "root")
        share = call.op("Tanh", call.op("Mul", root, inner))
    else:
        root = call.const(float(np.sqrt(2)), "root")
        share = call.op("Erf", call.op("RealDiv", x, root))
    share = call.op("AddV2", share, call.const(1.0, "one"))
    return call.op("Mul", call.op("Mul", half, x), share)


@lowers("SOFTMAX")
def _softmax(call: Call) -> Tensor:
    beta, x = call.option("beta", 1.0), call[0]
    if beta not in (0.0, 1.0):
        x = call.op("Mul", x, call.const(float(beta), "beta"))
    return call.op("Softmax", x)


@lowers("L2_NORMALIZATION")
def _l2_normalization(call: Call) -> Tensor:
    axis = call.const([-1], "axis")
    total = call.op("Sum", call.op("Square", call[0]), axis, keep_dims=True)
    floor = call.op("Maximum", total, call.const(1e-12, "epsilon"))
    return call.activated(call.op("Mul", call[0], call.op("Rsqrt", floor)))


@lowers("LOCAL_RESPONSE_NORMALIZATION")
def _local_response(call: Call) -> Tensor:
    attrs = {key: call.option(key, 1.0) for key in ("bias", "alpha", "beta")}
    return call.op("LRN", call[0], depth_radius=call.option("radius", 5), **attrs)


@lowers("CAST")
def _cast(call: Call) -> Tensor:
    return call.op("Cast", call[0], DstT=call.dtype())


@lowers("QUANTIZE", "DEQUANTIZE")
def _requantise(call: Call) -> Tensor:
    """Real numbers stay real; half precision becomes single."""
    target, source = call.dtype(), call.lowered.dtype_of(call.tensor(0))
    return call[0] if target == source else call.op("Cast", call[0], DstT=target)


@lowers("FAKE_QUANT")
def _fake_quant(call: Call) -> Tensor:
    names = ("min", "max", "num_bits", "narrow_range")
    attrs = {name: call.option(name) for name in names}
    return call.op("FakeQuantWithMinMaxArgs", call[0], **attrs)
