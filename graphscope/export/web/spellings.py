"""Ops, or forms of them, that TensorFlow.js has no kernel for -> the same by ops that it has, in place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from ...graph import Graph, Tensor, TensorSpec
from ...graph.edit import put
from ...infer.shapes.forward import infer_shapes
from ..frozen.body import stored_value, value_of
from ..frozen.spelling import Parts, spell_buckets, spell_erfc

_PLACES = ("strides", "padding", "dilations", "explicit_paddings", "data_format")


def spell_space_to_depth(graph: Graph) -> Iterator[str]:
    """``SpaceToDepth(x, b) -> ConcatV2(x[:, i::b, j::b, :] for i, j)``, where the channels come last."""
    for name in list(graph.by_op("SpaceToDepth")):
        attrs = graph.attrs(name)
        if attrs.get("data_format", "NHWC") != "NHWC":
            continue
        parts, block = Parts(graph, name), int(attrs["block_size"])
        kinds, x = {"T": attrs["T"], "Index": "int32"}, graph.inputs(name)[0]
        kinds |= {"begin_mask": 0b1001, "end_mask": 0b1111}
        ends = parts.constant("ends", np.zeros(4, np.int32))
        steps = parts.constant("steps", np.array([1, block, block, 1], np.int32))
        slices = []
        for i, j in np.ndindex(block, block):
            begin = parts.constant("begin", np.array([0, i, j, 0], np.int32))
            slices.append(
                parts.node("part", "StridedSlice", kinds, x, begin, ends, steps)
            )
        axis = parts.constant("axis", np.array(3, np.int32))
        concat = {"T": attrs["T"], "N": len(slices), "Tidx": "int32"}
        parts.end("ConcatV2", concat, *slices, axis)
        yield "SpaceToDepth written as slices"


def mask_bands(graph: Graph) -> Iterator[str]:
    """``MatrixBandPart(x, low, high) -> SelectV2(rows - columns in the band, x, 0)``: TensorFlow.js takes ``low`` for ``high``."""
    for name in list(graph.by_op("MatrixBandPart")):
        x, *limits = graph.inputs(name)
        if all(graph.op(limit.node) == "Const" for limit in limits):
            low, high = (int(value_of(graph.node(t.node))) for t in limits)
            _mask(Parts(graph, name), x, low, high)
            yield "bands of matrices written as masks"


def _mask(parts: Parts, x: Tensor, low: int, high: int) -> None:
    kind, whole = {"T": parts.graph.attrs(parts.name)["T"]}, {"T": "int32"}
    sizes = parts.node("shape", "Shape", {**kind, "out_type": "int32"}, x)
    rows, columns = (_places(parts, sizes, axis) for axis in (-2, -1))
    last = parts.constant("last", np.array(-1, np.int32))
    column = {"T": "int32", "Tdim": "int32"}
    rows = parts.node("column", "ExpandDims", column, rows, last)
    apart = parts.node("apart", "Sub", whole, rows, columns)
    far = np.iinfo(np.int32).max
    most = parts.constant("low", np.array(far if low < 0 else low, np.int32))
    least = parts.constant("high", np.array(-far if high < 0 else -high, np.int32))
    below = parts.node("below", "LessEqual", whole, apart, most)
    above = parts.node("above", "GreaterEqual", whole, apart, least)
    band = parts.node("band", "LogicalAnd", {}, below, above)
    if kind["T"] == "bool":
        parts.end("LogicalAnd", {}, band, x)
    else:
        zeros = parts.node("zeros", "ZerosLike", kind, x)
        parts.end("SelectV2", kind, band, x, zeros)


def _places(parts: Parts, sizes: Tensor, axis: int) -> Tensor:
    """0, 1 ... along one of the last axes."""
    ends = [np.array([n], np.int32) for n in (axis, axis + 1, 1)]
    bounds = [parts.constant("bound", each) for each in ends]
    attrs = {"T": "int32", "Index": "int32", "shrink_axis_mask": 1}
    attrs["end_mask"] = int(axis == -1)
    size = parts.node("size", "StridedSlice", attrs, sizes, *bounds)
    zero, one = (parts.constant("step", np.array(n, np.int32)) for n in (0, 1))
    return parts.node("places", "Range", {"Tidx": "int32"}, zero, size, one)


def multiply_einsums(graph: Graph) -> Iterator[str]:
    """``Einsum("BTNH,BSNH->BNTS", x, y) -> BatchMatMulV2(Transpose(x), Transpose(y))``: wasm has no kernel for the former.

    Where each side has one label of its own and both share one that is summed over; any others are in all three.
    """
    for name in list(graph.by_op("Einsum")):
        equation = _equation(str(graph.attrs(name)["equation"]))
        if equation is None or len(graph.inputs(name)) != 2:
            continue
        parts, kind = Parts(graph, name), {"T": graph.attrs(name)["T"]}
        first, second, out, (batch, row, inner, column) = equation
        x, y = graph.inputs(name)
        left = _transposed(parts, "left", x, first, batch + row + inner, kind)
        right = _transposed(parts, "right", y, second, batch + inner + column, kind)
        product = {**kind, "adj_x": False, "adj_y": False}
        whole = parts.node("product", "BatchMatMulV2", product, left, right)
        order = [(batch + row + column).index(label) for label in out]
        axes = parts.constant("order", np.array(order, np.int32))
        parts.end("Transpose", {**kind, "Tperm": "int32"}, whole, axes)
        yield "Einsum written as a product"


def _equation(text: str) -> tuple[str, str, str, tuple[str, str, str, str]] | None:
    """The labels of both operands and of the result, and which are of the batch, the row, the sum and the column."""
    sides, arrow, out = text.replace(" ", "").partition("->")
    first, comma, second = sides.partition(",")
    if not arrow or not comma or "." in text or "," in second:
        return None
    if any(len(set(labels)) < len(labels) for labels in (first, second, out)):
        return None
    batch = "".join(a for a in out if a in first and a in second)
    inner = "".join(a for a in first if a in second and a not in out)
    row = "".join(a for a in first if a not in second)
    column = "".join(a for a in second if a not in first)
    is_product = len(inner) == len(row) == len(column) == 1
    if not is_product or not set(row + column) <= set(out):
        return None
    return first, second, out, (batch, row, inner, column)


def _transposed(
    parts: Parts,
    part: str,
    x: Tensor,
    labels: str,
    target_labels: str,
    kind: Mapping[str, object],
) -> Tensor:
    if labels == target_labels:
        return x
    order = np.array([labels.index(label) for label in target_labels], np.int32)
    axes = parts.constant(f"{part}_order", order)
    return parts.node(part, "Transpose", {**kind, "Tperm": "int32"}, x, axes)


def split_groups(graph: Graph) -> Iterator[str]:
    """``Conv2D(x, kernel of fewer channels) -> ConcatV2(Conv2D(part of x, part of kernel), ...)``: no kernel takes groups."""
    kernels = {n: graph.inputs(n)[1].node for n in graph.by_op("Conv2D")}
    constant = {n: k for n, k in kernels.items() if graph.op(k) == "Const"}
    if not constant:
        return
    specs = infer_shapes(graph)
    for name, kernel in constant.items():
        x = graph.inputs(name)[0]
        shape, node = specs[x].shape if x in specs else None, graph.node(kernel)
        body = stored_value(node)
        depth = (value_of(node) if body is None else body).shape[2]
        is_last = graph.attrs(name).get("data_format", "NHWC") == "NHWC"
        if shape and shape[-1] and is_last and shape[-1] != depth:
            _split(Parts(graph, name), x, value_of(node), shape[-1] // depth)
            yield "grouped convolutions written as one a group"


def _split(parts: Parts, x: Tensor, kernel: np.ndarray, groups: int) -> None:
    attrs = parts.graph.attrs(parts.name)
    split_attrs = {key: attrs[key] for key in ("T", *_PLACES) if key in attrs}
    axis = parts.constant("axis", np.array(3, np.int32))
    pieces = {"T": attrs["T"], "num_split": groups}
    split = parts.node("split", "Split", pieces, axis, x)
    products = []
    for number, piece in enumerate(np.split(kernel, groups, axis=3)):
        weight = parts.constant("kernel", np.ascontiguousarray(piece))
        part = Tensor(split.node, number)
        products.append(parts.node("group", "Conv2D", split_attrs, part, weight))
    concat = {"T": attrs["T"], "N": groups, "Tidx": "int32"}
    parts.end("ConcatV2", concat, *products, axis)


def pad_apart(graph: Graph) -> Iterator[str]:
    """``Conv2D(x, k, SAME) -> Conv2D(Pad(x), k, VALID)`` where a stride is wider than its kernel: there wasm answers with zeros.

    It passes on a padding of ``(outputs - 1) * stride + kernel - size``, below 0; where nothing is padded there is no Pad.
    """
    strided = [
        name
        for name in graph.by_op("Conv2D", "DepthwiseConv2dNative")
        if graph.attrs(name).get("padding") == "SAME"
        and graph.attrs(name).get("data_format", "NHWC") == "NHWC"
        and max(_strides(graph, name)) > 1
    ]
    specs = infer_shapes(graph) if strided else {}
    for name in strided:
        totals = list(_padding(graph, name, specs))
        if min(totals, default=0) < 0:
            _pad_apart(graph, name, totals)
            yield "convolutions whose strides are wider than their kernel padded apart"


def _strides(graph: Graph, name: str) -> tuple[int, ...]:
    return tuple(graph.attrs(name).get("strides", (1, 1, 1, 1)))[1:3]


def _padding(
    graph: Graph, name: str, specs: Mapping[Tensor, TensorSpec]
) -> Iterator[int]:
    """By how many SAME pads height and width in all; nothing where a size is not known."""
    x, kernel = (specs.get(t, TensorSpec()).shape for t in graph.inputs(name)[:2])
    sides = zip((x or ())[1:3], (kernel or ())[:2], _strides(graph, name))
    sizes = [
        (size, window, stride) for size, window, stride in sides if size and window
    ]
    for size, window, stride in sizes if len(sizes) == 2 else ():
        yield (-(-size // stride) - 1) * stride + window - size


def _pad_apart(graph: Graph, name: str, totals: list[int]) -> None:
    """Write one convolution so, with ``totals`` for its padding where they are above 0."""
    node, inputs = graph.node(name), list(graph.inputs(name))
    pads = [(max(t, 0) // 2, max(t, 0) - max(t, 0) // 2) for t in totals]
    if max(totals) > 0:
        parts = Parts(graph, name)
        sizes = parts.constant("pads", np.array([(0, 0), *pads, (0, 0)], np.int32))
        attrs = {"T": node.attrs["T"], "Tpaddings": "int32"}
        inputs[0] = parts.node("padded", "Pad", attrs, inputs[0], sizes)
    attrs = {**node.attrs, "padding": "VALID"}
    put(graph, name, replace(node, attrs=attrs), inputs)


SPELLINGS = (
    pad_apart,
    spell_erfc,
    spell_buckets,
    spell_space_to_depth,
    mask_bands,
    multiply_einsums,
    split_groups,
)
SPELT = frozenset({"Erfc", "Bucketize", "SpaceToDepth"})
"""The ops that these write otherwise."""
