"""TensorFlow's attribute values -> Keras's argument values, as several chapters of patterns need them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..graph import Shape
from ..match.view.size import Sizes
from ..match.view.weight_ref import Held


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
    found = [int(a) for a in (axis if isinstance(axis, list | tuple) else [axis])]
    if rank is not None:
        found = [a - rank if a > 0 else a for a in found]
    return found[0] if len(found) == 1 else found


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
    bias: Held | None, channels: int, layout: str | None = None, *ranks: int
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


def sandwich_padding(
    pads: Sizes, crops: Sizes, rate: Sequence[int], kernel: Sequence[int]
) -> str | None:
    """The padding of a dilated convolution between SpaceToBatchND and BatchToSpaceND; None: neither of the two.

    ``pads`` and ``crops`` are written out row by row: start and end of each spatial axis. What pads the input up to a
    multiple of the rate is cropped again; the rest is the convolution's own.
    """
    starts = [s.number if s is not None else None for s in pads[0::2]]
    if len(starts) != len(kernel) or len(pads) != len(crops):
        return None
    if any(c is None or c.number != 0 for c in crops[0::2]):
        return None
    wanted = [(k - 1) * r for k, r in zip(kernel, rate)]
    own = [
        e.added(c, -1) if e is not None and c is not None else None
        for e, c in zip(pads[1::2], crops[1::2])
    ]
    ends = [None if e is None else e.number for e in own]
    for name, begin in (
        ("same", [w // 2 for w in wanted]),
        ("valid", [0] * len(wanted)),
    ):
        end = [w - w // 2 if name == "same" else 0 for w in wanted]
        fits = all(e is None or e == w for e, w in zip(ends, end))
        if starts == begin and fits:
            return name
    return None
