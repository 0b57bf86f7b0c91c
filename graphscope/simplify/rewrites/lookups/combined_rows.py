"""A matrix of ids and which of them count -> the rows of a table that they stand for, combined for each example."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ....graph import Graph, Node, Tensor
from ....graph.edit import put, put_constant, put_new


class SpreadIds(NamedTuple):
    """Ids, one row for each example, and the mask of those that count.

    ``is_minus_one`` says that the others are -1, ``are_all`` that there are no others; ``columns`` is how many an example has.
    """

    ids: Tensor
    mask: Tensor
    dtype: str
    columns: object
    is_minus_one: bool
    are_all: bool


def put_combined(
    graph: Graph,
    name: str,
    combiner: tuple[str, str],
    table: tuple[Node, Sequence[Tensor]],
    spread: SpreadIds,
) -> None:
    """``name`` becomes the sum, mean or sum by the root of the number of the rows that the ids stand for.

    ``combiner`` is that and the dtype of the rows, ``table`` what gathers them, and of what. ``sum -> Sum(Gather(table, ids) * mask,
    axis=1)``, of one id an example ``Gather(table, Squeeze(ids)) * mask``.
    """
    _, dtype = combiner
    ids = _indices(graph, name, spread)
    gather, operands = table
    if spread.columns == 1:
        squeeze = {"T": spread.dtype, "squeeze_dims": (1,)}
        ids = put_new(graph, f"{name}/id", "Squeeze", squeeze, ids)
    attrs = {**gather.attrs, "Tindices": spread.dtype}
    ends = [operands[0], ids, *operands[2:]]
    rows = put_new(graph, f"{name}/rows", gather.op, attrs, *ends)
    if spread.columns == 1 and spread.are_all:
        put(graph, name, Node("Identity", {"T": dtype}), [rows])
        return
    cast = {"SrcT": "bool", "DstT": dtype}
    mask = put_new(graph, f"{name}/mask", "Cast", cast, spread.mask)
    if spread.columns == 1:
        put(graph, name, Node("Mul", {"T": dtype}), [rows, mask])
    else:
        _combine(graph, name, combiner, rows, mask)


def _indices(graph: Graph, name: str, spread: SpreadIds) -> Tensor:
    """The ids, 0 in place of those that do not count."""
    kinds = {"T": spread.dtype}
    if spread.are_all:
        return spread.ids
    if spread.is_minus_one:
        nothing = np.zeros((), np.dtype(spread.dtype))
        zero = put_constant(graph, f"{name}/zero", nothing)
        return put_new(graph, f"{name}/ids", "Maximum", kinds, spread.ids, zero)
    zeros = put_new(graph, f"{name}/zeros", "ZerosLike", kinds, spread.ids)
    ends = (spread.mask, spread.ids, zeros)
    return put_new(graph, f"{name}/ids", "SelectV2", kinds, *ends)


def _combine(
    graph: Graph, name: str, combiner: tuple[str, str], rows: Tensor, mask: Tensor
) -> None:
    kind, dtype = combiner
    last = put_constant(graph, f"{name}/mask_of_rows/axis", -1)
    attrs = {"T": dtype, "Tdim": "int32"}
    wide = put_new(graph, f"{name}/mask_of_rows", "ExpandDims", attrs, mask, last)
    kept = put_new(graph, f"{name}/kept", "Mul", {"T": dtype}, rows, wide)
    axis = put_constant(graph, f"{name}/axis", 1)
    sum_attrs = {"T": dtype, "Tidx": "int32"}
    if kind == "sum":
        put(graph, name, Node("Sum", sum_attrs), [kept, axis])
        return
    total = put_new(graph, f"{name}/sum", "Sum", sum_attrs, kept, axis)
    kept_axis = {**sum_attrs, "keep_dims": True}
    count = put_new(graph, f"{name}/count", "Sum", kept_axis, mask, axis)
    if kind == "sqrtn":
        count = put_new(graph, f"{name}/root", "Sqrt", {"T": dtype}, count)
    put(graph, name, Node("DivNoNan", {"T": dtype}), [total, count])
