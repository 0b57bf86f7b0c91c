"""Graph -> the tensors in it that are the derivative of another's sum by a feed: forces, saliency, a PINN's terms.

``tf.gradients`` and a tape start from ones shaped as what is differentiated. What follows from such a seed, has the
shape of a feed and, at points drawn at random, is the slope of that sum along a direction drawn at random, is its
derivative by the feed. No name is asked; what numpy cannot compute is left as it is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ... import ops
from ...graph import Graph, Model, Shape, Tensor, TensorSpec
from ...graph.order import sources_first
from ...ops import spellings
from ...ops.constants import Constants
from ...wire import opdefs
from .samples import Sample, samples

_TOLERANCE = (
    1e-6  # of the product of both lengths: of the gradient and of the direction
)
_NOISE = 1e-8  # of the sum that is differentiated: what the step of a difference leaves
_LEAST = 3  # points that must tell
_MOST = 20_000  # nodes of a graph that is looked into
_PASSES = frozenset({"Identity", "Snapshot", "EnsureShape"})
_MOVES = _PASSES | {"Transpose", "Reshape"}
_SHIFTS = frozenset({*spellings.SUMS, "BiasAdd"})


@dataclass(frozen=True)
class Derivative:
    """``node`` yields the derivative of the sum of ``of`` by the feed ``by``."""

    node: str
    of: Tensor
    by: Tensor


def derivatives_by_feeds(
    graph: Graph, model: Model, shapes: Mapping[str, Shape]
) -> list[Derivative]:
    """All derivatives by a feed, each as early as it is one; ``shapes`` are those of feeds that replace what the file says."""
    whole = all("node" in data for data in graph._node.values())
    seeds = list(_seeds(graph)) if whole and len(graph) <= _MOST else []
    if not seeds:
        return []
    feeds = {
        name: TensorSpec(str(attrs.get("dtype")), shapes.get(name, attrs.get("shape")))
        for name in graph.by_op(*spellings.FEEDS)
        for attrs in [graph.attrs(name)]
    }
    order = _computable(graph, sources_first(graph) or [], feeds)
    seeds = [name for name in seeds if name in order]
    derivatives: dict[str, Derivative] = {}
    for feed, spec in feeds.items():
        drawn = list(samples(graph, model, feeds, feed)) if seeds and spec.shape else []
        search = _Search(graph, list(order), Tensor(feed), drawn)
        for seed in seeds if len(drawn) >= _LEAST else ():
            known = search.derivative_from(seed)
            if known is not None:
                derivatives.setdefault(known.node, known)
    return list(derivatives.values())


def _seeds(graph: Graph) -> Iterator[str]:
    """The nodes that are ones whatever is fed."""
    constants = Constants(graph)
    for name in graph.by_op("OnesLike", "Fill"):
        inputs = graph.inputs(name)
        if graph.op(name) == "OnesLike" and len(inputs) == 1:
            yield name
        if graph.op(name) == "OnesLike" or len(inputs) != 2:
            continue
        value = constants.value(inputs[1])
        if value is not None and value.size == 1 and value.reshape(-1)[0] == 1:
            yield name


def _computable(
    graph: Graph, order: Sequence[str], feeds: Collection[str]
) -> dict[str, None]:
    """The nodes, in their order, that numpy can compute from the feeds, constants and weights."""
    computable: dict[str, None] = {}
    for name in order:
        op = graph.op(name)
        meaning = ops.meaning(op)
        is_stored = op == "Const" or "variable" in ops.traits(op)
        has_rule = meaning is not None and bool(meaning.fold or meaning.measure)
        if name in feeds or is_stored or has_rule:
            if all(source in computable for source in graph._pred[name]):
                computable[name] = None
    return computable


class _Search:
    """The derivatives by one feed."""

    def __init__(
        self, graph: Graph, order: Sequence[str], feed: Tensor, drawn: Sequence[Sample]
    ) -> None:
        self.graph, self.order, self.feed, self.drawn = graph, order, feed, drawn
        self.moved = _downstream(graph, feed.node)
        self.reached = self.moved & set(order) - {feed.node}

    def derivative_from(self, seed: str) -> Derivative | None:
        """The first tensor after a seed that is the derivative of what the seed is shaped as."""
        backward = _downstream(self.graph, seed)
        nodes = [n for n in self.order if n in backward and n != seed]
        for of in self._differentiated(seed, backward):
            slopes = [sample.slope(of) for sample in self.drawn]
            for node in nodes:
                if self._is_derivative(node, slopes):
                    return Derivative(self._after_moves(node, slopes), of, self.feed)
        return None

    def _after_moves(
        self, node: str, slopes: Sequence[tuple[float, float] | None]
    ) -> str:
        """Past what puts each element where it was: a transposition of no axes, a reshape to the same shape."""
        for _ in range(len(self.graph)):
            readers = list(self.graph._succ[node])
            still = len(readers) == 1 and self.graph.op(readers[0]) in _MOVES
            if not still or not self._is_derivative(readers[0], slopes):
                break
            node = readers[0]
        return node

    def _differentiated(self, seed: str, backward: set[str]) -> Iterator[Tensor]:
        """What a seed is shaped as: the tensor whose shape it asks for, else each forward tensor that has its shape."""
        source = _measured(self.graph, seed)
        if source is not None:
            if source.node in self.reached and source.node not in backward:
                yield source
            return
        shape = self._shape(Tensor(seed))
        for node in self.order:
            if node in self.reached and node not in backward:
                if shape is not None and self._shape(Tensor(node)) == shape:
                    yield _after_shifts(self.graph, Tensor(node), self.moved)

    def _shape(self, tensor: Tensor) -> Shape:
        value = self.drawn[0].here.value(tensor)
        return None if value is None else value.shape

    def _is_derivative(
        self, node: str, slopes: Sequence[tuple[float, float] | None]
    ) -> bool:
        """Whether the node's one output is the slope along each direction at each point, and not nothing at some."""
        if len(opdefs.output_dtypes(self.graph.op(node), self.graph.attrs(node))) != 1:
            return False
        telling = 0
        for sample, slope in zip(self.drawn, slopes):
            value = sample.here.value(Tensor(node))
            if value is None or slope is None or value.shape != sample.direction.shape:
                return False
            if not (np.isfinite(value).all() and np.isfinite(slope).all()):
                continue
            length = float(np.linalg.norm(value) * np.linalg.norm(sample.direction))
            along = float((value * sample.direction).sum())
            if abs(along - slope[0]) > _TOLERANCE * length + _NOISE * slope[1]:
                return False
            telling += length > 100 * _NOISE * slope[1]
        return telling >= _LEAST


