"""NodeDefs -> a Graph, its wires as numbers: the names that inputs are become integers here, once, while they are read."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from ...errors import GraphError
from ...graph import Graph, Node
from ...graph.named_values import Arguments, Attributes
from ...graph.wiring import Wiring
from .. import op_registry, opdefs
from ..source import Source
from .kinds import Kind, Kinds

MISSING = "_missing"  # on what stands for a node that others read and the file lacks: "weight" or "data"
# Outputs that attributes may declare; the longest unrolled series have some thousands.
MOST_PORTS = 1 << 16
PORTS_PER_NODE = 64  # and for each node of the graph so many more
_LONGEST_PORT = 9  # digits


def graph_from_nodes(
    nodes: Any,
    source: Source | None = None,
    otherwise: Mapping[str, Attributes] = MappingProxyType({}),
) -> Graph:
    """The Graph of some NodeDefs; raises GraphError on a duplicate name.

    A node that is read and is not among them (weights kept in another file, a graph cut by hand) stands there as a
    ``Placeholder`` with the attribute MISSING.
    ``source`` is the file that ``protobuf.py`` left large tensors in; ``otherwise`` has attribute defaults by op. Each node is held
    against its OpDef here, so that what follows can rely on the number of its inputs and outputs.
    """
    listed = nodes if hasattr(nodes, "__len__") else list(nodes)
    assembly = Assembly(listed, Kinds(source, otherwise))
    assembly.join()
    return assembly.graph()


class Reference(NamedTuple):
    """An input that is not the first output of a node before: its edge, its slot, its text, and the number, name and payload
    of who reads it.
    """

    edge: int
    slot: int
    text: str
    number: int
    reader: str
    node: Node


class Assembly:
    """The nodes of a graph while it is read. Raises GraphError on a duplicate name."""

    def __init__(self, messages: Collection[Any], kinds: Kinds) -> None:
        self.payloads: dict[str, Arguments] = {}
        self.index: dict[str, int] = {}
        self.first, self.sources = array("i", [0]), array("i")
        self.waiting: list[Reference] = []
        self.fault: tuple[int, GraphError] | None = None  # the first, and at which node
        self._size = len(messages)
        self._ports = MOST_PORTS + PORTS_PER_NODE * self._size
        self._read(messages, kinds)

    def _read(self, messages: Collection[Any], kinds: Kinds) -> None:
        index, sources, first, waiting = (
            self.index,
            self.sources,
            self.first,
            self.waiting,
        )
        for number, message in enumerate(messages):
            name, slot, controls, later = message.name, 0, [], []
            for text in message.input:
                source = index.get(text)
                if source is None or ":" in text or text[:1] == "^":
                    if text[:1] == "^":
                        controls.append(text[1:])
                        continue
                    later.append((len(sources), slot, text))
                    source = 0
                sources.append(source)
                slot += 1
            if name in index:
                raise GraphError(f"two nodes are called {name!r}: names must be unique")
            kind, self.payloads[name] = kinds.of(message, controls, name)
            index[name] = number
            first.append(len(sources))
            if later:
                waiting += [Reference(*e, number, name, kind.node) for e in later]
            if kind.ports or kind.inputs != slot and kind.inputs is not None:
                self._check(number, name, kind, slot)

    def _check(self, number: int, name: str, kind: Kind, inputs: int) -> None:
        """Note the first node that its OpDef contradicts."""
        if self.fault is not None:
            return
        if kind.inputs is not None and kind.inputs != inputs:
            error = f"node {name!r} ({kind.node.op}) has {inputs} inputs, expected {kind.inputs}: the graph is damaged"
            self.fault = number, GraphError(error)
        self._ports -= kind.ports
        if self.fault is None and self._ports < 0:
            error = (
                f"node {name!r} ({kind.node.op}) says that it has more outputs than a graph of {self._size} nodes "
                "can use: the graph is damaged"
            )
            self.fault = number, GraphError(error)

    def join(self) -> None:
        """Give each reference its node and port, each node that is missing a placeholder; raises the first fault there is."""
        self.ports = array("i", bytes(4 * len(self.sources)))
        for each in self.waiting:
            if self.fault is not None and each.number > self.fault[0]:
                break
            name, port = split_input(each.text) if ":" in each.text else (each.text, 0)
            if name not in self.index:
                self._add(name, _missing(each.node, each.slot))
            self.sources[each.edge], self.ports[each.edge] = self.index[name], port
            if port:
                _check_port(self.payloads[name]["node"], each.text, each.reader, port)
        if self.fault is not None:
            raise self.fault[1]

    def _add(self, name: str, node: Node) -> None:
        """Put a node behind the others, which has no inputs."""
        self.index[name] = len(self.index)
        self.payloads[name] = {"node": node}
        self.first.append(len(self.sources))

    def graph(self) -> Graph:
        """The graph, once all is joined."""
        wiring = Wiring(self.index, self.first, self.sources, self.ports)
        return Graph.wired(self.payloads, wiring)


def _missing(reader: Node, slot: int) -> Node:
    """What stands for a node that the file lacks and ``reader`` reads: a feed of the dtype read, marked as missing.

    What is read first is data; what is read beside it, or through a variable's Identity, is a weight kept elsewhere.
    """
    is_data = slot == 0 and reader.op != "Identity"
    attrs: Arguments = {MISSING: "data" if is_data else "weight", "shape": None}
    try:
        dtypes = opdefs.input_dtypes(reader.op, reader.attrs)
    except GraphError:
        dtypes = ()
    dtype = dtypes[slot].removesuffix("_ref") if slot < len(dtypes) else ""
    return Node("Placeholder", attrs | ({"dtype": dtype} if dtype else {}))


def output_count(node: Node) -> int | None:
    """How many outputs a node of a file has by its OpDef; None where that, or its attributes, do not tell."""
    arities, raw = op_registry.arities(node.op), getattr(node.attrs, "raw", None)
    return arities[1].of(raw) if arities is not None and raw is not None else None


def _check_port(node: Node, text: str, reader: str, port: int) -> None:
    """Raise GraphError where a port is read that the op does not have."""
    count = output_count(node)
    if count is not None and port >= count:
        raise GraphError(
            f"node {reader!r} reads {text!r}, but a {node.op} has {count} outputs: the graph is damaged"
        )


def split_input(text: str) -> tuple[str, int]:
    """``"name:1"`` -> ``("name", 1)``."""
    name, colon, port = text.rpartition(":")
    return (name, int(port)) if colon and is_index(port) else (text, 0)


def is_index(text: str) -> bool:
    """Whether ``int`` takes the text: it takes no ``"²"``, and no 5,000 digits."""
    return text.isdecimal() and len(text) <= _LONGEST_PORT
