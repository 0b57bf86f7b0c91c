"""Tokens flattened to the rows of a matrix -> tokens of a sequence again.

BERT's authors reshape ``[batch, length, width]`` to ``[batch * length, width]``, run every layer on rows and reshape back
where sequences meet. A layer that works on the last axis alone does the same to a sequence as to rows, so the reshapes
can go. This is done to a layer graph, and only where every size can be seen to stay what it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ... import ops
from ...graph import Graph, Layer, Node, Tensor, TensorSpec
from ...graph.named_values import Arguments
from ...graph.names import Names
from ...graph.order import components, sources_first
from ...match.view.symbolic_shapes import SymbolicView
from ...ops.values.size import Size, product
from ...simplify.state import State
from ..layers.layer_view import layer_view, raised_specs

Dims = tuple[Size, ...]

# Layers that do to each vector along the last axis what they do to any other.
_ON_VECTORS = frozenset(
    """Dense Embedding LayerNormalization RMSNormalization UnitNormalization Activation ReLU LeakyReLU ELU Softmax
    Dropout Rescaling Add Multiply Subtract Average Maximum Minimum Concatenate Identity Normalization
    BatchNormalization""".split()
)


class Start(NamedTuple):
    """A Reshape to rows: what it flattens, and the sizes that its rows had before."""

    source: Tensor
    lead: Dims


def lift_rows(state: State) -> State:
    """Layers on rows between two reshapes -> the same layers on sequences.

    ``Reshape(Dense(Reshape(x, [-1, 64])), [b, 9, 32]) -> Dense(x)`` where x is ``[b, 9, 64]``.
    """
    return lift_regions(state, Search, Lifting)


def lift_regions(state: State, search: type[Search], lifting: type[Lifting]) -> State:
    """What ``lifting`` makes of the layer graph where ``search`` finds work worth it; else the state itself."""
    if not any(state.graph.by_op("Reshape")):
        return state
    regions = search(layer_view(state), state.kept)
    if not regions.worth:
        return state
    return state.become(lifting(regions, state.specs).written())


class Search:
    """Which nodes work on rows, where rows begin and end; ``worth`` are the nodes of regions that are worth lifting."""

    def __init__(self, view: SymbolicView, outputs: frozenset[str]) -> None:
        self.view, self.graph, self.kept = view, view.graph, outputs
        self.lead: dict[str, Dims] = {}
        self.starts: dict[str, Start] = {}
        self.fading: set[str] = set()
        self.ends: dict[str, Dims] = {}
        self.equal: dict[tuple[Tensor, int], tuple[Tensor, int]] = {}
        self.order = sources_first(view.graph) or []
        for name in self.order:
            self._visit(name)
        self.worth = self.worthwhile_nodes()

    def _visit(self, name: str) -> None:
        if self._is_reshape(name):
            self._visit_reshape(name)
        elif self.is_alike(name):
            leads = {self.lead[t.node] for t in self.row_inputs(name)}
            if len(leads) == 1 or leads and self._are_equal(list(leads)):
                self.lead[name] = min(leads, key=str)

    def row_inputs(self, name: str) -> list[Tensor]:
        return [t for t in self.view.inputs[name] if t.node in self.lead]

    def _is_reshape(self, name: str) -> bool:
        return self.view.kinds[name] == "Reshape"

    def _visit_reshape(self, name: str) -> None:
        source = self.view.inputs[name][0]
        before, after = self.view.dims(source), self.view.dims(Tensor(name))
        if before is None or after is None:
            return
        if source.node in self.lead:
            self._visit_end(name, self.lead[source.node], after)
            return
        lead = self.flattened(source, after)
        if lead is not None:
            self.lead[name] = lead
            self.starts[name] = Start(source, lead)

    def flattened(self, source: Tensor, after: Dims) -> Dims | None:
        """The leading sizes that become rows; None where the reshape is no flattening of two axes or more."""
        if len(after) not in (1, 2):
            return None
        before, width = self.view.dims(source) or (), product(after[1:])
        for count in range(2, len(before) + 1):
            if product(before[count:]) == width:
                lead = before[:count]
                return lead if _is_sayable((*lead, *after[1:])) else None
        return None

    def _visit_end(self, name: str, lead: Dims, dims: Dims) -> None:
        """A Reshape of rows: back to a sequence, or of the vectors alone."""
        source = self.view.inputs[name][0]
        width = (self.view.dims(source) or ())[1:]
        for count in range(len(dims) + 1):
            if product(dims[count:]) == product(width) and _alike(dims[:count], lead):
                self._note_equal(dims[:count], lead)
                after = (*lead, *dims[count:])
                if dims[count:] == width or _is_sayable(after):
                    self.ends[name] = after
                return

    def _note_equal(self, after: Dims, lead: Dims) -> None:
        """The reshape works only where the sizes that differ by name are equal: so they are one size."""
        for a, b in zip(after, lead):
            if a != b and a == Size(1, a.axes) and b == Size(1, b.axes):
                if len(a.axes) == len(b.axes) == 1:
                    self.equal[b.axes[0]] = a.axes[0]

    def is_alike(self, name: str) -> bool:
        """Whether a node does the same to each row, whatever axes its rows are."""
        rows = self.row_inputs(name)
        if not rows:
            return False
        node, rank = self.graph.node(name), len(self.view.shape(rows[0]) or ())
        others = [t for t in self.view.inputs[name] if t not in rows]
        if isinstance(node, Layer):
            return not others and node.op in _ON_VECTORS and is_last(node, rank)
        if "elementwise" in ops.traits(node.op):
            return all(self._is_narrow(t) for t in others) and rank == len(
                self.view.shape(Tensor(name)) or ()
            )
        return node.op in ("Identity", "BiasAdd") and all(
            self._is_narrow(t) for t in others
        )

    def _is_narrow(self, tensor: Tensor) -> bool:
        """Whether an operand is the same for every row."""
        shape = self.view.shape(tensor)
        return shape is not None and all(d == 1 for d in shape[:-1])

    def _are_equal(self, leads: Sequence[Dims]) -> bool:
        """Whether the rows of several tensors that are joined row by row are the same."""
        return all(_alike(each, leads[0]) and _alike(leads[0], each) for each in leads)

    # -- what is worth it ---------------------------------------------------------------------
    def worthwhile_nodes(self) -> set[str]:
        """The nodes of every region in which more reshapes go than come."""
        regions, worth = list(self.regions()), set(self.lead)
        for _ in range(
            len(regions) + 1
        ):  # what fades with one region may not with fewer
            self.fading = self._fading(worth)
            worthwhile = [region for region in regions if self.is_worth(region)]
            if len(worthwhile) == len(regions):
                break
            regions, worth = worthwhile, set().union(*worthwhile)
        return worth

    def is_worth(self, region: set[str]) -> bool:
        gone = sum(name in self.starts for name in region)
        gone += sum(r in self.ends for n in region for r in self.readers(n))
        return gone > sum(1 for name in region if self.is_left(name, region))

    def _fading(self, worth: set[str]) -> set[str]:
        """The nodes that serve only to tell sizes to the reshapes which go: they go with them."""
        fading: set[str] = set()
        for name in reversed(self.order):
            if name in self.kept or isinstance(self.graph.node(name), Layer):
                continue
            readers = self.graph.consumers(name)
            if readers and all(
                reader in fading or slot and self._goes(reader, worth)
                for reader, slot in readers
            ):
                fading.add(name)
        return fading

    def _goes(self, name: str, worth: set[str]) -> bool:
        """Whether a reshape is one that goes."""
        if name in self.starts:
            return name in worth
        return name in self.ends and self.view.inputs[name][0].node in worth

    def readers(self, name: str) -> Iterator[str]:
        return (reader for reader, _ in self.graph.consumers(name))

    def is_left(self, name: str, region: set[str]) -> bool:
        """Whether the rows themselves are still needed after this node."""
        if name in self.kept:
            return True
        gone = region | self.fading
        return any(r not in self.ends for r in self.readers(name) if r not in gone)

    def regions(self) -> Iterator[set[str]]:
        """Nodes on rows that read one another."""
        joined: dict[str, list[str]] = {name: [] for name in self.lead}
        for name in self.lead:
            for tensor in () if name in self.starts else self.row_inputs(name):
                joined[name].append(tensor.node)
                joined.setdefault(tensor.node, []).append(name)
        return components(joined)


def is_last(layer: Layer, rank: int) -> bool:
    """Whether the layer's axis, where it has one, is the last."""
    axis = layer.attrs.get("axis", -1)
    if isinstance(axis, list | tuple):
        axis = axis[0] if len(axis) == 1 else None
    whole = layer.attrs.get("noise_shape") is None and "shared_axes" not in layer.attrs
    return axis in (-1, rank - 1) and whole


