"""Flow -> Dependence: what each node's value depends on, and which weights still come after it.

Sets of inputs and of weights are kept as the bits of integers: one pass over the nodes, one machine operation or two
a node, whatever the number of weights. Dependence does not pass through ``Shape`` and its like.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from heapq import heapify, heappop, heappush
from typing import Any

from ...ops import spellings
from ...wire.attrs.content import Content
from .arrays import Flow
from .op_kinds import RANDOM, SHAPE_ONLY, SOURCES, TABLES, VARIABLES, kind_of

_REDUCTIONS = frozenset(
    "Mean Sum Prod Max Min All Any EuclideanNorm SparseReduceSum".split()
)
_ELEMENTWISE = frozenset(
    {*spellings.SUMS, *spellings.QUOTIENTS, *"Sub Mul BiasAdd Maximum Minimum".split()}
)
_LOOKUPS = frozenset(
    {
        *spellings.GATHERS,
        *"GatherNd ResourceGather ResourceGatherNd SparseToDense".split(),
    }
)
_REDUCERS = _REDUCTIONS | {"L2Loss", "Bincount", "DenseBincount", "ScatterNd"}
_PICKS = "NonMaxSuppression"
"""Ops that give more or fewer rows by what they are fed: how many is a result."""

_PARTS = frozenset(
    "Identity Reshape Cast Transpose StridedSlice Slice Squeeze ExpandDims".split()
)
_PRODUCTS = frozenset("Mul Einsum MatMul BatchMatMul BatchMatMulV2".split())
_FLOATS = frozenset("float32 float64 float16 bfloat16".split())


@dataclass(frozen=True)
class Dependence:
    """Per node: ``feeds`` and ``weights`` (bits: which inputs and which weights its value depends on), ``applied``
    (the weights that this node itself combines with data), ``later`` (the weights combined with data further down),
    ``searched`` (as ``later``, of those into which data only points, as the ids of an embedding do not count),
    ``reduced`` (whether it holds one value for the batch, not one per example).

    ``sources`` lists ``(node, port)`` of the inputs by bit, ``holders`` the nodes of the weights by bit, ``random``
    is the bit of everything that is drawn.
    """

    feeds: list[int]
    weights: list[int]
    applied: list[int]
    later: list[int]
    searched: list[int]
    reduced: bytearray
    sources: tuple[tuple[int, int], ...]
    holders: tuple[int, ...]
    random: int

    def bits(self, mask: int) -> Iterator[int]:
        """The positions of the ones in a mask."""
        while mask:
            low = mask & -mask
            yield low.bit_length() - 1
            mask ^= low

    @cached_property
    def has_weights(self) -> bool:
        """Whether any value depends on a weight."""
        return any(self.weights)


def find_dependence(
    flow: Flow, excluded: bytearray, trainable: Iterable[int] | None = None
) -> Dependence:
    """Dependence over all nodes; ``later`` looks only at consumers that are not ``excluded`` (the backward pass).

    ``trainable`` restricts which variables count as weights; None: every variable, and every constant float array
    that data is combined with.
    """
    sources = _find_sources(flow)
    holders = _find_holders(flow, trainable)
    source_bit = {source: 1 << i for i, source in enumerate(sources)}
    random = 1 << len(sources)
    own_weight = {node: 1 << i for i, node in enumerate(holders)}
    own_feed = {i: random for i in flow.by_kind(RANDOM.search)}
    for (node, _), bit in source_bit.items():
        own_feed[node] = own_feed.get(node, 0) | bit
    feeds, weights = [0] * len(flow), [0] * len(flow)
    _propagate(flow, own_feed, own_weight, source_bit, feeds, weights)
    reduced = _find_reduced(flow, feeds, weights)
    applied = _find_applied(flow, feeds, weights, reduced)
    later, searched = [0] * len(flow), [0] * len(flow)
    _look_ahead(flow, excluded, feeds, weights, applied, later, searched)
    return Dependence(
        feeds, weights, applied, later, searched, reduced, sources, holders, random
    )


def dependence_on(
    flow: Flow, deps: Dependence, excluded: bytearray, trainable: Iterable[int]
) -> Dependence:
    """The dependence of the same graph where only ``trainable`` count as weights (none: those that did before)."""
    weights = tuple(sorted(trainable))
    if weights and weights != deps.holders:
        return find_dependence(flow, excluded, weights)
    return look_ahead_again(flow, deps, excluded)


def look_ahead_again(flow: Flow, deps: Dependence, excluded: bytearray) -> Dependence:
    """The same dependence, with other readers left out of what comes ``later``."""
    if not any(deps.applied):
        return deps
    later, searched = [0] * len(flow), [0] * len(flow)
    _look_ahead(flow, excluded, deps.feeds, deps.weights, deps.applied, later, searched)
    return replace(deps, later=later, searched=searched)


def _find_sources(flow: Flow) -> tuple[tuple[int, int], ...]:
    """The inputs that hold data; booleans of one value too where there is no other: an input without rival is one."""
    every = set(flow.by_kind(SOURCES.match))
    inputs = {i for i in every if not is_switch(flow, i)}
    inputs = inputs or {i for i in every if flow.nodes[i].attrs.get("dtype") == "bool"}
    ports = {
        (source, port)
        for i, wires in enumerate(flow.inputs)
        for source, port in wires
        if source in inputs
    }
    read = {source for source, _ in ports}
    ports |= {(i, 0) for i in inputs - read}
    return tuple(sorted(ports))


def is_switch(flow: Flow, i: int) -> bool:
    """Whether a node is fed a mode (a boolean), a resource or a table, rather than data."""
    attrs = flow.nodes[i].attrs
    if flow.ops[i].startswith("Placeholder"):
        single = not attrs.get("shape")  # a mask is data
        return (
            attrs.get("dtype") == "resource" or attrs.get("dtype") == "bool" and single
        )
    return flow.ops[i] in ("_Arg", "_DeviceArg") and attrs.get("T") == "resource"


def _find_holders(flow: Flow, trainable: Iterable[int] | None) -> tuple[int, ...]:
    if trainable is not None:
        return tuple(sorted(trainable))
    variables = [
        i
        for i, op in enumerate(flow.ops)
        if op in VARIABLES
        or (op == "_Arg" and flow.nodes[i].attrs.get("T") == "resource")
    ]
    if variables:
        return tuple(variables)
    return tuple(
        i for i, op in enumerate(flow.ops) if op == "Const" and _is_array(flow, i)
    )


def _is_array(flow: Flow, i: int) -> bool:
    attrs = flow.nodes[i].attrs
    return attrs.get("dtype") in _FLOATS and any(
        size > 1 for size in constant_shape(attrs)
    )


def is_hollow(attrs: object) -> bool:
    """Whether a constant's message holds no value at all, as where they were written apart; TensorFlow reads zeros."""
    return bool(getattr(attrs, "hollow", False))


