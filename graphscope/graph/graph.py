"""What is in a graph: Tensor, Node and the Graph of them.

Nodes are operations, edges are tensors. One graph type serves three altitudes: ops, layers and blocks. A graph as
read never changes; each analysis returns something new that is keyed by it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import compress
from typing import ClassVar, NamedTuple

from ..errors import GraphError
from .adjacency import Adjacency, Ops
from .named_values import Attributes

CONTROL = -1  # TensorFlow's own number for the slot of a control edge

Shape = tuple[int | None, ...] | None
"""``None``: the rank is unknown. A ``None`` inside: that size is unknown. ``()``: a scalar."""


class Tensor(NamedTuple):
    """One output of one node; ``str()`` is ``name:port``, as TensorFlow writes it.

    >>> str(Tensor("conv/BiasAdd"))
    'conv/BiasAdd:0'
    """

    node: str
    port: int = 0

    def __str__(self) -> str:
        return f"{self.node}:{self.port}"

    @classmethod
    def parse(cls, text: str) -> Tensor:
        """The tensor that ``name`` or ``name:port`` stands for.

        >>> Tensor.parse("conv/BiasAdd:1")
        Tensor(node='conv/BiasAdd', port=1)
        """
        name, colon, port = text.rpartition(":")
        return (
            cls(name, int(port))
            if colon and port.isdecimal() and len(port) < 10
            else cls(text)
        )


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """What is known of a tensor without running it; ``dtype`` is ``""`` where unknown.

    >>> analyse("model.pb").specs[Tensor("images")]
    TensorSpec(dtype='float32', shape=(None, 4))
    """

    dtype: str = ""
    shape: Shape = None


class FunctionRef(NamedTuple):
    """The value of an attribute that names a function of the library (``func`` in an AttrValue)."""

    name: str
    attrs: Attributes


class Extent(NamedTuple):
    """A run of raw little-endian array bytes in a file: what a lazy weight is made of."""

    path: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Node:
    """What one NodeDef says, less its data inputs: those are edges.

    ``attrs`` are decoded when they are read (a dtype is ``"float32"``, a shape a ``Shape``, a tensor an ndarray,
    a string a ``str``, a list a tuple, a function a ``FunctionRef``). ``outputs`` is what the file itself says of
    the node's outputs (``_output_shapes``), empty where it says nothing. ``controls`` names the control inputs.

    >>> load("model.pb").graph.node("relu")
    Node(op='Relu', attrs={'T': 'float32'}, outputs=(), controls=(), device='')
    """

    op: str
    attrs: Attributes = field(default_factory=dict)
    outputs: tuple[TensorSpec, ...] = ()
    controls: tuple[str, ...] = ()
    device: str = ""


class Graph(Adjacency):
    """``graph.nodes[name]["node"]`` is a Node; a data edge is ``(source, target, key=slot)`` with ``port=``.

    Functions of networkx take it as they take a MultiDiGraph; ``to_networkx()`` gives one.
    Control dependencies stay on the node; ``with_control()`` gives a copy in which they are edges too. ``drawing`` is
    how a notebook shows a graph; ``render`` sets it, since nothing here knows how to draw.

    >>> graph = load("model.pb").graph
    >>> graph.inputs("relu"), list(graph.by_op("MatMul"))
    ((Tensor(node='hidden/BiasAdd', port=0),), ['hidden/MatMul', 'logits/MatMul'])
    >>> import networkx as nx
    >>> nx.shortest_path_length(graph, "images", "probs")
    6
    >>> sorted(graph.reverse().successors("relu"))
    ['hidden/BiasAdd']
    """

    drawing: ClassVar[Callable[[Graph], str] | None] = None

    def __repr__(self) -> str:
        """``<Graph with 25 nodes and 27 edges>``; how it is drawn stands in ``drawing``."""
        return f"<{self}>"

    def add(self, name: str, node: Node, inputs: Iterable[Tensor] = ()) -> None:
        """Add one node and its data edges; the sources may be added later."""
        self.add_node(name, node=node)
        for slot, tensor in enumerate(inputs):
            self.add_edge(tensor.node, name, key=slot, port=tensor.port)

    def node(self, name: str) -> Node:
        """The payload of one node; raises GraphError with the nearest names where there is none."""
        try:
            payload = self._node[name]["node"]
        except KeyError:
            raise GraphError(
                f"no node {name!r} in the graph{did_you_mean(name, self)}"
            ) from None
        return payload  # type: ignore[no-any-return]

    def op(self, name: str) -> str:
        return self.node(name).op

    def attrs(self, name: str) -> Attributes:
        return self.node(name).attrs

    def inputs(self, name: str) -> tuple[Tensor, ...]:
        """The data inputs in slot order."""
        slots: tuple[Tensor, ...] | None = self._inputs.get(name)
        if slots is None and self.is_wired and name in self._node:
            return self._of_wiring(name)
        if slots is None:
            slots = self._in_slots(name)
            if type(self._pred) is dict:  # no view of networkx, which is never told
                self._inputs[name] = slots
        return slots

    def _of_wiring(self, name: str) -> tuple[Tensor, ...]:
        wiring = self.wiring()
        pairs = wiring.inputs_of(name)
        return tuple([Tensor(wiring.names[source], port) for source, port in pairs])

    def _in_slots(self, name: str) -> tuple[Tensor, ...]:
        slots = [
            (slot, source, data["port"])
            for source, edges in self._pred[name].items()
            for slot, data in edges.items()
            if slot != CONTROL
        ]
        slots.sort()  # no two have one slot, so nothing else is compared
        return tuple([Tensor(source, port) for _, source, port in slots])

    def consumers(
        self, name: str, port: int | None = None
    ) -> tuple[tuple[str, int], ...]:
        """``(node, slot)`` of every data input that reads the node (or only that port of it)."""
        return tuple(
            (target, slot)
            for target, edges in self._succ[name].items()
            for slot, data in edges.items()
            if slot != CONTROL and (port is None or data["port"] == port)
        )

    def ports(self, name: str) -> set[int]:
        """The ports of a node that something reads."""
        return {
            data["port"]
            for edges in self._succ[name].values()
            for data in edges.values()
        }

    @property
    def tensors(self) -> dict[Tensor, Tensor]:
        """In a layer graph: tensors of the op graph below it -> its own; those that a layer hides are missing."""
        tensors: dict[Tensor, Tensor] = self.graph.setdefault("tensors", {})
        return tensors

    def raised(self, tensor: Tensor) -> Tensor:
        """The tensor of this graph that a tensor of the op graph is; in an op graph, the tensor itself."""
        above: Tensor = self.graph.get("tensors", {}).get(tensor, tensor)
        return above

    def by_op(self, *ops: str) -> Iterator[str]:
        """The names of the nodes of these ops, in the file's order."""
        node, kinds = self._node, frozenset(ops)
        names = self._by_op().of(kinds)
        return (name for name in names if node[name]["node"].op in kinds)

    def kinds(self) -> Collection[str]:
        """The ops that there are."""
        return self._by_op().places.keys()

    def kinds_of_nodes(self) -> dict[tuple[str, int], Node]:
        """A node for each op and attributes, which many nodes share: for whoever asks nothing else of a node."""
        nodes = (data["node"] for data in self._node.values())
        return {(node.op, id(node.attrs)): node for node in nodes}

    def _by_op(self) -> Ops:
        if self._ops is None or len(self._ops.names) != len(self._node):
            self._ops = Ops(self._node)
        return self._ops

    def with_control(self) -> Graph:
        """A copy in which every control dependency is an edge with key CONTROL."""
        copy: Graph = self.copy()
        for name in self:
            for source in self.node(name).controls:
                if source in copy:
                    copy.add_edge(source, name, key=CONTROL, port=CONTROL)
        return copy

    def upstream(self, names: Iterable[str], control: bool = False) -> set[str]:
        """The named nodes and all that they depend on (through control dependencies too, when asked)."""
        if self.is_wired and not control:
            return self._above(names)
        visited: set[str] = set()
        stack = [name for name in names]
        while stack:
            name = stack.pop()
            if name in visited or name not in self._node:
                continue
            visited.add(name)
            stack.extend(self._pred[name])
            if control:
                stack.extend(self.node(name).controls)
        return visited

    def _above(self, names: Iterable[str]) -> set[str]:
        wiring = self.wiring()
        seeds = [wiring.index[name] for name in names if name in wiring.index]
        return set(compress(wiring.names, wiring.upstream(seeds)))

    def past(self, tensor: Tensor, ops: Collection[str]) -> Tensor:
        """What a tensor is before nodes of these ops, which hand on their inputs by number; where they stand in a circle, one of it."""
        visited: set[Tensor] = set()
        while self.op(tensor.node) in ops and tensor not in visited:
            visited.add(tensor)
            inputs = self.inputs(tensor.node)
            if tensor.port >= len(inputs):
                break
            tensor = inputs[tensor.port]
        return tensor

    def _repr_svg_(self) -> str | None:
        """The drawing that a notebook shows, where something draws (``analysis``, ``render``); else None: the plain repr."""
        return None if Graph.drawing is None else Graph.drawing(self)


def did_you_mean(name: str, candidates: Iterable[str], most: int = 3) -> str:
    """``"; nearest: 'a', 'b'"`` from the names that are most like ``name``, or ``""``."""
    import difflib

    names = list(candidates)
    base = name.removesuffix(":0").removeprefix("import/")
    tail = base.rsplit("/", 1)[-1]
    near = [n for n in names if n == base or n.rsplit("/", 1)[-1] == tail][:most]
    if not near and len(names) <= 20_000:
        near = difflib.get_close_matches(base, names, most, 0.6)
    return "; nearest: " + ", ".join(map(repr, near)) if near else ""
