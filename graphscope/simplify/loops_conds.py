"""Graph -> Graph: TensorFlow 1's conds become If nodes, whose branches are functions of their own.

In a loop a cond often guards what must not be computed otherwise (an element past the end of an array), so there it may not become
a selection. All that a Switch of the predicate leads to, up to the Merge where the branches meet, is its branch.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping

import networkx as nx

from ..graph import Function, FunctionRef, Graph, Node, Tensor
from .loops_frames import MERGES, SWITCHES
from .loops_trim import dtype_of
from .rewire import fresh, put, redirect
from .select import Guards, choices, guards_of, in_order, resolved

Choice = tuple[Tensor, Tensor, Tensor]  # predicate, value if true, value if false


def conds_to_ifs(
    graph: Graph,
    functions: dict[str, Function],
    name: str,
    of_interest: frozenset[str] | None = None,
) -> Graph:
    """Turn every cond of an acyclic graph into an If, in place; ``functions`` gains the branches, named after ``name``.

    With ``of_interest`` only those that hold one of these nodes in a branch.
    """
    waiting = [graph]
    while waiting:
        current = waiting.pop()
        if next(current.by_op(*MERGES), None) is None:
            continue
        found = choices(current)
        guards = _guards(current, found)
        for merges in _outermost(current, found, guards):
            cond = _Cond(current, guards, merges, functions, name)
            waiting += [functions[branch].graph for branch in cond.made(of_interest)]
        of_interest = None
    return graph


def _outermost(
    graph: Graph, found: Mapping[str, Choice], guards: Mapping[str, Guards]
) -> list[dict[str, Choice]]:
    """The conds that lie in no other: for each its Merges, with what they choose from."""
    free = {merge: choice for merge, choice in found.items() if not guards[merge]}
    together = _grouped(free, lambda merge: merge.rpartition("/")[0])
    if nx.is_directed_acyclic_graph(_contracted(graph, together, guards)):
        return together
    depths = _depths(graph, free)
    return _grouped(free, lambda merge: depths[merge])


def _guards(graph: Graph, found: Mapping[str, Choice]) -> dict[str, Guards]:
    """The branches that each node lies in."""
    known: dict[str, Guards] = {}
    for name in in_order(graph):
        controls = [Tensor(c) for c in graph.node(name).controls if c in graph]
        held: Guards = frozenset().union(
            *(guards_of(graph, t, known) for t in (*graph.inputs(name), *controls))
        )
        if name in found:
            held -= {(found[name][0], 0), (found[name][0], 1)}
        known[name] = held
    return known


def _grouped(
    free: Mapping[str, Choice], place: Callable[[str], Hashable]
) -> list[dict[str, Choice]]:
    groups: dict[Hashable, dict[str, Choice]] = {}
    for merge, choice in free.items():
        groups.setdefault((choice[0], place(merge)), {})[merge] = choice
    return list(groups.values())


def _contracted(
    graph: Graph, groups: list[dict[str, Choice]], guards: Mapping[str, Guards]
) -> nx.DiGraph:
    """The graph in which each cond is one node."""
    place: dict[str, Hashable] = {}
    for number, merges in enumerate(groups):
        predicate = next(iter(merges.values()))[0]
        for name in _inside(graph, merges, predicate, guards):
            place[name] = number
    made = nx.DiGraph()
    for source, target in graph.edges():
        pair = place.get(source, source), place.get(target, target)
        if pair[0] != pair[1]:
            made.add_edge(*pair)
    return made


def _inside(
    graph: Graph,
    merges: Mapping[str, Choice],
    predicate: Tensor,
    guards: Mapping[str, Guards],
) -> set[str]:
    """The Merges of a cond and what lies in its branches."""
    sides = {(predicate, 0), (predicate, 1)}
    found, stack = set(merges), list(merges)
    while stack:
        for source in graph._pred[stack.pop()]:
            if source not in found and guards.get(source, frozenset()) & sides:
                found.add(source)
                stack.append(source)
    return found


def _depths(graph: Graph, merges: Mapping[str, Choice]) -> dict[str, int]:
    """How many Merges lie on the longest way to each node: those of one depth cannot need one another."""
    depths: dict[str, int] = {}
    for name in in_order(graph):
        before = max((depths.get(source, 0) for source in graph._pred[name]), default=0)
        depths[name] = before + (name in merges)
    return depths


class _Cond:
    """The Merges of one cond on their way to an If."""

    def __init__(
        self,
        graph: Graph,
        guards: Mapping[str, Guards],
        merges: Mapping[str, Choice],
        functions: dict[str, Function],
        owner: str,
    ) -> None:
        self.graph, self.guards, self.merges = graph, guards, merges
        self.functions, self.owner = functions, owner
        self.predicate = next(iter(merges.values()))[0]

    def made(self, of_interest: frozenset[str] | None) -> list[str]:
        """Put the If in; the names of its branches, none where it was left alone."""
        sides = [self._side(port) for port in (0, 1)]
        if of_interest is not None and not of_interest & (
            sides[0].nodes.keys() | sides[1].nodes.keys()
        ):
            return []
        captured = list(dict.fromkeys([*sides[1].captured, *sides[0].captured]))
        first = next(iter(self.merges))
        scope = first.rpartition("/")[0] or first
        name = fresh(self.graph, scope)
        types = tuple(dtype_of(self.graph, tensor) for tensor in captured)
        branches = [
            self._function(f"{name}_{word}", side, captured, types)
            for word, side in (("true", sides[1]), ("false", sides[0]))
        ]
        attrs = {
            "then_branch": FunctionRef(branches[0], {}),
            "else_branch": FunctionRef(branches[1], {}),
            "Tcond": "bool",
            "Tin": types,
            "Tout": tuple(dtype_of(self.graph, Tensor(merge)) for merge in self.merges),
        }
        put(self.graph, name, Node("If", attrs), [self.predicate, *captured])
        self._replace_merges(name)
        return branches

    def _replace_merges(self, name: str) -> None:
        for port, merge in enumerate(list(self.merges)):
            if self.graph.consumers(merge, 1):
                index = fresh(self.graph, f"{merge}/value_index")
                attrs = {"SrcT": "bool", "DstT": "int32"}
                put(self.graph, index, Node("Cast", attrs), [self.predicate])
                redirect(self.graph, Tensor(merge, 1), Tensor(index))
            dtype = dtype_of(self.graph, Tensor(merge))
            same = Node("Identity", {"T": dtype})
            put(self.graph, merge, same, [Tensor(name, port)])

    def _side(self, port: int) -> _Side:
        side = _Side(self.graph, self.guards, self.predicate, port)
        roots = [choice[1 if port else 2] for choice in self.merges.values()]
        side.returns = [side.reached(tensor) for tensor in roots]
        return side

    def _function(
        self,
        name: str,
        side: _Side,
        captured: list[Tensor],
        types: tuple[str, ...],
    ) -> str:
        name = f"{self.owner}/{name}" if self.owner else name
        while name in self.functions:
            name += "_"
        made, arguments = Graph(), {}
        for number, (tensor, dtype) in enumerate(zip(captured, types)):
            argument = tensor.node
            while argument in side.nodes or argument in made:
                argument = f"{tensor.node}_{number}"
                number += 1
            arguments[tensor] = argument
            made.add(argument, Node("_Arg", {"T": dtype}))
        inside = {tensor: Tensor(name) for tensor, name in arguments.items()}
        for node, inputs in side.nodes.items():
            made.add(
                node, self.graph.node(node), [inside.get(each, each) for each in inputs]
            )
        returns = tuple(inside.get(each, each) for each in side.returns)
        self.functions[name] = Function(name, made, tuple(arguments.values()), returns)
        return name


class _Side:
    """One branch: its nodes with what they read, and the tensors that come from outside."""

    def __init__(
        self,
        graph: Graph,
        guards: Mapping[str, Guards],
        predicate: Tensor,
        port: int,
    ) -> None:
        self.graph, self.guards = graph, guards
        self.predicate, self.port = predicate, port
        self.nodes: dict[str, list[Tensor]] = {}
        self.captured: dict[Tensor, None] = {}
        self.returns: list[Tensor] = []

    def reached(self, root: Tensor) -> Tensor:
        """The tensor as the branch has it, after all that it needs was entered."""
        found = self._seen(root)
        stack = [found]
        while stack:
            tensor = stack.pop()
            if tensor.node in self.nodes or tensor in self.captured:
                continue
            if not self._is_inside(tensor.node):
                self.captured[tensor] = None
                continue
            inputs = [self._seen(each) for each in self.graph.inputs(tensor.node)]
            self.nodes[tensor.node] = inputs
            stack += inputs
        return found

    def _seen(self, tensor: Tensor) -> Tensor:
        """Past the Switch that lets the tensor into this branch."""
        for _ in range(len(self.graph)):
            if not self._opens(tensor):
                break
            tensor = self.graph.inputs(tensor.node)[0]
        return tensor

    def _opens(self, tensor: Tensor) -> bool:
        inputs = self.graph.inputs(tensor.node)
        if self.graph.op(tensor.node) not in SWITCHES or len(inputs) != 2:
            return False
        return resolved(self.graph, inputs[1]) == self.predicate

    def _is_inside(self, name: str) -> bool:
        """Whether the node lies in the branch, or is a constant, which may as well."""
        if self.graph.op(name) == "Const":
            return True
        return (self.predicate, self.port) in self.guards.get(name, frozenset())
