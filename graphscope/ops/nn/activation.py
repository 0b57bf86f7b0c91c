"""Activations: elementwise functions of one input, softmax, and their gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...graph import Shape
from ..registry import Call, define
from ..text import literal
from ..values.dims import merge, same

_ACTIVATION = "elementwise activation"


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return (1 / (1 + np.exp(-x))).astype(x.dtype)


def _softmax(x: np.ndarray) -> np.ndarray:
    powers = np.exp(x - x.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


define(
    "Relu",
    shape=same,
    keras="ops.relu({0})",
    fold=lambda x: np.maximum(x, np.zeros((), x.dtype)),
    traits=_ACTIVATION,
)
define(
    "Relu6",
    shape=same,
    keras=lambda call, x: (  # JAX's answer to whole numbers is real
        f"ops.clip({x}, 0, 6)" if "int" in call.dtype(0) else f"ops.relu6({x})"
    ),
    fold=lambda x: np.clip(x, 0, 6).astype(x.dtype),
    traits=_ACTIVATION,
)
define(
    "LeakyRelu",
    shape=same,
    keras="ops.leaky_relu({0}, {alpha})",
    fold=lambda x, *, alpha: np.where(x > 0, x, x * x.dtype.type(alpha)),
    traits=_ACTIVATION,
)
define(
    "Elu",
    shape=same,
    keras="ops.elu({0})",
    fold=lambda x: np.where(x > 0, x, np.expm1(x)),
    traits=_ACTIVATION,
)
define("Selu", shape=same, keras="ops.selu({0})", traits=_ACTIVATION)
define(
    "Sigmoid",
    shape=same,
    keras="ops.sigmoid({0})",
    fold=_sigmoid,
    traits=_ACTIVATION,
)
define(
    "Tanh",
    shape=same,
    keras="ops.tanh({0})",
    fold=np.tanh,
    traits=_ACTIVATION,
)
define(
    "Softplus",
    shape=same,
    keras="ops.softplus({0})",
    fold=lambda x: np.logaddexp(x, np.zeros((), x.dtype)),
    traits=_ACTIVATION,
)
define(
    "Softsign",
    shape=same,
    keras="ops.softsign({0})",
    fold=lambda x: x / (1 + np.abs(x)),
    traits=_ACTIVATION,
)
define(
    "Softmax",
    shape=same,
    keras="ops.softmax({0}, axis=-1)",
    fold=_softmax,
    traits="activation",
)
define(
    "LogSoftmax",
    shape=same,
    keras="ops.log_softmax({0}, axis=-1)",
    fold=lambda x: np.log(_softmax(x)),
    traits="activation",
)


def _either(call: Call) -> tuple[Shape]:
    return (merge(call.shape(0), call.shape(1)),)


_SELU = (1.0507009873554805, 1.7580993408473766)  # the scale, and that times alpha
_GRADIENTS: dict[str, tuple[str, Callable[..., Any]]] = {
    # of what comes down and the input, or of the output and what comes down
    "ReluGrad": (
        "ops.where({1} > 0.0, {0}, 0.0)",
        lambda dy, x: np.where(x > 0, dy, np.zeros((), dy.dtype)),
    ),
    "Relu6Grad": (
        "ops.where(ops.logical_and({1} > 0.0, {1} < 6.0), {0}, 0.0)",
        lambda dy, x: np.where((x > 0) & (x < 6), dy, np.zeros((), dy.dtype)),
    ),
    "LeakyReluGrad": (
        "ops.where({1} > 0.0, {0}, {0} * {alpha})",
        lambda dy, x, *, alpha: np.where(x > 0, dy, dy * dy.dtype.type(alpha)),
    ),
    "EluGrad": (
        "ops.where({1} < 0.0, {0} * ({1} + 1.0), {0})",
        lambda dy, y: np.where(y < 0, dy * (y + 1), dy),
    ),
    "SeluGrad": (
        f"ops.where({{1}} < 0.0, {{0}} * ({{1}} + {_SELU[1]}), {{0}} * {_SELU[0]})",
        lambda dy, y: (dy * np.where(y < 0, y + _SELU[1], _SELU[0])).astype(dy.dtype),
    ),
    "SoftplusGrad": (
        "{0} * ops.sigmoid({1})",
        lambda dy, x: dy * _sigmoid(x),
    ),
    "SoftsignGrad": (
        "{0} / ops.square(1.0 + ops.abs({1}))",
        lambda dy, x: dy / np.square(1 + np.abs(x)),
    ),
    "SigmoidGrad": ("{1} * {0} * (1.0 - {0})", lambda y, dy: dy * y * (1 - y)),
    "TanhGrad": ("{1} * (1.0 - ops.square({0}))", lambda y, dy: dy * (1 - y * y)),
    "SqrtGrad": ("0.5 * {1} / {0}", lambda y, dy: dy / (2 * y)),
    "RsqrtGrad": (
        "-0.5 * {1} * {0} * ops.square({0})",
        lambda y, dy: dy * y * y * y / -2,
    ),
    "ReciprocalGrad": ("-{1} * ops.square({0})", lambda y, dy: -dy * y * y),
    "InvGrad": ("-{1} * ops.square({0})", lambda y, dy: -dy * y * y),
}


def _gradient_text(template: str) -> Callable[..., str | None]:
    def text(call: Call, a: str, b: str) -> str | None:
        if not call.dtype(0).startswith("float"):
            if call.op not in ("ReluGrad", "Relu6Grad"):
                return None
            zeros = template.replace(" 0.0)", " ops.zeros_like({0}))")
            return zeros.replace(".0", "").format(a, b)
        return template.replace("{alpha}", literal(call.get("alpha", 0.2))).format(a, b)

    return text


for _name, (_text, _fold) in _GRADIENTS.items():
    define(
        _name,
        shape=_either,
        keras=_gradient_text(_text),
        fold=_fold,
        traits="elementwise",
    )
