"""TensorFlow's attribute values -> Keras's argument values, as several chapters of patterns need them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..graph import Shape
from ..match.keras_arguments import data_format, spatial
from ..match.view.weight_ref import WeightRef


def channel_axis(name: str | None, rank: int = 4) -> int:
    """The axis of the channels in a tensor of that rank: 1 or the last, as Keras writes it."""
    return 1 if name and name.startswith("NC") and rank > 2 else -1


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


def rounded(value: float) -> float:
    """A number that was computed of float32s, at six digits where those are the same float32 but for one unit in its last place.

    Else at the digits that tell the float32. What a net prepares its pictures with decides what is near a threshold later.

    >>> rounded(-0.99999998), rounded(-0.99609375)
    (-1.0, -0.99609375)
    """
    single, short = np.float32(value), shortened(value)
    near = abs(np.float32(short) - single) <= np.spacing(np.abs(single))
    return short if near else float(str(single))


def keras_axis(axis: Any, rank: int | None) -> int | list[int] | None:
    """A reduction axis as Keras layers take it: counted from the end where the rank is known."""
    axes = [int(a) for a in (axis if isinstance(axis, list | tuple) else [axis])]
    if rank is not None:
        axes = [a - rank if a > 0 else a for a in axes]
    return axes[0] if len(axes) == 1 else axes


def kept_axis(inserted: int, layout: str | None) -> int | None:
    """Of the two spatial axes of a 4-D tensor, the one that was there before the other was inserted.

    None where the inserted axis is not a spatial one.
    """
    first = 2 if layout and layout.startswith("NC") else 1
    return {first: first + 1, first + 1: first}.get(int(inserted) % 4)


def conv_output_size(size: int, kernel: int, stride: int, padding: str) -> int:
    """What Keras makes of one axis in a transposed convolution without output_padding."""
    longer = max(kernel - stride, 0) if padding == "valid" else 0
    return size * stride + longer


def per_channel(
    bias: WeightRef | None, channels: int, layout: str | None = None, *ranks: int
) -> bool | str:
    """Whether a bias has one number a channel; True too where a size is not known (0), else why not.

    ``ranks`` are those that the tensor may have to which it is added (4 when none is named).
    """
    if bias is None or 0 in (*bias.shape, channels):
        return True
    wide = [d for d in bias.shape if d != 1] or [1]
    if wide != [channels]:
        return f"the bias has shape {list(bias.shape)}"
    places = {channel_axis(layout, rank) - rank for rank in ranks or (4,)}
    if data_format(layout) == "channels_last":
        places = {-1}
    at = [i - len(bias.shape) for i, d in enumerate(bias.shape) if d != 1]
    return places.issuperset(at) or "the bias varies along another axis"
