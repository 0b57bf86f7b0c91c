"""What moves numbers about and changes none: shapes, axes, slices, padding, gathering."""

from __future__ import annotations

from functools import partial

from .....graph import Tensor
from ..call import Call, lowers

_PLAIN = {
    "BATCH_TO_SPACE_ND": "BatchToSpaceND",
    "BROADCAST_ARGS": "BroadcastArgs",
    "BROADCAST_TO": "BroadcastTo",
    "EXPAND_DIMS": "ExpandDims",
    "FILL": "Fill",
    "GATHER_ND": "GatherNd",
    "MATRIX_DIAG": "MatrixDiag",
    "MATRIX_SET_DIAG": "MatrixSetDiag",
    "PAD": "Pad",
    "PADV2": "PadV2",
    "RANGE": "Range",
    "RANK": "Rank",
    "REVERSE_V2": "ReverseV2",
    "SCATTER_ND": "ScatterNd",
    "SELECT": "Select",
    "SELECT_V2": "SelectV2",
    "SLICE": "Slice",
    "SPACE_TO_BATCH_ND": "SpaceToBatchND",
    "SPARSE_TO_DENSE": "SparseToDense",
    "TILE": "Tile",
    "TRANSPOSE": "Transpose",
    "WHERE": "Where",
}


def _plain(op: str, call: Call) -> Tensor:
    return call.op(op, *call.all)


for _name, _op in _PLAIN.items():
    lowers(_name)(partial(_plain, _op))


@lowers("RESHAPE")
def _reshape(call: Call) -> Tensor:
    axis = _lost_axis(call.tensor(0).static, call.out().static)
    if axis is not None:
        return call.op("Squeeze", call[0], squeeze_dims=(axis,))
    if call.has(1):
        return call.op("Reshape", call[0], call[1])
    shape = call.option("new_shape", ()) or call.out().static
    return call.op("Reshape", call[0], call.const(list(shape), "shape", "int32"))


def _lost_axis(before: tuple[int, ...], after: tuple[int, ...]) -> int | None:
    """The spatial axis of size one that a reshape of an image takes away: the converter writes Squeeze so (Conv1D)."""
    if len(before) != 4 or len(after) != 3:
        return None
    axes = [
        a for a in (1, 2) if before[a] == 1 and before[:a] + before[a + 1 :] == after
    ]
    return axes[0] if len(axes) == 1 else None


@lowers("SQUEEZE")
def _squeeze(call: Call) -> Tensor:
    axes = tuple(call.option("squeeze_dims", ()))
    if not axes:  # every axis of size one in the file, where no size is open
        shape = call.tensor(0).static
        axes = tuple(axis for axis, size in enumerate(shape) if size == 1)
    return call.op("Squeeze", call[0], squeeze_dims=axes)


@lowers("SHAPE")
def _shape(call: Call) -> Tensor:
    return call.op("Shape", call[0], out_type=call.dtype())


@lowers("CONCATENATION")
def _concatenate(call: Call) -> Tensor:
    axis = call.const(call.option("axis"), "axis")
    return call.activated(call.op("ConcatV2", *call.all, axis))


@lowers("PACK")
def _pack(call: Call) -> Tensor:
    return call.op("Pack", *call.all, axis=call.option("axis"))


def _ports(x: Tensor, count: int) -> list[Tensor]:
    return [Tensor(x.node, port) for port in range(count)]


@lowers("UNPACK")
def _unpack(call: Call) -> list[Tensor]:
    count = len(call.operator.outputs)
    x = call.op("Unpack", call[0], num=count, axis=call.option("axis"))
    return _ports(x, count)


@lowers("SPLIT")
def _split(call: Call) -> list[Tensor]:
    """Inputs: the axis, what is split."""
    count = len(call.operator.outputs)
    return _ports(call.op("Split", call[0], call[1], num_split=count), count)


@lowers("SPLIT_V")
def _split_by_sizes(call: Call) -> list[Tensor]:
    count = len(call.operator.outputs)
    return _ports(call.op("SplitV", *call.all, num_split=count), count)


@lowers("STRIDED_SLICE")
def _strided_slice(call: Call) -> Tensor:
    kinds = ("begin", "end", "ellipsis", "new_axis", "shrink_axis")
    masks = {f"{kind}_mask": call.option(f"{kind}_mask") for kind in kinds}
    begin, end = call[1], call[2]
    if call.option("offset", False):
        end = call.op("AddV2", begin, end)
    return call.op("StridedSlice", call[0], begin, end, call[3], **masks)


@lowers("GATHER")
def _gather(call: Call) -> Tensor:
    axis = call.const(call.option("axis"), "axis")
    batch_dims = call.option("batch_dims")
    return call.op("GatherV2", call[0], call[1], axis, batch_dims=batch_dims)


@lowers("MIRROR_PAD")
def _mirror(call: Call) -> Tensor:
    mode = "SYMMETRIC" if call.option("mode") else "REFLECT"
    return call.op("MirrorPad", call[0], call[1], mode=mode)


def _blocks(op: str, call: Call) -> Tensor:
    return call.op(op, call[0], block_size=call.option("block_size", 1))


lowers("SPACE_TO_DEPTH")(partial(_blocks, "SpaceToDepth"))
lowers("DEPTH_TO_SPACE")(partial(_blocks, "DepthToSpace"))


@lowers("ONE_HOT")
def _one_hot(call: Call) -> Tensor:
    return call.op("OneHot", *call.all, axis=call.option("axis"))


@lowers("REVERSE_SEQUENCE")
def _reverse_sequence(call: Call) -> Tensor:
    attrs = {name: call.option(name) for name in ("seq_dim", "batch_dim")}
    return call.op("ReverseSequence", call[0], call[1], **attrs)


@lowers("UNIQUE")
def _unique(call: Call) -> list[Tensor]:
    return _ports(call.op("Unique", call[0], out_idx=call.dtype(1)), 2)