def _is_sayable(dims: Dims) -> bool:
    """Whether a Reshape layer can make these sizes: it is told all but the batch, one of which may be unknown."""
    return sum(size.number is None for size in dims[1:]) <= 1


def _alike(a: Dims, b: Dims) -> bool:
    """Whether two lists of sizes with one product are the same: then one of them may be unknown."""
    if len(a) != len(b):
        return False
    differing = [(x, y) for x, y in zip(a, b) if x != y]
    others = [x for x, y in zip(a, b) if x == y]
    if len(differing) > 1 or any(x.number == 0 for x in others):
        return False
    return not differing or any((x.number or 2) > 1 for x in others)


class Lifting:
    """Writes the new graph: ``same`` maps old tensors to new ones that equal them, ``lifted`` rows to sequences."""

    def __init__(self, search: Search, specs: Mapping[Tensor, TensorSpec]) -> None:
        self.search, self.view, self.old = search, search.view, search.graph
        self.specs = raised_specs(search.graph, specs)
        self.up = Graph()
        self.same: dict[Tensor, Tensor] = {}
        self.lifted: dict[str, Tensor] = {}
        self.names = Names(self.old)

    def written(self) -> Graph:
        for name in self.search.order:
            self._visit(name)
        now = ((down, self._now(tensor)) for down, tensor in self.old.tensors.items())
        self.up.graph["tensors"] = {d: t for d, t in now if t.node in self.up}
        equal_sizes = self.old.graph.get("equal_sizes", {})
        self.up.graph["equal_sizes"] = {**equal_sizes, **self.search.equal}
        return self.up

    def _now(self, tensor: Tensor) -> Tensor:
        return self.same.get(tensor, tensor)

    def _visit(self, name: str) -> None:
        inputs = self.old.inputs(name)
        if name in self.search.worth:
            self._lift(name, inputs)
            if self.search.is_left(name, self.search.worth):
                self._restore(name)
        elif name in self.search.ends and inputs[0].node in self.search.worth:
            self._end(name, inputs[0].node)
        elif name not in self.search.fading:
            self.up.add(name, self.old.node(name), map(self._now, inputs))

    def _lift(self, name: str, inputs: Sequence[Tensor]) -> None:
        dims = (*self.search.lead[name], *self._dims(name)[1:])
        start = self.search.starts.get(name)
        if start is not None:
            self.lifted[name] = self.in_sizes(name, start.source, dims)
            return
        node = self.old.node(name)
        own = name if isinstance(node, Layer) else self.names.unique(f"{name}/sequence")
        spec = self._spec(name, dims)
        attrs, operands = self.moved(name, node, inputs)
        self.up.add(own, replace(node, attrs=attrs, outputs=(spec,)), operands)
        self.lifted[name] = Tensor(own)

    def moved(
        self, name: str, node: Node, inputs: Sequence[Tensor]
    ) -> tuple[Arguments, list[Tensor]]:
        """The attributes and inputs of a node that works on more axes than before."""
        axis = {"axis": -1} if "axis" in node.attrs else {}
        operands = [self.lifted.get(t.node) or self._now(t) for t in inputs]
        return {**node.attrs, **axis}, operands

    def _dims(self, name: str) -> Dims:
        return self.view.dims(Tensor(name)) or ()

    def _spec(self, name: str, dims: Dims) -> TensorSpec:
        spec = self.specs.get(Tensor(name), TensorSpec())
        return TensorSpec(spec.dtype, tuple(size.number for size in dims))

    def in_sizes(self, name: str, source: Tensor, dims: Dims) -> Tensor:
        """The tensor in these sizes: itself before other reshapes, or what a Reshape makes of it."""
        at = source
        for _ in range(len(self.old)):
            if self.view.dims(at) == dims:
                return self._now(at)
            if self.old.op(at.node) not in ("ExpandDims", "Reshape"):
                break
            at = self.old.inputs(at.node)[0]
        return self._reshape(
            f"{name}/sequence", self._now(source), self._spec(name, dims)
        )

    def _reshape(self, name: str, source: Tensor, spec: TensorSpec) -> Tensor:
        own = self.names.unique(name)
        target = tuple(-1 if size is None else size for size in (spec.shape or ())[1:])
        layer = Layer(
            "Reshape",
            {"target_shape": target},
            outputs=(spec,),
            output=Tensor(own),
            pattern="lift_rows",
        )
        self.up.add(own, layer, [source])
        return Tensor(own)

    def _end(self, name: str, source: str) -> None:
        dims, at = self.search.ends[name], self.lifted[source]
        if dims != (*self.search.lead[source], *self._dims(source)[1:]):
            at = self._reshape(f"{name}/sequence", at, self._spec(name, dims))
        self.same[Tensor(name)] = at

    def _restore(self, name: str) -> None:
        """Rows again, for what cannot do without them."""
        spec = self.specs.get(Tensor(name), TensorSpec())
        sizes = [-1, *(size or 0 for size in (spec.shape or ())[1:])]
        own = self.names.unique(f"{name}/rows")
        target = self.names.unique(f"{own}/target")
        value = np.array(sizes, np.int32)
        self.up.add(target, Node("Const", {"dtype": "int32", "value": value}))
        node = Node("Reshape", {"T": spec.dtype, "Tshape": "int32"}, (spec,))
        self.up.add(own, node, [self.lifted[name], Tensor(target)])
        self.same[Tensor(name)] = Tensor(own)
