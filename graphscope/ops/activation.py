"""Activations and their like: elementwise, one input."""

from __future__ import annotations

import numpy as np

from .dims import same
from .registry import define

define(
    "Relu",
    shape=same,
    keras="ops.relu({0})",
    fold=lambda x: np.maximum(x, np.zeros((), x.dtype)),
    traits="elementwise activation",
)
define(
    "Relu6",
    shape=same,
    keras="ops.relu6({0})",
    fold=lambda x: np.clip(x, 0, 6).astype(x.dtype),
    traits="elementwise activation",
)
define(
    "LeakyRelu",
    shape=same,
    keras="ops.leaky_relu({0}, {alpha})",
    fold=lambda x, *, alpha: np.where(x > 0, x, x * x.dtype.type(alpha)),
    traits="elementwise activation",
)
