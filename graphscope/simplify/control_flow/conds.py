"""Graph -> Graph: TensorFlow 1's conds become If nodes, whose branches are functions of their own.

In a loop a cond often guards what must not be computed otherwise (an element past the end of an array), so there it may not become
a selection. All that a Switch of the predicate leads to, up to the Merge where the branches meet, is its branch.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence

from ...graph import Function, FunctionRef, Graph, Node, Tensor
from ...graph.adjacency import Adjacency
from ...graph.edit import fresh, put, redirect
from ...graph.names import unused
from ...graph.order import is_acyclic
from ...ops import spellings
from .conds_to_selects import Guards, in_order, resolved
from .dead_arguments import dtype_of
from .while_frames import MERGES

_SWITCHES = spellings.SWITCHES_OF_MANY
Choice = tuple[Tensor, tuple[Tensor, ...]]  # predicate, the value for each of its own


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
        choices, guards = _choices(current)
        for merges in _outermost(current, choices, guards):
            cond = _Cond(current, guards, merges, functions, name)
            waiting += [functions[branch].graph for branch in cond.made(of_interest)]
        of_interest = None
    return graph


def _outermost(
    graph: Graph, choices: Mapping[str, Choice], guards: Mapping[str, Guards]
) -> list[dict[str, Choice]]:
    """The conds that lie in no other: for each its Merges, with what they choose from."""
    free = {merge: choice for merge, choice in choices.items() if not guards[merge]}
    together = _grouped(free, lambda merge: merge.rpartition("/")[0])
    if is_acyclic(_contracted(graph, together, guards)):
        return together
    depths = _depths(graph, free)
    return _grouped(free, lambda merge: depths[merge])


def _choices(graph: Graph) -> tuple[dict[str, Choice], dict[str, Guards]]:
    """What each Merge that ends a cond chooses from; and the branches that each node lies in."""
    choices: dict[str, Choice] = {}
    guards_of: dict[str, Guards] = {}
    for name in in_order(graph):
        inputs = graph.inputs(name)
        guards = [_guards_of(graph, tensor, guards_of) for tensor in inputs]
        controls = (Tensor(c) for c in graph.node(name).controls if c in graph)
        waited = [_guards_of(graph, tensor, guards_of) for tensor in controls]
        every: Guards = frozenset().union(*guards, *waited)
        predicate = _telling(guards) if graph.op(name) in MERGES else None
        ports = [_ports(predicate, g)[0] for g in guards] if predicate else []
        if predicate is not None and not (
            graph.consumers(name, 1) and ports != sorted(ports)
        ):
            sides = sorted(zip(ports, inputs))
            choices[name] = predicate, tuple(tensor for _, tensor in sides)
            every = frozenset(g for g in every if g[0] != predicate)
        guards_of[name] = every
    return choices, guards_of


def _guards_of(graph: Graph, tensor: Tensor, guards_of: Mapping[str, Guards]) -> Guards:
    """The (predicate, port) of every Switch that the tensor is behind and that no Merge has ended."""
    guards = guards_of.get(tensor.node, frozenset())
    inputs = graph.inputs(tensor.node)
    if graph.op(tensor.node) in _SWITCHES and len(inputs) == 2:
        return guards | {(resolved(graph, inputs[1]), tensor.port)}
    return guards


def _telling(sides: Sequence[Guards]) -> Tensor | None:
    """The one predicate of which each side has a port of its own, all ports from the first on."""
    predicates = [
        predicate
        for predicate in {predicate for guards in sides for predicate, _ in guards}
        if sorted(_ports(predicate, guards) for guards in sides)
        == [[port] for port in range(len(sides))]
    ]
    return predicates[0] if len(predicates) == 1 and len(sides) > 1 else None


def _ports(predicate: Tensor, guards: Guards) -> list[int]:
    return [port for tensor, port in guards if tensor == predicate]


def _grouped(
    free: Mapping[str, Choice], place: Callable[[str], Hashable]
) -> list[dict[str, Choice]]:
    groups: dict[Hashable, dict[str, Choice]] = {}
    for merge, choice in free.items():
        groups.setdefault((choice[0], place(merge)), {})[merge] = choice
    return list(groups.values())


def _contracted(
    graph: Graph, groups: list[dict[str, Choice]], guards: Mapping[str, Guards]
) -> Adjacency:
    """The graph in which each cond is one node."""
    place: dict[str, str] = {}
    for number, merges in enumerate(groups):
        predicate = next(iter(merges.values()))[0]
        for name in _inside(graph, merges, predicate, guards):
            place[name] = f"\0{number}"  # no node's name
    contracted = Adjacency()
    for source, readers in graph._succ.items():
        for target in readers:
            pair = place.get(source, source), place.get(target, target)
            if pair[0] != pair[1]:
                contracted.add_edge(*pair, key=0)
    return contracted


def _inside(
    graph: Graph,
    merges: Mapping[str, Choice],
    predicate: Tensor,
    guards: Mapping[str, Guards],
) -> set[str]:
    """The Merges of a cond and what lies in its branches."""
    inside, stack = set(merges), list(merges)
    while stack:
        for source in graph._pred[stack.pop()]:
            if source not in inside and _ports(predicate, guards.get(source, _NONE)):
                inside.add(source)
                stack.append(source)
    return inside


_NONE: Guards = frozenset()


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
        """Put the If or Case in; the names of its branches, none where it was left alone."""
        count = len(next(iter(self.merges.values()))[1])
        sides = [self._side(port) for port in range(count)]
        inside = {name for side in sides for name in side.nodes}
        if of_interest is not None and not of_interest & inside:
            return []
        captured = list(dict.fromkeys(t for side in sides for t in side.captured))
        first = next(iter(self.merges))
        name = fresh(self.graph, first.rpartition("/")[0] or first)
        types = tuple(dtype_of(self.graph, tensor) for tensor in captured)
        branches = [
            self._function(f"{name}_branch{port}", side, captured, types)
            for port, side in enumerate(sides)
        ]
        refs = tuple(FunctionRef(branch, {}) for branch in branches)
        attrs: dict[str, object] = {
            "Tin": types,
            "Tout": tuple(dtype_of(self.graph, Tensor(merge)) for merge in self.merges),
        }
        if dtype_of(self.graph, self.predicate) == "bool" and count == 2:
            attrs |= {"then_branch": refs[1], "else_branch": refs[0], "Tcond": "bool"}
            put(self.graph, name, Node("If", attrs), [self.predicate, *captured])
        else:
            attrs["branches"] = refs
            put(self.graph, name, Node("Case", attrs), [self.predicate, *captured])
        self._replace_merges(name)
        return branches

    def _replace_merges(self, name: str) -> None:
        for port, merge in enumerate(list(self.merges)):
            if self.graph.consumers(merge, 1):
                index = fresh(self.graph, f"{merge}/value_index")
                predicate_dtype = dtype_of(self.graph, self.predicate)
                attrs = {"SrcT": predicate_dtype, "DstT": "int32"}
                put(self.graph, index, Node("Cast", attrs), [self.predicate])
                redirect(self.graph, Tensor(merge, 1), Tensor(index))
            dtype = dtype_of(self.graph, Tensor(merge))
            same = Node("Identity", {"T": dtype})
            put(self.graph, merge, same, [Tensor(name, port)])

    def _side(self, port: int) -> _Side:
        side = _Side(self.graph, self.guards, self.predicate, port)
        roots = [choice[1][port] for choice in self.merges.values()]
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
        name = unused(name, self.functions)
        body, arguments = Graph(), {}
        for number, (tensor, dtype) in enumerate(zip(captured, types)):
            argument = unused(tensor.node, {*side.nodes, *body}, number)
            arguments[tensor] = argument
            body.add(argument, Node("_Arg", {"T": dtype}))
        inside = {tensor: Tensor(name) for tensor, name in arguments.items()}
        for node, inputs in side.nodes.items():
            body.add(
                node, self.graph.node(node), [inside.get(each, each) for each in inputs]
            )
        returns = tuple(inside.get(each, each) for each in side.returns)
        self.functions[name] = Function(name, body, tuple(arguments.values()), returns)
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
        nodes = self._seen(root)
        stack = [nodes]
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
        return nodes

    def _seen(self, tensor: Tensor) -> Tensor:
        """Past the Switch that lets the tensor into this branch."""
        for _ in range(len(self.graph)):
            if not self._opens(tensor):
                break
            tensor = self.graph.inputs(tensor.node)[0]
        return tensor

    def _opens(self, tensor: Tensor) -> bool:
        inputs = self.graph.inputs(tensor.node)
        if self.graph.op(tensor.node) not in _SWITCHES or len(inputs) != 2:
            return False
        return resolved(self.graph, inputs[1]) == self.predicate

    def _is_inside(self, name: str) -> bool:
        """Whether the node lies in the branch, or is a constant, which may as well."""
        if self.graph.op(name) == "Const":
            return True
        return (self.predicate, self.port) in self.guards.get(name, frozenset())
