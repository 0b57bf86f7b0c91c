"""The nouns: Tensor, Node, Layer, Graph, Signature, Variable, Function, Model.

Nodes are operations, edges are tensors. One graph type serves three altitudes: ops, layers and blocks. A graph as
read never changes; each analysis returns something new that is keyed by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import networkx as nx
import numpy as np

from .errors import GraphError, MissingWeight

CONTROL = -1  # TensorFlow's own number for the slot of a control edge

Shape = tuple[int | None, ...] | None
"""``None``: the rank is unknown. A ``None`` inside: that size is unknown. ``()``: a scalar."""


class Tensor(NamedTuple):
    """One output of one node; ``str()`` is ``name:port``, as TensorFlow writes it."""

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
        return cls(name, int(port)) if colon and port.isdigit() else cls(text)


@dataclass(frozen=True)
class TensorSpec:
    """What is known of a tensor without running it; ``dtype`` is ``""`` where unknown."""

    dtype: str = ""
    shape: Shape = None


class FunctionRef(NamedTuple):
    """The value of an attribute that names a function of the library (``func`` in an AttrValue)."""

    name: str
    attrs: Mapping[str, Any]


class Extent(NamedTuple):
    """A run of raw little-endian array bytes in a file: what a lazy weight is made of."""

    path: str
    offset: int
    length: int


@dataclass(frozen=True)
class Node:
    """What one NodeDef says, less its data inputs: those are edges.

    ``attrs`` are decoded when they are read (a dtype is ``"float32"``, a shape a ``Shape``, a tensor an ndarray,
    a string a ``str``, a list a tuple, a function a ``FunctionRef``). ``outputs`` is what the file itself says of
    the node's outputs (``_output_shapes``), empty where it says nothing. ``controls`` names the control inputs.
    """

    op: str
    attrs: Mapping[str, Any] = field(default_factory=dict)
    outputs: tuple[TensorSpec, ...] = ()
    controls: tuple[str, ...] = ()
    device: str = ""


@dataclass(frozen=True)
class WeightUse:
    """A weight as one layer uses it.

    ``node`` is the graph's variable or constant that holds it (``""`` where the layer's weight is a literal, then
    ``value`` holds it), ``shape`` its shape in Keras's layout, ``steps`` what leads from the stored array to Keras's:
    ``("reshape", shape)``, ``("transpose", axes)``, ``("cast", dtype)``, ``("slice", (axis, begin, end))``,
    ``("deviation", epsilon)``: its square less epsilon; ``("join", (axis, uses))``: those of other uses after these,
    along one axis; ``("computed", function)``, before any other: what a function of the model makes of its variables.
    """

    node: str
    shape: tuple[int, ...]
    steps: tuple[tuple[str, Any], ...] = ()
    value: np.ndarray | None = field(default=None, compare=False)

    def array(self, model: Model) -> np.ndarray:
        """The values in Keras's layout; raises MissingWeight where the model has none."""
        steps = self.steps
        if steps and steps[0][0] == "computed":
            found, steps = steps[0][1](model), steps[1:]
        else:
            found = self.value if self.value is not None else model.value(self.node)
        for step, argument in steps:
            if step == "join":
                parts = [found, *(each.array(model) for each in argument[1])]
                found = np.concatenate(parts, argument[0])
            else:
                found = _STEPS[step](found, argument)
        return found


def _slice(array: np.ndarray, argument: tuple[int, int, int]) -> np.ndarray:
    axis, begin, end = argument
    return array[(slice(None),) * (axis % array.ndim) + (slice(begin, end),)]


_STEPS: dict[str, Any] = {
    "reshape": np.reshape,
    "transpose": np.transpose,
    "deviation": lambda array, epsilon: np.square(array) - epsilon,
    "cast": lambda array, dtype: array.astype(dtype),
    "slice": _slice,
}


