"""TensorFlow's attribute values -> Keras's argument values, as several chapters of patterns need them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..graph import Shape


def data_format(name: str | None) -> str:
    """``"NHWC"`` -> ``"channels_last"``, ``"NCDHW"`` -> ``"channels_first"``.

    >>> data_format("NCHW")
    'channels_first'
    """
    return "channels_first" if name and name.startswith("NC") else "channels_last"


def channel_axis(name: str | None, rank: int = 4) -> int:
    """The axis of the channels in a tensor of that rank: 1 or the last, as Keras writes it."""
    return 1 if name and name.startswith("NC") and rank > 2 else -1


def spatial(values: Sequence[int] | None, name: str | None) -> tuple[int, ...]:
    """The spatial entries of a list with one entry an axis: strides, dilations, pool sizes.

    >>> spatial((1, 2, 2, 1), "NHWC")
    (2, 2)
    """
    if not values:
        return ()
    first = 2 if name and name.startswith("NC") else 1
    return tuple(values)[first : first + len(values) - 2]


def only_spatial(values: Sequence[int] | None, name: str | None) -> bool:
    """Whether batch and channels are left alone: Keras cannot say anything else."""
    whole = tuple(values or ())
    inner = spatial(whole, name)
    ones = sum(1 for v in whole if v == 1) - sum(1 for v in inner if v == 1)
    return ones == len(whole) - len(inner)


def size_at(shape: Shape, axis: int) -> int | None:
    """The size of one axis, None where it is not known."""
    if shape is None or not -len(shape) <= axis < len(shape):
        return None
    return shape[axis]


def shortened(value: float) -> float:
    """A number that was computed in float32, at the six digits that survived.

    >>> shortened(0.2500000001)
    0.25
    """
    return float(f"{value:.6g}")


def keras_axis(axis: Any, rank: int | None) -> int | list[int] | None:
    """A reduction axis as Keras layers take it: counted from the end where the rank is known."""
    found = [int(a) for a in (axis if isinstance(axis, list | tuple) else [axis])]
    if rank is not None:
        found = [a - rank if a > 0 else a for a in found]
    return found[0] if len(found) == 1 else found
