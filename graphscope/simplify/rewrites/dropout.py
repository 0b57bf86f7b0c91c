"""Dropout -> nothing: the mask that is drawn at random, and the scale that goes with it, leave what they were applied to.

TensorFlow 1 writes ``(x / keep) * floor(keep + uniform)``; from 1.13 on ``(x * 1/(1 - rate)) * cast(uniform >= rate)``; TensorFlow 2.7 and
later ``where(uniform >= rate, x * scale, 0)``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from ...graph import Function, Graph, Node, Tensor
from ...graph.edit import duplicate, put
from ...ops import spellings
from ...ops.constants import Constants
from ...wire.write import function_names
from ..control_flow.dead_arguments import LOOPS, named

RATE = "_dropout_rate"
"""The attribute of an Identity that stands for a dropout: its rate, -1 where that is fed."""
FED = -1.0
_UNIFORM = frozenset(spellings.UNIFORM_DRAWS)
_LOOKED_THROUGH = frozenset("Identity Cast Enter Switch StopGradient".split())
_ENDS = (*spellings.SELECTS, "Mul")
_OF_RATES = frozenset({*spellings.RECIPROCALS, "Sub", "RealDiv"})


@dataclass(frozen=True)
class Dropout:
    """A dropout that ends in the node ``name``, of the tensor ``x``; ``source`` is the node that feeds its rate where one does."""

    name: str
    x: Tensor
    rate: float
    source: str = ""


def drop_dropout(graph: Graph) -> Iterator[str]:
    """Replace each dropout of ``graph`` (changed in place) by its input; yields the nodes that became an Identity.

    *before* ``Select(uniform >= rate, x * scale, 0)``; *after* ``Identity(x)``.
    """
    for each in Reading(graph).dropouts():
        _replace(graph, each, {})
        yield each.name


def without_dropouts(graph: Graph) -> Graph:
    """A copy in which an Identity stands for each dropout and keeps its rate; the graph itself where nothing drops."""
    dropouts = list(Reading(graph).dropouts())
    if not dropouts:
        return graph
    copy = duplicate(graph)
    copy.graph.update(graph.graph)
    for each in dropouts:
        _replace(copy, each, {RATE: each.rate})
    return copy


def keep_rates(graph: Graph, modes: Mapping[str, object]) -> Graph:
    """The graph in which a dropout's rate that a mode chooses, against none in use, is fed, by default as in training.

    *before* ``keep = Select(is_training, 0.5, 1.0)``; *after* ``keep = PlaceholderWithDefault(0.5)``.
    """
    choices = [
        name
        for name in graph.by_op(*spellings.SELECTS)
        if _mode(graph, graph.inputs(name)[0], modes) is not None
    ]
    if not choices:
        return graph
    sources = {each.source for each in Reading(graph).dropouts()}
    shares = {
        name: share
        for name in choices
        if name in sources and (share := _share(graph, name, modes)) is not None
    }
    if not shares:
        return graph
    copy = duplicate(graph)
    copy.graph.update(graph.graph)
    for name, share in shares.items():
        old = graph.node(name)
        attrs = {"dtype": str(old.attrs["T"]), "shape": ()}
        node = replace(old, op="PlaceholderWithDefault", attrs=attrs)
        put(copy, name, node, [share])
    return copy


_MOST_NEGATIONS = 4  # a file may hold a circle of them


def _mode(graph: Graph, predicate: Tensor, modes: Mapping[str, object]) -> bool | None:
    """What a predicate is in use, if a mode alone decides it."""
    bare, negations = _bare(graph, predicate), 0
    while graph.op(bare.node) == "LogicalNot" and negations < _MOST_NEGATIONS:
        bare, negations = _bare(graph, graph.inputs(bare.node)[0]), negations + 1
    is_odd = negations % 2 == 1
    return bool(modes[bare.node]) != is_odd if bare.node in modes else None


def _share(graph: Graph, name: str, modes: Mapping[str, object]) -> Tensor | None:
    """What a choice keeps, or drops, in training, where it keeps all in use."""
    predicate, *sides = graph.inputs(name)
    constants = Constants(graph)
    used, trained = sides if _mode(graph, predicate, modes) else reversed(sides)
    values = [constants.value(each) for each in (used, trained)]
    if any(value is None or value.size != 1 for value in values):
        return None
    none, share = (
        float(np.reshape(value, ())) for value in values if value is not None
    )
    return trained if none in (0, 1) and 0 < share < 1 else None


def quiet_loops(
    graph: Graph, functions: Mapping[str, Function]
) -> tuple[Graph, dict[str, Function]]:
    """The graph without the dropouts that lie in loops, and the functions that were changed; an Identity keeps the rate of each.

    *before* ``While(h = Select(uniform >= rate, step(h) * scale, 0))``; *after* ``While(h = Identity(step(h)))``.
    """
    frames = in_frames(graph)
    inside = [each for each in Reading(graph).dropouts() if each.name in frames]
    if inside:
        graph = duplicate(graph)
    for each in inside:
        _replace(graph, each, {RATE: each.rate})
    return graph, _quiet_bodies(graph, functions)


def _quiet_bodies(
    graph: Graph, functions: Mapping[str, Function], above: Reading | None = None
) -> dict[str, Function]:
    """Those bodies of loops, and of loops in them, that drop, without the dropouts."""
    quiet: dict[str, Function] = {}
    for name in graph.by_op(*LOOPS):
        body = named(graph.node(name), "body", functions)
        if body is None or body.name in quiet:
            continue
        outer = dict(zip(body.arguments, graph.inputs(name)))
        inside = Reading(body.graph, above or Reading(graph), outer)
        changed = without_dropout(body, inside)
        inner = _quiet_bodies(body.graph, functions, inside)
        quiet |= {**inner, **({body.name: changed} if changed else {})}
    return quiet


def without_dropout(
    function: Function, reading: Reading | None = None
) -> Function | None:
    """The function without the dropouts in it; None where it has none. Where there is a ``reading`` an Identity keeps the rate of each."""
    dropouts = list((reading or Reading(function.graph)).dropouts())
    if not dropouts:
        return None
    graph = duplicate(function.graph)
    for each in dropouts:
        _replace(graph, each, {RATE: each.rate} if reading is not None else {})
    return replace(function, graph=graph, message=None)


def runs_dropout(graph: Graph, functions: Mapping[str, Function]) -> str:
    """A node that drops at random in the graph or in the bodies of its loops; ``""`` where there is none."""
    first = next(Reading(graph).dropouts(), None)
    if first is not None:
        return first.name
    kinds = {id(node.attrs): node for node in map(graph.node, graph)}
    for node in kinds.values() if functions else ():
        for called in sorted(function_names(node) & functions.keys()):
            body = functions[called]
            if body.graph is not graph:
                rate = runs_dropout(body.graph, {})
                if rate:
                    return rate
    return ""


def in_frames(graph: Graph) -> set[str]:
    """The nodes that lie in a loop of TensorFlow 1: from its Enter nodes to its Exit nodes."""
    stack = list(graph.by_op(*spellings.ENTERS))
    if not stack:
        return set()
    controlled: dict[str, list[str]] = {}
    for name in graph:
        for source in graph.node(name).controls:
            controlled.setdefault(source, []).append(name)
    inside: set[str] = set()
    while stack:
        name = stack.pop()
        if name not in inside and graph.op(name) not in spellings.EXITS:
            inside.add(name)
            stack += [*graph._succ[name], *controlled.get(name, ())]
    return inside


def _replace(graph: Graph, each: Dropout, attrs: Mapping[str, float]) -> None:
    old = graph.node(each.name)
    own = {"T": str(old.attrs["T"]), **attrs}
    put(
        graph,
        each.name,
        Node("Identity", own, old.outputs, old.controls, old.device),
        [each.x],
    )


class Reading:
    """What the nodes of one graph are in a dropout; of a function ``outer`` are what its arguments stand for in the graph ``above``."""

    def __init__(
        self,
        graph: Graph,
        above: Reading | None = None,
        outer: Mapping[str, Tensor] | None = None,
    ) -> None:
        self.graph, self.above, self.outer = graph, above, outer or {}
        self.constants = Constants(graph)

    def dropouts(self) -> Iterator[Dropout]:
        """The dropouts of the graph; while they are listed each may be replaced."""
        for name in list(self.graph.by_op(*_ENDS)) if self._draws else ():
            dropout = self.dropout(name)
            if dropout is not None:
                yield dropout

    @property
    def _draws(self) -> bool:
        """Whether the graph, or one around it, draws at all."""
        own = next(self.graph.by_op(*_UNIFORM), None) is not None
        return own or (self.above is not None and self.above._draws)

    def dropout(self, name: str) -> Dropout | None:
        """The dropout that ends in a node; None where none does."""
        inputs = self.graph.inputs(name)
        if self.graph.op(name) == "Mul" and len(inputs) == 2:
            for scaled, mask in (inputs, inputs[::-1]):
                if self._is_mask(mask):
                    return self._of(name, scaled, mask)
                rate = self._scaled_mask(mask)
                if rate is not None:
                    return Dropout(name, scaled, rate)
        if self.graph.op(name) != "Mul" and len(inputs) == 3:
            other = self.constants.value(inputs[2])
            if other is not None and not np.any(other) and self._is_mask(inputs[0]):
                return self._of(name, inputs[1], inputs[0])
        return None

    def _scaled_mask(self, tensor: Tensor) -> float | None:
        """The rate of a mask that is made once for all steps: a dropout of ones outside of the loop."""
        tensor = _bare(self.graph, tensor)
        if tensor.node in self.outer and self.above is not None:
            return self.above._scaled_mask(self.outer[tensor.node])
        if self.graph.op(tensor.node) not in _ENDS:
            return None
        dropout = self.dropout(tensor.node)
        return dropout.rate if dropout and self._is_ones(dropout.x) else None

    def _is_ones(self, tensor: Tensor) -> bool:
        tensor = _bare(self.graph, tensor)
        op, inputs = self.graph.op(tensor.node), self.graph.inputs(tensor.node)
        value = self.constants.value(inputs[1] if op == "Fill" else tensor)
        return op == "OnesLike" or value is not None and bool(np.all(value == 1))

    def _of(self, name: str, scaled: Tensor, mask: Tensor) -> Dropout:
        rate, source = self._rate(mask)
        return Dropout(name, self._unscaled(scaled, source), rate, source)

    def _operands(self, mask: Tensor) -> tuple[str, tuple[Tensor, ...]]:
        """What a mask compares with, or adds to, a draw: the op and its inputs."""
        mask = _bare(self.graph, mask)
        op, inputs = self.graph.op(mask.node), self.graph.inputs(mask.node)
        if op == "Floor" and inputs:
            inner = _bare(self.graph, inputs[0])
            return self.graph.op(inner.node), tuple(self.graph.inputs(inner.node))
        return (op, tuple(inputs)) if op in spellings.COMPARISONS else ("", ())

    def _is_mask(self, tensor: Tensor) -> bool:
        """Whether the tensor is 0 or 1 by a uniform draw."""
        op, inputs = self._operands(tensor)
        adds = op in spellings.SUMS or op in spellings.COMPARISONS
        return adds and any(self._is_uniform(t) for t in inputs)

    def _is_uniform(self, tensor: Tensor) -> bool:
        """A uniform draw, shifted and scaled at most (``min + draw * (max - min)``)."""
        graph = self.graph
        for _ in range(6):
            tensor = _bare(graph, tensor)
            op, inputs = graph.op(tensor.node), graph.inputs(tensor.node)
            if op in _UNIFORM:
                return True
            if tensor.node in self.outer and self.above is not None:
                return self.above._is_uniform(self.outer[tensor.node])
            if op not in (*spellings.SUMS, "Mul") or len(inputs) != 2:
                return False
            live = [
                t
                for t in inputs
                if graph.op(_bare(graph, t).node) not in ("Const", "Sub")
            ]
            if len(live) != 1:
                return False
            tensor = live[0]
        return False

    def _rate(self, mask: Tensor) -> tuple[float, str]:
        """The share that a mask drops, and the node that feeds it where one does."""
        op, inputs = self._operands(mask)
        rest = [t for t in inputs if not self._is_uniform(t)]
        if len(rest) != 1:
            return FED, ""
        value = self.constants.value(rest[0])
        if value is None or value.size != 1:
            return FED, self._fed(rest[0])
        number = float(value.reshape(()))
        drops = op in spellings.GREATER
        return (number if drops else 1 - number), ""

    def _fed(self, tensor: Tensor) -> str:
        """The one node that a rate is computed from."""
        for _ in range(12):
            tensor = _bare(self.graph, tensor)
            inputs = self.graph.inputs(tensor.node)
            if self.graph.op(tensor.node) not in _OF_RATES:
                break
            live = [t for t in inputs if self.constants.value(t) is None]
            if len(live) != 1:
                return ""
            tensor = live[0]
        return tensor.node

    def _unscaled(self, tensor: Tensor, source: str) -> Tensor:
        """``x`` of ``x / keep`` and ``x * scale``, where the scale is known beforehand or comes from what feeds the rate; else the tensor."""
        bare = _bare(self.graph, tensor)
        op, inputs = self.graph.op(bare.node), self.graph.inputs(bare.node)
        if len(inputs) != 2:
            return tensor
        pairs = {"RealDiv": (inputs,), "Mul": (inputs, inputs[::-1])}.get(op, ())
        for x, scale in pairs:
            value = self.constants.value(scale)
            if value is not None and value.size == 1:
                return x
            if value is None and source and self._fed(scale) == source:
                return x
        return tensor


def _bare(graph: Graph, tensor: Tensor) -> Tensor:
    for _ in range(50):
        inputs = graph.inputs(tensor.node)
        if graph.op(tensor.node) not in _LOOKED_THROUGH or not inputs:
            return tensor
        tensor = inputs[0]
    return tensor
