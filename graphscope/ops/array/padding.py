"""Padding, and the moves between space, batch and depth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...graph import Shape
from ..registry import Call, Unsaid, define
from ..text import literal
from ..values.dims import Dim, add, ranked, unknown

_FIRST = slice(0, 1)


def _pairs(call: Call, slot: int) -> Sequence[tuple[Dim, Dim]] | None:
    """Rows of a matrix of two columns (paddings, crops), None for what is unknown."""
    dims = call.dims(slot)
    if dims is None:
        shape = call.shape(slot)
        if shape is None or not shape or shape[0] is None:
            return None
        return [(None, None)] * shape[0]
    return list(zip(dims[::2], dims[1::2], strict=True))


def _padded_shape(call: Call) -> tuple[Shape]:
    shape, pairs = call.shape(0), _pairs(call, 1)
    if pairs is None:
        return (None if shape is None else unknown(len(shape)),)
    sizes = ranked(shape, len(pairs))
    return (
        tuple(add(size, add(*pair)) for size, pair in zip(sizes, pairs, strict=True)),
    )


def _known_pairs(call: Call, slot: int) -> tuple[tuple[int, int], ...] | None:
    flat = call.integers(slot)
    if flat is None:
        return None
    return tuple(zip(flat[::2], flat[1::2], strict=True))


def _pad_text(call: Call, x: str, _: str, *filler: str) -> str | None:
    pairs = _known_pairs(call, 1)
    if pairs is None:
        return None
    value = f", constant_values={filler[0]}" if filler else ""
    return f"ops.pad({x}, {literal(pairs)}{value})"


def _pad(x: np.ndarray, pairs: np.ndarray, *filler: np.ndarray) -> np.ndarray:
    value = filler[0] if filler else 0
    return np.pad(x, [(int(a), int(b)) for a, b in pairs], constant_values=value)


define("Pad", "PadV2", shape=_padded_shape, keras=_pad_text, fold=_pad)


def _mirror_text(call: Call, x: str, _: str) -> str | None:
    pairs = _known_pairs(call, 1)
    if pairs is None:
        return None
    mode = call["mode"].lower()
    if _mirrored_alike(pairs, mode):
        return f"ops.pad({x}, {literal(pairs)}, mode={literal(mode)})"
    padded = [axis for axis, pair in enumerate(pairs) if any(pair)]
    if len(padded) > 1:
        return None
    return _mirrored_axis(x, padded[0], *pairs[padded[0]], mode == "reflect")


def _mirror_body(call: Call, x: str, _: str) -> str | None:
    """One axis after the other."""
    pairs = _known_pairs(call, 1)
    if pairs is None:
        return None
    inner = call["mode"] == "REFLECT"
    lines = [
        f"y = {_mirrored_axis('y', axis, before, after, inner)}"
        for axis, (before, after) in enumerate(pairs)
        if before or after
    ]
    return "\n".join((f"y = {x}", *lines, "return y"))


def _mirrored_alike(pairs: Sequence[tuple[int, int]], mode: str) -> bool:
    """Whether ``ops.pad`` does it on all backends.

    PyTorch turns at most three axes round, the first of no tensor, and repeats the edge for a symmetric border (``torch.nn.functional.pad``).
    """
    first = next((axis for axis, pair in enumerate(pairs) if any(pair)), len(pairs))
    reached = len(pairs) - first
    within = reached <= 3 and (first > 0 or len(pairs) < 3)
    return within and (mode == "reflect" or max(map(max, pairs), default=0) <= 1)


def _mirrored_axis(x: str, axis: int, before: int, after: int, inner: bool) -> str:
    """``x`` between its own ends turned round, from the second element on where ``inner``."""
    whole, skipped = ":, " * axis, int(inner)
    parts = [x]
    if before:
        first = f"{skipped or ''}:{before + skipped}"
        parts.insert(0, f"ops.flip({x}[{whole}{first}, ...], axis={axis})")
    if after:
        last = f"-{after + skipped}:{'-1' if inner else ''}"
        parts.append(f"ops.flip({x}[{whole}{last}, ...], axis={axis})")
    return f"ops.concatenate([{', '.join(parts)}], axis={axis})"


def _mirror(x: np.ndarray, pairs: np.ndarray, *, mode: str) -> np.ndarray:
    widths = [(int(a), int(b)) for a, b in pairs]
    return np.pad(x, widths, "reflect" if mode == "REFLECT" else "symmetric")


define(
    "MirrorPad",
    shape=_padded_shape,
    keras=_mirror_text,
    body=_mirror_body,
    fold=_mirror,
    traits="movement",
    moves=_FIRST,
)


def _unpadded_shape(call: Call) -> tuple[Shape]:
    shape, pairs = call.shape(0), _known_pairs(call, 1)
    if shape is None or pairs is None:
        return (None if shape is None else unknown(len(shape)),)
    return (
        tuple(
            None if size is None else size - before - after
            for size, (before, after) in zip(shape, pairs, strict=True)
        ),
    )


define("MirrorPadGrad", shape=_unpadded_shape)


def _blocks(call: Call) -> tuple[Sequence[Dim], Sequence[tuple[Dim, Dim]]]:
    """Block sizes and paddings or crops of the spatial dimensions, for either generation of the op."""
    if call.op in ("SpaceToBatch", "BatchToSpace"):
        size = int(call["block_size"])
        return (size, size), _pairs(call, 1) or [(None, None)] * 2
    sizes = call.dims(1)
    if sizes is None:
        raise Unsaid("block sizes of unknown number")
    pairs = _pairs(call, 2)
    return sizes, [(None, None)] * len(sizes) if pairs is None else pairs


def _to_batch_shape(call: Call) -> tuple[Shape]:
    shape = call.shape(0)
    blocks, pads = _blocks(call)
    if shape is None:
        return (None,)
    batch: Dim = shape[0]
    sizes: list[Dim] = []
    for size, block, pad in zip(shape[1:], blocks, pads, strict=False):
        whole = add(size, add(*pad))
        sizes.append(None if whole is None or not block else whole // block)
        batch = None if batch is None or block is None else batch * block
    return ((batch, *sizes, *shape[1 + len(blocks) :]),)


def _from_batch_shape(call: Call) -> tuple[Shape]:
    shape = call.shape(0)
    blocks, crops = _blocks(call)
    if shape is None:
        return (None,)
    batch: Dim = shape[0]
    sizes: list[Dim] = []
    for size, block, (before, after) in zip(shape[1:], blocks, crops, strict=False):
        whole = None if size is None or block is None else size * block
        cut = add(before, after)
        sizes.append(None if whole is None or cut is None else whole - cut)
        batch = None if batch is None or not block else batch // block
    return ((batch, *sizes, *shape[1 + len(blocks) :]),)


def _all_known(call: Call) -> tuple[list[int], list[tuple[int, int]], list[int]]:
    """Blocks, paddings or crops, and the sizes behind the batch; raises Unsaid where one of them is unknown."""
    blocks, pairs = _blocks(call)
    shape = call.shape(0)
    flat = [*blocks, *(size for pair in pairs for size in pair), *(shape or (0,))[1:]]
    if shape is None or None in flat:
        raise Unsaid("sizes are unknown")
    count = len(blocks)
    numbers = [size or 0 for size in flat]
    twos = list(zip(numbers[count : 3 * count : 2], numbers[count + 1 : 3 * count : 2]))
    return numbers[:count], twos, numbers[3 * count :]


def _to_batch_text(call: Call, x: str, *_: str) -> str:
    """Padded, cut into blocks, and the places within a block put before the batch."""
    blocks, pads, sizes = _all_known(call)
    count = len(blocks)
    if any(pad != (0, 0) for pad in pads):
        around = ((0, 0), *pads, *((0, 0),) * (len(sizes) - count))
        x = f"ops.pad({x}, {literal(around)})"
    cut: list[int] = [-1]
    for size, block, pad in zip(sizes, blocks, pads, strict=False):
        cut += [(size + sum(pad)) // block, block]
    within = [2 + 2 * i for i in range(count)]
    axes = [*within, 0, *(1 + 2 * i for i in range(count))]
    rest = sizes[count:]
    axes += range(1 + 2 * count, 1 + 2 * count + len(rest))
    transposed = f"ops.transpose(ops.reshape({x}, {literal((*cut, *rest))}), {literal(tuple(axes))})"
    return f"ops.reshape({transposed}, {literal((-1, *cut[1::2], *rest))})"


def _from_batch_text(call: Call, x: str, *_: str) -> str:
    """The inverse: places out of the batch, beside the axes they came from, then cropped."""
    blocks, crops, sizes = _all_known(call)
    count, rest = len(blocks), sizes[len(blocks) :]
    cut = (*blocks, -1, *sizes)
    axes = [count]
    for i in range(count):
        axes += [count + 1 + i, i]
    axes += range(2 * count + 1, 2 * count + 1 + len(rest))
    whole = [size * block for size, block in zip(sizes, blocks, strict=False)]
    transposed = (
        f"ops.transpose(ops.reshape({x}, {literal(cut)}), {literal(tuple(axes))})"
    )
    merged = f"ops.reshape({transposed}, {literal((-1, *whole, *rest))})"
    if all(crop == (0, 0) for crop in crops):
        return merged
    pairs = zip(whole, crops, strict=True)
    return f"{merged}[:, {', '.join(f'{a}:{size - b}' for size, (a, b) in pairs)}]"


define(
    "SpaceToBatchND",
    "SpaceToBatch",
    shape=_to_batch_shape,
    keras=_to_batch_text,
)
define(
    "BatchToSpaceND",
    "BatchToSpace",
    shape=_from_batch_shape,
    keras=_from_batch_text,
)


def _image_axes(call: Call) -> tuple[int, tuple[int, int]]:
    form = call.get("data_format", "NHWC")
    if form not in ("NHWC", "NCHW"):
        raise Unsaid(f"data format {form!r}")
    return (3, (1, 2)) if form == "NHWC" else (1, (2, 3))


def _to_depth_shape(call: Call) -> tuple[Shape]:
    sizes, block = list(ranked(call.shape(0), 4)), int(call["block_size"])
    depth, axes = _image_axes(call)
    for axis in axes:
        size = sizes[axis]
        sizes[axis] = None if size is None else size // block
    channels = sizes[depth]
    sizes[depth] = None if channels is None else channels * block * block
    return (tuple(sizes),)


def _from_depth_shape(call: Call) -> tuple[Shape]:
    sizes, block = list(ranked(call.shape(0), 4)), int(call["block_size"])
    depth, axes = _image_axes(call)
    for axis in axes:
        size = sizes[axis]
        sizes[axis] = None if size is None else size * block
    channels = sizes[depth]
    sizes[depth] = None if channels is None else channels // (block * block)
    return (tuple(sizes),)


def _depth_text(function: str) -> object:
    def text(call: Call, x: str) -> str:
        first = _image_axes(call)[0] == 1
        layout = f'data_format="channels_{"first" if first else "last"}"'
        return f"ops.{function}({x}, {int(call['block_size'])}, {layout})"

    return text


define("SpaceToDepth", shape=_to_depth_shape, keras=_depth_text("space_to_depth"))  # type: ignore[arg-type]
define("DepthToSpace", shape=_from_depth_shape, keras=_depth_text("depth_to_space"))  # type: ignore[arg-type]
