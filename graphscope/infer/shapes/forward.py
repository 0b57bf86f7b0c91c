"""Shapes and dtypes of every tensor of a graph, from what its nodes say and from what is fed.

A worklist over the graph in topological order. Loops of TensorFlow 1 (Merge, NextIteration) are taken optimistically:
a Merge begins with the facts that enter the loop and widens until nothing changes. Vectors of sizes are evaluated
as far as they are known, so ``Shape -> StridedSlice -> Pack -> Reshape`` with an unknown batch gives ``[None, 7, 7, 512]``.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from copy import copy

import numpy as np

from ... import ops
from ...graph import Function, Graph, Node, Shape, Tensor, TensorSpec
from ...ops import spellings
from ...ops.values.dims import elements, merge
from ...ops.values.facts import UNKNOWN, Contents, Fact, FactsOf, join_facts, same_fact
from ...wire import op_registry, opdefs
from .declared import is_vague_feed
from .functions import Library
from .resources import HANDLES, Arrays, Site

_SIZES = 4096  # elements of an integer tensor that are followed; a shape has fewer
_NUMBERS = 16  # of any other dtype: scale factors, bounds of ranges
_VISITS = 24  # a node that still changes after so many visits is given up


def infer_shapes(
    graph: Graph,
    *,
    functions: Mapping[str, Function] = {},
    given: Mapping[str, Shape] = {},
    producer: int | None = None,
) -> dict[Tensor, TensorSpec]:
    """Dtype and shape of every output of every node, unknown parts as None.

    ``functions`` is the library of the file, ``given`` given by ``node`` or ``node:port`` that replace what the file
    says (a batch size, say), ``producer`` the GraphDef version of the file (``model.versions``). Dtypes are without ``_ref``. Never raises on a contradictory graph: what contradicts itself
    is unknown.
    """
    facts = infer_facts(graph, functions=functions, given=given, producer=producer)
    return {tensor: fact.spec for tensor, fact in facts.items()}


def infer_facts(
    graph: Graph,
    *,
    functions: Mapping[str, Function] = {},
    given: Mapping[str, Shape] = {},
    producer: int | None = None,
) -> dict[Tensor, Fact]:
    """As ``infer_shapes``, with the elements that are known and what handles lead to."""
    run = inference(graph, functions=functions, given=given, producer=producer)
    return dict(FactsOf(run.facts))


def inference(
    graph: Graph,
    *,
    functions: Mapping[str, Function] = {},
    given: Mapping[str, Shape] = {},
    producer: int | None = None,
) -> Inference:
    """As ``infer_facts``, ready to be done again for other shapes of the feeds."""
    library = Library(functions, _infer_body)
    run = Inference(graph, library, _parsed(given), producer)
    run.run()
    return run


def _parsed(shapes: Mapping[str, Shape]) -> dict[Tensor, Shape]:
    return {Tensor.parse(text): shape for text, shape in shapes.items()}


def _infer_body(
    function: Function, arguments: Sequence[Fact], library: Library
) -> list[Fact]:
    """The facts of what a function returns."""
    run = Inference(function.graph, library, {})
    run.arguments = dict(zip(function.arguments, arguments, strict=False))
    run.run()
    return [run.at(tensor) for tensor in function.returns]


def topological(graph: Graph) -> list[str]:
    """Sources first; what leads back into a loop (NextIteration) does not count, and other cycles come last."""
    waiting = {name: 0 for name in graph}
    for name in graph:
        for source in graph._pred[name]:
            waiting[name] += not _leads_back(graph, source, name)
    ready = [name for name, count in waiting.items() if not count]
    order: list[str] = []
    while ready:
        name = ready.pop()
        order.append(name)
        for target in graph._succ[name]:
            if not _leads_back(graph, name, target):
                waiting[target] -= 1
                if not waiting[target]:
                    ready.append(target)
    if len(order) < len(waiting):
        visited = set(order)
        order += [name for name in graph if name not in visited]
    return order


def _leads_back(graph: Graph, source: str, target: str) -> bool:
    node = graph._node[source].get("node")
    return node is not None and node.op in spellings.NEXT_ITERATIONS


class Inference:
    """One graph on its way to a fixed point."""

    def __init__(
        self,
        graph: Graph,
        library: Library,
        given: Mapping[Tensor, Shape],
        producer: int | None = None,
    ) -> None:
        self.producer = producer
        self.graph, self.library, self.given = graph, library, given
        self.arguments: Mapping[str, Fact] = {}
        self.facts: dict[str, tuple[Fact, ...]] = {}
        self.arrays = Arrays()
        self._order = topological(graph)
        self._index = {name: at for at, name in enumerate(self._order)}
        self._inputs = {name: graph.inputs(name) for name in graph}
        self._known_dtypes: dict[str, tuple[str, ...]] = {}
        self._begin(range(len(self._order)))

    def _begin(self, due: Iterable[int]) -> None:
        count = len(self._order)
        self._queue, self._queued = sorted(due), bytearray(count)
        for at in self._queue:
            self._queued[at] = 1
        self._visits = bytearray(count)

    def again(self, shapes: Mapping[str, Shape]) -> Inference:
        """The same with other shapes of feeds: what does not depend on those that change is not inferred again."""
        run = copy(self)
        run.given = _parsed(shapes)
        run.library = self.library.again()
        run.arrays = Arrays()
        both = self.given.items() ^ run.given.items()
        due = self._downstream({tensor.node for tensor, _ in both} & self.facts.keys())
        run.facts = {n: facts for n, facts in self.facts.items() if n not in due}
        run._begin(self._index[name] for name in due)
        run.run()
        return run

    def _downstream(self, names: set[str]) -> set[str]:
        """What depends on some nodes; all, where something is written into an array and read elsewhere."""
        if any(self._is_array(name) for name in self.graph):
            return set(self.graph)
        visited: set[str] = set()
        stack = list(names)
        while stack:
            name = stack.pop()
            if name not in visited:
                visited.add(name)
                stack += self.graph._succ[name]
        return visited

    def _is_array(self, name: str) -> bool:
        node = self.graph._node[name].get("node")
        return node is not None and node.op.startswith("TensorArray")

    def at(self, tensor: Tensor) -> Fact:
        """What is known of a tensor so far."""
        ports = self.facts.get(tensor.node, ())
        return ports[tensor.port] if tensor.port < len(ports) else UNKNOWN

    def run(self) -> None:
        """To the fixed point; nodes that wait for each other are then forced, in order."""
        self._drain()
        for at, name in enumerate(self._order):
            if name not in self.facts:
                self._visit(at, forced=True)
                self._drain()

    def _drain(self) -> None:
        while self._queue:
            at = heapq.heappop(self._queue)
            self._queued[at] = 0
            self._visit(at)

    def _push(self, name: str) -> None:
        at = self._index[name]
        if not self._queued[at]:
            self._queued[at] = 1
            heapq.heappush(self._queue, at)

    def _visit(self, at: int, forced: bool = False) -> None:
        name = self._order[at]
        node = self.graph._node[name].get("node")
        if node is None:  # an edge names a node that is not there
            self.facts[name] = ()
            return
        inputs = self._inputs[name]
        if not forced and not self._is_ready(node, inputs):
            return
        facts = self._facts_of(name, node, inputs, forced)
        if facts is None:
            return
        old = self.facts.get(name)
        if old is not None:
            self._visits[at] += 1
            facts = self._widened(at, old, facts)
            if all(map(same_fact, old, facts)):
                return
        self.facts[name] = facts
        for target in self.graph._succ[name]:
            self._push(target)

    def _is_ready(self, node: Node, inputs: Sequence[Tensor]) -> bool:
        facts = self.facts
        if node.op in spellings.MERGES:
            return any(tensor.node in facts for tensor in inputs)
        return all(tensor.node in facts for tensor in inputs)

    def _widened(
        self, at: int, old: tuple[Fact, ...], new: tuple[Fact, ...]
    ) -> tuple[Fact, ...]:
        if self._visits[at] >= _VISITS:
            return tuple(Fact(TensorSpec(fact.spec.dtype)) for fact in old)
        return tuple(map(join_facts, old, new))

    def _facts_of(
        self, name: str, node: Node, inputs: Sequence[Tensor], forced: bool
    ) -> tuple[Fact, ...] | None:
        """The facts of all ports, None where the node has to wait for an array's first element."""
        operands = [self.at(tensor) for tensor in inputs]
        if name in self.arguments:
            return (self.arguments[name],)
        dtypes = self._dtypes(name, node)
        facts: Sequence[Fact] | None
        if node.op in HANDLES:
            facts = HANDLES[node.op](Site(self.arrays, name, node, operands, dtypes))
            for waiting in self.arrays.take_changed():
                self._push(waiting)
            if facts is None and not forced:
                return None
        elif self.library.calls(node):
            facts = self.library.call(node, operands)
        elif node.op in spellings.MERGES:
            facts = self._merged(inputs)
        else:
            facts = self._by_rule(name, node, operands, dtypes)
        return self._completed(name, node, dtypes, list(facts or ()))

    def _dtypes(self, name: str, node: Node) -> tuple[str, ...]:
        if name not in self._known_dtypes:
            self._known_dtypes[name] = self._find_dtypes(name, node)
        return self._known_dtypes[name]

    def _find_dtypes(self, name: str, node: Node) -> tuple[str, ...]:
        if op_registry.find(node.op) is not None:
            return opdefs.output_dtypes(node.op, node.attrs)
        ports = (port + 1 for port in self.graph.ports(name))
        return ("",) * max(len(node.outputs), *ports, 1)

    def _merged(self, inputs: Sequence[Tensor]) -> list[Fact]:
        """Of the branches that are known by now; the others widen it when they come."""
        operands = [self.at(tensor) for tensor in inputs if tensor.node in self.facts]
        joined = operands[0] if operands else UNKNOWN
        for fact in operands[1:]:
            joined = join_facts(joined, fact)
        return [joined, Fact(TensorSpec("int32", ()))]

    def _by_rule(
        self, name: str, node: Node, operands: list[Fact], dtypes: tuple[str, ...]
    ) -> list[Fact]:
        if node.op == "Const":
            return [_constant(node, dtypes)]
        call = ops.Call(
            node.op,
            node.attrs,
            [fact.spec for fact in operands],
            [fact.value for fact in operands],
            name,
        )
        shapes = ops.shapes(call, len(dtypes))
        specs = [TensorSpec(d, s) for d, s in zip(dtypes, shapes, strict=True)]
        values = ops.values(call, len(dtypes), _SIZES)
        passed = _passed(node, operands, len(dtypes))
        return [
            Fact(spec, _value_of(spec, value), handle)
            for spec, value, handle in zip(specs, values, passed, strict=True)
        ]

    def _completed(
        self, name: str, node: Node, dtypes: tuple[str, ...], facts: list[Fact]
    ) -> tuple[Fact, ...]:
        """One fact a port: the OpDef's dtype, what the file itself says of an unknown rank, and what the caller says."""
        facts = facts[: len(dtypes)] + [UNKNOWN] * (len(dtypes) - len(facts))
        for port, (fact, dtype) in enumerate(zip(facts, dtypes, strict=True)):
            shape, plain = fact.spec.shape, dtype.removesuffix("_ref")
            if shape == () and is_vague_feed(node, self.producer):
                shape = None
            if shape is None and port < len(node.outputs):
                shape = node.outputs[port].shape
            if self.given and Tensor(name, port) in self.given:
                shape = merge(self.given[Tensor(name, port)], shape)
                fact = Fact(fact.spec, None, fact.held)
            if shape != fact.spec.shape or plain != fact.spec.dtype:
                spec = TensorSpec(plain or fact.spec.dtype, shape)
                facts[port] = Fact(spec, fact.value, fact.held)
        return tuple(facts)


