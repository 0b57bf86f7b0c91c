"""Which axis of a kernel holds the channels that an op puts out: what scales and biases run along."""

from __future__ import annotations

import numpy as np

from ...graph import Graph

_AXES = {"Conv2D": 3, "Conv3D": 4, "Conv2DBackpropInput": 2, "Conv3DBackpropInputV2": 3}
KERNEL_SLOT = {
    "Conv2D": 1,
    "Conv3D": 1,
    "DepthwiseConv2dNative": 1,
    "MatMul": 1,
    "Conv2DBackpropInput": 1,
    "Conv3DBackpropInputV2": 1,
}


def output_axes(graph: Graph, op_node: str, rank: int) -> tuple[int, ...] | None:
    """The axes of the kernel that together are the op's output channels; None for an op that has no kernel."""
    op = graph.op(op_node)
    if op == "DepthwiseConv2dNative" and rank == 4:
        return (2, 3)
    if op == "MatMul" and rank == 2:
        return (0,) if graph.attrs(op_node).get("transpose_b") else (1,)
    axis = _AXES.get(op)
    return (axis,) if axis is not None and axis < rank else None


def along(
    values: np.ndarray, shape: tuple[int, ...], axes: tuple[int, ...]
) -> np.ndarray:
    """A vector of one value a channel, shaped so that it broadcasts over a kernel of this shape."""
    wide = tuple(size if axis in axes else 1 for axis, size in enumerate(shape))
    return values.reshape(wide)


def is_channels_first(graph: Graph, op_node: str) -> bool:
    """Whether the op's activations have their channels before their spatial axes."""
    return str(graph.attrs(op_node).get("data_format") or "NHWC").startswith("NC")
