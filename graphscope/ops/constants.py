"""Tensors whose values are known without running anything: constants, and what numpy makes of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from .. import ops
from ..graph import Graph, Model, Tensor, TensorSpec
from ..wire import opdefs
from .values.budget import MOST_ELEMENTS, Budget

_STORED = frozenset({"Const", "HostConst"})
_UNKNOWN = TensorSpec()
_LEAST_ROWS = 8  # of waves


class Constants:
    """Values of tensors, computed when asked for and remembered; nothing is computed that a feed could change.

    ``specs`` (as ``infer_shapes`` gives them) let Shape, Size and Rank of tensors of known shape be constants too.
    With a ``model`` and ``variables=True`` a variable's stored value counts as a constant. Results of more than ``limit``
    elements are not computed.
    """

    def __init__(
        self,
        graph: Graph,
        model: Model | None = None,
        *,
        specs: Mapping[Tensor, TensorSpec] | None = None,
        variables: bool = False,
        limit: int = MOST_ELEMENTS,
    ) -> None:
        self.graph = graph
        self._model = model
        self._specs = specs or {}
        self._variables = variables and model is not None
        self._known: dict[str, tuple[ops.Value, ...]] = {}
        self._static: dict[str, bool] = {}
        self._limit, self._budget = limit, Budget()

    def value(self, tensor: Tensor) -> np.ndarray | None:
        """All elements of a tensor, None where any depends on what is fed, drawn, trained or too large to fold."""
        value = self.partial(tensor)
        return None if isinstance(value, ops.Partial) else value

    def partial(self, tensor: Tensor) -> ops.Value:
        """What is known of the elements of a tensor."""
        if tensor.node not in self.graph:
            return None
        ports = self._outputs(tensor.node)
        return ports[tensor.port] if tensor.port < len(ports) else None

    def is_static(self, name: str) -> bool:
        """Whether a node depends on no feed, variable, random number or other state: it is the same in every run."""
        for node in self._unsettled(name, self._static):
            self._static[node] = not self._changes(node) and all(
                self._static.get(source, False) for source in self.graph._pred[node]
            )
        return self._static[name]

    def _changes(self, name: str) -> bool:
        node = self.graph._node[name].get("node")
        return node is None or _changes(node.op)

    def call(
        self, name: str, specs: Mapping[Tensor, TensorSpec] | None = None
    ) -> ops.Call:
        """A node as the op registry takes it, with what is specs_ of its inputs."""
        specs_ = self._specs if specs is None else specs
        node, inputs = self.graph.node(name), self.graph.inputs(name)
        values = [self.partial(tensor) for tensor in inputs]
        return ops.Call(
            node.op,
            node.attrs,
            [specs_.get(t) or _spec_of(v) for t, v in zip(inputs, values, strict=True)],
            values,
            name,
        )

    def _outputs(self, name: str) -> tuple[ops.Value, ...]:
        for node in self._unsettled(name, self._known):
            self._known[node] = self._evaluate(node)
        return self._known[name]

    def _unsettled(self, name: str, values: Mapping[str, object]) -> list[str]:
        """The node and what it depends on that is not values yet, sources first; cycles are cut where they close."""
        if name in values:
            return []
        order, entered, stack = [], {name}, [(name, iter(self._sources(name)))]
        while stack:
            node, sources = stack[-1]
            source = next(sources, None)
            if source is None:
                stack.pop()
                order.append(node)
            elif source not in values and source not in entered:
                entered.add(source)
                stack.append((source, iter(self._sources(source))))
        return order

    def _sources(self, name: str) -> list[str]:
        """What a node reads, but nothing where no value can come of it: its sources need not be evaluated."""
        return [source for source in self.graph._pred[name] if source in self.graph]

    def _evaluate(self, name: str) -> tuple[ops.Value, ...]:
        node = self.graph._node[name].get("node")
        if node is None:  # an edge names a node that is not there
            return ()
        if node.op in _STORED:
            return (node.attrs["value"],) if "value" in node.attrs else (None,)
        traits = ops.traits(node.op)
        if self._variables and traits & _HOLDING:
            return (self._stored(name),)
        if _changes(node.op):
            return ()
        inputs = self.graph.inputs(name)
        operands = [self._at(tensor) for tensor in inputs]
        if "shape-only" not in traits and any(value is None for value in operands):
            return ()
        pairs = zip(inputs, operands, strict=True)
        specs = [self._specs.get(tensor) or _spec_of(value) for tensor, value in pairs]
        ports = len(opdefs.output_dtypes(node.op, node.attrs)) or 1
        call = ops.Call(node.op, node.attrs, specs, operands, name)
        return self._afford(ops.values(call, ports, self._limit))

    def _at(self, tensor: Tensor) -> ops.Value:
        ports = self._known.get(tensor.node, ())
        return ports[tensor.port] if tensor.port < len(ports) else None

    def _stored(self, name: str) -> np.ndarray | None:
        if self._model is None or not self._model.has_value(name):
            return None
        return self._model.value(name)

    def _afford(self, values: tuple[ops.Value, ...]) -> tuple[ops.Value, ...]:
        present = [value for value in values if value is not None]
        arrays = [v.array if isinstance(v, ops.Partial) else v for v in present]
        return values if self._budget.spend(arrays) else (None,) * len(values)


_HOLDING = frozenset({"variable"})
_CHANGING = frozenset(
    {"feed", "random", "variable", "queue", "iterator", "dataset", "variable-write"}
)
_HARMLESS = frozenset({"pass-through", "shape-only"})


def _changes(op: str) -> bool:
    """Whether an op may give something else in another run though its inputs are the same."""
    traits = ops.traits(op)
    if traits & _CHANGING or ops.meaning(op) is None:
        return True
    return "stateful" in traits and not traits & _HARMLESS


def _spec_of(value: ops.Value) -> TensorSpec:
    """What a value itself says of its tensor."""
    if value is None:
        return _UNKNOWN
    array = value.array if isinstance(value, ops.Partial) else value
    dtype = "string" if array.dtype == object else array.dtype.name
    return TensorSpec(dtype, array.shape)


def is_written(value: np.ndarray) -> bool:
    """Whether somebody wrote these numbers rather than trained them: one number over and over, or whole numbers only.

    Masks, one-hot rows, ranges.
    """
    return _is_whole(value) or _is_one(value)


def is_computed(value: np.ndarray) -> bool:
    """Whether a formula rather than training gave these numbers, of which there are several.

    Whole multiples of one number (identity, Sobel, Gauss, masks), or rows that follow each other as sines, cosines and ramps of a
    position do: ``x[t - 1] + x[t + 1]`` is a fixed multiple of ``x[t]`` in every column.
    """
    if value.dtype.kind not in "fiu" or value.size < 4 or _is_one(value):
        return False
    most, flat = max(1024, *value.shape), value.reshape(-1)
    begins_few = np.count_nonzero(flat[: 2 * most]) <= most
    few = begins_few and np.count_nonzero(flat) <= most
    rows = value.ndim == 2 and len(value) >= _LEAST_ROWS
    if not (few or rows) or not np.isfinite(value).all():
        return False  # before the cast, which warns of signalling NaNs
    numbers = value.astype(np.float64)
    return (few and _are_multiples(numbers)) or (rows and _are_waves(numbers))


def _are_multiples(numbers: np.ndarray, most: int = 64) -> bool:
    """Whether few numbers are: weights of few bits are multiples too."""
    sizes = np.abs(numbers[numbers != 0])
    counts = sizes / sizes.min()
    return bool(
        counts.max() <= most and (np.abs(counts - np.round(counts)) < 1e-4).all()
    )


def _are_waves(numbers: np.ndarray) -> bool:
    inner, beside = numbers[1:-1], numbers[2:] + numbers[:-2]
    squares = (inner**2).sum(0)
    factor = np.divide(
        (inner * beside).sum(0), squares, where=squares > 0, out=squares * 0
    )
    scale = np.abs(numbers).max()
    return bool((np.abs(beside - factor * inner) < 1e-3 * scale).all())


def is_counted(value: np.ndarray | None) -> bool:
    """Whether these are whole numbers, and not one over and over, as a table is that nothing has trained yet."""
    return value is not None and _is_whole(value) and not _is_one(value)


def _is_whole(value: np.ndarray) -> bool:
    finite = value[np.isfinite(value)]
    return bool((finite == np.round(finite)).all())


def _is_one(value: np.ndarray) -> bool:
    flat = value.reshape(-1)
    begins_alike = bool((flat[:64] == flat[:1]).all())  # all are looked at where so
    return begins_alike and bool((flat == flat[:1]).all())