def constant_shape(attrs: Any) -> tuple[int, ...]:
    """The shape of a Const's value, without decoding the value where that can be had."""
    content: Content | None = getattr(attrs, "content", None)
    if content is not None:
        return content.sizes
    value = attrs.get("value")
    return tuple(value.shape) if value is not None else ()


def _propagate(
    flow: Flow,
    own_feed: dict[int, int],
    own_weight: dict[int, int],
    source_bit: dict[tuple[int, int], int],
    feeds: list[int],
    weights: list[int],
) -> None:
    ops, inputs = flow.ops, flow.inputs
    stops = {
        op for op in set(ops) if op in SHAPE_ONLY or op in VARIABLES or TABLES.match(op)
    }
    closed = {node for node, _ in source_bit}
    picked = flow.downstream(flow.by_kind(lambda op: op.startswith(_PICKS)))

    def update(i: int) -> bool:
        feed, weight = own_feed.get(i, 0), own_weight.get(i, 0)
        open_size = picked[i] and ops[i] in SHAPE_ONLY
        if (open_size or ops[i] not in stops) and i not in closed:
            for wire in inputs[i]:
                feed |= source_bit.get(wire, 0) or feeds[wire[0]]
                weight |= weights[wire[0]]
        if feed == feeds[i] and weight == weights[i]:
            return False
        feeds[i], weights[i] = feed, weight
        return True

    _settle(flow.order, update, flow.outputs.__getitem__ if flow.turns else None)


def _settle(
    order: list[int],
    update: Callable[[int], bool],
    dependants: Callable[[int], Iterable[int]] | None,
) -> None:
    """Update every node in order, and what depends on a change behind it again, until nothing changes.

    Without loops (``dependants`` None) that is one pass. The back edges of chained loops each send their body round once more; sets that
    only grow come to an end.
    """
    if dependants is None:
        for i in order:
            update(i)
        return
    after, position = dependants, {i: at for at, i in enumerate(order)}
    behind: list[int] = []
    for at, i in enumerate(order):
        if update(i):
            behind += [position[n] for n in after(i) if position[n] <= at]
    heapify(behind)
    while behind:
        at = heappop(behind)
        if update(order[at]):
            for n in after(order[at]):
                heappush(behind, position[n])


