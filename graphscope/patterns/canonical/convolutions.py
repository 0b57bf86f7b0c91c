"""A convolution op as it stands in a canonical form: its attributes, its kernel and its bias."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...graph import Tensor
from ...match import Match, New, Ops, WeightRef, line, op

Source = Tensor | New
LAYOUTS: dict[int, str] = {1: "NWC", 2: "NHWC", 3: "NDHWC"}
"""The data format of channels that come last, by the number of spatial axes."""


def family(axes: int) -> Ops:
    """Where the ops over that many spatial axes are written."""
    return line if axes == 1 else op


def plain_attributes(axes: int) -> dict[str, Any]:
    """A convolution that neither pads, nor takes steps, nor skips."""
    ones = (1,) * (axes + 2)
    plain = {"strides": ones, "padding": "VALID", "dilations": ones}
    return {**plain, "data_format": LAYOUTS[axes]}


def outputs_of(kind: str, kernel: WeightRef) -> int:
    """How many channels a convolution op with that kernel puts out."""
    shape = kernel.shape
    if kind.startswith("Depthwise"):
        return shape[-1] * shape[-2]
    return shape[-2] if "Backprop" in kind else shape[-1]


def in_shape(weight: Source, *shape: int) -> New:
    """A weight in another shape."""
    return New("Reshape", (weight, np.array(shape, np.int64)), shape=shape)


def joined(weights: tuple[Source, ...], rank: int) -> Source:
    """Weights of that rank, one after the other along their last axis."""
    last = np.int32(rank - 1)
    return weights[0] if len(weights) == 1 else New("ConcatV2", (*weights, last))


def with_bias(node: New, match: Match, bias: WeightRef | None, layout: str) -> New:
    """The op, and after it the bias as a vector, where there is one."""
    if bias is None:
        return node
    vector = in_shape(match.read("bias")[0], int(np.prod(bias.shape)))
    wide = "NCHW" if layout.startswith("NC") else "NHWC"
    return New("BiasAdd", (node, vector), {"data_format": wide})
