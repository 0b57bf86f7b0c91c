"""Arithmetic on shapes that comes to a constant -> that constant; ops that change nothing -> Identity.

``x[:, Shape(x)[1] - 3:]`` after a convolution that shortens x by two is a slice from a constant on; the ``0 +`` that
Python's ``sum`` begins with, a Slice of all there is, a Reshape to the shape that the tensor has anyway are nothing at all.
Told by ``probes``: what is known of every tensor under several choices of the open sizes (``infer.probes``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from ... import ops
from ...graph import Graph, Node, Shape, Tensor, TensorSpec
from ...graph.edit import duplicate, fresh, put
from ...ops import spellings
from ...ops.array.slice_masks import SliceMasks
from ...wire import opdefs
from ..control_flow.conds_to_selects import resolved
from ..control_flow.selects_to_conds import CHOICE
from ..prune import FRAME_OPS
from ..state import Facts, State

LEAST = 2  # choices of sizes under which a claim must have been seen to hold

_SAME_SHAPE_IS_SAME = frozenset(
    {"Reshape", "Slice", "Squeeze", "Pad", "PadV2", "MirrorPad", "Tile", "BroadcastTo"}
    | {"ResizeBilinear", "ResizeNearestNeighbor", "ResizeBicubic"}
)
_WINDOWS = frozenset({"MaxPool", "AvgPool", "MaxPool3D", "AvgPool3D"})
# Where a scalar on one side changes nothing: op -> (the number, the slots in which it does not).
_UNITS: Mapping[str, tuple[float, tuple[int, ...]]] = {
    "Add": (0, (0, 1)),
    "AddV2": (0, (0, 1)),
    "Sub": (0, (1,)),
    "Mul": (1, (0, 1)),
    "RealDiv": (1, (1,)),
    "Pow": (1, (1,)),
}
_FOLDED = frozenset({"int32", "int64", "bool", "float32"})


def fold_sizes(state: State) -> State:
    """Arithmetic on shapes that comes to a constant -> that constant; what changes nothing -> Identity.

    ``x[:, Shape(x)[1] - 3:] -> x[:, 25:]``, ``0 + x -> x``. Every node that stays has its name, dtype and meaning.
    """
    return state.become(_Folding(state).folded())


def same_shape(
    one: Tensor, other: Tensor, facts: Facts, probes: Sequence[Facts]
) -> bool:
    """Whether two tensors have the same shape whatever the open sizes are."""
    a, b = _shape(facts, one), _shape(facts, other)
    if a is None or b is None or len(a) != len(b):
        return False
    if None not in a and None not in b:
        return a == b
    pairs = [(_whole(each, one), _whole(each, other)) for each in probes]
    sized = [pair for pair in pairs if None not in pair]
    return len(sized) >= _enough(probes) and all(x == y for x, y in sized)


def _enough(probes: Sequence[Facts]) -> int:
    """How many choices of sizes must have been seen: one where there is no choice."""
    return min(LEAST, len(probes))


def _shape(facts: Facts, tensor: Tensor) -> Shape:
    fact = facts.get(tensor)
    return None if fact is None else fact.spec.shape


def _whole(facts: Facts, tensor: Tensor) -> Shape:
    """The shape where all of it is known."""
    shape = _shape(facts, tensor)
    return None if shape is None or None in shape else shape


class _Folding:
    def __init__(self, state: State) -> None:
        graph = self.graph = state.graph
        self.facts, self.probes, self.keep = state.facts, state.probes, state.kept
        self.has_frames = any(True for _ in graph.by_op(*FRAME_OPS))
        self.fed = _reached(graph)
        self.copy: Graph = graph
        self.changed: set[str] = set()

    def folded(self) -> Graph:
        for name in self.graph:
            slot = self.neutral_slot(name)
            if slot is not None:
                self.become_identity(name, slot)
            elif not self.slice_settled(name) and not self.unnested(name):
                self.become_constant(name)
        return self.without_dead() if self.changed else self.graph

    def change(self, name: str, node: Node, inputs: Iterable[Tensor]) -> None:
        if not self.changed:
            self.copy = duplicate(self.graph)
        self.changed.add(name)
        put(self.copy, name, node, inputs)

    def without_dead(self) -> Graph:
        """Less what was read before and is not any more."""
        copy, stack = self.copy, [n for n in self.graph if self.graph._succ[n]]
        dead: set[str] = set()
        while stack:
            name = stack.pop()
            if name in dead or name in self.keep or copy._succ[name]:
                continue
            before = list(copy._pred[name])
            copy.unlink(name)
            dead.add(name)
            stack.extend(before)
        living = duplicate(copy, dead)
        for name in living:
            node = living.node(name)
            if not dead.isdisjoint(node.controls):
                left = tuple(c for c in node.controls if c not in dead)
                put(living, name, replace(node, controls=left))
        return living

    # -- what changes nothing -------------------------------------------------------------
    def become_identity(self, name: str, slot: int) -> None:
        node, source = self.graph.node(name), self.graph.inputs(name)[slot]
        dtype = self.facts[Tensor(name)].spec.dtype
        payload = Node(
            "Identity", {"T": dtype}, node.outputs, node.controls, node.device
        )
        self.change(name, payload, [source])

    def neutral_slot(self, name: str) -> int | None:
        """The input that the node repeats; None where it does more."""
        node, inputs = self.graph.node(name), self.graph.inputs(name)
        if not inputs or Tensor(name) not in self.facts:
            return None
        if node.op == "PlaceholderWithDefault":
            return 0 if self.only_sizes(name) else None
        if node.op in _UNITS:
            return self.unit_slot(name, *_UNITS[node.op])
        if node.attrs.get(CHOICE) is True:
            return self.side_taken(inputs)
        if node.op in spellings.SELECTS:
            return self.chosen_slot(name, inputs)
        repeats = self.repeats(name, node, inputs)
        return 0 if repeats and self.same(name, inputs[0]) else None

    def side_taken(self, inputs: tuple[Tensor, ...]) -> int | None:
        """The input that a cond returns: ``cond(p, x, x) -> x``, ``cond(p, True, p) -> p``, or the side that sizes choose."""
        choice, always = self.value(inputs[0]), self.value(inputs[1])
        if choice is not None and choice.ndim == 0:
            return 1 if choice else 2
        sources = [resolved(self.graph, tensor) for tensor in inputs]
        if sources[1] == sources[2]:
            return 1
        is_true = always is not None and always.dtype == bool and always.ndim == 0
        return 0 if sources[0] == sources[2] and is_true and always else None

    def unnested(self, name: str) -> bool:
        """``cond(p, cond(p, x, y), z) -> cond(p, x, z)``, in place; whether it was one."""
        node, inputs = self.graph.node(name), self.graph.inputs(name)
        if node.attrs.get(CHOICE) is not True:
            return False
        predicate = resolved(self.graph, inputs[0])
        sides = [self.side(predicate, inputs[slot], slot) for slot in (1, 2)]
        if sides == [*inputs[1:]]:
            return False
        self.change(name, node, [inputs[0], *sides])
        return True

    def side(self, predicate: Tensor, tensor: Tensor, slot: int) -> Tensor:
        """What a tensor is where a predicate is true (1) or false (2): past the conds on the same one."""
        for _ in range(len(self.graph)):
            attrs, inputs = self.graph.attrs(tensor.node), self.graph.inputs(
                tensor.node
            )
            if attrs.get(CHOICE) is not True or inputs[0] != predicate:
                break
            tensor = inputs[slot]
        return tensor

    def chosen_slot(self, name: str, inputs: tuple[Tensor, ...]) -> int | None:
        """The branch that sizes choose: what a cond on a shape has become."""
        choice = self.value(inputs[0])
        if len(inputs) != 3 or choice is None or choice.ndim:
            return None
        slot = 1 if choice else 2
        return slot if self.same(name, inputs[slot]) else None

    def only_sizes(self, name: str) -> bool:
        """Whether a feed with a default is the shape that goes with a sparse tensor's numbers: nobody feeds another."""
        readers = self.graph.consumers(name)
        return bool(readers) and all(
            _takes_shape(self.graph.op(reader), slot) for reader, slot in readers
        )

    def repeats(self, name: str, node: Node, inputs: tuple[Tensor, ...]) -> bool:
        """Whether the node repeats its first input where the two have the same shape."""
        attrs = node.attrs
        if node.op == "BroadcastTo" and self.value(inputs[-1]) is None:
            targets = [each.get(inputs[-1]) for each in self.probes]
            if any(fact is None or fact.value is None for fact in targets):
                return False  # who knows how often it repeats an axis of one?
        if node.op in _SAME_SHAPE_IS_SAME:
            return not attrs.get("align_corners")
        if node.op == "StridedSlice" and len(inputs) == 4:
            steps = self.value(inputs[3])
            return SliceMasks.of(attrs).keeps_axes and _all(steps, 1)
        if node.op == "Transpose" and len(inputs) == 2:
            perm = self.value(inputs[1])
            return perm is not None and perm.tolist() == list(range(perm.size))
        if node.op in _WINDOWS:
            sizes = (attrs.get("ksize") or (0,), attrs.get("strides") or (0,))
            return all(size == 1 for each in sizes for size in each)
        if node.op == "Cast":
            return bool(attrs.get("SrcT") == attrs.get("DstT"))
        if node.op in ("ConcatV2", "AddN"):
            return len(inputs) == (2 if node.op == "ConcatV2" else 1)
        return False

    def same(self, name: str, source: Tensor) -> bool:
        own, other = self.facts[Tensor(name)].spec, self.facts.get(source)
        if other is None or other.spec.dtype.removesuffix("_ref") != own.dtype:
            return False
        return same_shape(Tensor(name), source, self.facts, self.probes)

    def unit_slot(self, name: str, number: float, slots: tuple[int, ...]) -> int | None:
        """The other input, where one is the number that changes nothing: written in the graph, no weight that is it."""
        inputs = self.graph.inputs(name)
        for slot in slots:
            if len(inputs) != 2 or self.graph.op(inputs[slot].node) != "Const":
                continue
            value, other = self.value(inputs[slot]), inputs[1 - slot]
            scalar = value is not None and value.ndim == 0 and value == number
            constant = self.graph.op(other.node) == "Const"
            if scalar and not constant and self.same(name, other):
                return 1 - slot
        return None

    # -- what comes to a constant ---------------------------------------------------------
    def value(self, tensor: Tensor) -> np.ndarray | None:
        """The elements that a tensor has whatever the open sizes are; None where they depend on those, or on more."""
        fact = self.facts.get(tensor)
        if fact is None or isinstance(fact.value, np.ndarray):
            return None if fact is None else fact.value  # type: ignore[return-value]
        values = [each[tensor].value for each in self.probes if tensor in each]
        arrays = [value for value in values if isinstance(value, np.ndarray)]
        if len(arrays) < _enough(self.probes) or any(
            not _equal(arrays[0], v) for v in arrays[1:]
        ):
            return None
        return arrays[0]

    def become_constant(self, name: str) -> None:
        fact = self.facts.get(Tensor(name))
        if fact is None or isinstance(fact.value, np.ndarray) or name in self.keep:
            return
        if fact.spec.dtype not in _FOLDED or self.has_frames:
            return
        if Tensor(name, 1) in self.facts or not self.graph.inputs(name):
            return
        value = self.value(Tensor(name))
        if value is not None:
            self.change(name, _constant(value.astype(fact.spec.dtype)), [])

    # -- slices ---------------------------------------------------------------------------
    def slice_settled(self, name: str) -> bool:
        """A Slice from a constant on, to a constant before the end of each axis: ``x[:, 1:-2]``, which Keras calls cropping."""
        node, inputs = self.graph.node(name), self.graph.inputs(name)
        if node.op != "Slice" or len(inputs) != 3:
            return False
        begin = self.value(inputs[1])
        if begin is None or self.has_frames or inputs[0].node not in self.fed:
            return False
        cuts = self.cuts(name, inputs[0], begin)
        if cuts is None:
            return False
        attrs = {
            "T": node.attrs.get("T"),
            "Index": "int32",
            **SliceMasks(
                begin=_mask(b == 0 for b in begin), end=_mask(cut == 0 for cut in cuts)
            ).attrs,
        }
        ends = [
            self.added(name, part, values)
            for part, values in (
                ("begin", begin),
                ("end", [-c for c in cuts]),
                ("step", [1] * len(cuts)),
            )
        ]
        payload = replace(node, op="StridedSlice", attrs=attrs)
        self.change(name, payload, [inputs[0], *ends])
        return True

    def cuts(self, name: str, source: Tensor, begin: np.ndarray) -> list[int] | None:
        """How much each axis loses at its end, where that is a constant."""
        cuts_ = []
        for each in self.probes:
            before, after = _whole(each, source), _whole(each, Tensor(name))
            if before is not None and after is not None:
                sizes = zip(before, after, begin.tolist(), strict=True)
                cuts_.append([(b or 0) - (a or 0) - start for b, a, start in sizes])
        if len(cuts_) < _enough(self.probes) or any(
            cuts != cuts_[0] for cuts in cuts_[1:]
        ):
            return None
        return cuts_[0] if min(cuts_[0], default=-1) >= 0 else None

    def added(self, name: str, part: str, values: Iterable[int]) -> Tensor:
        own = fresh(self.copy, f"{name}/{part}")
        array = np.asarray(list(values), np.int32)
        self.change(own, _constant(array), [])
        return Tensor(own)


def _reached(graph: Graph) -> set[str]:
    """The nodes that depend on a feed."""
    stack = [n for n in graph if "feed" in ops.traits(graph.op(n))]
    reached: set[str] = set()
    while stack:
        name = stack.pop()
        if name not in reached:
            reached.add(name)
            stack.extend(graph._succ[name])
    return reached


def _constant(value: np.ndarray) -> Node:
    spec = TensorSpec(value.dtype.name, value.shape)
    return Node("Const", {"dtype": value.dtype.name, "value": value}, (spec,))


def _equal(one: np.ndarray, other: np.ndarray) -> bool:
    return one.shape == other.shape and bool(np.array_equal(one, other))


def _all(values: np.ndarray | None, number: int) -> bool:
    return values is not None and bool(np.all(values == number))


def _mask(bits: Iterable[bool]) -> int:
    return sum(1 << axis for axis, bit in enumerate(bits) if bit)


def _takes_shape(op: str, slot: int) -> bool:
    """Whether an op of sparse tensors takes the shape of one at this place."""
    names = opdefs.input_names(op) if op.startswith("Sparse") else ()
    return slot < len(names) and names[slot].endswith("shape")