def _find_reduced(flow: Flow, feeds: list[int], weights: list[int]) -> bytearray:
    reduced = bytearray(len(flow))
    if not flow.by_kind(_REDUCERS.__contains__):
        return reduced
    for i in flow.order:
        if not feeds[i] and not weights[i]:
            continue
        reduces = flow.ops[i] in _REDUCTIONS and _reduces_batch(flow, i)
        if flow.ops[i] == "L2Loss" or reduces or _counts(flow, feeds, i):
            reduced[i] = 1
            continue
        carriers = [s for s, _ in flow.inputs[i] if feeds[s] or weights[s]]
        if not any(reduced[s] for s in carriers):
            continue
        reduced[i] = all(reduced[s] or _is_single(flow, s) for s in carriers)
    return reduced


def _counts(flow: Flow, feeds: list[int], i: int) -> bool:
    """Whether a node counts what its indices say: a confusion matrix."""
    wires = flow.inputs[i]
    if flow.ops[i] in ("Bincount", "DenseBincount"):
        return not (len(wires) > 2 and feeds[wires[2][0]])
    return flow.ops[i] == "ScatterNd" and len(wires) > 1 and not feeds[wires[1][0]]


def _is_single(flow: Flow, i: int) -> bool:
    """Whether one number is fed: a weight of a loss, as far as its shape says."""
    if not flow.ops[i].startswith("Placeholder"):
        return False
    if flow.inputs[i] and flow.ops[flow.inputs[i][0][0]] == "Const":
        return not constant_shape(flow.nodes[flow.inputs[i][0][0]].attrs)
    return not flow.nodes[i].attrs.get("shape")


def _reduces_batch(flow: Flow, i: int) -> bool:
    if len(flow.inputs[i]) < 2:
        return True
    axes = flow.inputs[i][1][0]
    if flow.ops[axes] == "Range":
        return True  # tf.reduce_mean(x) of an x whose rank was not known
    value = flow.nodes[axes].attrs.get("value") if flow.ops[axes] == "Const" else None
    if value is None:
        return False
    return value.size == 0 or 0 in value.reshape(-1).tolist()


def _find_applied(
    flow: Flow, feeds: list[int], weights: list[int], reduced: bytearray
) -> list[int]:
    applied = [0] * len(flow)
    if not any(weights):
        return applied
    for i, wires in enumerate(flow.inputs):
        if not feeds[i] or len(wires) < 2 or kind_of(flow.ops[i]):
            continue
        for source, _ in wires:
            if weights[source] and not feeds[source] and not reduced[source]:
                applied[i] |= weights[source]
    return applied


def _find_one_hot(flow: Flow) -> bytearray:
    """What only points into the weights that it is multiplied with: one-hot codes, and parts of them."""
    mask = bytearray(len(flow))
    if not flow.by_kind("OneHot".__eq__):
        return mask
    for i in flow.order:
        if flow.ops[i] == "OneHot":
            mask[i] = 1
        elif flow.ops[i] in _PARTS and flow.inputs[i]:
            mask[i] = mask[flow.inputs[i][0][0]]
        elif flow.ops[i] in _PRODUCTS:
            mask[i] = any(mask[s] for s, _ in flow.inputs[i])
    return mask


def _look_ahead(
    flow: Flow,
    excluded: bytearray,
    feeds: list[int],
    weights: list[int],
    applied: list[int],
    later: list[int],
    searched: list[int],
) -> None:
    if not any(applied):
        return
    ops = flow.ops
    one_hot = _find_one_hot(flow)

    def update(i: int) -> bool:
        if not feeds[i] or ops[i] in SHAPE_ONLY:
            return False
        after = direct = 0
        for n in flow.outputs[i]:
            if excluded[n] or ops[n] in SHAPE_ONLY:
                continue
            after |= later[n] | applied[n]
            points = ops[n] in _LOOKUPS or (weights[i] and ops[n] in _ELEMENTWISE)
            points = points or bool(one_hot[i] and not weights[i])
            direct |= searched[n] | (0 if points else applied[n])
        if after == later[i] and direct == searched[i]:
            return False
        later[i], searched[i] = after, direct
        return True

    def before(i: int) -> list[int]:
        return [source for source, _ in flow.inputs[i]]

    _settle(flow.order[::-1], update, before if flow.turns else None)
