"""Convolutions and matrix products: kernels lie output channel first in TensorFlow Lite, last in TensorFlow."""

from __future__ import annotations

import numpy as np

from .....graph import Tensor
from ..call import Call, lowers


def _hwio(kernel: np.ndarray) -> np.ndarray:
    return kernel.transpose(1, 2, 3, 0)


def _hwoi(kernel: np.ndarray) -> np.ndarray:
    return kernel.transpose(1, 2, 0, 3)


def _transposed(kernel: np.ndarray) -> np.ndarray:
    return kernel.T


def _windows(call: Call) -> dict[str, object]:
    """Strides, dilations and padding of two spatial axes."""
    strides = (1, call.option("stride_h", 1), call.option("stride_w", 1), 1)
    rates = [max(1, call.option(f"dilation_{a}_factor", 1)) for a in "hw"]
    padding = call.option("padding", "VALID")
    return {"strides": strides, "dilations": (1, *rates, 1), "padding": padding}


def _finished(call: Call, x: Tensor, slot: int = 2) -> Tensor:
    """Bias and fused activation."""
    if call.has(slot):
        x = call.op("BiasAdd", x, call.bias(slot))
    return call.activated(x)


@lowers("CONV_2D")
def _convolve(call: Call) -> Tensor:
    kernel = call.weight(1, _hwio, (1, 2, 3, 0))
    return _finished(call, call.op("Conv2D", call[0], kernel, **_windows(call)))


@lowers("DEPTHWISE_CONV_2D")
def _convolve_each(call: Call) -> Tensor:
    """``[1, height, width, channels * multiplier]`` -> ``[height, width, channels, multiplier]``."""
    _, height, width, filters = call.tensor(1).static
    channels = call.tensor(0).static[-1]
    shape = (height, width, channels, filters // max(1, channels))

    def apart(kernel: np.ndarray) -> np.ndarray:
        return kernel.reshape(shape)

    if call.tensor(1).length:
        kernel = call.lowered.read(call.operator.inputs[1], apart)
    else:
        kernel = call.op("Reshape", call[1], call.const(shape, "shape"))
    op = "DepthwiseConv2dNative"
    return _finished(call, call.op(op, call[0], kernel, **_windows(call)))


@lowers("TRANSPOSE_CONV")
def _convolve_back(call: Call) -> Tensor:
    """Inputs: the shape of the result, the kernel, what is convolved, perhaps a bias."""
    kernel = call.weight(1, _hwoi, (1, 2, 0, 3))
    windows = _windows(call)
    x = call.op("Conv2DBackpropInput", call[0], kernel, call[2], **windows)
    return _finished(call, x, 3)


def _volumes(call: Call) -> dict[str, object]:
    strides = [call.option(f"stride_{axis}", 1) for axis in "dhw"]
    rates = [max(1, call.option(f"dilation_{axis}_factor", 1)) for axis in "dhw"]
    padding = call.option("padding", "VALID")
    attrs = {"strides": (1, *strides, 1), "dilations": (1, *rates, 1)}
    return {**attrs, "padding": padding}


@lowers("CONV_3D")
def _convolve_volumes(call: Call) -> Tensor:
    return _finished(call, call.op("Conv3D", call[0], call[1], **_volumes(call)))


@lowers("CONV_3D_TRANSPOSE")
def _convolve_volumes_back(call: Call) -> Tensor:
    x = call.op("Conv3DBackpropInputV2", call[0], call[1], call[2], **_volumes(call))
    return _finished(call, x, 3)


@lowers("FULLY_CONNECTED")
def _fully_connected(call: Call) -> Tensor:
    """The last axis is multiplied; the others are one in between, and afterwards where they are kept."""
    features = call.tensor(1).static[-1]
    kernel = call.weight(1, _transposed, (1, 0))
    x, shape, output = call[0], call.tensor(0).spec.shape or (), call.out().spec.shape
    flat = len(shape) == 2 and shape[1] == features
    if not flat:
        x = call.op("Reshape", x, call.const((-1, features), "flat"))
    x = call.op("MatMul", x, kernel)
    if call.has(2):
        x = call.op("BiasAdd", x, call.bias(2))
    if output is not None and len(output) != 2:
        x = call.op("Reshape", x, _shape_like(call, output))
    return call.activated(x)


def _shape_like(call: Call, output: tuple[int | None, ...]) -> Tensor:
    """A shape as a tensor: constant where one size at most is unknown, else taken from the input's own."""
    if list(output).count(None) <= 1:
        return call.const([-1 if d is None else d for d in output], "shape")
    whole = call.op("Shape", call[0], out_type="int32")
    first, last = call.const([0], "first"), call.const([-1], "last")
    one = call.const([1], "one")
    above = call.op("StridedSlice", whole, first, last, one, end_mask=0)
    units = call.const([output[-1] or 1], "units")
    return call.op("ConcatV2", above, units, call.const(0, "axis"))


@lowers("BATCH_MATMUL")
def _multiply(call: Call) -> Tensor:
    adjoints = {key: bool(call.option(key, False)) for key in ("adj_x", "adj_y")}
    if len(call.shape(0) or ()) == len(call.shape(1) or ()) == 2:
        transposes = {
            "transpose_a": adjoints["adj_x"],
            "transpose_b": adjoints["adj_y"],
        }
        return call.op("MatMul", call[0], call[1], **transposes)
    return call.op("BatchMatMulV2", call[0], call[1], **adjoints)


@lowers("EMBEDDING_LOOKUP")
def _look_up(call: Call) -> Tensor:
    """Inputs: the rows' numbers, the table."""
    return call.op("GatherV2", call[1], call[0], call.const(0, "axis"))
