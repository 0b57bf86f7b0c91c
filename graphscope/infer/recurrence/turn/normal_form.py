"""One turn of a loop -> its normal form: a small graph of gates, activations and the arithmetic between them.

*before* ``Sigmoid(Split(BiasAdd(MatMul(Concat(x, h), k), b))[2] + 1)``; *after* ``Activation(Gate(x, h))``, whose ``linear`` says which
rows and columns of ``k`` multiply x and h.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ....graph import Graph, Layer, Node, Tensor
from ....graph.named_values import Arguments
from ....match import Match, Pattern, Solver, View
from ....patterns import layers as all_patterns
from ....patterns.recurrent import HARD_SLOPE, STEEPS
from ....patterns.regularization import STAND_IN
from ....simplify.rewrites.dropout import FED, RATE
from ..opening.turn import Turn
from .linear import PARTS, PRODUCTS, SUMS, Linear, LinearReader
from .loops import Reading, first_alike
from .parts import columns, past_layout, unmasked
from .projected import Projection

_OF_ALL_COLUMNS = frozenset({"softmax", "log_softmax"})
GATE, STATE, OUTER = "Gate", "State", "Placeholder"


class NormalForm:
    """The normal form of one turn, made as far as it is asked for; ``readings`` are leaves, ``origin`` tells what tensor of the spliced graph a leaf is."""

    def __init__(
        self,
        view: View,
        turn: Turn,
        readings: Mapping[Tensor, Reading] = MappingProxyType({}),
        projections: Mapping[Tensor, Projection] = MappingProxyType({}),
    ) -> None:
        self.below, self.turn, self.readings = view, turn, readings
        self.graph = Graph()
        self.origin: dict[str, Tensor] = {}
        self.linears: dict[str, Linear] = {}
        self.rates: dict[int, float] = {}  # loop variable -> what is dropped of it
        self._reader = LinearReader(view, turn.nodes, projections)
        self._before = {each.vector for each in projections.values()}
        self._activations = activations_in(view, turn.nodes)
        self._known: dict[Tensor, Tensor] = {}

    def of(self, tensor: Tensor) -> Tensor:
        """The tensor of the normal form that is this tensor of the spliced graph."""
        if tensor in self._before:
            return self._leaf(tensor, OUTER)
        tensor, rate = past_dropout(self.below, tensor)
        if rate is not None:
            return self._dropped(self.of(tensor), rate)
        if tensor.node in self.turn.nodes:
            tensor = past_layout(self.below, tensor)
        whole = unmasked(self.below, tensor)
        if whole is not None and tensor.node in self.turn.nodes:
            return self.of(whole)
        if tensor not in self._known:
            self._known[tensor] = self._normal(tensor)
        return self._known[tensor]

    def _dropped(self, tensor: Tensor, rate: float) -> Tensor:
        """A Dropout layer; of a state it is an argument of the layer that carries it."""
        if self.graph.op(tensor.node) == STATE:
            self.rates[self.turn.port[self.origin[tensor.node]]] = rate
            return tensor
        name = f"{tensor.node}:{tensor.port}/dropout_{rate}"
        return self._put(name, Layer("Dropout", {"rate": rate}), tensor)

    def after(self, port: int, tensor: Tensor) -> Tensor:
        """A tensor that a state becomes: what is dropped of it is an argument of the layer that carries it."""
        after = self.of(tensor)
        node = self.graph.node(after.node)
        if node.op != "Dropout":
            return after
        self.rates[port] = node.attrs["rate"]
        return self.graph.inputs(after.node)[0]

    def view(self) -> View:
        """What the solver asks; to be made anew when the graph has grown."""
        return View(self.graph)

    def _normal(self, tensor: Tensor) -> Tensor:
        below = self.below
        if tensor in self.turn.port:
            return self._leaf(tensor, STATE)
        number = below.scalar(tensor)
        if number is not None:
            node = Node("Const", {"dtype": number.dtype.name, "value": number})
            return self._put(f"{tensor.node}:{tensor.port}", node)
        if tensor in self.readings:
            return self._leaf(first_alike(self.readings, tensor), OUTER)
        if tensor.node not in self.turn.nodes:
            return self._leaf(tensor, OUTER)
        activation = self._activations.get(tensor)
        activated = (
            self._activated(tensor, *activation) if activation is not None else None
        )
        if activated is not None:
            return activated
        if below.ops[tensor.node] in SUMS | PRODUCTS | PARTS | {"Squeeze"}:
            linear = self._reader.read(tensor)
            if linear.terms:
                return self._gate(f"{tensor.node}:{tensor.port}", linear)
        if below.ops[tensor.node] in PARTS:
            part = self._part_of_activation(tensor)
            if part is not None:
                return part
        node = below.graph.node(tensor.node)
        activated = self._put(
            tensor.node, node, *map(self.of, below.graph.inputs(tensor.node))
        )
        return Tensor(activated.node, tensor.port)

    def _activated(self, tensor: Tensor, layer: Layer, source: Tensor) -> Tensor | None:
        """The activation of a gate or anything; one with a slope of its own is Keras's of a steeper gate."""
        name, slope = f"{tensor.node}:{tensor.port}", layer.attrs.get("slope")
        if slope is None:
            return self._put(name, layer, self.of(source))
        linear = self._reader.read(source)
        if not linear.terms or linear.rest:
            return None
        gate = self._gate(f"{name}/steep", linear.scaled(HARD_SLOPE * float(slope)))
        plain = Layer("Activation", {"activation": "hard_sigmoid"})
        return self._put(name, plain, gate)

    def _part_of_activation(self, tensor: Tensor) -> Tensor | None:
        """``Split(Sigmoid(z))[0]`` -> ``Sigmoid(Split(z)[0])``."""
        part = columns(self.below, tensor)
        if part is None:
            return None
        whole, begin, end = part
        activation = self._activations.get(self.below.producer(whole)[0])
        if (
            activation is None
            or activation[0].attrs.get("activation", "softmax") in _OF_ALL_COLUMNS
        ):
            return None
        linear = self._reader.read(activation[1], (begin, end))
        if not linear.terms or linear.rest or "slope" in activation[0].attrs:
            return None
        name = f"{tensor.node}:{tensor.port}"
        return self._put(f"{name}/activation", activation[0], self._gate(name, linear))

    def _leaf(self, tensor: Tensor, op: str) -> Tensor:
        leaf = self._put(f"{tensor.node}:{tensor.port}", Node(op, {"dtype": "float32"}))
        self.origin[leaf.node] = tensor
        return leaf

    def _put(self, name: str, node: Node, *inputs: Tensor) -> Tensor:
        if name not in self.graph:
            self.graph.add(name, node, inputs)
        return Tensor(name)

    def _gate(self, title: str, linear: Linear) -> Tensor:
        """A Gate over its vectors, those that are states last; what else is added stays a sum."""
        name = f"{title}/gate"
        terms = [term._replace(vector=self.of(term.vector)) for term in linear.terms]
        terms.sort(key=lambda term: self._is_recurrent(term.vector))
        own = Linear(tuple(terms), linear.biases, linear.offset)
        self.linears[name] = own
        gate = self._put(
            name, Node(GATE, {"name": name}), *(term.vector for term in terms)
        )
        for number, each in enumerate(linear.rest):
            gate = self._put(
                f"{name}/plus_{number}", Node("AddV2"), gate, self.of(each)
            )
        return gate

    def _is_recurrent(self, tensor: Tensor) -> bool:
        """Whether a vector is a state, or one that is reset: the product of a state and an activation."""
        if self.graph.op(tensor.node) == STATE:
            return True
        inputs = self.graph.inputs(tensor.node)
        return self.graph.op(tensor.node) == "Mul" and any(
            self.graph.op(each.node) == STATE for each in inputs
        )


