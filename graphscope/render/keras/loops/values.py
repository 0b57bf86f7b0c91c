"""The values of one function inside a loop: what each is called in the source, or how it is said where it is read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .... import ops
from ....errors import NotExpressible
from ....graph import Function, Loop, Node, Tensor
from ....graph.keras.operations import snake_case
from ....graph.names import Names
from ....graph.order import post_order
from ....ops import spellings
from ..program.names import identifier, without_numbers
from ..text.line_breaks import WIDTH, wrapped
from .ops import Site, Text, carried, constant, port_count, yields_list

WHILES = frozenset(spellings.LOWERED_WHILES)
IFS = frozenset(spellings.LOWERED_IFS)
CASES = frozenset(spellings.CASES)
CALLS = frozenset({"PartitionedCall", "StatefulPartitionedCall"})
RUNS = WHILES | IFS | CASES | CALLS
_INLINE = 56  # characters of an expression that goes into the one that reads it
_RETURNED = 240  # and of one that is returned
ELEMENTS = {  # op -> the input that says the elements' shape, and where that begins in the output's
    "TensorListGetItem": (2, 0),
    "TensorListStack": (1, 1),
    "TensorListGather": (2, 1),
    "TensorListConcatV2": (1, 0),
    "TensorListPopBack": (1, 0),
}
_DEPTH = 24  # closures within closures
_MOST_NAMED = 6  # outputs that get a name each; of more the list gets one

Lines = list[str]


class Values:
    """One function, its arguments said as ``given``; ``lines`` are what must stand before what is said."""

    def __init__(
        self,
        loop: Loop,
        function: Function,
        given: Sequence[Text],
        names: Names,
        depth: int = 0,
    ) -> None:
        if depth > _DEPTH:
            raise NotExpressible(
                f"the loop {loop.name!r} runs functions within functions {_DEPTH} deep: no source says that"
            )
        self.loop, self.function, self.depth = loop, function, depth
        self.graph, self.names = function.graph, names
        self.facts = loop.facts.get(function.name, {})
        self.known: dict[Tensor, Text] = {
            Tensor(name): text for name, text in zip(function.arguments, given)
        }
        self.lines: Lines = []
        self.uses = self._counted()

    def sources(self, name: str) -> list[str]:
        if self._is_constant(name):
            return []
        if self._fills(name, self.graph.node(name)):
            return [self.graph.inputs(name)[1].node]
        return [tensor.node for tensor in self.graph.inputs(name)]

    def _counted(self) -> dict[Tensor, int]:
        """How often each tensor is read, passing nodes seen through."""
        uses: dict[Tensor, int] = {}
        roots = [t.node for t in self.function.returns]
        reads = [self._seen(t) for t in self.function.returns]
        for name in post_order(roots, self.sources):
            if not self._passes(name):
                needed = set(self.sources(name))
                given = (t for t in self.graph.inputs(name) if t.node in needed)
                reads += [self._seen(t) for t in given]
        for tensor in reads:
            uses[tensor] = uses.get(tensor, 0) + 1
        return uses

    def _passes(self, name: str) -> bool:
        op = self.graph.op(name)
        return "pass-through" in ops.traits(op) or op == "ReadVariableOp"

    def _seen(self, tensor: Tensor) -> Tensor:
        """The tensor that this one repeats."""
        for _ in range(len(self.graph)):
            given = self.graph.inputs(tensor.node)
            if not self._passes(tensor.node) or tensor.port >= len(given):
                break
            tensor = given[tensor.port]
        return tensor

    def _is_constant(self, name: str) -> bool:
        node = self.graph.node(name)
        if node.op in RUNS or port_count(node) > 1:
            return False
        return self._constant(Tensor(name)) is not None

    def _constant(self, tensor: Tensor) -> Text | None:
        """A tensor whose elements are known, as a literal."""
        node = self.graph.node(tensor.node)
        if node.op == "_Arg":
            return None
        fact = self.facts.get(tensor)
        value = node.attrs.get("value") if node.op == "Const" else fact and fact.value
        dtype = str(node.attrs.get("dtype", "")) if node.op == "Const" else ""
        return constant(value, dtype) if isinstance(value, np.ndarray) else None

    def text(self, tensor: Tensor) -> Text:
        """The source of a tensor."""
        tensor = self._seen(tensor)
        if tensor not in self.known:
            held = self.loop.held.get((self.function.name, tensor.node))
            found = self._constant(tensor)
            if held is not None:
                dtype = str(self.graph.attrs(tensor.node).get("dtype", ""))
                found = Text(carried(f"self.{held}", dtype), free=True, weight=True)
            if found is None:
                raise self._unsaid(tensor.node)
            self.known[tensor] = found
        return self.known[tensor]

    def named(self, tensor: Tensor) -> Text:
        """The same as something that a closure may say again: a variable, a weight, a literal."""
        tensor = self._seen(tensor)
        found = self.text(tensor)
        if not found.free:
            name = self._name(tensor.node)
            self.put(f"{name} = {found.text}")
            found = Text(name, free=True, rows=found.rows)
            self.known[tensor] = found
        return found

    def put(self, line: str) -> None:
        self.lines += wrapped(line, WIDTH - 8 - 4 * self.depth)

    def _unsaid(self, name: str) -> NotExpressible:
        return NotExpressible(
            f"{name!r} ({self.graph.op(name)}) in the loop {self.loop.name!r} is nothing that Keras source can say: "
            "name an --output before the loop, or freeze the graph as it is"
        )

    def _name(self, node: str) -> str:
        return self.names.unique(variable(node))

    def _with_elements(self, name: str, site: Site) -> Site:
        """The reading of a list, with all that is known of its elements: TensorFlow itself does not follow them."""
        slot, first = ELEMENTS[site.node.op]
        fact = self.facts.get(Tensor(name))
        shape = fact.spec.shape if fact is not None else None
        if shape is None or len(shape) < first or slot >= len(site.given):
            return site
        sizes = [-1 if size is None else size for size in shape[first:]]
        if site.node.op == "TensorListConcatV2":
            sizes[:1] = [-1] * len(sizes[:1])
        given = list(site.given)
        given[slot] = constant(np.array(sizes, np.int32)) or given[slot]
        node = site.node
        if node.op == "TensorListStack" and shape[0] is not None:
            node = replace(node, attrs={**node.attrs, "num_elements": shape[0]})
        return Site(node, given)

    def _with_rows(self, name: str, node: Node, found: Text) -> Text:
        """A list made of the rows of a tensor is that tensor, as long as it is only read."""
        if node.op != "TensorListFromTensor":
            return found
        rows = self.named(self.graph.inputs(name)[0]).tensor
        return found._replace(rows=rows, free=True)

    def _fills(self, name: str, node: Node) -> bool:
        """Whether an op puts the rows of a tensor into a list of just as many elements, in their order."""
        if node.op != "TensorListScatterIntoExistingList":
            return False
        target, rows, indices = (self.facts.get(t) for t in self.graph.inputs(name))
        if target is None or rows is None or indices is None or not rows.spec.shape:
            return False
        count, where = rows.spec.shape[0], indices.value
        held = target.held.length if target.held is not None else None
        if not isinstance(where, np.ndarray) or held != count:
            return False
        return count is not None and np.array_equal(where, np.arange(count))

    def _bind(self, name: str, node: Node, found: Text, count: int) -> None:
        """Say it here, or where it is read."""
        if count == 1 and not yields_list(node.op):
            self._bind_one(Tensor(name), found)
            return
        tensors = [Tensor(name, port) for port in range(count)]
        used = [tensor for tensor in tensors if self.uses.get(tensor)]
        if count > _MOST_NAMED or len(used) == 1:
            text = found.text
            if len(used) > 1:
                text = self._name(name)
                self.put(f"{text} = {found.text}")
            for tensor in used:
                part = f"{text}[{tensor.port}]"
                self._bind_one(tensor, Text(part, free=len(used) > 1))
            return
        names = [self._name(name) if t in used else "_" for t in tensors]
        self.put(f"{', '.join(names)}{',' * (count == 1)} = {found.text}")
        for tensor, target in zip(tensors, names):
            self.known[tensor] = Text(target, free=True)

    def _bind_one(self, tensor: Tensor, found: Text) -> None:
        self.known[tensor] = found
        returned = tensor in map(self._seen, self.function.returns)
        most = _RETURNED if returned else _INLINE
        once = self.uses.get(tensor, 0) == 1 and len(found.text) <= most
        if not once and not found.free:
            self.named(tensor)


def variable(node: str) -> str:
    """A name for what a node yields: the last part of its own, without its number.

    >>> variable("rnn/while/lstm_cell/MatMul_1"), variable("while/strided_slice")
    ('matmul', 'strided_slice')
    """
    last = without_numbers(node.rpartition("/")[2])
    last = re.sub(r"\A.*while_(?=placeholder$|loop_counter$)", "while_", last)
    if len(last) > _LONG:  # the scopes, joined by underscores
        last = "_".join(last[-_LONG:].split("_")[1:]) or last[-_LONG:]
    name = identifier(snake_case(last) or last).replace("mat_mul", "matmul")
    return f"{name}_" if name == "self" else _SPOKEN.get(name, name)


_LONG = 24
_SPOKEN = {  # names that tools give, and what an author would say
    **dict.fromkeys(
        "zeros fill placeholder while_placeholder enter const".split(), "state"
    ),
    **dict.fromkeys(
        "tensor_array_read_v2 tensor_array_read_v3 tensor_list_get_item".split(), "x"
    ),
    "while_loop_counter": "counter",
}