@dataclass(frozen=True)
class Layer(Node):
    """A Node that explains other nodes: one Keras layer found in the graph.

    ``op`` is the Keras class (``"Conv2D"``), ``attrs`` its config in Keras's words. ``inputs`` maps the formula's
    input names to tensors of the op graph, in call order; ``weights`` maps Keras's weight names to their use;
    ``members`` are the op nodes explained; ``output`` is the op tensor that the layer computes; ``pattern`` names the
    formula; ``evidence`` says in words what was seen and what was assumed. ``name`` is the layer's own, as Keras
    would have it: unique within one model.
    """

    inputs: Mapping[str, Tensor] = field(default_factory=dict)
    weights: Mapping[str, WeightUse] = field(default_factory=dict)
    members: frozenset[str] = frozenset()
    output: Tensor = Tensor("")
    pattern: str = ""
    evidence: tuple[str, ...] = ()
    name: str = ""

    @property
    def config(self) -> Mapping[str, Any]:
        """The attributes, under the name that Keras gives them."""
        return self.attrs


@dataclass(frozen=True)
class Loop(Layer):
    """A Layer of no Keras class: a loop of the graph (or a condition), and the arrays that only it sees.

    ``function`` is what it computes, ``arguments`` names for each of its arguments one of ``inputs`` or ``weights``; its
    returns are the layer's outputs. ``library`` holds the functions that it runs; ``facts`` what is known of the tensors of each, by the
    function's name (spec, elements); ``held`` which of their constants are weights, by function and node.
    """

    function: Function | None = None
    arguments: tuple[str, ...] = ()
    library: Mapping[str, Function] = field(default_factory=dict)
    facts: Mapping[str, Mapping[Tensor, Any]] = field(default_factory=dict)
    held: Mapping[tuple[str, str], str] = field(default_factory=dict)


class Graph(nx.MultiDiGraph):
    """``graph.nodes[name]["node"]`` is a Node; a data edge is ``(source, target, key=slot)`` with ``port=``.

    Control dependencies stay on the node; ``with_control()`` gives a copy in which they are edges too.
    """

    def add(self, name: str, node: Node, inputs: Iterable[Tensor] = ()) -> None:
        """Add one node and its data edges; the sources may be added later."""
        self.add_node(name, node=node)
        for slot, tensor in enumerate(inputs):
            self.add_edge(tensor.node, name, key=slot, port=tensor.port)

    def node(self, name: str) -> Node:
        """The payload of one node; raises GraphError with the nearest names where there is none."""
        try:
            found = self._node[name]["node"]
        except KeyError:
            raise GraphError(
                f"no node {name!r} in the graph{did_you_mean(name, self)}"
            ) from None
        return found  # type: ignore[no-any-return]

    def op(self, name: str) -> str:
        return self.node(name).op

    def attrs(self, name: str) -> Mapping[str, Any]:
        return self.node(name).attrs

    def inputs(self, name: str) -> tuple[Tensor, ...]:
        """The data inputs in slot order."""
        slots = [
            (slot, Tensor(source, data["port"]))
            for source, edges in self._pred[name].items()
            for slot, data in edges.items()
            if slot != CONTROL
        ]
        return tuple(tensor for _, tensor in sorted(slots))

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

    def by_op(self, *ops: str) -> Iterator[str]:
        """The names of the nodes of these ops, in the file's order."""
        wanted = frozenset(ops)
        return (name for name, data in self._node.items() if data["node"].op in wanted)

    def with_control(self) -> Graph:
        """A copy in which every control dependency is an edge with key CONTROL."""
        made = self.copy()
        for name in self:
            for source in self.node(name).controls:
                if source in made:
                    made.add_edge(source, name, key=CONTROL, port=CONTROL)
        return made  # type: ignore[no-any-return]

    def upstream(self, names: Iterable[str], control: bool = False) -> set[str]:
        """The named nodes and all that they depend on (through control dependencies too, when asked)."""
        seen: set[str] = set()
        stack = [name for name in names]
        while stack:
            name = stack.pop()
            if name in seen or name not in self._node:
                continue
            seen.add(name)
            stack.extend(self._pred[name])
            if control:
                stack.extend(self.node(name).controls)
        return seen

    def _repr_svg_(self) -> str:
        """The drawing that a notebook shows."""
        from .render.dot import to_dot
        from .render.picture import to_svg

        return to_svg(to_dot(self))


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
    names, objects or ops tell), ``path`` is the object path in a TF2 checkpoint, ``trainable`` is None where nothing
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


