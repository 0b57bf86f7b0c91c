"""Graph -> Flow: the same wiring as arrays, for passes that must see every node of a large graph in little time.

networkx's dictionaries answer a question about one node; a pass over 20,000 nodes and 200,000 control edges wants
lists of integers, which ``Graph.wiring`` has. A Flow is made once per analysis and thrown away with it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from itertools import chain

from ...graph import Graph, Node, Tensor
from ...ops import spellings
from ...wire.nodes import MISSING

_BACK_EDGES = frozenset(spellings.NEXT_ITERATIONS)


def _everywhere(_: int) -> bool:
    return True


class Flow:
    """Nodes by number, in the file's order.

    ``inputs[i]`` lists ``(source, port)`` in slot order, ``outputs[i]`` the data consumers (each once per slot),
    ``controls[i]`` the control inputs, ``controlled[i]`` the nodes that control-depend on it, ``order`` every node
    with its data inputs before it (the back edges of loops left out; what a hostile file's cycles hold comes last);
    ``turns`` says whether any edge leads back in it.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.wiring = wiring = graph.wiring()
        self.names, self.index = wiring.names, wiring.index
        self.nodes = [data["node"] for data in graph._node.values()]
        self.ops: list[str] = [_kind(node) for node in self.nodes]
        self._of_op: dict[str, list[int]] = {}
        for i, op in enumerate(self.ops):
            self._of_op.setdefault(op, []).append(i)
        self.inputs, self.outputs = wiring.inputs(), wiring.readers()
        self._wire_controls()
        self.turns = not _BACK_EDGES.isdisjoint(self._of_op)
        self.order = self._topological()

    def __len__(self) -> int:
        return len(self.names)

    def _wire_controls(self) -> None:
        index, none = self.index, list[int]()
        self.controls = [none] * len(self)
        self.controlled = [none] * len(self)
        for target, node in enumerate(self.nodes):
            if not node.controls:
                continue
            sources = [index[name] for name in node.controls if name in index]
            self.controls[target] = sources
            for source in sources:
                if self.controlled[source] is none:
                    self.controlled[source] = []
                self.controlled[source].append(target)

    def _topological(self) -> list[int]:
        outputs, waiting = self.outputs, list(map(len, self.inputs))
        back = self.by_kind(_BACK_EDGES.__contains__)
        for target in chain.from_iterable(outputs[i] for i in back):
            waiting[target] -= 1
        order = [i for i, count in enumerate(waiting) if not count]
        following = outputs.copy() if back else outputs
        for i in back:
            following[i] = []
        for i in order:  # grows while it is walked: Kahn's queue
            for target in following[i]:
                left = waiting[target] = waiting[target] - 1
                if not left:
                    order.append(target)
        if len(order) < len(self):
            self.turns = True
            ordered = set(order)
            order += [i for i in range(len(self)) if i not in ordered]
        return order

    def tensor(self, i: int, port: int = 0) -> Tensor:
        return Tensor(self.names[i], port)

    def by_kind(self, claim: Callable[[str], object]) -> list[int]:
        """The nodes whose op the claim is true of (asked once per op, not per node)."""
        lists = [self._of_op[op] for op in self._of_op if claim(op)]
        return sorted(chain.from_iterable(lists))

    def downstream(
        self, seeds: Iterable[int], through: Callable[[int], bool] = lambda i: True
    ) -> bytearray:
        """A mask of the seeds and of all that reads them; nodes that ``through`` denies are marked, not passed."""
        return _reach(seeds, self.outputs, len(self), through)

    def upstream(
        self, seeds: Iterable[int], through: Callable[[int], bool] = _everywhere
    ) -> bytearray:
        """A mask of the seeds and of all that they read."""
        if through is _everywhere:
            return self.wiring.upstream(seeds)
        sources = _Sources(self.inputs)
        return _reach(seeds, sources, len(self), through)

    def behind(
        self, i: int, through: Callable[[int], bool] = lambda i: True
    ) -> set[int]:
        """``upstream`` of one node, for whoever asks it of many that have little behind them."""
        reached, stack = {i}, [i]
        while stack:
            n = stack.pop()
            if through(n):
                fresh = {source for source, _ in self.inputs[n]} - reached
                reached |= fresh
                stack += fresh
        return reached

    def past(
        self, wire: tuple[int, int], ops: Collection[str], limit: int = 32
    ) -> tuple[int, int]:
        """The wire that some ops hand on as their first input; a hostile file's cycle of them is left after ``limit`` steps."""
        for _ in range(limit):
            if self.ops[wire[0]] not in ops or not self.inputs[wire[0]]:
                break
            wire = self.inputs[wire[0]][0]
        return wire

    def variable_of(self, i: int, limit: int = 32) -> int | None:
        """The variable that this node is, or reads through Identity, Switch, Enter and the like."""
        from .op_kinds import READS, VARIABLES

        for _ in range(limit):
            if self.ops[i] in VARIABLES or self.ops[i] == "_Arg":
                return i
            if self.ops[i] not in READS or not self.inputs[i]:
                return None
            i = self.inputs[i][0][0]
        return None


class _Sources:
    """``inputs`` without the ports, as ``_reach`` wants its neighbours."""

    def __init__(self, inputs: list[list[tuple[int, int]]]) -> None:
        self.inputs = inputs

    def __getitem__(self, i: int) -> list[int]:
        return [source for source, _ in self.inputs[i]]


def _reach(
    seeds: Iterable[int],
    neighbours: list[list[int]] | _Sources,
    size: int,
    through: Callable[[int], bool],
) -> bytearray:
    mask = bytearray(size)
    stack = list(seeds)
    for i in stack:
        mask[i] = 1
    while stack:
        i = stack.pop()
        if not through(i):
            continue
        for n in neighbours[i]:
            if not mask[n]:
                mask[n] = 1
                stack.append(n)
    return mask


def _kind(node: Node) -> str:
    """The op of a node; what stands for a weight that the file lacks counts as the variable that it was."""
    if node.op == "Placeholder" and node.attrs.get(MISSING) == "weight":
        return "VariableV2"
    return node.op
