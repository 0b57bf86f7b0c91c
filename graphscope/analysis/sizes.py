"""How many parameters a model has, and how many bytes they take: what every command and page says of it."""

from __future__ import annotations

import math
from collections.abc import Container
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..graph import TensorSpec, Variable
from ..graph.amounts import bytes_text, number_of
from ..graph.named_values import Document, Row
from ..read.variables.roles import PARAMETERS
from ..wire.attrs import numpy_dtype

__all__ = [
    "Sizes",
    "bytes_text",
    "number_of",
    "parameters_of",
    "sizes_of",
    "variable_row",
]

_NO_WEIGHTS = frozenset("int32 int64 string bool".split())  # shapes, axes, names
MOST_NODES = 300_000  # that the outputs need: up to here ``inspect`` looks for layers

if TYPE_CHECKING:
    from .stages import Stages


@dataclass(frozen=True)
class Sizes:
    """``parameters`` is what the rows of the layer table have, and ``outside`` what variables have that are in none of them;
    ``nbytes`` what all these take in the file; ``constants`` are those parameters that are no variable's.
    """

    parameters: int
    outside: int
    nbytes: int
    constants: int = 0


def sizes_of(analysis: Stages) -> Sizes:
    """The sizes of a model; no value is read for them."""
    from ..render.cells.counting import Count
    from ..render.cells.rows import rows_of
    from ..render.cells.spelling import size_of

    count = Count()
    rows = rows_of(analysis.layer_graph, analysis.specs, count)
    inside = sum(row.parameters for row in rows)
    keys = analysis.flat.keys
    stored = {keys.get(node, node): size for node, size in count.stored.items()}
    variables = {v.name: v for v in analysis.model.variables if v.role in PARAMETERS}
    outside = sum(
        max(0, size_of(v.shape) - stored.get(name, 0)) for name, v in variables.items()
    )
    nbytes = sum(v.nbytes for v in variables.values())
    named = {v.name for v in analysis.model.variables}
    for name in stored:
        if name not in named:
            nbytes += _constant(analysis, name).get("bytes", 0)
    total = inside + outside
    constants = max(0, total - sum(size_of(v.shape) for v in variables.values()))
    return Sizes(total, outside, nbytes, constants)


def needed_nodes(analysis: Stages) -> set[str]:
    """What the likely outputs need; where none is known, all that is not there only to train."""
    graph, roles = analysis.flat.graph, analysis.roles
    outputs = [tensor.node for tensor in analysis.outputs]
    return graph.upstream(outputs or (name for name in graph if name not in roles))


def stored_sizes(analysis: Stages, needed: Container[str]) -> Sizes:
    """The sizes by what is stored alone, no layer looked for: the variables, without any the constants of rank 1 and more."""
    from ..render.cells.spelling import size_of

    listed = [v for v in analysis.model.variables if v.role in PARAMETERS]
    if listed:
        total = sum(size_of(v.shape) for v in listed)
        return Sizes(total, total, sum(v.nbytes for v in listed))
    graph, total, nbytes = analysis.flat.graph, 0, 0
    for name in graph.by_op("Const"):
        spec = _constant_spec(graph.attrs(name)) if name in needed else TensorSpec()
        if spec.shape and spec.dtype not in _NO_WEIGHTS:
            total += size_of(spec.shape)
            nbytes += _bytes_of(spec)
    return Sizes(total, 0, nbytes, total)


def parameters_of(analysis: Stages) -> list[Row]:
    """The variables (or, in a frozen graph, the constants of its layers and ops) that make up the model."""
    listed = [v for v in analysis.model.variables if v.role in PARAMETERS]
    if listed:
        return [variable_row(v) for v in listed]
    from ..render.cells.counting import Count
    from ..render.cells.rows import rows_of

    count = Count()
    rows_of(analysis.layer_graph, analysis.specs, count)
    rows = [_constant(analysis, name) for name in count.stored]
    return [row for row in rows if row]


def _constant(analysis: Stages, name: str) -> Document:
    """The row of a constant, its values left alone; empty where it is none."""
    graph = analysis.flat.graph
    if analysis.flat.layered or name not in graph or graph.op(name) != "Const":
        return {}
    spec = _constant_spec(graph.attrs(name))
    row = {"name": name, "dtype": spec.dtype, "shape": list(spec.shape or ())}
    return {**row, "bytes": _bytes_of(spec), "role": "weight"}


def _constant_spec(attrs: Any) -> TensorSpec:
    """Dtype and shape of a constant, its values left alone."""
    if hasattr(attrs, "spec"):
        spec: TensorSpec = attrs.spec("value")
        return spec
    return TensorSpec(str(attrs["value"].dtype), attrs["value"].shape)


def _bytes_of(spec: TensorSpec) -> int:
    item = numpy_dtype(spec.dtype)
    count = math.prod(size or 0 for size in spec.shape or ())
    return count * (0 if item is None else item.itemsize)


def variable_row(variable: Variable) -> Row:
    row = {
        "name": variable.name,
        "dtype": variable.dtype,
        "shape": None if variable.shape is None else list(variable.shape),
        "bytes": variable.nbytes,
        "role": variable.role,
    }
    row |= {"of": variable.of} if variable.of else {}
    row |= {"optimizer": variable.optimizer} if variable.optimizer else {}
    return row | ({"path": variable.path} if variable.path else {})
