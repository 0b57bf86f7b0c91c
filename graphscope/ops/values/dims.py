"""Arithmetic on shapes of which parts are unknown: what shape rules are made of.

``None`` for a shape: rank unknown; ``None`` in a shape: that size unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...graph import Shape
from ..registry import Call, Unsaid

Dim = int | None


def unknown(rank: int) -> tuple[Dim, ...]:
    """A shape of which only the rank is known."""
    return (None,) * rank


def ranked(shape: Shape, rank: int) -> tuple[Dim, ...]:
    """The shape, with the rank that the op demands; raises Unsaid where it has another."""
    if shape is None:
        return unknown(rank)
    if len(shape) != rank:
        raise Unsaid(f"rank {rank} expected, shape {shape} found")
    return shape


def axis_of(axis: int, rank: int) -> int:
    """A negative axis counted from the end; raises Unsaid where it lies outside."""
    if not -rank <= axis < rank:
        raise Unsaid(f"axis {axis} of a tensor of rank {rank}")
    return axis % rank


def merge(one: Shape, other: Shape) -> Shape:
    """What two true statements about the same tensor say together; the first one wins where they contradict."""
    if one is None or other is None:
        return other if one is None else one
    if len(one) != len(other):
        return one
    return tuple(b if a is None else a for a, b in zip(one, other, strict=True))


def join(one: Shape, other: Shape) -> Shape:
    """What holds of a tensor that may be either."""
    if one is None or other is None or len(one) != len(other):
        return None
    return tuple(a if a == b else None for a, b in zip(one, other, strict=True))


def agree(one: Shape, other: Shape) -> bool:
    """Whether two statements can be true of one tensor."""
    if one is None or other is None:
        return True
    return len(one) == len(other) and all(
        a is None or b is None or a == b for a, b in zip(one, other, strict=True)
    )


def broadcast(*shapes: Shape) -> Shape:
    """numpy's broadcasting; an unknown size against more than 1 is taken to be that size or 1, so gives that size."""
    if any(shape is None for shape in shapes):
        return None
    rank = max((len(shape) for shape in shapes if shape is not None), default=0)
    padded = [(1,) * (rank - len(s)) + s for s in shapes if s is not None]
    return tuple(_broadcast_dim(dims) for dims in zip(*padded, strict=True))


def _broadcast_dim(dims: Sequence[Dim]) -> Dim:
    sizes = {size for size in dims if size is not None and size != 1}
    if len(sizes) > 1:
        raise Unsaid(f"sizes {sorted(sizes)} do not broadcast")
    if sizes:
        return sizes.pop()
    return None if None in dims else 1


def product(dims: Iterable[Dim]) -> Dim:
    """The number of elements; 0 where any size is 0, None where unknown."""
    total: Dim = 1
    for size in dims:
        if size == 0:
            return 0
        total = None if size is None or total is None else total * size
    return total


def elements(shape: Shape) -> Dim:
    """How many elements a tensor of this shape has, None where unknown."""
    return None if shape is None else product(shape)


def add(one: Dim, other: Dim) -> Dim:
    """The sum, None where either is unknown."""
    return None if one is None or other is None else one + other


def same(call: Call) -> tuple[Shape]:
    """One output, shaped as the first input."""
    return (call.shape(0),)


def like(slot: int) -> object:
    """The rule of one output that is shaped as the given input."""
    return lambda call: (call.shape(slot),)


def broadcasting(call: Call) -> tuple[Shape]:
    """One output, shaped as all inputs broadcast together."""
    return (broadcast(*(spec.shape for spec in call.inputs)),)


def scalar(call: Call) -> tuple[Shape]:
    """One scalar."""
    return ((),)


def shape_from(call: Call, slot: int) -> Shape:
    """The shape that an input vector holds as numbers, None in it where the number is unknown or -1."""
    if call.value(slot) is not None and call.value(slot).ndim > 1:  # type: ignore[union-attr]
        raise Unsaid("a shape is a vector")
    shape = call.dims(slot)
    return (
        None
        if shape is None
        else tuple(None if d is None or d < 0 else d for d in shape)
    )


def spatial_axes(data_format: str, rank: int) -> tuple[int, tuple[int, ...]]:
    """The channel axis and the spatial axes of an image tensor; raises Unsaid for a format with neither."""
    if data_format in ("NHWC", "NDHWC", "NWC", ""):
        return rank - 1, tuple(range(1, rank - 1))
    if data_format in ("NCHW", "NCDHW", "NCW"):
        return 1, tuple(range(2, rank))
    raise Unsaid(f"data format {data_format!r}")


def window(
    size: Dim,
    kernel: Dim,
    stride: int,
    dilation: int,
    padding: str,
    pads: tuple[int, int] = (0, 0),
) -> Dim:
    """How many positions a sliding window takes along one axis (TensorFlow's SAME, VALID and EXPLICIT)."""
    if stride < 1 or dilation < 1 or padding not in ("SAME", "VALID", "EXPLICIT"):
        raise Unsaid(f"padding {padding!r}, stride {stride}, dilation {dilation}")
    if size is None:
        return None
    if padding == "SAME":
        return -(-size // stride)
    if kernel is None:
        return None
    reach = (kernel - 1) * dilation + 1
    windows = (size + sum(pads) - reach) // stride + 1
    if windows < 0:
        raise Unsaid(f"a window of {reach} over {size}")
    return windows


def adds_in_order(one: Shape, other: Shape) -> bool:
    """Whether ``keras.ops.add(one, other)`` is their sum for every batch size.

    Keras 3 on TensorFlow takes a second summand with a single size above 1 for a bias along the last axis or the
    second, wherever that size stands: (1, 5, 1) + (1, 1, 5) has shape (1, 5, 1). (keras/src/backend/tensorflow/numpy.py)
    """
    if other is None:
        return False
    wide = [axis - len(other) for axis, size in enumerate(other) if size != 1]
    sized = [axis for axis in wide if other[axis] is not None]
    if one is None:
        return wide in ([], [-1]) or len(sized) > 1
    if not wide or len(one) < 2 or len(sized) > 1:
        return True
    if len(one) == len(other) and all(a in (b, 1) for a, b in zip(one, other)):
        return True
    if not sized or len(other) > len(one):
        return False
    size, at = other[sized[0]], sized[0]
    if at == -1:
        return one[-1] == size
    return at == 1 - len(one) and one[1] == size and one[-1] not in (None, size)
