"""A loop variable that holds several states as one tensor -> a loop variable for each.

*before* ``h, c = Unpack(state)``, ``state = Pack(h, c)`` in the turn, ``Pack`` written into a list; *after* two states, and a list for each of
which only those are read that something after the loop takes: ``Transpose(list, [1, 2, 0, 3])[0]``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from ....graph import Graph, Layer, Node, Tensor, TensorSpec
from ....graph.edit import redirect
from ....ops import spellings
from ....ops.array.slice_masks import SliceMasks
from .turn import Turn, list_readers

Add = Callable[[str, Node, Iterable[Tensor]], str]
_PASSES = frozenset(spellings.COPIES)


class Unpacking:
    """The states of one turn on their way apart; ``add`` puts a node into the graph, ``move`` has one tensor read for another."""

    def __init__(
        self, graph: Graph, turn: Turn, add: Add, move: Callable[[Tensor, Tensor], None]
    ) -> None:
        self.graph, self.turn, self.add, self.move = graph, turn, add, move
        self.inputs, self.after = list(turn.inputs), list(turn.after)
        self.state: dict[int, Tensor] = dict(turn.state)
        self.nodes: set[str] = set(turn.nodes)

    def turned(self) -> Turn:
        """The turn with such states apart; itself where it has none."""
        for port, state in self.turn.state.items():
            packed = self._packed(self.turn.after[port])
            parts = self.graph.inputs(packed.node) if packed else ()
            reads = self._reads(state, len(parts))
            if packed is None or not parts or reads is None:
                continue
            self._apart(port, packed, parts, reads)
        if len(self.inputs) == len(self.turn.inputs):
            return self.turn
        return replace(
            self.turn,
            inputs=tuple(self.inputs),
            after=tuple(self.after),
            state=self.state,
            nodes=frozenset(self.nodes),
        )

    def _packed(self, tensor: Tensor) -> Tensor | None:
        """The Pack along the first axis that a tensor is."""
        while self.graph.op(tensor.node) in _PASSES:
            tensor = self.graph.inputs(tensor.node)[0]
        node = self.graph.node(tensor.node)
        is_pack = node.op == "Pack" and not int(node.attrs.get("axis") or 0)
        return tensor if is_pack and tensor.node in self.turn.nodes else None

    def _reads(self, state: Tensor, count: int) -> dict[Tensor, int] | None:
        """Each part that is read of a state, and which it is; None where something reads the whole."""
        reads: dict[Tensor, int] = {}
        stack = list(self.graph.consumers(*state))
        while stack:
            name, slot = stack.pop()
            attrs = self.graph.attrs(name)
            if self.graph.op(name) in _PASSES:
                stack += self.graph.consumers(name, 0)
                continue
            if self.graph.op(name) == "Unpack" and not int(attrs.get("axis") or 0):
                reads |= {Tensor(name, port): port for port in range(count)}
                continue
            place = self._place(name, 0) if not slot else None
            if place is None:
                return None
            reads[Tensor(name)] = place % max(count, 1)
        return reads

    def _place(self, name: str, axis: int) -> int | None:
        """Which one entry along an axis a StridedSlice takes, of all others all."""
        node = self.graph.node(name)
        if isinstance(node, Layer) or node.op != "StridedSlice":
            return None
        begin = self._constant(self.graph.inputs(name)[1])
        if begin is None or begin.size <= axis:
            return None
        is_entry = SliceMasks.of(node.attrs).takes_entry(axis, begin.size)
        return int(begin.reshape(-1)[axis]) if is_entry else None

    def _constant(self, tensor: Tensor) -> np.ndarray | None:
        node = self.graph.node(tensor.node)
        return np.asarray(node.attrs["value"]) if node.op == "Const" else None

    # -- apart --------------------------------------------------------------------------------
    def _apart(
        self,
        port: int,
        packed: Tensor,
        parts: Sequence[Tensor],
        reads: Mapping[Tensor, int],
    ) -> None:
        first = self._first(self.turn.inputs[port], len(parts))
        spec = self._inner(self.turn.state[port])
        ports = []
        for number, part in enumerate(parts):
            own = self._placeholder(port, number, spec)
            for read in [r for r, n in reads.items() if n == number]:
                redirect(self.graph, read, own)
            ports.append(self._variable(own, first[number], part))
        del self.state[port]
        whole = self._pack([Tensor(self.turn.node, each) for each in ports], 0)
        self.move(Tensor(self.turn.node, port), whole)
        for other in [p for p in self.turn.state if self._writes(p, packed)]:
            self._lists(other, parts)

    def _variable(self, own: Tensor, first: Tensor, after: Tensor) -> int:
        """One more loop variable; its number."""
        self.inputs.append(first)
        self.after.append(after)
        self.state[len(self.inputs) - 1] = own
        return len(self.inputs) - 1

    def _placeholder(self, port: int, number: int, spec: TensorSpec) -> Tensor:
        node = Node("Placeholder", {"dtype": spec.dtype or "float32"}, (spec,))
        return Tensor(self.add(f"{self.turn.node}/state_{port}_{number}", node, ()))

    def _inner(self, tensor: Tensor) -> TensorSpec:
        outputs = self.graph.node(tensor.node).outputs
        spec = outputs[tensor.port] if tensor.port < len(outputs) else TensorSpec()
        return TensorSpec(spec.dtype, spec.shape[1:] if spec.shape else None)

    def _first(self, tensor: Tensor, count: int) -> list[Tensor]:
        """What each state begins with."""
        node = self.graph.node(tensor.node)
        inputs = self.graph.inputs(tensor.node)
        if node.op == "Pack" and not int(node.attrs.get("axis") or 0):
            return list(inputs)
        return [self._entry(tensor, number) for number in range(count)]

    def _entry(self, tensor: Tensor, number: int) -> Tensor:
        values = ([number], [number + 1], [1])
        bounds = [self._number(np.array(each, np.int32)) for each in values]
        attrs = {**SliceMasks.of_entry(0).attrs, "T": "float32", "Index": "int32"}
        node = Node("StridedSlice", attrs)
        node = replace(node, outputs=(self._inner(tensor),))
        return Tensor(self.add(f"{tensor.node}/part", node, (tensor, *bounds)))

    def _number(self, value: np.ndarray) -> Tensor:
        spec = TensorSpec(value.dtype.name, value.shape)
        node = Node("Const", {"dtype": value.dtype.name, "value": value}, (spec,))
        return Tensor(self.add(f"{self.turn.node}/const", node, ()))

    def _pack(self, parts: Sequence[Tensor], axis: int) -> Tensor:
        attrs = {"N": len(parts), "T": "float32", "axis": axis}
        node = Node("Pack", attrs, (TensorSpec("float32"),))
        return Tensor(self.add(f"{self.turn.node}/packed", node, parts))

    # -- lists --------------------------------------------------------------------------------
    def _writes(self, port: int, packed: Tensor) -> bool:
        """Whether a turn writes the packed states into a list."""
        name = self.turn.after[port].node
        inputs = self.graph.inputs(name)
        if self.graph.op(name) != "TensorListSetItem" or len(inputs) < 3:
            return False
        return self._packed(inputs[2]) == packed

    def _lists(self, port: int, parts: Sequence[Tensor]) -> None:
        """A list for each state in the place of one for all."""
        writer = self.turn.after[port].node
        node, (_, index, _) = self.graph.node(writer), self.graph.inputs(writer)
        stacks = []
        for part in parts:
            spec = TensorSpec("variant", ())
            own = self._placeholder(port, len(self.inputs), spec)
            written = self.add(f"{writer}/part", node, (own, index, part))
            self.nodes.add(written)
            number = self._variable(own, self.turn.inputs[port], Tensor(written))
            stacks.append(Tensor(self.turn.node, number))
        del self.state[port]
        for reader in list_readers(self.graph, Tensor(self.turn.node, port)):
            if self.graph.op(reader) != "TensorListLength":  # the same of all
                self._read(reader, stacks)

    def _read(self, reader: str, lists: Sequence[Tensor]) -> None:
        """Who reads the rows of the one list reads those of each."""
        node, (_, *rest) = self.graph.node(reader), self.graph.inputs(reader)
        outputs = (TensorSpec("float32"),)
        own = replace(node, outputs=outputs)
        rows = [
            Tensor(self.add(f"{reader}/part", own, (each, *rest))) for each in lists
        ]
        self._take(Tensor(reader), rows, 1)
        self._drop_unread(rows)

    def _drop_unread(self, tensors: Iterable[Tensor]) -> None:
        """Remove those that nothing reads."""
        unread = [each.node for each in tensors if not self.graph.consumers(*each)]
        self.graph.remove_nodes_from(unread)

    def _take(self, whole: Tensor, rows: Sequence[Tensor], axis: int) -> None:
        """Who takes one state of a tensor in which they lie along an axis reads it alone; all others their Pack."""
        for name, slot in list(self.graph.consumers(*whole)):
            node = self.graph.node(name)
            place = self._place(name, axis)
            order = self._order(name) if not slot else None
            if self.graph.op(name) in _PASSES:
                self._take(Tensor(name), rows, axis)
            elif place is not None:
                self.move(Tensor(name), rows[place % len(rows)])
                self._drop_unread([Tensor(name)])
            elif order is not None and len(order) == 4:
                axes = [a - (a > axis) for a in order if a != axis]
                perm = self._number(np.array(axes, np.int32))
                transposed = [
                    Tensor(
                        self.add(
                            f"{name}/part",
                            replace(node, outputs=(TensorSpec("float32"),)),
                            (each, perm),
                        )
                    )
                    for each in rows
                ]
                self._take(Tensor(name), transposed, order.index(axis))
                self._drop_unread([Tensor(name), *transposed])
        left = {name for name, _ in self.graph.consumers(*whole)}
        if any(self.graph.op(name) not in _PASSES for name in left):
            self.move(whole, self._pack(rows, axis))

    def _order(self, name: str) -> list[int] | None:
        node = self.graph.node(name)
        if isinstance(node, Layer) or node.op != "Transpose":
            return None
        order = self._constant(self.graph.inputs(name)[1])
        return None if order is None else [int(axis) for axis in order.reshape(-1)]
