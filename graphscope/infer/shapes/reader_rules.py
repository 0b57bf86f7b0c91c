"""What one op implies of the shape of what it reads: a convolution the rank and the channels, a product the features."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from ... import ops
from ...graph import Node, Shape, Tensor, TensorSpec
from ...ops.values.dims import product
from ...ops.values.facts import Fact

Said = tuple[Shape, bool] | None
"""A shape, and whether it is a guess."""
Facts = Mapping[Tensor, Fact]
Inputs = tuple[Tensor, ...]
Rule = Callable[[Node, Inputs, Facts], Said]


def spec_at(inputs: Inputs, slot: int, facts: Facts) -> TensorSpec:
    """What is known of one input."""
    is_known = slot < len(inputs) and inputs[slot] in facts
    return facts[inputs[slot]].spec if is_known else TensorSpec()


def _product(node: Node, inputs: Inputs, facts: Facts) -> Said:
    kernel = spec_at(inputs, 1, facts).shape
    call = ops.Call(node.op, node.attrs)
    if kernel is None or len(kernel) != 2 or call.get("transpose_a"):
        return (None, None), False
    return (None, kernel[1] if call.get("transpose_b") else kernel[0]), False


def _stacked_product(node: Node, inputs: Inputs, facts: Facts) -> Said:
    """``tf.matmul`` writes it too where a rank is unknown: then that it is of one matrix is a guess."""
    kernel, x = spec_at(inputs, 1, facts).shape, spec_at(inputs, 0, facts).shape
    call = ops.Call(node.op, node.attrs)
    if kernel is None or len(kernel) != 2 or call.get("adj_x"):
        return None
    features = kernel[1] if call.get("adj_y") else kernel[0]
    leading = 1 if x is None else len(x) - 1
    return (*(None,) * leading, features), x is None


def _convolution(node: Node, inputs: Inputs, facts: Facts) -> Said:
    """As many channels as the kernel takes; a grouped convolution, which takes a part of them, is a later reader's."""
    kernel = spec_at(inputs, 1, facts).shape
    rank = 5 if "3D" in node.op else 4
    channels = None if kernel is None or len(kernel) != rank else kernel[-2]
    return _image(node, rank, channels), False


def _image(node: Node, rank: int, channels: int | None) -> Shape:
    first = str(ops.Call(node.op, node.attrs).get("data_format", "NHWC"))[1:2] == "C"
    if first:
        return (None, channels) + (None,) * (rank - 2)
    return (None,) * (rank - 1) + (channels,)


def _pooling(node: Node, inputs: Inputs, facts: Facts) -> Said:
    return _image(node, 5 if "3D" in node.op else 4, None), False


def _normalised(node: Node, inputs: Inputs, facts: Facts) -> Said:
    scale = spec_at(inputs, 1, facts).shape
    return _image(node, 4, scale[0] if scale and len(scale) == 1 else None), False


def _reshaped(node: Node, inputs: Inputs, facts: Facts) -> Said:
    """One example has as many numbers as the target's known sizes; that they come as a row is a guess."""
    target = facts[inputs[1]].value if len(inputs) > 1 and inputs[1] in facts else None
    call = ops.Call(node.op, {}, [TensorSpec()] * 2, [None, target])
    sizes = call.dims(1)
    if not sizes or sizes[0] not in (None, -1) or len(sizes) < 2:
        return None
    if min(size or -1 for size in sizes[1:]) < 1:
        return None
    return (None, product(sizes[1:])), True


def _gradient(node: Node, inputs: Inputs, facts: Facts) -> Said:
    """What a transposed convolution is given has the channels that its kernel's convolution yields."""
    kernel = spec_at(inputs, 1, facts).shape
    rank = 5 if "3D" in node.op else 4
    channels = None if kernel is None or len(kernel) != rank else kernel[-1]
    return _image(node, rank, channels), False


def _sequence(node: Node, inputs: Inputs, facts: Facts) -> Said:
    """Steps, examples, features: as many as the kernel of a fused LSTM takes beside its states."""
    shapes = (spec_at(inputs, slot, facts).shape for slot in range(len(inputs)))
    for rows, columns in (s for s in shapes if s is not None and len(s) == 2):
        if rows and columns and columns % 4 == 0 and rows > columns // 4:
            return (None, None, rows - columns // 4), False
    return (None, None, None), False


def _counted(slot: int) -> Rule:
    """As many axes as the vector in ``slot`` has elements, or the matrix has rows."""

    def rule(node: Node, inputs: Inputs, facts: Facts) -> Said:
        shape = spec_at(inputs, slot, facts).shape
        if not shape or shape[0] is None:
            return None
        return (None,) * shape[0], False

    return rule


def _spatial_mean(node: Node, inputs: Inputs, facts: Facts) -> Said:
    """Rows and columns are what axes 1 and 2 are called together: an image, by a guess."""
    axes = facts[inputs[1]].value if len(inputs) > 1 and inputs[1] in facts else None
    if not isinstance(axes, np.ndarray) or sorted(axes.reshape(-1)) != [1, 2]:
        return None
    return (None,) * 4, True


def _permuted(node: Node, inputs: Inputs, facts: Facts) -> Said:
    order = spec_at(inputs, 1, facts).shape
    if not order or order[0] is None:
        return None
    return (None,) * order[0], False


def _of(shape: Shape) -> Rule:
    """An op that takes nothing else there."""
    return lambda node, inputs, facts: (shape, False)


RULES: dict[str, Rule] = {
    "MatMul": _product,
    **{f"BatchMatMul{version}": _stacked_product for version in ("", "V2", "V3")},
    "Conv2DBackpropInput:2": _gradient,
    "Conv3DBackpropInputV2:2": _gradient,
    "BlockLSTM:1": _sequence,
    "BlockLSTMV2:1": _sequence,
    **{op: _counted(1) for op in ("Pad", "PadV2", "MirrorPad", "Slice", "Tile")},
    **{op: _spatial_mean for op in ("Mean", "Max", "Sum")},
    **dict.fromkeys(("DepthToSpace", "SpaceToDepth", "MaxPoolWithArgmax"), _pooling),
    **{
        op: _of((None,) * 4)
        for op in (
            *("ExtractImagePatches", "CropAndResize", "ResizeBicubic", "ResizeArea"),
            *("Dilation2D", "SpaceToBatch", "BatchToSpace", "FractionalMaxPool"),
            *("DrawBoundingBoxes", "DrawBoundingBoxesV2"),
        )
    },
    "Conv2D": _convolution,
    "Conv3D": _convolution,
    "DepthwiseConv2dNative": _convolution,
    "MaxPool": _pooling,
    "AvgPool": _pooling,
    "MaxPool3D": _pooling,
    "AvgPool3D": _pooling,
    "FusedBatchNorm": _normalised,
    "FusedBatchNormV2": _normalised,
    "FusedBatchNormV3": _normalised,
    "ResizeBilinear": _pooling,
    "ResizeNearestNeighbor": _pooling,
    "Reshape": _reshaped,
    "Transpose": _permuted,
    "ParseExample": _of((None,)),
    "ParseSingleExample": _of(()),
    "AudioSpectrogram": _of((None, None)),
    "LRN": _of((None,) * 4),
    **{f"Decode{kind}": _of(()) for kind in ("Jpeg", "Png", "Bmp", "Gif", "Wav")},
    **{op: _of(()) for op in ("DecodeImage", "ReadFile", "DecodeAndCropJpeg")},
}
