"""What a layer of an unknown class must yield for the layers that read it to have the weights that they have."""

from __future__ import annotations

from collections.abc import Iterator
from math import isqrt, prod

from ....graph import TensorSpec
from ....graph.keras import KerasLayer, KerasModel, LayerOutput

Sizes = tuple[int | None, ...]
_AS_THEY_ARE = frozenset(
    """Activation ActivityRegularization AlphaDropout BatchNormalization Dropout ELU GaussianDropout GaussianNoise LeakyReLU
    Masking ReLU Softmax SpatialDropout1D SpatialDropout2D SpatialDropout3D ThresholdedReLU""".split()
)


def hinted_spec(
    model: KerasModel, tensor: LayerOutput, spec: TensorSpec
) -> TensorSpec | None:
    """The spec of an unknown layer's output where it is called on ``spec``; None where nothing speaks of it.

    A kernel tells the width; behind a Flatten how many numbers there are, which is a picture made smaller alike on both sides.
    """
    if spec.shape is None:
        return None
    width, is_flat = next(_widths(model, tensor, False, set()), (0, False))
    if not width:
        return None
    shape: Sizes | None = (*spec.shape[:-1], width)
    if is_flat:
        shape = _shrunk(spec.shape, width)
    return None if shape is None else TensorSpec(spec.dtype, shape)


def _widths(
    model: KerasModel, tensor: LayerOutput, is_flat: bool, visited: set[LayerOutput]
) -> Iterator[tuple[int, bool]]:
    """The widths that the kernels of those that read a tensor have, and whether a Flatten stands before them."""
    if tensor in visited:
        return
    visited.add(tensor)
    for layer in model.layers:
        for number, call in enumerate(layer.calls):
            if tensor not in call.tensors():
                continue
            kernel = layer.weights.get("kernel")
            result = LayerOutput(layer.name, number)
            if kernel is not None and layer.class_name == "Dense":
                yield kernel.shape[0], is_flat
            elif kernel is not None and _is_convolution(layer):
                yield kernel.shape[-2], is_flat
            elif layer.class_name == "Flatten":
                yield from _widths(model, result, True, visited)
            elif layer.class_name in _AS_THEY_ARE or layer.kind == "custom":
                yield from _widths(model, result, is_flat, visited)


def _is_convolution(layer: KerasLayer) -> bool:
    plain = layer.config.get("groups", 1) == 1
    return layer.class_name in ("Conv1D", "Conv2D", "Conv3D") and plain


def _shrunk(shape: Sizes, count: int) -> Sizes | None:
    """A shape of so many numbers: of the same channels, and space divided by one number.

    >>> _shrunk((None, 8, 8, 4), 64)
    (None, 4, 4, 4)
    """
    batch, *space, channels = shape
    sizes = [size for size in space if size is not None]
    if channels is None or len(sizes) < len(space):
        return None
    if not space or count % channels:
        return (batch, count)
    if prod(sizes) * channels == count:
        return shape
    for factor in range(2, max(sizes) + 1):
        for smaller in ([s // factor for s in sizes], [-(-s // factor) for s in sizes]):
            if prod(smaller) * channels == count:
                return (batch, *smaller, channels)
    side = isqrt(count // channels)
    is_square = len(sizes) == 2 and side * side * channels == count
    return (batch, side, side, channels) if is_square else (batch, count)
