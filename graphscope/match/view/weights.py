"""Weights in a graph: the variable or constant behind a tensor, and what lies between the two."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np

from ...errors import MissingWeight
from ...graph import Model, Tensor
from ...ops import spellings
from ...ops.constants import Constants
from .nodes import FLOATS, MALFORMED, PASS_THROUGH, VARIABLES, Nodes
from .weight_ref import WeightRef

# What rearranges an array or takes a part of it, and the slot of the array among its inputs.
REARRANGING = {
    "Reshape": 0,
    "Cast": 0,
    "ExpandDims": 0,
    "Squeeze": 0,
    "Transpose": 0,
    "Split": 1,
    "SplitV": 0,
    "Slice": 0,
}
SHAPING = (
    frozenset("Reshape ExpandDims Squeeze BroadcastTo Cast".split()) | PASS_THROUGH
)
LARGEST = 1 << 24  # elements of a weight that must be computed
MOST_FOLDED = 64  # nodes that such a computation may take


class StoredWeights(Nodes):
    """Nodes, and which of their tensors are weights."""

    @cached_property
    def has_variables(self) -> bool:
        """Whether the graph holds variables: it is not frozen, so that its constants are no weights."""
        return not VARIABLES.isdisjoint(self.kinds.values())

    @cached_property
    def _weights(self) -> dict[Tensor, WeightRef | None]:
        return {}

    def weight(self, tensor: Tensor) -> WeightRef | None:
        """The weight that this tensor is, seen through what only reads or rearranges it."""
        if tensor not in self._weights:
            self._weights[tensor] = self._find_weight(tensor)
        return self._weights[tensor]

    def _find_weight(self, tensor: Tensor) -> WeightRef | None:
        if not self._origin(tensor.node).members:
            return self._rearranged(tensor)
        chain: list[Tensor] = []
        use, literal = tensor, self._is_literal(tensor)
        for _ in range(64):
            tensor = self._stored_at(tensor)
            if tensor.node in self.dynamic:
                return None
            slot = REARRANGING.get(self.kinds[tensor.node])
            if slot is None or len(self.inputs[tensor.node]) <= slot:
                break
            chain.append(tensor)
            tensor = self.inputs[tensor.node][slot]
        shape = self._stored(tensor.node)
        if shape is None:
            return self._computed(use)
        weight: WeightRef | None = WeightRef(tensor.node, shape, direct=literal)
        try:
            for each in reversed(chain):
                weight = self._step(weight, each) if weight is not None else None
        except MALFORMED:
            return None
        return weight or self._computed(use)

    def _rearranged(self, tensor: Tensor) -> WeightRef | None:
        """What a canonical form makes of weights: one in another shape, or several joined."""
        name, args = tensor.node, self.inputs[tensor.node]
        if self.kinds[name] == "Reshape":
            weight = self.weight(args[0])
            return None if weight is None else self._step(weight, tensor)
        parts = [self.weight(each) for each in args[:-1]]
        whole = [each for each in parts if each is not None]
        if self.kinds[name] != "ConcatV2" or len(whole) < len(parts) or not parts:
            return None
        return whole[0].joined(len(whole[0].shape) - 1, whole[1:])

    def _is_literal(self, tensor: Tensor) -> bool:
        """Whether a constant is only given its shape and type; what was a variable once is read, first of all."""
        for _ in range(64):
            before = self.inputs[tensor.node]
            if not before or self.kinds[tensor.node] not in SHAPING:
                break
            if (
                self.kinds[tensor.node] in PASS_THROUGH
                and not self.inputs[before[0].node]
            ):
                return False
            tensor = before[0]
        return self.kinds[tensor.node] == "Const"

    def _stored_at(self, tensor: Tensor) -> Tensor:
        """What holds a weight, seen through what passes it on; a Switch does so into either branch of a cond."""
        tensor, _ = self.producer(tensor)
        while self.kinds[tensor.node] in spellings.SWITCHES:
            tensor, _ = self.producer(self.inputs[tensor.node][0])
        return tensor

    def _computed(self, tensor: Tensor) -> WeightRef | None:
        """An array that constants and variables alone determine, computed when somebody asks for it."""
        spec, source = self.specs.get(tensor), self.producer(tensor)[0]
        if spec is None or spec.dtype not in FLOATS or not spec.shape:
            return None
        if None in spec.shape or self._value is None or not self._is_stored(source):
            return None
        shape = tuple(d or 0 for d in spec.shape)
        if not 1 < np.prod(shape) <= LARGEST or not self._is_computable(source):
            return None
        return WeightRef("", shape, source=tensor)

    def _is_computable(self, tensor: Tensor) -> bool:
        """Not so what constants alone determine in a way that no rule of ours computes."""
        kinds = {self.kinds[name] for name in self._upstream(tensor)}
        return bool(kinds & VARIABLES) or self._value(tensor) is not None  # type: ignore[misc]

    def _is_stored(self, tensor: Tensor) -> bool:
        """Whether nothing but constants and variables of numbers is upstream."""
        if tensor.node in self.varying:
            return False
        return all(
            self.kinds[name] == "Const" or self.kinds[name] in VARIABLES
            for name in self._upstream(tensor)
            if not self.inputs[name]
        )

    def _upstream(self, tensor: Tensor) -> set[str]:
        """What computes a tensor; where that is much, one node of which nothing is known too."""
        visited: set[str] = set()
        stack = [tensor.node]
        while stack:
            name = stack.pop()
            if len(visited) >= MOST_FOLDED:
                return {*visited, *self.dynamic}
            if name not in visited:
                visited.add(name)
                stack += [t.node for t in self.inputs[name]]
        return visited

    def array(self, weight: WeightRef) -> np.ndarray | None:
        """The value of a literal weight at the place of its use; None where it is read or computed later."""
        if weight.value is not None or weight.source is None or self._value is None:
            return weight.value
        return self._value(weight.source)

    def computation(self, weight: WeightRef) -> Callable[[Model], np.ndarray] | None:
        """What computes a weight of the values that a model has for its variables; None where it is just weight."""
        source, graph, specs = weight.source, self.graph, self.specs
        if source is None or self.array(weight) is not None:
            return None

        def compute(model: Model) -> np.ndarray:
            for name in self._upstream(source):
                if self.kinds[name] in VARIABLES:
                    model.value(name)  # raises MissingWeight
            values = Constants(graph, model, specs=specs, variables=True, limit=LARGEST)
            value = values.value(source)
            if value is None:
                raise MissingWeight(f"{source} cannot be computed of its variables")
            return value

        return compute

    def _stored(self, name: str) -> tuple[int, ...] | None:
        kind, attrs = self.kinds[name], self.attrs[name]
        if kind == "Const" and attrs.get("dtype") in FLOATS:
            shape = self.shape(Tensor(name))
            return tuple(d or 0 for d in shape) if shape else None  # no scalars
        resource = kind in ("Placeholder", "_Arg") and "resource" in (
            attrs.get("dtype"),
            attrs.get("T"),
        )
        if kind not in VARIABLES and not resource:
            return None
        shape = attrs.get("shape")
        if kind in VARIABLES and attrs.get("dtype") not in FLOATS:
            return None
        if not shape or not isinstance(shape, tuple):
            shape = self.shape(Tensor(name))
        return tuple(d or 0 for d in shape) if shape else None

    def _step(self, weight: WeightRef, tensor: Tensor) -> WeightRef | None:
        name, kind = tensor.node, self.kinds[tensor.node]
        args = self.inputs[name]
        if kind in (*spellings.SPLITS, "Slice"):
            return self._part(weight, tensor)
        if kind == "Cast":
            return weight.then("cast", self.attrs[name].get("DstT"), weight.shape)
        if kind == "Squeeze":
            axes = [
                a % len(weight.shape) for a in self.attrs[name].get("squeeze_dims", ())
            ]
            keep = [
                d
                for i, d in enumerate(weight.shape)
                if (i not in axes if axes else d != 1)
            ]
            return weight.reshaped(*keep)
        argument = self.number(args[1])
        if argument is None:
            return None
        if kind == "ExpandDims":
            axis = int(argument.reshape(())) % (len(weight.shape) + 1)
            return weight.reshaped(*weight.shape[:axis], 1, *weight.shape[axis:])
        numbers = [int(v) for v in argument.reshape(-1)]
        if kind == "Transpose":
            return weight.transposed(*numbers)
        size = int(np.prod(weight.shape))
        listed = int(np.prod([d for d in numbers if d >= 0]))
        return weight.reshaped(
            *(d if d >= 0 else size // max(listed, 1) for d in numbers)
        )

    def _part(self, weight: WeightRef, tensor: Tensor) -> WeightRef | None:
        """A run of entries along one axis or more (a kernel split for groups, positions cut to length)."""
        kind, rank = self.kinds[tensor.node], len(weight.shape)
        constants = [self.number(each) for each in self.inputs[tensor.node]]
        numbers = [
            None if n is None else [int(v) for v in n.reshape(-1)] for n in constants
        ]
        ranges: list[tuple[int, int, int]] = []
        if kind == "Slice":
            begin, size = numbers[1], numbers[2]
            if begin is None or size is None or not len(begin) == len(size) == rank:
                return None
            for axis, (start, count) in enumerate(zip(begin, size)):
                stop = weight.shape[axis] if count < 0 else start + count
                ranges.append((axis, start, stop))
        else:
            axes, sizes = numbers[0 if kind == "Split" else 2], numbers[1]
            if axes is None or len(axes) != 1 or not -rank <= axes[0] < rank:
                return None
            axis = axes[0] % rank
            if kind == "Split":
                count = int(self.attrs[tensor.node].get("num_split") or 1)
                sizes = [weight.shape[axis] // max(count, 1)] * count
            if sizes is None or tensor.port >= len(sizes) or min(sizes) < 0:
                return None
            start = sum(sizes[: tensor.port])
            ranges.append((axis, start, start + sizes[tensor.port]))
        for axis, start, stop in ranges:
            weight = weight.sliced(axis, start, stop)
        return weight

    def variable(self, name: str) -> WeightRef | None:
        """A variable of the whole graph, as a weight."""
        attrs = self.whole.attrs(name)
        shape = attrs.get("shape")
        if not shape or None in shape:
            return None
        return WeightRef(name, tuple(d or 0 for d in shape))
