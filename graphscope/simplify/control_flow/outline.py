"""Graph -> Graph in which each loop, with the arrays that only it sees, is one call of a function of its own.

Seeds are the nodes that run functions (While, If, Case). A TensorList is no tensor that could pass between layers, so all that hands
one on belongs to one region; so does what lies on a way out of a region and back into it. What can be told without looking at any
data (zeros for a first state, the number of steps) is copied into the region that reads it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from ... import ops
from ...graph import Function, FunctionRef, Graph, Node, Tensor
from ...graph.edit import fresh, put
from ...graph.names import unused
from ...wire import op_registry, opdefs
from ...wire.write import function_names
from .dead_arguments import LOOPS, dtype_of, named, trim
from .lifted import UNCARRIED, Region

SMALL = 16  # elements of a constant that is a literal; a larger one is a weight


def outline_regions(
    graph: Graph,
    functions: dict[str, Function],
    outputs: Iterable[Tensor],
    origin: Mapping[str, frozenset[str]],
) -> list[Region]:
    """Put a call in the place of each region, in place; ``functions`` gains what is called.

    ``outputs`` keep their names; ``origin`` tells which nodes a While or If was outlines of.
    """
    seeds = [
        name for name in graph if function_names(graph.node(name)) & functions.keys()
    ]
    lists = list(_lists(graph))
    regions = _regions(graph, seeds, lists)
    order = {name: place for place, name in enumerate(graph)}
    starts, asked, outlines = set(seeds), list(outputs), []
    for members in regions:
        outline = _Outline(graph, functions, members, asked, order)
        every = frozenset().union(*(origin.get(n, frozenset((n,))) for n in members))
        outlines.append(outline.put(outline.ordered(members & starts), every))
    return outlines


def _lists(graph: Graph) -> Iterator[tuple[str, str]]:
    """The edges that carry a list, or quantised numbers: what no Keras tensor can hold."""
    for name, readers in graph._succ.items():
        node = graph.node(name)
        if node.op == "Const" or not readers:
            continue
        dtypes = opdefs.output_dtypes(node.op, node.attrs)
        uncarried = {port for port, kind in enumerate(dtypes) if kind in UNCARRIED}
        if uncarried:
            for reader, edges in readers.items():
                carried = (e for e in edges.values() if e["port"] in uncarried)
                yield from ((name, reader) for _ in carried)


def _regions(
    graph: Graph, seeds: list[str], lists: list[tuple[str, str]]
) -> list[set[str]]:
    """The sets of nodes that become one, in the order of the graph; no set needs what it yields."""
    if not seeds and not lists:
        return []
    import networkx as nx

    groups = nx.utils.UnionFind()
    for name in seeds:
        groups[name]
    for source, target in lists:
        groups.union(source, target)
    inside = {name: groups[name] for name in groups}
    quotient = nx.DiGraph()
    for source, readers in graph._succ.items():
        for target in readers:
            quotient.add_edge(inside.get(source, source), inside.get(target, target))
    place = dict(inside)
    for circle in nx.strongly_connected_components(quotient):
        if len(circle) > 1 and any(name in inside for name in circle):
            first = min(circle)
            place |= {name: first for name in circle}
            place |= {n: first for n, group in inside.items() if group in circle}
    regions: dict[str, set[str]] = {}
    for name in graph:
        if name in place:
            regions.setdefault(place[name], set()).add(name)
    return list(regions.values())


class _Outline:
    """One region on its way to a function and a call of it."""

    def __init__(
        self,
        graph: Graph,
        functions: dict[str, Function],
        members: set[str],
        outputs: Iterable[Tensor],
        order: Mapping[str, int],
    ) -> None:
        self.graph, self.functions, self.members = graph, functions, members
        self.order = order
        self.asked = [t for t in outputs if t.node in members]
        self.inside = members | told_without_data(graph, members, functions)

    def ordered(self, names: Iterable[str]) -> list[str]:
        """The names in the order of the graph as it was; calls that were put in come last."""
        last = len(self.order)
        return sorted(names, key=lambda name: (self.order.get(name, last), name))

    def put(self, seeds: list[str], members: frozenset[str]) -> Region:
        """Take the region out and put the call in."""
        graph, kept = self.graph, {t.node for t in self.asked}
        title = (seeds or sorted(self.members))[0]
        returns = self._returns()
        readers = [
            (reader, slot, port)
            for port, tensor in enumerate(returns)
            for reader, slot in graph.consumers(*tensor)
            if reader not in self.members
        ]
        function, operands = self._function(title, returns)
        self.functions[function.name] = function
        loops = tuple(n for n in seeds if graph.op(n) in LOOPS)
        graph.remove_nodes_from(self.members)
        node = fresh(graph, f"{title}/call" if title in kept else title)
        dtypes = tuple(dtype_of(function.graph, t) for t in function.returns)
        attrs = {
            "f": FunctionRef(function.name, {}),
            "Tin": tuple(dtype_of(graph, tensor) for tensor in operands),
            "Tout": dtypes,
        }
        put(graph, node, Node("PartitionedCall", attrs), operands)
        for reader, slot, port in readers:
            graph.add_edge(node, reader, key=slot, port=port)
        self._name_asked(node, returns, dtypes)
        count = count_ops(function, self.functions)
        return Region(node, function.name, loops, count, members)

    def _returns(self) -> list[Tensor]:
        """The tensors that are read outside, or asked for."""
        returns = dict.fromkeys(self.asked)
        for name in self.ordered(self.members):
            for reader, edges in self.graph._succ[name].items():
                if reader not in self.members:
                    ports = (data["port"] for data in edges.values())
                    returns.update((Tensor(name, port), None) for port in ports)
        return list(returns)

    def _function(
        self, title: str, returns: list[Tensor]
    ) -> tuple[Function, list[Tensor]]:
        """What the region computes, and what goes in."""
        body, arguments = Graph(), dict[Tensor, str]()
        for name in self.ordered(self.inside):
            body.add_node(name, node=replace(self.graph.node(name), controls=()))
            for slot, tensor in enumerate(self.graph.inputs(name)):
                source = tensor
                if tensor.node not in self.inside:
                    source = Tensor(self._argument(tensor, arguments))
                body.add_edge(source.node, name, key=slot, port=source.port)
        for tensor, name in arguments.items():
            argument = Node("_Arg", {"T": dtype_of(self.graph, tensor)})
            body.add_node(name, node=argument)
        # a function that bore the name of an op would be called by the nodes of that op
        is_op = op_registry.find(title) is not None
        name = unused(f"{title}/body" if is_op else title, self.functions)
        whole = Function(name, body, tuple(arguments.values()), tuple(returns))
        function = trim(whole, self.functions)
        used = {a for a in function.arguments if function.graph._succ[a]}
        used |= {t.node for t in function.returns}
        operands = [t for t, argument in arguments.items() if argument in used]
        live = tuple(arguments[tensor] for tensor in operands)
        spare = set(function.arguments) - set(live)
        function.graph.remove_nodes_from(spare)
        return replace(function, arguments=live), operands

    def _argument(self, tensor: Tensor, arguments: dict[Tensor, str]) -> str:
        if tensor not in arguments:
            names = self.inside | set(arguments.values())
            arguments[tensor] = unused(tensor.node, names, tensor.port + 1)
        return arguments[tensor]

    def _name_asked(
        self, node: str, returns: list[Tensor], dtypes: tuple[str, ...]
    ) -> None:
        """Outputs that were asked for keep their names."""
        for name in dict.fromkeys(t.node for t in self.asked):
            ports = [t.port for t in self.asked if t.node == name]
            places = [returns.index(Tensor(name, port)) for port in ports]
            order = [places[0]] * (max(ports) + 1)
            for port, place in zip(ports, places):
                order[port] = place
            attrs = {"T": tuple(dtypes[place] for place in order)}
            identity = Node("IdentityN", attrs)
            if len(order) == 1:
                identity = Node("Identity", {"T": dtypes[order[0]]})
            put(self.graph, name, identity, [Tensor(node, place) for place in order])


def bodies(graph: Graph, functions: Mapping[str, Function]) -> dict[str, Function]:
    """The functions that the nodes of a graph run, and those that these run, by name."""
    bodies_: dict[str, Function] = {}
    stack = [graph]
    while stack:
        current = stack.pop()
        for node in map(current.node, current):
            names = (n for n in function_names(node) if n in functions)
            for name in sorted(n for n in names if n not in bodies_):
                bodies_[name] = functions[name]
                stack.append(functions[name].graph)
    return bodies_


def count_ops(function: Function, functions: Mapping[str, Function]) -> int:
    """How many ops a function runs, those of its own functions among them; constants and what passes on are none."""
    graphs = [
        function.graph,
        *(f.graph for f in bodies(function.graph, functions).values()),
    ]
    return sum(graph.op(name) not in _SILENT for graph in graphs for name in graph)


_SILENT = frozenset({"_Arg", "Const", "Identity", "NoOp"})


def told_without_data(
    graph: Graph, members: set[str], functions: Mapping[str, Function]
) -> set[str]:
    """What the members read that follows from shapes, constants and weights alone; not the weights themselves."""
    verdicts: dict[str, bool] = {}
    # of all loops only those among the members can make a constant here a first value
    loops = [name for name in members if graph.op(name) in LOOPS]
    firsts = first_values(graph, functions, loops)
    entries = {s for name in members for s in graph._pred[name] if s not in members}
    stack = [(name, False) for name in entries]
    while stack:
        name, opened = stack.pop()
        if opened:
            verdicts[name] = _is_told(graph, name, verdicts, firsts)
        elif name not in verdicts:
            verdicts[name] = False
            stack.append((name, True))
            here = ops.traits(graph.op(name))
            if "shape-only" not in here and not here & _BOUND:
                stack += [(source, False) for source in graph._pred[name]]
    names: set[str] = set()
    answers = [name for name in entries if verdicts[name]]
    while answers:
        name = answers.pop()
        if name not in names:
            names.add(name)
            answers += [s for s in graph._pred[name] if verdicts.get(s)]
    return names


def _is_told(
    graph: Graph, name: str, verdicts: Mapping[str, bool], firsts: frozenset[str]
) -> bool:
    node = graph.node(name)
    if node.op == "Const":
        return is_literal(node, name in firsts)
    traits = ops.traits(node.op)
    if ops.meaning(node.op) is None or traits & _BOUND or weight_behind(graph, name):
        return False
    if "shape-only" in traits:
        return True
    sources = list(graph._pred[name])
    return bool(sources) and all(
        verdicts.get(s) or weight_behind(graph, s) for s in sources
    )


_BOUND = frozenset(
    "feed random stateful variable control-flow function-call queue iterator dataset lookup-table".split()
)


def first_values(
    graph: Graph, functions: Mapping[str, Function], loops: Iterable[str] | None = None
) -> frozenset[str]:
    """The constants that the variables of these loops, or of all, begin with."""
    firsts = set()
    for name in graph.by_op(*LOOPS) if loops is None else loops:
        body = named(graph.node(name), "body", functions)
        for port, tensor in enumerate(graph.inputs(name)):
            if body is not None and port < len(body.returns):
                again = _source(body.graph, body.returns[port]).node
                if again != body.arguments[port]:
                    firsts.add(_source(graph, tensor).node)
    return frozenset(name for name in firsts if graph.op(name) == "Const")


def _source(graph: Graph, tensor: Tensor) -> Tensor:
    """The tensor that this one repeats."""
    for _ in range(len(graph)):
        inputs = graph.inputs(tensor.node)
        if "pass-through" not in ops.traits(graph.op(tensor.node)):
            break
        if "feed" in ops.traits(graph.op(tensor.node)) or tensor.port >= len(inputs):
            break
        tensor = inputs[tensor.port]
    return tensor


def is_literal(node: Node, is_first: bool = False) -> bool:
    """Whether a constant is written as it is and not kept as a weight.

    A few integers are, and what a loop variable begins with, where it is one number throughout.
    """
    value = node.attrs.get("value")
    if not isinstance(value, np.ndarray):
        return False
    if value.dtype.kind in "OSU" or value.size <= 1:
        return True
    if value.dtype.kind in "fcV":
        return is_first and bool((value == value.reshape(-1)[0]).all())
    return value.size <= SMALL or not any(value.strides)


def weight_behind(graph: Graph, name: str) -> str | None:
    """The variable, or the constant that is no literal, that a node is or only reads; None where it is neither."""
    source = _source(graph, Tensor(name))
    while graph.op(source.node) == "ReadVariableOp" and graph.inputs(source.node):
        source = _source(graph, graph.inputs(source.node)[0])
    node = graph.node(source.node)
    if "variable" in ops.traits(node.op):
        return source.node
    is_weight = node.op == "Const" and not is_literal(node)
    return source.node if is_weight else None
