"""Inputs and attributes of the ops whose arguments depend on each other: convolutions, pooling, products, recurrence ..."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .arguments import Draw, data

Arguments = dict[str, Any]
RECIPES: dict[str, Callable[[Draw], Arguments]] = {}


def recipe(*names: str) -> Callable[[Any], Any]:
    def register(function: Any) -> Any:
        RECIPES.update(dict.fromkeys(names, function))
        return function

    return register


def floats(draw: Draw, *shape: int) -> np.ndarray:
    return draw.rng.normal(size=shape).astype("float32")


def window(draw: Draw, dims: int = 2) -> Arguments:
    """Strides, padding and perhaps dilations of a convolution."""
    even = draw.whole(1, 2)
    strides = [even if draw.chance(0.7) else draw.whole(1, 3) for _ in range(dims)]
    rates = [1] * dims
    if draw.chance(0.35):
        rates = [draw.whole(1, 3) for _ in range(dims)]
        strides = strides if draw.chance(0.4) else [1] * dims
    said: Arguments = {"strides": [1, *strides, 1], "padding": padding(draw)}
    return said | ({"dilations": [1, *rates, 1]} if max(rates) > 1 else {})


def padding(draw: Draw) -> str:
    return str(draw.pick(["SAME", "VALID"]))


@recipe("Conv2D")
def conv(draw: Draw) -> Arguments:
    inside, groups = draw.whole(1, 4), draw.pick([1, 1, 1, 2])
    kernel = floats(draw, draw.whole(1, 3), draw.whole(1, 3), inside, 2 * groups)
    x = floats(draw, draw.whole(1, 3), 9, 8, inside * groups)
    said = {"input": x, "filter": kernel, **window(draw)}
    if draw.chance(0.15):
        pads = [0, 0, *(draw.whole(0, 2) for _ in range(4)), 0, 0]
        said |= {"padding": "EXPLICIT", "explicit_paddings": pads}
    return said


@recipe("Conv3D")
def conv3(draw: Draw) -> Arguments:
    kernel = floats(draw, 2, 1, 3, 2, 3)
    said = window(draw, 3)
    said.pop("dilations", None)
    return {"input": floats(draw, 1, 5, 6, 5, 2), "filter": kernel, **said}


@recipe("DepthwiseConv2dNative")
def depthwise(draw: Draw) -> Arguments:
    inside, stride = draw.whole(1, 4), draw.whole(1, 2)
    kernel = floats(draw, 3, 2, inside, draw.whole(1, 3))
    rest = {"strides": [1, stride, stride, 1], "padding": padding(draw)}
    if stride == 1 and draw.chance(0.3):
        rest["dilations"] = [1, 2, 2, 1]
    return {"input": floats(draw, 2, 9, 8, inside), "filter": kernel, **rest}


@recipe("Conv2DBackpropInput", "Conv3DBackpropInputV2")
def transposed(draw: Draw) -> Arguments:
    dims = 3 if "3D" in draw.op else 2
    size, stride = draw.whole(1, 4), draw.whole(1, 3)
    sides = [draw.whole(5, 7) for _ in range(dims)]
    pad = padding(draw)
    less = 0 if pad == "SAME" else size - 1
    outer = [-(-(side - less) // stride) for side in sides]
    if min(outer) < 1:
        sides, outer = [size] * dims, [
            1 if pad == "VALID" else -(-size // stride)
        ] * dims
    kernel = floats(draw, *[size] * dims, 2, 3)
    return {
        "input_sizes": np.asarray([2, *sides, 2], "int32"),
        "filter": kernel,
        "out_backprop": floats(draw, 2, *outer, 3),
        "strides": [1, *[stride] * dims, 1],
        "padding": pad,
    }


@recipe("MaxPool", "AvgPool", "MaxPool3D", "AvgPool3D", "MaxPoolWithArgmax")
def pool(draw: Draw) -> Arguments:
    dims = 3 if "3D" in draw.op else 2
    sizes = [draw.whole(1, 3) for _ in range(dims)]
    strides = [draw.whole(1, 3) for _ in range(dims)]
    x = floats(draw, 2, *[draw.whole(4, 7) for _ in range(dims)], draw.whole(1, 3))
    name = "value" if draw.op == "AvgPool" else "input"
    rest = {"strides": [1, *strides, 1], "padding": padding(draw)}
    return {name: x, "ksize": [1, *sizes, 1], **rest}


@recipe("MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3", "SparseMatMul")
def product(draw: Draw) -> Arguments:
    batch = draw.op.startswith("Batch")
    names = ("adj_x", "adj_y") if batch else ("transpose_a", "transpose_b")
    names = ("x", "y", *names) if batch else ("a", "b", *names)
    turns = [draw.chance(0.3), draw.chance(0.3)]
    a, b = [draw.whole(1, 4), 3], [3, draw.whole(1, 4)]
    more = (
        [[], []] if not batch else draw.pick([[[], []], [[2], [2]], [[2, 3], [2, 3]]])
    )
    if draw.op != "BatchMatMul" and batch and draw.chance(0.3):
        more = draw.pick([[[2, 1], [3]], [[], [2]], [[2], []]])
    shapes = [(*m, *(s[::-1] if t else s)) for m, s, t in zip(more, (a, b), turns)]
    dtype = "float32" if draw.chance(0.7) else draw.pick(["int32", "float64"])
    dtype = "float32" if draw.op == "SparseMatMul" else dtype
    left, right = (data(draw, dtype, shape) for shape in shapes)
    return {**dict(zip(names, (left, right, *turns)))}


@recipe("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3")
def batch_norm(draw: Draw) -> Arguments:
    width = draw.whole(1, 4)
    training = draw.chance(0.3)
    said = {"x": floats(draw, 2, 4, 3, width)}
    for name in ("scale", "offset", "mean", "variance"):
        empty = training and name in ("mean", "variance")
        said[name] = np.abs(floats(draw, 0 if empty else width)) + np.float32(0.1)
    return said | {"is_training": training, "epsilon": float(draw.pick([1e-3, 1e-5]))}


@recipe("BiasAdd", "BiasAddV1")
def bias(draw: Draw) -> Arguments:
    x = data(draw, "float32", draw.rng.integers(1, 5, draw.whole(2, 5)))
    first = draw.op == "BiasAdd" and x.ndim == 4 and draw.chance(0.2)
    said = {"value": x, "bias": floats(draw, x.shape[1 if first else -1])}
    return said | ({"data_format": "NCHW"} if first else {})


@recipe("StridedSlice")
def strided(draw: Draw) -> Arguments:
    x = data(
        draw,
        draw.pick(["float32", "float32", "int32"]),
        draw.rng.integers(2, 6, draw.whole(1, 4)),
    )
    count = draw.whole(1, x.ndim)
    begin, end, strides = [], [], []
    for size in x.shape[:count]:
        start = draw.whole(0, size - 1)
        backwards = draw.chance(0.15)
        begin.append(start - size if draw.chance(0.2) else start)
        end.append(
            start - draw.whole(1, start + 1)
            if backwards
            else draw.whole(start + 1, size)
        )
        end[-1] = -size - 1 if end[-1] < 0 else end[-1]
        strides.append(-1 if backwards else draw.whole(1, 2))
    masks = {
        f"{n}_mask": draw.whole(0, 2**count - 1)
        for n in ("begin", "end")
        if draw.chance(0.4)
    }
    if draw.chance(0.3):
        masks["shrink_axis_mask"] = 1 << draw.whole(0, count - 1)
    elif draw.chance(0.3):
        masks[draw.pick(["new_axis_mask", "ellipsis_mask"])] = 1 << draw.whole(
            0, count - 1
        )
    at = {
        n: np.asarray(v, "int32")
        for n, v in zip(("begin", "end", "strides"), (begin, end, strides))
    }
    if masks.get("shrink_axis_mask"):
        at["strides"] = np.abs(at["strides"])
    return {"input": x, **at, **masks}


@recipe("Concat", "ConcatV2")
def concat(draw: Draw) -> Arguments:
    shape = list(draw.rng.integers(1, 4, draw.whole(1, 4)))
    over = draw.whole(0, len(shape) - 1)
    many = []
    for _ in range(draw.whole(2, 3)):
        shape[over] = draw.whole(1, 4)
        many.append(data(draw, "float32", shape))
    at = over - len(shape) if draw.op == "ConcatV2" and draw.chance(0.3) else over
    if draw.op == "Concat":
        return {"concat_dim": np.int32(at), "values": many}
    return {"values": many, "axis": np.int32(at)}


@recipe("Split", "SplitV", "Unpack")
def split(draw: Draw) -> Arguments:
    x = data(draw, "float32", draw.rng.integers(1, 4, draw.whole(1, 4)))
    over = draw.whole(0, x.ndim - 1)
    if draw.op == "Unpack":
        return {"value": x, "num": x.shape[over], "axis": over}
    count = draw.whole(1, 3)
    x = np.concatenate([x] * count, over)
    if draw.op == "Split":
        return {"split_dim": np.int32(over), "value": x, "num_split": count}
    sizes = (
        [x.shape[over]]
        if x.shape[over] < 2
        else [1, draw.pick([-1, x.shape[over] - 1])]
    )
    many = {"size_splits": np.asarray(sizes, "int32"), "num_split": len(sizes)}
    return {"value": x, "split_dim": np.int32(over), **many}


@recipe("Gather", "GatherV2", "ResourceGather")
def gather(draw: Draw) -> Arguments:
    x = data(
        draw,
        draw.pick(["float32", "float32", "int32"]),
        draw.rng.integers(2, 5, draw.whole(1, 4)),
    )
    over = 0 if draw.op == "Gather" else draw.whole(0, x.ndim - 1)
    batch = draw.whole(0, over) if draw.op == "GatherV2" and draw.chance(0.3) else 0
    shape = (*x.shape[:batch], *draw.rng.integers(1, 4, draw.whole(0, 2)))
    at = draw.rng.integers(0, x.shape[over], shape).astype(
        draw.pick(["int32", "int64"])
    )
    said: Arguments = {"params": x, "indices": at}
    if draw.op == "GatherV2":
        said |= {"axis": np.int32(over), "batch_dims": batch}
    return said


@recipe("Select", "SelectV2", "Where")
def select(draw: Draw) -> Arguments:
    shape = tuple(
        draw.rng.integers(1, 4, draw.whole(0 if draw.op != "Where" else 1, 3))
    )
    if draw.op == "Where":
        return {"input": data(draw, draw.pick(["bool", "float32"]), shape)}
    condition = data(draw, "bool", shape)
    if shape and draw.chance(0.3):
        condition = data(draw, "bool", shape[:1] if draw.op == "Select" else shape[-1:])
    names = "te"
    return {"condition": condition, **{n: data(draw, "float32", shape) for n in names}}


@recipe("SpaceToBatchND", "BatchToSpaceND", "SpaceToBatch", "BatchToSpace")
def blocks(draw: Draw) -> Arguments:
    is_space = draw.op.startswith("Space")
    rate = draw.whole(1, 3) if draw.op.endswith("ND") else 2
    x = floats(draw, 2 if is_space else 2 * rate * rate, 2 * rate, 3 * rate, 2)
    if not draw.op.endswith("ND"):
        name = "paddings" if is_space else "crops"
        return {
            "input": x,
            name: np.asarray(
                [[1, 1], [0, 2]] if is_space else [[1, 0], [0, 1]], "int32"
            ),
            "block_size": 2,
        }
    edges = np.asarray(
        [[rate, 0], [0, rate]] if is_space and draw.chance() else [[0, 0], [0, 0]],
        "int32",
    )
    name = "paddings" if is_space else "crops"
    return {"input": x, "block_shape": np.asarray([rate, rate], "int32"), name: edges}


@recipe("DepthToSpace", "SpaceToDepth")
def depth(draw: Draw) -> Arguments:
    x = (
        floats(draw, 2, 4, 6, 8)
        if draw.op == "DepthToSpace"
        else floats(draw, 2, 4, 6, 3)
    )
    return {"input": x, "block_size": 2}


@recipe("Einsum")
def einsum(draw: Draw) -> Arguments:
    equation, *shapes = draw.pick(
        [
            ("ij,jk->ik", (2, 3), (3, 4)), ("bij,bjk->bik", (2, 3, 4), (2, 4, 2)), ("bij->bji", (2, 3, 4)),
            ("abc,cde->abde", (2, 3, 4), (4, 2, 3)), ("bhqd,bkhd->bhqk", (2, 2, 3, 4), (2, 5, 2, 4)), ("ij->j", (2, 3)),
            ("...ij,jk->...ik", (2, 2, 3), (3, 4)), ("ij,ij->", (2, 3), (2, 3)), ("ii->i", (3, 3)), ("i,j->ij", (2,), (3,)),
        ]
    )  # fmt: skip
    return {"inputs": [floats(draw, *s) for s in shapes], "equation": equation}


@recipe("ExtractImagePatches", "Dilation2D", "ExtractVolumePatches")
def patches(draw: Draw) -> Arguments:
    rate, stride = draw.whole(1, 2), draw.whole(1, 2)
    both = {"strides": [1, stride, stride, 1], "rates": [1, rate, rate, 1]}
    x = floats(draw, 1, 7, 8, 2)
    if draw.op == "Dilation2D":
        return {
            "input": x,
            "filter": floats(draw, 2, 2, 2),
            **both,
            "padding": padding(draw),
        }
    if draw.op == "ExtractImagePatches":
        return {"images": x, "ksizes": [1, 2, 3, 1], **both, "padding": padding(draw)}
    side = {"ksizes": [1, 2, 2, 2, 1], "strides": [1, stride, stride, stride, 1]}
    return {"input": floats(draw, 1, 4, 5, 4, 2), **side, "padding": padding(draw)}


@recipe("CropAndResize")
def crop(draw: Draw) -> Arguments:
    boxes = (
        np.sort(draw.rng.uniform(0, 1, (3, 2, 2)), 1).reshape(3, 4).astype("float32")
    )
    rest = {
        "box_ind": np.asarray([0, 1, 0], "int32"),
        "crop_size": np.asarray([3, 2], "int32"),
    }
    return {
        "image": floats(draw, 2, 5, 6, 3),
        "boxes": boxes,
        **rest,
        "method": draw.pick(["bilinear", "nearest"]),
    }


@recipe(
    "NonMaxSuppression",
    "NonMaxSuppressionV2",
    "NonMaxSuppressionV3",
    "NonMaxSuppressionV4",
    "NonMaxSuppressionV5",
)
def suppression(draw: Draw) -> Arguments:
    boxes = (
        np.sort(draw.rng.uniform(0, 1, (6, 2, 2)), 1).reshape(6, 4).astype("float32")
    )
    said: Arguments = {
        "boxes": boxes,
        "scores": np.abs(floats(draw, 6)),
        "max_output_size": np.int32(4),
    }
    if draw.op == "NonMaxSuppression":
        return said | {"iou_threshold": 0.5}
    said["iou_threshold"] = np.float32(0.5)
    if draw.op[-1] in "345":
        said["score_threshold"] = np.float32(0.1)
    return said | ({"soft_nms_sigma": np.float32(0.1)} if draw.op[-1] == "5" else {})


@recipe("BlockLSTM", "BlockLSTMV2")
def block_lstm(draw: Draw) -> Arguments:
    steps, batch, inside, units = 4, 2, 3, draw.whole(1, 3)
    said = {"seq_len_max": np.int64(steps), "x": floats(draw, steps, batch, inside)}
    said |= {n: floats(draw, batch, units) for n in ("cs_prev", "h_prev")}
    said |= {"w": floats(draw, inside + units, 4 * units)}
    said |= {n: np.zeros(units, "float32") for n in ("wci", "wcf", "wco")}
    said["b"] = floats(draw, 4 * units)
    return said | {"forget_bias": 1.0} if draw.op == "BlockLSTM" else said


@recipe("LSTMBlockCell", "GRUBlockCell")
def block_cell(draw: Draw) -> Arguments:
    batch, inside, units = 2, 3, draw.whole(1, 3)
    said = {"x": floats(draw, batch, inside)}
    if draw.op == "GRUBlockCell":
        wide = {
            "w_ru": floats(draw, inside + units, 2 * units),
            "w_c": floats(draw, inside + units, units),
        }
        return (
            said
            | {"h_prev": floats(draw, batch, units)}
            | wide
            | {"b_ru": floats(draw, 2 * units), "b_c": floats(draw, units)}
        )
    said |= {n: floats(draw, batch, units) for n in ("cs_prev", "h_prev")}
    said |= {"w": floats(draw, inside + units, 4 * units)}
    return (
        said
        | {n: floats(draw, units) for n in ("wci", "wcf", "wco")}
        | {"b": floats(draw, 4 * units)}
    )


@recipe(
    "MatrixDiagV3",
    "MatrixDiagV2",
    "MatrixDiagPartV3",
    "MatrixDiagPartV2",
    "MatrixSetDiagV3",
    "MatrixSetDiagV2",
)
def diagonals(draw: Draw) -> Arguments:
    low = draw.whole(-1, 1)
    k = np.int32(low)
    if "Set" in draw.op:
        return {
            "input": floats(draw, 2, 3, 3),
            "diagonal": floats(draw, 2, 3 - abs(low)),
            "k": k,
        }
    if "Part" in draw.op:
        return {"input": floats(draw, 2, 3, 4), "k": k, "padding_value": np.float32(0)}
    rest = {n: np.int32(-1) for n in ("num_rows", "num_cols")}
    return {
        "diagonal": floats(draw, 2, 3),
        "k": k,
        **rest,
        "padding_value": np.float32(draw.whole(0, 1)),
    }


@recipe("CTCGreedyDecoder", "CTCLoss", "CTCBeamSearchDecoder")
def ctc(draw: Draw) -> Arguments:
    said: Arguments = {
        "inputs": floats(draw, 6, 2, 4),
        "sequence_length": np.asarray([6, 4], "int32"),
    }
    if draw.op == "CTCBeamSearchDecoder":
        return said | {"beam_width": 3, "top_paths": 1}
    if draw.op == "CTCLoss":
        at = np.asarray([[0, 0], [0, 1], [1, 0]], "int64")
        return {
            "inputs": said["inputs"],
            "labels_indices": at,
            "labels_values": np.asarray([0, 1, 2], "int32"),
            "sequence_length": said["sequence_length"],
        }
    return said


@recipe("SparseToDense")
def sparse_to_dense(draw: Draw) -> Arguments:
    at = np.asarray([[0, 1], [1, 2], [2, 0]], "int64")
    rest = {
        "sparse_values": floats(draw, 3),
        "default_value": np.float32(draw.whole(0, 1)),
    }
    return {"sparse_indices": at, "output_shape": np.asarray([3, 4], "int64"), **rest}


@recipe("DynamicStitch", "DynamicPartition", "ParallelDynamicStitch")
def stitch(draw: Draw) -> Arguments:
    if draw.op == "DynamicPartition":
        return {
            "data": floats(draw, 5, 2),
            "partitions": draw.rng.integers(0, 3, 5).astype("int32"),
            "num_partitions": 3,
        }
    order = draw.rng.permutation(5).astype("int32")
    return {
        "indices": [order[:2], order[2:]],
        "data": [floats(draw, 2, 3), floats(draw, 3, 3)],
    }


@recipe("Bincount")
def bincount(draw: Draw) -> Arguments:
    arr = draw.rng.integers(0, 5, 6).astype("int32")
    weights = floats(draw, 6) if draw.chance() else np.zeros(0, "float32")
    return {"arr": arr, "size": np.int32(draw.whole(4, 6)), "weights": weights}


@recipe("QuantizedConv2D")
def quantised(draw: Draw) -> Arguments:
    x = draw.rng.integers(0, 255, (1, 5, 5, 2)).astype("quint8" if False else "uint8")
    kernel = draw.rng.integers(0, 255, (2, 2, 2, 3)).astype("uint8")
    ranges = {
        n: np.float32(v)
        for n, v in (
            ("min_input", -1),
            ("max_input", 1),
            ("min_filter", -1),
            ("max_filter", 1),
        )
    }
    return {
        "input": x,
        "filter": kernel,
        **ranges,
        "strides": [1, 1, 1, 1],
        "padding": padding(draw),
    }


@recipe("ParallelConcat")
def stacked(draw: Draw) -> Arguments:
    return {"values": [floats(draw, 1, 3), floats(draw, 1, 3)], "shape": [2, 3]}


@recipe("RaggedRange")
def ragged(draw: Draw) -> Arguments:
    return {
        n: np.asarray(v, "int32")
        for n, v in (("starts", [0, 2]), ("limits", [3, 5]), ("deltas", [1, 1]))
    }


@recipe("RaggedTensorToTensor")
def ragged_dense(draw: Draw) -> Arguments:
    said: Arguments = {
        "shape": np.asarray([-1, -1], "int64"),
        "values": floats(draw, 5),
        "default_value": np.float32(0),
    }
    return said | {
        "row_partition_tensors": [np.asarray([0, 2, 2, 5], "int64")],
        "row_partition_types": ["ROW_SPLITS"],
    }


@recipe("RaggedGather")
def ragged_gather(draw: Draw) -> Arguments:
    splits = [np.asarray([0, 2, 2, 5], "int64")]
    rest = {"indices": np.asarray([2, 0], "int32"), "OUTPUT_RAGGED_RANK": 1}
    return {
        "params_nested_splits": splits,
        "params_dense_values": floats(draw, 5, 2),
        **rest,
    }


@recipe("SelfAdjointEigV2", "Eig")
def eigen(draw: Draw) -> Arguments:
    x = floats(draw, 3, 3)
    both = x + x.T if draw.op == "SelfAdjointEigV2" else np.diag(x[0])
    return {"input": both, "compute_v": True}


@recipe("Cholesky", "BatchCholesky")
def definite(draw: Draw) -> Arguments:
    x = floats(draw, *draw.pick([(3, 3), (2, 2, 2), (1, 4, 4)]))
    return {"input": x @ np.swapaxes(x, -1, -2) + np.eye(x.shape[-1], dtype="float32")}


@recipe("LowerBound", "UpperBound")
def bound(draw: Draw) -> Arguments:
    ordered = np.sort(floats(draw, 2, 5), -1)
    return {"sorted_inputs": ordered, "values": floats(draw, 2, draw.whole(1, 4))}