def _constant(node: Node, dtypes: tuple[str, ...]) -> Fact:
    """A stored tensor; its elements only when they are few."""
    if "value" not in node.attrs:
        return UNKNOWN
    spec = getattr(node.attrs, "spec", None)  # does not read the elements
    if spec is None:
        shape = np.shape(node.attrs["value"])
    else:
        shape = spec("value").shape
    spec = TensorSpec((dtypes or ("",))[0], shape)
    return Fact(spec, node.attrs["value"] if _is_followed(spec) else None)


def _is_followed(spec: TensorSpec) -> bool:
    if spec.shape is None or None in spec.shape:
        return False
    most = _SIZES if spec.dtype in _FOLLOWED else _NUMBERS
    return (elements(spec.shape) or 0) <= most


_FOLLOWED = frozenset(("int32", "int64", "bool", "string"))


def _value_of(spec: TensorSpec, value: ops.Value) -> ops.Value:
    return None if value is None or not _is_followed(spec) else value


def _passed(node: Node, operands: list[Fact], ports: int) -> list[Contents | None]:
    """Handles go through what yields its inputs unchanged."""
    none: list[Contents | None] = [None] * ports
    if not any(fact.held for fact in operands):
        return none
    if node.op in ("IdentityN", "_ListToArray", "_ArrayToList"):
        return [fact.held for fact in operands[:ports]] + none[len(operands) :]
    if "pass-through" in ops.traits(node.op) or node.op in spellings.SWITCHES:
        return [operands[0].held] * ports
    return none
