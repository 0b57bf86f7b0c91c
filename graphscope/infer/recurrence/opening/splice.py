"""Layer graph with loops -> one graph in which each loop lies open: its function in place, and one turn of each body.

*before* ``Loop(x)``, whose function holds a While; *after* the ops of the function, the While among them, and beside it the ops of
condition and body, which read a placeholder for each loop variable that changes and the loop's own input for each that stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from ....graph import Function, Graph, Layer, Loop, Node, Tensor, TensorSpec, WeightUse
from ....graph.edit import duplicate, fresh, redirect
from ....match.view.symbolic_shapes import SymbolicView
from ....ops import spellings
from ....simplify.control_flow.dead_arguments import LOOPS, named
from ....wire.write import function_names
from ...layers.layer_view import Values, lowered, raised_specs
from .fused import (
    CELLS,
    LOOP_OPS,
    Builder,
    expand_cell,
    lstm_settings,
    lstm_step,
)
from .packed import Unpacking
from .turn import Turn


class NoRecurrence(Exception):
    """A turn that no layers compute; the message says why."""


@dataclass
class Spliced:
    """The graph with every loop open; ``weights`` tells what a node that stands for a weight is in the file.

    ``reasons`` say why a Loop is no recurrent layer, ``returns`` are what each Loop yields, ``values`` the elements that are known of tensors that the layer graph has not.
    """

    graph: Graph
    turns: list[Turn] = field(default_factory=list)
    weights: dict[str, WeightUse] = field(default_factory=dict)
    returns: dict[str, tuple[Tensor, ...]] = field(default_factory=dict)
    values: dict[Tensor, Any] = field(default_factory=dict)
    inside: dict[str, frozenset[str]] = field(default_factory=dict)
    moved: dict[Tensor, Tensor] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)

    def move(self, old: Tensor, new: Tensor) -> None:
        """Whoever reads one tensor reads another."""
        redirect(self.graph, old, new)
        self.moved[old] = new
        below = self._below.pop(old, [])
        self.graph.tensors.update(dict.fromkeys(below, new))
        self._below.setdefault(new, []).extend(below)

    @cached_property
    def _below(self) -> dict[Tensor, list[Tensor]]:
        """The tensors of the op graph that each tensor of this one stands for."""
        below: dict[Tensor, list[Tensor]] = {}
        for down, up in self.graph.tensors.items():
            below.setdefault(up, []).append(down)
        return below

    def now(self, tensor: Tensor) -> Tensor:
        """What stands for a tensor since others were moved."""
        while tensor in self.moved:
            tensor = self.moved[tensor]
        return tensor

    def valued(self, values: Values) -> Values:
        """The elements of a tensor, where they are known; ``values`` speaks of the op graph below the layer graph."""
        below = lowered(self.graph)

        def value(tensor: Tensor) -> np.ndarray | None:
            node = self.graph.node(tensor.node)
            if isinstance(node, Layer) or node.op in ("_State", "VariableV2"):
                return None
            if node.op == "Const":
                return np.asarray(node.attrs["value"])
            if tensor in self.values or tensor.node in self._new:
                value = self.values.get(tensor)
                return value if isinstance(value, np.ndarray) else None
            return values(below.get(tensor, tensor))

        return value

    def view(self, specs: Mapping[Tensor, TensorSpec], values: Values) -> SymbolicView:
        """What the solver asks; ``specs`` and ``values`` speak of the op graph below the layer graph."""
        specs_above = raised_specs(self.graph, specs)
        specs_above |= {
            Tensor(name, port): spec
            for name in self._new
            for port, spec in enumerate(self.graph.node(name).outputs)
        }
        return SymbolicView(self.graph, specs_above, self.valued(values))

    @property
    def _new(self) -> frozenset[str]:
        return frozenset().union(*self.inside.values())


def splice(layer_graph: Graph, loops: Iterable[str]) -> Spliced:
    """A copy of a layer graph in which the named Loop layers lie open; their own nodes stay, without readers."""
    copy = duplicate(layer_graph)
    copy.graph.update(layer_graph.graph)
    copy.graph["tensors"] = dict(layer_graph.graph.get("tensors", {}))
    spliced = Spliced(copy)
    for name in loops:
        loop = copy.node(name)
        if isinstance(loop, Loop) and loop.function is not None:
            _Opening(spliced, name, loop).open(loop.function)
        elif loop.op in LOOP_OPS:
            _open_block(spliced, name)
    return spliced


def _open_block(spliced: Spliced, name: str) -> None:
    """A fused LSTM over a sequence -> one turn of it; who read its outputs reads a list that the turns write."""
    graph = spliced.graph
    limit, x, c, h, w, *rest = graph.inputs(name)
    build = Builder(graph, f"{name}/step", [])
    first, anything = build.constant(0, "int32"), build.constant(-1, "int32")
    items = build.op("TensorListFromTensor", x, anything, element_dtype="float32")
    outputs = build.op("TensorListReserve", anything, limit, element_dtype="float32")
    inputs = (first, h, c, outputs)
    loop = build.op("While")
    widths = (None, *[build.units(w, 4)] * 2, None)
    state = {
        port: build.op("Placeholder", width=width, dtype="float32")
        for port, width in enumerate(widths)
    }
    before = len(build.names)
    step = build.op("TensorListGetItem", items, state[0], anything)
    operands = (step, state[2], state[1], w, *rest)
    output, cell = lstm_step(build, operands, lstm_settings(graph.node(name)))
    written = build.op("TensorListSetItem", state[3], state[0], output)
    counted = build.op("AddV2", state[0], build.constant(1, "int32"))
    nodes = frozenset(build.names[before:])
    test = build.op("Less", state[0], limit)
    after = (counted, output, cell, written)
    spliced.turns.append(Turn(loop.node, name, inputs, state, after, test, nodes))
    stack = build.op("TensorListStack", Tensor(loop.node, 3), anything)
    spliced.move(Tensor(name, 6), stack)
    spliced.returns[name] = ()
    spliced.inside[name] = frozenset(build.names)


def is_open_to(loop: Node) -> bool:
    """Whether a loop's function is dataflow around Whiles, the bodies of which run no functions; or a fused op."""
    if not isinstance(loop, Loop):
        return loop.op in LOOP_OPS
    whole = loop.function
    if whole is None or next(whole.graph.by_op(*LOOPS), None) is None:
        return False
    functions = {whole.name: whole, **loop.library}
    for name in whole.graph:
        node = whole.graph.node(name)
        for called in function_names(node) & functions.keys():
            inner = functions[called].graph
            if node.op not in LOOPS or any(
                function_names(inner.node(each)) & functions.keys() for each in inner
            ):
                return False
    return True