@dataclass(frozen=True)
class Function:
    """One function of the library, its body a Graph of its own.

    Arguments are nodes of op ``_Arg`` with attribute ``T``; ``returns`` gives the body tensor of each output in
    order; the references in the body are already ``node:port``. ``message`` is the FunctionDef as it was read, so that
    what nobody changed can be written as it was.
    """

    name: str
    graph: Graph
    arguments: tuple[str, ...]
    returns: tuple[Tensor, ...]
    output_names: tuple[str, ...] = ()
    control_returns: tuple[str, ...] = ()
    attrs: Mapping[str, Any] = field(default_factory=dict)
    message: Any = field(default=None, compare=False, repr=False)


class Weights(Mapping[str, np.ndarray]):
    """Arrays by variable name, read when asked for; the empty mapping is what a file without weights has."""

    def __getitem__(self, name: str) -> np.ndarray:
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def spec(self, name: str) -> TensorSpec:
        """Dtype and shape, without reading the values."""
        found = self[name]
        return TensorSpec(str(found.dtype), found.shape)

    def extents(self, name: str) -> tuple[Extent, ...] | None:
        """Where the raw little-endian bytes lie, in order; None where they must be decoded first."""
        return None


class _WhenAsked:
    """A field that may be given as a function of nothing, which is called when the field is first read."""

    def __get__(self, model: Any, owner: Any = None) -> Any:
        if model is None:
            raise AttributeError("graph")  # so the dataclass sees no default
        held = model.__dict__["_graph"]
        if not isinstance(held, Graph):
            held = model.__dict__["_graph"] = held()
        return held

    def __set__(self, model: Any, value: Any) -> None:
        model.__dict__["_graph"] = value


@dataclass(frozen=True)
class Model:
    """All that a file holds: structure now, weights when asked for.

    ``keys`` maps the graph's variable nodes to names in ``weights`` (through the graph's own restore wiring, by name
    where there is none); ``inferred`` is true of a graph that was built from a variable list alone, ``layered`` of one whose nodes are layers
    and not ops (that, and what a Keras file holds). ``graph`` may be given as a function that makes it when it is first asked for.
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
    remarks: tuple[str, ...] = ()

    def value(self, node: str) -> np.ndarray:
        """The array that a Const or a variable of the graph holds; raises MissingWeight where it has none."""
        key = self.keys.get(node, node)
        payload = None if self.layered else self.graph.node(node)
        if payload is not None and "value" in payload.attrs:
            return payload.attrs["value"]  # type: ignore[no-any-return]
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
        if self.keys.get(node, node) in self.weights:
            return True
        return not self.layered and "value" in self.graph.node(node).attrs


def did_you_mean(name: str, known: Iterable[str], most: int = 3) -> str:
    """``"; nearest: 'a', 'b'"`` from the names that are most like ``name``, or ``""``."""
    import difflib

    names = list(known)
    base = name.removesuffix(":0").removeprefix("import/")
    tail = base.rsplit("/", 1)[-1]
    near = [n for n in names if n == base or n.rsplit("/", 1)[-1] == tail][:most]
    if not near and len(names) <= 20_000:
        near = difflib.get_close_matches(base, names, most, 0.6)
    return "; nearest: " + ", ".join(map(repr, near)) if near else ""