def _downstream(graph: Graph, name: str) -> set[str]:
    """What follows from the elements of a node's outputs."""
    names, stack = {name}, [name]
    while stack:
        for reader in graph._succ[stack.pop()]:
            if reader not in names and "shape-only" not in ops.traits(graph.op(reader)):
                names.add(reader)
                stack.append(reader)
    return names


def _measured(graph: Graph, seed: str) -> Tensor | None:
    """The tensor whose shape a seed takes; None where the shape is written out."""
    tensor = graph.inputs(seed)[0]
    if graph.op(seed) == "OnesLike":
        return tensor
    while graph.op(tensor.node) in _PASSES and graph.inputs(tensor.node):
        tensor = graph.inputs(tensor.node)[0]
    measures = graph.op(tensor.node) == "Shape" and graph.inputs(tensor.node)
    return graph.inputs(tensor.node)[0] if measures else None


def _after_shifts(graph: Graph, tensor: Tensor, moved: set[str]) -> Tensor:
    """Past what adds something that the feed does not reach: it has the same derivative."""
    for _ in range(len(graph)):
        readers = [n for n, _ in graph.consumers(*tensor) if n in moved]
        if len(readers) != 1:
            break
        op, inputs = graph.op(readers[0]), graph.inputs(readers[0])
        others = [each for each in inputs if each != tensor]
        is_shift = op in _SHIFTS and not any(each.node in moved for each in others)
        if not is_shift and op not in _PASSES:
            break
        tensor = Tensor(readers[0])
    return tensor