class _Opening:
    """One Loop on its way into the graph."""

    def __init__(self, spliced: Spliced, name: str, loop: Loop) -> None:
        self.spliced, self.graph = spliced, spliced.graph
        self.name, self.loop = name, loop
        self.added: set[str] = set()

    def open(self, whole: Function) -> None:
        inputs = iter(self.graph.inputs(self.name))
        operands = [
            (
                self._weight(argument, title)
                if title in self.loop.weights
                else next(inputs)
            )
            for argument, title in zip(whole.arguments, self.loop.arguments)
        ]
        places = self._copy(whole, operands, "")
        returns = tuple(_at(places, tensor) for tensor in whole.returns)
        self.spliced.returns[self.name] = returns
        for port, tensor in enumerate(returns):
            self.spliced.move(Tensor(self.name, port), tensor)
        for name in whole.graph.by_op(*LOOPS):
            self._turn(whole, name, places)
        self.spliced.inside[self.name] = frozenset(self.added & self.graph._node.keys())

    def _weight(self, argument: str, title: str) -> Tensor:
        use = self.loop.weights[title]
        facts = self.loop.facts.get(self.loop.function.name, {})  # type: ignore[union-attr]
        fact = facts.get(Tensor(argument))
        dtype = fact.spec.dtype if fact is not None else ""
        if fact is not None and fact.held is not None and fact.held.specs:
            dtype = fact.held.specs[0].dtype
        dtype = dtype.removesuffix("_ref") or "float32"
        spec = TensorSpec(dtype, tuple(use.shape))
        node = Node("VariableV2", {"dtype": dtype, "shape": tuple(use.shape)}, (spec,))
        name = self._add(f"{self.name}/{title}", node, ())
        self.spliced.weights[name] = use
        return Tensor(name)

    def _add(self, wish: str, node: Node, inputs: Iterable[Tensor]) -> str:
        name = fresh(self.graph, wish)
        self.graph.add(name, node, inputs)
        self.added.add(name)
        return name

    def _copy(
        self, function: Function, operands: list[Tensor], scope: str
    ) -> dict[Tensor, Tensor]:
        """The nodes of a function, its arguments replaced; where each of its tensors is now."""
        graph = function.graph
        facts = self.loop.facts.get(function.name, {})
        names: dict[str, str] = {}
        for name in graph:  # a node may come before what it reads
            if name not in function.arguments:
                names[name] = fresh(self.graph, f"{scope}{name}")
                self.graph.add_node(names[name], node=None)
        places: dict[Tensor, Tensor] = {
            Tensor(name): tensor for name, tensor in zip(function.arguments, operands)
        }
        for name, own in names.items():
            node = graph.node(name)
            ports = _ports(node)
            own_facts = [facts.get(Tensor(name, port)) for port in range(ports)]
            if any(fact is not None for fact in own_facts):
                specs = tuple(
                    f.spec if f is not None else TensorSpec() for f in own_facts
                )
                node = replace(node, outputs=specs, controls=())
            self.graph.add_node(own, node=node)
            self.added.add(own)
            for port in range(ports):
                places[Tensor(name, port)] = Tensor(own, port)
                fact = own_facts[port]
                if fact is not None and isinstance(fact.value, np.ndarray):
                    self.spliced.values[Tensor(own, port)] = fact.value
            title = self.loop.held.get((function.name, name))
            if title is not None:
                self.spliced.weights[own] = self.loop.weights[title]
            elif node.op == "Const":
                value = np.asarray(node.attrs["value"])
                use = WeightUse("", value.shape, (), value)
                self.spliced.weights[own] = use
        for name, own in names.items():
            for slot, tensor in enumerate(graph.inputs(name)):
                source = _at(places, tensor)
                self.graph.add_edge(source.node, own, key=slot, port=source.port)
        return places

    def _expanded(self, nodes: set[str]) -> dict[Tensor, Tensor]:
        """What stands for the outputs of fused cells among the nodes, now that their ops are there too."""
        moved: dict[Tensor, Tensor] = {}
        for name in sorted(nodes):
            if self.graph.op(name) in CELLS:
                expanded = expand_cell(self.graph, name)
                ports, new = expanded or ({}, [])
                self.added.update(new)
                for port, tensor in ports.items():
                    redirect(self.graph, Tensor(name, port), tensor)
                    moved[Tensor(name, port)] = tensor
        return moved

    def _turn(
        self, whole: Function, name: str, places: Mapping[Tensor, Tensor]
    ) -> None:
        functions = {whole.name: whole, **self.loop.library}
        node = whole.graph.node(name)
        body, cond = (named(node, attr, functions) for attr in ("body", "cond"))
        inputs = tuple(_at(places, tensor) for tensor in whole.graph.inputs(name))
        if body is None or cond is None or len(body.arguments) != len(inputs):
            return
        own = _at(places, Tensor(name)).node
        facts = self.loop.facts.get(body.name, {})
        state, operands = {}, []
        for port, argument in enumerate(body.arguments):
            if stays(body, port):
                operands.append(inputs[port])
                continue
            fact = facts.get(Tensor(argument))
            spec = fact.spec if fact is not None else TensorSpec()
            placeholder = Node("Placeholder", {"dtype": "float32"}, (spec,))
            state[port] = Tensor(self._add(f"{own}/state_{port}", placeholder, ()))
            operands.append(state[port])
        before = set(self.added)
        inner = self._copy(body, operands, f"{own}/turn/")
        inner |= self._expanded(self.added - before)
        nodes = frozenset(self.added - before)
        test = self._copy(cond, operands, f"{own}/test/")
        turn = Turn(
            own,
            self.name,
            inputs,
            state,
            tuple(_after(inner, tensor) for tensor in body.returns),
            _at(test, cond.returns[0]),
            nodes,
        )
        self.spliced.turns.append(
            Unpacking(self.graph, turn, self._add, self.spliced.move).turned()
        )


def _after(places: Mapping[Tensor, Tensor], tensor: Tensor) -> Tensor:
    place = _at(places, tensor)
    return places.get(place, place)


def stays(body: Function, port: int) -> bool:
    """Whether a loop variable is the same in every turn."""
    tensor, graph = body.returns[port], body.graph
    for _ in range(len(graph)):
        inputs = graph.inputs(tensor.node)
        if graph.op(tensor.node) not in _PASSES or tensor.port >= len(inputs):
            break
        tensor = inputs[tensor.port]
    return tensor == Tensor(body.arguments[port])


_PASSES = frozenset({*spellings.COPIES, "IdentityN"})


def _ports(node: Node) -> int:
    from ....wire.opdefs import output_dtypes

    return len(output_dtypes(node.op, node.attrs)) or 1


def _at(places: Mapping[Tensor, Tensor], tensor: Tensor) -> Tensor:
    """Where a tensor of a function is; an argument has one port."""
    return places[tensor] if tensor in places else places[Tensor(tensor.node)]
