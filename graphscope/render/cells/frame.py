"""Rows -> a pandas DataFrame, one row a node, whose parameters sum to the total."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from ...graph import Graph, Layer, Tensor, TensorSpec
from . import spelling as words
from .rows import Row, rows_of

if TYPE_CHECKING:
    from pandas import DataFrame

COLUMNS = (
    "layer",
    "type",
    "output shape",
    "parameters",
    "connected to",
    "config",
)


_LARGEST = (1 << 63) - 1  # a damaged file may claim more: then the counts stay Python's


def to_table(
    what: Graph | Iterable[Layer], specs: Mapping[Tensor, TensorSpec] = {}
) -> DataFrame:
    """One row a node of a graph of any altitude (or a layer of a list), with the columns of ``COLUMNS``.

    ``output shape`` is a tuple or None, ``parameters`` an int that counts every weight once, ``connected to`` and
    ``config`` (what is not Keras's default) are text. Names are as in the file: what prints them must escape them.
    """
    import pandas

    rows = rows_of(what, specs)
    records = [_record(row) for row in rows]
    # objects: names may hold surrogates, which the strings of pandas with pyarrow cannot
    frame = pandas.DataFrame(records, columns=list(COLUMNS), dtype=object)
    fits = sum(row.parameters for row in rows) <= _LARGEST
    return frame.astype({"parameters": "int64" if fits else object})


def _record(row: Row) -> tuple[object, ...]:
    entries = (f"{k}={row.config[k]}" for k in row.telling if k in row.config)
    config = ", ".join(entries)
    inputs = ", ".join(row.inputs)
    return (row.name, row.type, row.shape, row.parameters, inputs, config)


def cells(frame: DataFrame) -> list[list[str]]:
    """The frame as text, unescaped: shapes as people write them, counts with separators."""
    return [
        [name, kind, words.times(shape), f"{count:,}" if count else "", inputs, config]
        for name, kind, shape, count, inputs, config in frame.itertuples(index=False)
    ]


def total(frame: DataFrame) -> int:
    return int(frame["parameters"].sum())
