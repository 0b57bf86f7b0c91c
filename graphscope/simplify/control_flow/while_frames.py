"""Graph -> Graph: TensorFlow 1's while frames become While nodes, whose condition and body are functions of their own.

A frame is what Enter nodes of one ``frame_name`` lead into: a Merge for each loop variable (what enters, what comes back), one
LoopCond, a Switch for each variable (out through an Exit, or once more round), a NextIteration at the end of the body, and Enter
nodes marked ``is_constant`` for what stays the same in every turn. Frames within frames are lifted from the inside out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from ...errors import GraphError
from ...graph import Function, FunctionRef, Graph, Node, Tensor
from ...graph.edit import fresh, put
from ...graph.names import Names, unused
from ...graph.order import is_acyclic
from ...ops import spellings
from .lifted import ENTERS

MERGES = spellings.MERGES
SWITCHES = spellings.SWITCHES
_OPENING = spellings.SWITCHES_OF_MANY
EXITS = spellings.EXITS
BACK = spellings.NEXT_ITERATIONS
MOST_DEPTH = 50  # frames within frames; nobody nests so deep, a damaged file may

Path = tuple[str, ...]


class Variable(NamedTuple):
    """One loop variable: its Merge, the tensor that enters, and the one that comes back."""

    merge: str
    first: Tensor
    again: Tensor


def lift_frames(
    graph: Graph, functions: dict[str, Function], kept: Iterable[str] = ()
) -> dict[str, str]:
    """Lift every well-formed frame, in place; ``functions`` gains their conditions and bodies.

    ``kept`` names nodes that must stay. Gives for each frame that is no well-formed loop, or in which one of these
    lies, what is wrong with it; such a frame stays as it is.
    """
    frames, wanted = _members(graph), frozenset(kept)
    broken: dict[Path, str] = {}
    order = {name: place for place, name in enumerate(graph)} if frames else {}
    for path in sorted(frames, key=len, reverse=True):
        inner = [
            why
            for broken_path, why in broken.items()
            if broken_path[: len(path)] == path
        ]
        if inner:
            broken[path] = inner[0]
            continue
        try:
            members = [name for name in frames[path] if name in graph]
            members.sort(key=lambda name: (order.get(name, len(order)), name))
            loops = _Frame(graph, path, members, functions).lifted(wanted)
        except GraphError as error:
            broken[path] = str(error)
            continue
        if path[:-1] in frames:
            frames[path[:-1]] |= loops
    return {path[-1]: why for path, why in broken.items()}


def _members(graph: Graph) -> dict[Path, set[str]]:
    """The nodes of each frame, by the names of the frames around it and its own."""
    members: dict[Path, set[str]] = {}
    if next(graph.by_op(*ENTERS), None) is None:
        return members
    inside: dict[str, Path] = {}  # the frame in which a node's outputs lie
    for name in _in_order(graph):
        node = graph.node(name)
        sources = [*graph._pred[name], *node.controls]
        path = max((inside.get(s, ()) for s in sources), key=len, default=())
        if node.op in ENTERS and len(path) < MOST_DEPTH:
            path = (*path, str(node.attrs.get("frame_name", "")))
        if path:
            members.setdefault(path, set()).add(name)
        inside[name] = path[:-1] if node.op in EXITS else path
    return members


def _in_order(graph: Graph) -> Iterator[str]:
    """Every node after what it reads and waits for, back edges left out; what a cycle of another kind holds comes last."""
    readers: dict[str, list[str]] = {}
    waits: dict[str, int] = {}
    for name in graph:
        sources = {*graph._pred[name], *graph.node(name).controls}
        sources = {s for s in sources if s in graph and graph.op(s) not in BACK}
        waits[name] = len(sources)
        for source in sources:
            readers.setdefault(source, []).append(name)
    ready = [name for name, count in waits.items() if not count]
    for name in ready:  # grows while it is walked
        yield name
        for reader in readers.get(name, ()):
            waits[reader] -= 1
            if not waits[reader]:
                ready.append(reader)
    if len(ready) < len(waits):
        visited = set(ready)
        yield from (name for name in graph if name not in visited)


class _Frame:
    """One frame on its way to a While node."""

    def __init__(
        self,
        graph: Graph,
        path: Path,
        ordered: list[str],
        functions: dict[str, Function],
    ) -> None:
        self.graph, self.members, self.functions = graph, set(ordered), functions
        self.title, self.ordered = path[-1], ordered

    def by_op(self, *ops: str) -> list[str]:
        return [name for name in self.ordered if self.graph.op(name) in ops]

    def wrong(self, what: str) -> GraphError:
        return GraphError(f"the loop {self.title!r} {what}")

    def lifted(self, kept: frozenset[str]) -> set[str]:
        """Put the While node in the frame's place; the names of what now stands in the frame around it."""
        condition = self.condition()
        variables = list(self.variables())
        constants = self.constants({v.merge for v in variables})
        self.switches = {
            name
            for name in self.by_op(*SWITCHES)
            if self.graph.inputs(name)[1:] == (Tensor(condition),)
        }
        exits = self.exits(variables)
        for name in self.ordered:
            if name in kept and name not in exits:
                raise self.wrong(f"has the output {name!r} in it")
        operands = [v.first for v in variables] + list(constants.values())
        names = self.argument_names(operands)
        arguments = {Tensor(v.merge): n for v, n in zip(variables, names)}
        late = names[len(variables) :]
        arguments |= {Tensor(n): a for n, a in zip(constants, late)}
        wanted = self.graph.inputs(condition)[:1]
        scope = condition.partition("/LoopCond")[
            0
        ]  # lowered ones are while/LoopCond/_12
        name = fresh(self.graph, scope if scope != condition else "while")
        types = [self.dtype(t) for t in arguments]
        cond = self.function(f"{name}_cond", arguments, types, wanted)
        again = [v.again for v in variables]
        again += [Tensor(enter) for enter in constants]
        body = self.function(f"{name}_body", arguments, types, again)
        attrs = {"cond": cond, "body": body, "T": tuple(types)}
        self.graph.remove_nodes_from(self.members - exits.keys())
        put(self.graph, name, Node("While", attrs), operands)
        for leaving, port in exits.items():
            same = Node("Identity", {"T": types[port]})
            put(self.graph, leaving, same, [Tensor(name, port)])
        return {name, *exits}

    def condition(self) -> str:
        conditions = self.by_op("LoopCond")
        if len(conditions) != 1 or len(self.graph.inputs(conditions[0])) != 1:
            raise self.wrong(f"has {len(conditions)} LoopCond nodes where it needs one")
        return conditions[0]

    def variables(self) -> Iterator[Variable]:
        """Each Merge that a NextIteration leads back to."""
        graph = self.graph
        for merge in self.by_op(*MERGES):
            inputs = graph.inputs(merge)
            ops = [graph.op(t.node) for t in inputs]
            if not any(op in BACK for op in ops):
                if any(op in ENTERS for op in ops) or len(ops) < 2:
                    raise self.wrong(
                        f"has a Merge {merge!r} that nothing leads back to"
                    )
                continue
            if len(ops) != 2 or ops[0] not in ENTERS or ops[1] not in BACK:
                raise self.wrong(
                    f"has a Merge {merge!r} of {' and '.join(ops)}, which is no loop variable"
                )
            ends = [graph.inputs(t.node)[:1] for t in inputs]
            if not all(ends):
                raise self.wrong(f"has a variable {merge!r} without a value")
            yield Variable(merge, ends[0][0], ends[1][0])

    def constants(self, merges: set[str]) -> dict[str, Tensor]:
        """What enters and stays the same: Enter -> the tensor outside."""
        constants_ = {}
        for name in self.by_op(*ENTERS):
            readers = {n for n, _ in self.graph.consumers(name)}
            inputs = self.graph.inputs(name)
            if readers and readers <= merges:
                continue
            if not self.graph.attrs(name).get("is_constant") or readers & merges:
                raise self.wrong(f"has an Enter {name!r} that is read once only")
            if not inputs:
                raise self.wrong(f"has an Enter {name!r} that nothing goes into")
            constants_[name] = inputs[0]
        return constants_

    def exits(self, variables: list[Variable]) -> dict[str, int]:
        """Exit -> the number of its variable."""
        ports = {v.merge: port for port, v in enumerate(variables)}
        exits_ = {}
        for name in self.by_op(*EXITS):
            inputs = self.graph.inputs(name)
            switch = inputs[0].node if inputs and inputs[0].port == 0 else ""
            read = self.graph.inputs(switch)[0] if switch in self.switches else None
            if read is None or read.port or read.node not in ports:
                raise self.wrong(f"has an Exit {name!r} of no loop variable")
            exits_[name] = ports[read.node]
        return exits_

    def argument_names(self, tensors: Iterable[Tensor]) -> list[str]:
        """A name for each argument, after what goes in; none that a node of the frame has."""
        numbered, names = Names(self.members), list[str]()
        for name in self.members:  # a constant may be read without an Enter
            if self.graph.op(name) not in ENTERS:
                numbered.taken.update(self.graph._pred[name])
        for tensor in tensors:
            names.append(numbered.unique(tensor.node))
        return names

    def dtype(self, tensor: Tensor) -> str:
        dtype = self.graph.attrs(tensor.node).get("T") or "float32"
        return str(dtype).removesuffix("_ref")

    def function(
        self,
        name: str,
        arguments: Mapping[Tensor, str],
        types: Iterable[str],
        returns: Iterable[Tensor],
    ) -> FunctionRef:
        """The part of the frame that computes ``returns``, as a function of the library."""
        body = Graph()
        for argument, dtype in zip(arguments.values(), types):
            body.add(argument, Node("_Arg", {"T": dtype}))
        inside = [self.inside(tensor, arguments) for tensor in returns]
        stack, entered = [tensor.node for tensor in inside], set(arguments.values())
        while stack:
            node = stack.pop()
            if node in entered:
                continue
            entered.add(node)
            payload = self.member(node)
            reads = [self.inside(t, arguments) for t in self.graph.inputs(node)]
            body.add_node(node, node=payload)
            stack += [t.node for t in reads]
            if not reads:  # what tells in which branch of a cond it lies
                stack += self.pivots(payload, arguments)
            for slot, tensor in enumerate(reads):
                body.add_edge(tensor.node, node, key=slot, port=tensor.port)
        if not is_acyclic(body):
            raise self.wrong("goes round in a circle outside its variables")
        name = unused(name, self.functions)
        self.functions[name] = Function(
            name, body, tuple(arguments.values()), tuple(inside)
        )
        return FunctionRef(name, {})

    def inside(self, tensor: Tensor, arguments: Mapping[Tensor, str]) -> Tensor:
        """The tensor as the function has it: past the Switches that open the body, and an argument where it is one."""
        for _ in range(len(self.switches) + 1):
            if tensor in arguments:
                return Tensor(arguments[tensor])
            if tensor.node not in self.switches:
                break
            tensor = self.graph.inputs(tensor.node)[0]
        self.member(tensor.node)
        return tensor

    def pivots(self, node: Node, arguments: Mapping[Tensor, str]) -> list[str]:
        """The control inputs that lie in the body and open a branch there."""
        members = [name for name in node.controls if name in self.members]
        pivots_ = []
        for name in members:
            source = (*self.graph.inputs(name), Tensor(""))[0]
            if source.node in self.members and self.graph.op(source.node) in _OPENING:
                if self.inside(source, arguments).node == source.node:
                    pivots_.append(name)
        return pivots_

    def member(self, name: str) -> Node:
        """A node that belongs into the body; a constant may stand outside the frame."""
        node = self.graph.node(name)
        if name not in self.members and node.op != "Const":
            raise self.wrong(f"reads {name!r}, which does not enter it")
        if name in self.members and node.op in (*ENTERS, *EXITS, *BACK, "LoopCond"):
            raise self.wrong(f"reads its own {node.op} {name!r}")
        return node