def past_dropout(view: View, tensor: Tensor) -> tuple[Tensor, float | None]:
    """What a tensor repeats, up to the next dropout: then that one's input and rate, of which a stand-in where it is fed."""
    source, passed = view.producer(tensor)
    for name in passed:
        rate = view.attrs[name].get(RATE)
        if rate is not None:
            return view.inputs[name][0], STAND_IN if rate == FED else round(rate, 6)
    return source, None


Found = Mapping[Tensor, tuple[Layer, Tensor]]


def activations_in(view: View, nodes: frozenset[str]) -> Found:
    """What each tensor among these nodes is an activation of, the widest first; none inside another."""
    solver, activations = Solver(view), []
    by_root = _by_root()
    for name in nodes:
        for pattern in by_root.get(view.ops[name], ()):
            match = next(pattern.solutions(solver, Tensor(name)), None)
            layer = _activation(pattern, match, view) if match is not None else None
            if match is not None and layer is not None:
                activations.append((len(match.members & nodes), name, layer, match))
    activations.sort(key=lambda each: (-each[0], each[1]))
    claimed: set[str] = set()
    layers: dict[Tensor, tuple[Layer, Tensor]] = {}
    for _, name, layer, match in activations:
        members = match.members & nodes & view.dynamic
        if claimed.isdisjoint(members):
            claimed |= members
            layers[Tensor(name)] = layer, match.values["x"]
    return layers


def _by_root() -> dict[str, list[Pattern]]:
    by_root: dict[str, list[Pattern]] = {}
    for pattern in (*all_patterns(), *STEEPS):
        if pattern.op in ("Activation", "ReLU", "Dropout") and not pattern.is_above:
            for root in pattern.formula.roots or ():
                by_root.setdefault(root, []).append(pattern)
    return by_root


def _activation(pattern: Pattern, match: Match, view: View) -> Layer | None:
    """An Activation layer of one name; None for what Keras has no name for."""
    config: Arguments = pattern.config_of(match, view)
    if pattern.op == "ReLU":
        plain = config.get("max_value") == 6.0 and not config.get("negative_slope")
        if not plain or config.get("threshold"):
            return None
        config = {"activation": "relu6"}
    if pattern.op == "Dropout":
        return Layer("Dropout", config) if "x" in match.values else None
    config.setdefault("activation", pattern.constants.get("activation"))
    if not {"activation"} <= set(config) <= {"activation", "slope"}:
        return None
    if "x" not in match.values:
        return None
    return Layer("Activation", config)
