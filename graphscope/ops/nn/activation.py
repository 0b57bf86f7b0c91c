"""Activations: elementwise functions of one input, softmax, and their gradients."""

from __future__ import annotations

import numpy as np

from ...graph import Shape
from ..registry import Call, define
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
    keras="ops.relu6({0})",
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


for _gradient in (
    "ReluGrad",
    "Relu6Grad",
    "LeakyReluGrad",
    "EluGrad",
    "SeluGrad",
    "SigmoidGrad",
    "TanhGrad",
    "SoftplusGrad",
    "SoftsignGrad",
    "SqrtGrad",
    "RsqrtGrad",
    "ReciprocalGrad",
    "InvGrad",
):
    define(_gradient, shape=_either, traits="elementwise")
