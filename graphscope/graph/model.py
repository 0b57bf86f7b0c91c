"""What one file holds: signatures, variables, functions, weights read when asked for, and the Model of them all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any

import numpy as np

from ..errors import MissingWeight
from .graph import Extent, Graph, Shape, Tensor, TensorSpec, did_you_mean
from .named_values import Arguments, Attributes
from .tables import pairs_table, rows_table


@dataclass(frozen=True)
class Signature:
    """What a file declares as one way to call the model: names to tensors, and what they hold."""

    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]
    specs: Mapping[Tensor, TensorSpec] = field(default_factory=dict)
    method: str = ""


@dataclass(frozen=True)
class Variable:
    """One variable of a checkpoint or a graph.

    ``name`` is the checkpoint's key (the graph's node where there is no checkpoint), ``role`` one of weight,
    optimizer slot, moving average, batch statistics, step counter, metric, lookup table, queue, other; ``of`` names
    the weight that a slot or an average belongs to, ``optimizer`` which optimizer keeps the slot (as far as
    names, objects or ops tell), ``path`` is the object path in a TF2 checkpoint, ``full_name`` what the
    program called it there, ``trainable`` is None where nothing
    says so.
    """

    name: str
    dtype: str
    shape: Shape
    nbytes: int
    role: str = "weight"
    of: str = ""
    path: str = ""
    trainable: bool | None = None
    optimizer: str = ""
    full_name: str = ""

    def _repr_html_(self) -> str:
        """The table that a notebook shows."""
        facts = {f.name: getattr(self, f.name) for f in fields(self)[1:]}
        return pairs_table(self.name, facts | {"shape": str(self.shape)})


@dataclass(frozen=True)
class Function:
    """One function of the library, its body a Graph of its own.

    Arguments are nodes of op ``_Arg`` with attribute ``T``; ``returns`` gives the body tensor of each output in
    order; the references in the body are already ``node:port``. ``message`` is the FunctionDef as it was read, so that
    what nobody changed can be written as it was. ``gradient`` is the function that the library gives as its gradient.
    """

    name: str
    graph: Graph
    arguments: tuple[str, ...]
    returns: tuple[Tensor, ...]
    output_names: tuple[str, ...] = ()
    control_returns: tuple[str, ...] = ()
    attrs: Attributes = field(default_factory=dict)
    message: Any = field(default=None, compare=False, repr=False)
    gradient: str = ""


class Weights(Mapping[str, np.ndarray]):
    """Arrays by variable name, read when asked for; the empty mapping is what a file without weights has."""

    shortages: Mapping[str, str] = MappingProxyType({})
    """Weight -> why its values cannot be read, where the file that should hold them is not here or cut short."""

    missing_files: tuple[str, ...] = ()
    """What is wrong with each file that should hold values and is not here or cut short, with the remedy."""

    def __getitem__(self, name: str) -> np.ndarray:
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def spec(self, name: str) -> TensorSpec:
        """Dtype and shape, without reading the values."""
        array = self[name]
        return TensorSpec(str(array.dtype), array.shape)

    def has_value(self, name: str) -> bool:
        """Whether the values of this name can be read."""
        return name in self and name not in self.shortages

    def extents(self, name: str) -> tuple[Extent, ...] | None:
        """Where the raw little-endian bytes lie, in order; None where they must be decoded first."""
        return None

    def checksum(self, name: str) -> int | None:
        """The CRC32C that the file holds of the values' bytes; None where it holds none of the whole."""
        return None


class _WhenAsked:
    """A field that may be given as a function of nothing, which is called when the field is first read."""

    def __get__(self, model: object, owner: object = None) -> Any:
        if model is None:
            raise AttributeError("graph")  # so the dataclass sees no default
        graph = model.__dict__["_graph"]
        if not isinstance(graph, Graph):
            graph = model.__dict__["_graph"] = graph()
        return graph

    def __set__(self, model: object, value: object) -> None:
        model.__dict__["_graph"] = value


@dataclass(frozen=True, repr=False)
class Model:
    """All that a file holds: structure now, weights when asked for.

    ``keys`` maps the graph's variable nodes to names in ``weights`` (through the graph's own restore wiring, by name
    where there is none); ``inferred`` is true of a graph that was built from a variable list alone, ``layered`` of one whose nodes are layers
    and not ops (that, and what a Keras file holds); ``topology`` is the KerasModel that such a file describes. ``graph`` may be given as a function that makes it when it is first asked for.

    >>> model = load("model.pb")
    >>> model.format, len(model.graph), list(model.signatures)
    ('GraphDef', 11, [])
    >>> model.value("logits/bias").dtype.name
    'float32'
    """

    graph: Graph = _WhenAsked()  # type: ignore[assignment]
    source: str = ""
    format: str = ""
    producer: str = ""
    functions: Mapping[str, Function] = field(default_factory=dict)
    weights: Weights = field(default_factory=Weights)
    variables: tuple[Variable, ...] = ()
    keys: Mapping[str, str] = field(default_factory=dict)
    signatures: Mapping[str, Signature] = field(default_factory=dict)
    collections: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    versions: Mapping[str, int] = field(default_factory=dict)
    assets: Mapping[str, str] = field(default_factory=dict)
    inferred: bool = False
    layered: bool = False
    topology: Any = None
    remarks: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """What it is, in one line: no graph is built and no value read for it."""
        count = len(self.variables)
        return f"<Model {self.source!r}: {self.format or 'in memory'}, {count:,} variables>"

    def __getstate__(self) -> Arguments:
        """What is pickled and copied: everything, the graph made."""
        return {**self.__dict__, "_graph": self.graph}

    def _repr_html_(self) -> str:
        """What a notebook shows: what the file is, and its variables."""
        facts = {
            "format": self.format,
            "producer": self.producer,
            "nodes": f"{len(self.graph):,}",
            "functions": len(self.functions),
            "signatures": ", ".join(self.signatures),
            "remarks": "; ".join(self.remarks),
        }
        rows = [(v.name, v.role, v.dtype, v.shape, v.nbytes) for v in self.variables]
        head = ("variable", "role", "dtype", "shape", "bytes")
        table = rows_table(head, rows) if rows else ""
        return pairs_table(self.source, facts) + table

    def value(self, node: str) -> np.ndarray:
        """The array that a Const or a variable of the graph holds; raises MissingWeight where it has none."""
        key = self.keys.get(node, node)
        payload = None if self.layered else self.graph.node(node)
        if payload is not None and "value" in payload.attrs:
            return payload.attrs["value"]  # type: ignore[no-any-return]
        if key in self.weights.shortages:
            raise MissingWeight(
                f"variable {node!r} has no value: {self.weights.shortages[key]}"
            )
        if key not in self.weights:
            hint = did_you_mean(key, self.weights)
            if not len(self.weights):
                hint = ": no weights lie beside it; say where they are (--checkpoint)"
            raise MissingWeight(
                f"variable {node!r} has no value in {self.source or 'the file'}{hint}"
            )
        return self.weights[key]

    def has_value(self, node: str) -> bool:
        """Whether ``value(node)`` would give an array."""
        key = self.keys.get(node, node)
        if self.weights.has_value(key):
            return True
        return not self.layered and "value" in self.graph.node(node).attrs
