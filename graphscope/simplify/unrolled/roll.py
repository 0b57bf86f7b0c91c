"""Unrolled graph -> the same with each chain of equal steps as one While, whose body is the step.

*before* ``h1 = tanh(x[0] @ W + h0 @ U)``, ``h2 = tanh(x[1] @ W + h1 @ U)``, ...; *after* a While over ``i`` with ``h`` that reads a list of
x's rows and writes a list of its outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ...graph import Function, FunctionRef, Graph, Node, Tensor
from ...graph.edit import duplicate, fresh, put, put_constant, read_instead
from .find import Chain, Source, find_chains
from .sequences import dtype_of, stacked, turned
from .static import passes

Specs = Callable[[Tensor], Any]


def roll_chains(
    graph: Graph, kept: frozenset[str], but: frozenset[str] = frozenset()
) -> tuple[Graph, dict[str, Function]]:
    """The graph with each chain as a While, and the functions of these; the graph itself where it has none.

    ``kept`` are nodes that keep their names, ``but`` names Whiles that must not be copy (their names are those of an earlier call).
    """
    chains = list(find_chains(graph))
    if not chains:
        return graph, {}
    copy = duplicate(graph)
    copy.graph.update(graph.graph)
    functions: dict[str, Function] = {}
    results: dict[Tensor, Tensor] = {}
    for chain in chains:
        first = next(n for n in chain.rows[0].nodes if n)
        name = f"{first.rpartition('/')[0] or first}/unrolled"
        if name not in but and name not in copy:
            functions |= _Rolling(copy, chain, name, kept, results).roll()
    return copy, functions


class _Rolling:
    """One chain on its way into a While."""

    def __init__(
        self,
        graph: Graph,
        chain: Chain,
        name: str,
        kept: frozenset[str],
        results: dict[Tensor, Tensor],
    ) -> None:
        self.graph, self.chain, self.name, self.kept = graph, chain, name, kept
        self.results = results  # a value of a step -> what it is of a While
        self.inputs: list[Tensor] = []
        self.body, self.returns = Graph(), list[Tensor]()
        self.arguments: list[str] = []

    def roll(self) -> dict[str, Function]:
        outputs = self._outputs()
        count = put_constant(self.graph, f"{self.name}/count", self.chain.count)
        counter = self._argument(put_constant(self.graph, f"{self.name}/first", 0))
        self.returns.append(self._next(counter))
        states = [self._argument(first) for first, _, _ in self.chain.states]
        self.returns += [Tensor("")] * len(states)
        lists = [self._reserve(tensor, count) for tensor in outputs]
        items = [self._list(column) for column in self.chain.sequences]
        elements = [self._element(each, counter) for each in items]
        self._step(states, elements)
        for number, (_, row, port) in enumerate(self.chain.states):
            self.returns[1 + number] = Tensor(self._own(row), port)
        self.returns += [
            self._written(target, counter, row, port)
            for target, (row, port) in zip(lists, outputs)
        ]
        self.returns += [Tensor(name) for name in self.arguments[len(self.returns) :]]
        self._put(outputs, 1 + len(states))
        return self._functions()

    # -- what is read outside -------------------------------------------------------------
    def _outputs(self) -> list[tuple[int, int]]:
        """Row and port of each value of the steps that something else reads, but what only the last step's state is."""
        inside, outputs = self.chain.nodes, []
        states = {state[1:] for state in self.chain.states}
        for number, row in enumerate(self.chain.rows):
            ports: set[int] = set()
            for step, name in enumerate(row.nodes):
                if name in self.kept:
                    ports.add(0)
                for port, readers in self._outside(name or "", inside).items():
                    is_end = step == self.chain.count - 1
                    if readers and not (is_end and (number, port) in states):
                        ports.add(port)
            outputs += [(number, port) for port in sorted(ports)]
        return outputs

    def _outside(self, name: str, inside: set[str]) -> dict[int, list[tuple[str, int]]]:
        readers: dict[int, list[tuple[str, int]]] = {}
        for reader, edges in self.graph._succ[name].items():
            if reader not in inside and not self._leads_back(reader, inside):
                for slot, data in edges.items():
                    readers.setdefault(data["port"], []).append((reader, slot))
        return readers

    def _leads_back(self, name: str, inside: set[str]) -> bool:
        """Whether a node only passes on to the steps."""
        if not passes(self.graph.node(name)):
            return False
        readers = list(self.graph._succ[name])
        return bool(readers) and all(reader in inside for reader in readers)

    # -- the pieces -----------------------------------------------------------------------
    def _argument(self, tensor: Tensor) -> str:
        """One more loop variable, its first value given; its name in the body."""
        tensor = self.results.get(tensor, tensor)
        name = f"argument_{len(self.arguments)}"
        self.body.add(name, Node("_Arg", {"T": dtype_of(self.graph, tensor)}))
        self.arguments.append(name)
        self.inputs.append(tensor)
        return name

    def _next(self, counter: str) -> Tensor:
        one = put_constant(self.body, "one", 1)
        self.body.add("next", Node("AddV2", {"T": "int32"}), (Tensor(counter), one))
        return Tensor("next")

    def _reserve(self, output: tuple[int, int], count: Tensor) -> str:
        shape = put_constant(self.graph, f"{self.name}/element_shape", -1)
        attrs = {"element_dtype": self._dtype(output), "shape_type": "int32"}
        name = fresh(self.graph, f"{self.name}/outputs")
        self.graph.add(name, Node("TensorListReserve", attrs), (shape, count))
        return self._argument(Tensor(name))

    def _dtype(self, output: tuple[int, int]) -> str:
        row, port = output
        return dtype_of(self.graph, Tensor(self.chain.rows[row].nodes[0] or "", port))

    def _list(self, column: Sequence[Tensor]) -> str:
        column = [self.results.get(tensor, tensor) for tensor in column]
        rows = stacked(self.graph, self.name, column, self.chain.rank(self.graph))
        shape = put_constant(self.graph, f"{self.name}/element_shape", -1)
        attrs = {"element_dtype": dtype_of(self.graph, rows), "shape_type": "int32"}
        name = fresh(self.graph, f"{self.name}/list")
        self.graph.add(name, Node("TensorListFromTensor", attrs), (rows, shape))
        return self._argument(Tensor(name))

    def _element(self, items: str, counter: str) -> Tensor:
        number = self.arguments.index(items)
        shape = put_constant(self.body, f"element_shape_{number}", -1)
        attrs = {"element_dtype": self._elements(self.inputs[number])}
        name = f"element_{number}"
        operands = (Tensor(items), Tensor(counter), shape)
        self.body.add(name, Node("TensorListGetItem", attrs), operands)
        return Tensor(name)

    def _elements(self, items: Tensor) -> str:
        return str(self.graph.attrs(items.node)["element_dtype"])

    def _written(self, target: str, counter: str, row: int, port: int) -> Tensor:
        number = self.arguments.index(target)
        attrs = {"element_dtype": self._elements(self.inputs[number])}
        attrs["resize_if_index_out_of_bounds"] = False  # type: ignore[assignment]
        operands = (Tensor(target), Tensor(counter), Tensor(self._own(row), port))
        self.body.add(f"written_{number}", Node("TensorListSetItem", attrs), operands)
        return Tensor(f"written_{number}")

    def _own(self, row: int) -> str:
        return self.chain.rows[row].nodes[0] or ""

    def _step(self, states: Sequence[str], elements: Sequence[Tensor]) -> None:
        """The nodes of the first step, under their own names."""
        captured: dict[Tensor, str] = {}

        def tensor(source: Source) -> Tensor:
            if source.captured is not None:
                if source.captured not in captured:
                    constant = self._small(source.captured)
                    if constant is not None:
                        return constant
                    captured[source.captured] = self._argument(source.captured)
                return Tensor(captured[source.captured])
            if source.sequence >= 0:
                return elements[source.sequence]
            if source.state >= 0:
                return Tensor(states[source.state])
            return Tensor(self._own(source.row), source.port)

        for number, row in enumerate(self.chain.rows):
            node = replace(self.graph.node(self._own(number)), controls=())
            self.body.add_node(self._own(number), node=node)
        for number, row in enumerate(self.chain.rows):
            for slot, source in enumerate(row.inputs):
                first = tensor(source)
                self.body.add_edge(
                    first.node, self._own(number), key=slot, port=first.port
                )

    def _small(self, tensor: Tensor) -> Tensor | None:
        """A constant that is a setting is one of the body too."""
        node = self.graph.node(tensor.node)
        if node.op != "Const" or np.size(node.attrs["value"]) > 8:
            return None
        if (
            node.attrs.get("dtype") not in ("int32", "int64")
            and np.size(node.attrs["value"]) != 1
        ):
            return None
        if tensor.node not in self.body:
            self.body.add(tensor.node, node)
        return tensor

    # -- in its place ---------------------------------------------------------------------
    def _put(self, outputs: Sequence[tuple[int, int]], first: int) -> None:
        dtypes = tuple(dtype_of(self.graph, tensor) for tensor in self.inputs)
        attrs = {
            "T": dtypes,
            "cond": FunctionRef(f"{self.name}_cond", {}),
            "body": FunctionRef(f"{self.name}_body", {}),
        }
        inside = self.chain.nodes
        moves: list[tuple[str, int, Tensor]] = []
        self.graph.add(self.name, Node("StatelessWhile", attrs), self.inputs)
        for number, (row, port) in enumerate(outputs):
            moves += self._read_list(
                row, port, Tensor(self.name, first + number), inside
            )
        for number, (_, row, port) in enumerate(self.chain.states):
            end = self.chain.rows[row].nodes[-1] or ""
            if (row, port) not in outputs:
                self.results[Tensor(end, port)] = Tensor(self.name, 1 + number)
                readers = self._outside(end, inside).get(port, [])
                moves += [(r, s, Tensor(self.name, 1 + number)) for r, s in readers]
        for reader, slot, tensor in moves:
            read_instead(self.graph, reader, slot, tensor)

    def _read_list(
        self, row: int, port: int, items: Tensor, inside: set[str]
    ) -> list[tuple[str, int, Tensor]]:
        """The readers of one value in each step, and what they read now: a row of what the loop wrote."""
        count = self.chain.count
        shape = put_constant(self.graph, f"{self.name}/element_shape", -1)
        dtype = self._dtype((row, port))
        attrs = {"element_dtype": dtype, "num_elements": count}
        stack = fresh(self.graph, f"{self.name}/stack")
        self.graph.add(stack, Node("TensorListStack", attrs), (items, shape))
        unpack = fresh(self.graph, f"{self.name}/unstack")
        attrs = {"T": dtype, "num": count, "axis": 0}
        names = self.chain.rows[row].nodes
        readers = [self._outside(name or "", inside).get(port, []) for name in names]
        for pack in {r for each in readers for r, _ in each}:
            if self._unpacked(pack, names, port, stack):
                readers = [[e for e in each if e[0] != pack] for each in readers]
        self.graph.add(unpack, Node("Unpack", attrs), (Tensor(stack),))
        for step, name in enumerate(names):
            self.results[Tensor(name or "", port)] = Tensor(unpack, step)
        for step, name in enumerate(names):
            if name in self.kept and name is not None:
                put(
                    self.graph,
                    name,
                    Node("Identity", {"T": dtype}),
                    [Tensor(unpack, step)],
                )
        return [
            (r, s, Tensor(unpack, step))
            for step, each in enumerate(readers)
            for r, s in each
        ]

    def _unpacked(
        self, pack: str, names: Sequence[str | None], port: int, stack: str
    ) -> bool:
        """Whether a node is a Pack of all steps in their order, which is the stack itself now."""
        node = self.graph.node(pack)
        tensors = [Tensor(name or "", port) for name in names]
        axis = int(node.attrs.get("axis") or 0)
        if node.op != "Pack" or list(self.graph.inputs(pack)) != tensors or axis > 1:
            return False
        if axis == 0:
            attrs = {"T": node.attrs.get("T", "float32")}
            put(self.graph, pack, Node("Identity", attrs), [Tensor(stack)])
        else:
            turn = turned(
                self.graph, f"{pack}/turned", Tensor(stack), self.chain.rank(self.graph)
            ).node
            put(self.graph, pack, self.graph.node(turn), self.graph.inputs(turn))
        return True

    def _functions(self) -> dict[str, Function]:
        cond = Graph()
        for name in self.arguments:
            cond.add(name, self.body.node(name))
        count = put_constant(cond, "count", self.chain.count)
        cond.add(
            "less", Node("Less", {"T": "int32"}), (Tensor(self.arguments[0]), count)
        )
        names = tuple(self.arguments)
        return {
            f"{self.name}_cond": Function(
                f"{self.name}_cond", cond, names, (Tensor("less"),)
            ),
            f"{self.name}_body": Function(
                f"{self.name}_body", self.body, names, tuple(self.returns)
            ),
        }
