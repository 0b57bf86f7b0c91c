"""The text form of a graph -> Graph, exactly (the grammar stands in ``render/text.py``).

A tensor whose values the text left out is absent: its attribute is missing, and ``_absent_value`` keeps its dtype, shape
and digest, so that the same text is written again and ``Model.has_value`` says no.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ...errors import FormatError, GraphError
from ...graph import Function, Graph, Node, Tensor
from ...graph.named_values import Arguments
from .cursor import Cursor
from .values import AS_ABOVE, Absent, attributes_of, specs_of, value_of


class TextGraph(NamedTuple):
    """What a text holds: a graph, and the functions of its library."""

    graph: Graph
    functions: dict[str, Function]
    producer: int | None = None


def graph_from_text(text: str) -> Graph:
    """The graph that a text form says; raises FormatError with the line that is at fault.

    >>> graph = graph_from_text('x = Placeholder(dtype=float32)\\ny: f32[?] = Relu(x, ^x)')
    >>> graph.inputs("y"), graph.node("y").controls, graph.attrs("x")["dtype"]
    ((Tensor(node='x', port=0),), ('x',), 'float32')
    """
    return parse(text).graph


def parse(text: str, what: str = "text form") -> TextGraph:
    """Graph and functions of a text form; ``what`` names the place in an error."""
    functions: dict[str, Function] = {}
    top = block = _Block()
    for number, line in enumerate(text.split("\n"), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        try:
            cursor = Cursor(stripped)
            if cursor.taking("}"):
                function = block.function()
                functions[function.name], block = function, top
            elif stripped.startswith("function ") and block is top:
                block = _Block(*_function_head(cursor))
            elif stripped.startswith("return ") and block is not top:
                block.returning(cursor)
            else:
                block.add(cursor)
        except (FormatError, GraphError) as error:
            raise FormatError(f"{what}, line {number}: {error}") from None
    if block is not top:
        raise FormatError(f"{what}: function {block.name!r} does not end")
    return TextGraph(top.graph(), functions, _producer(text))


def _producer(text: str) -> int | None:
    comment = re.match(r"#.*\n# producer (\d{1,9})$", text, re.MULTILINE)
    return int(comment.group(1)) if comment else None


class _Block:
    """The nodes of one graph: the file's, or a function's."""

    def __init__(self, name: str = "", attrs: Arguments | None = None) -> None:
        self.name, self.attrs = name, attrs or {}
        self.nodes: dict[str, tuple[Node, list[Tensor]]] = {}
        self.returns: list[tuple[str, Tensor]] = []
        self.control_returns: list[str] = []

    def add(self, cursor: Cursor) -> None:
        """``name: specs = Op(inputs, ^controls, attrs) @device``."""
        name = cursor.name()
        if name in self.nodes:
            raise GraphError(f"two nodes are called {name!r}: names must be unique")
        specs = specs_of(cursor) if cursor.taking(":") else []
        cursor.expect("=")
        op = cursor.name()
        inputs: list[Tensor] = []
        controls: list[str] = []
        attrs: Arguments = {}
        cursor.expect("(")
        cursor.separated(")", lambda: _argument(cursor, inputs, controls, attrs))
        device = cursor.name() if cursor.taking("@") else ""
        if cursor.kind != "end" and cursor.text != "#":
            raise FormatError(f"column {cursor.at}: {cursor.text!r} is too much")
        if attrs.get("_output_shapes") is AS_ABOVE:
            attrs["_output_shapes"] = tuple(spec.shape for spec in specs)
        node = Node(op, attrs, tuple(specs), tuple(controls), device)
        self.nodes[name] = (node, inputs)

    def returning(self, cursor: Cursor) -> None:
        """``return name=tensor, ^control``."""
        cursor.step()
        while cursor.kind != "end":
            if cursor.taking("^"):
                self.control_returns.append(cursor.name())
            else:
                name = cursor.name()
                cursor.expect("=")
                self.returns.append((name, cursor.tensor(cursor.name())))
            if cursor.kind != "end":
                cursor.expect(",")

    def graph(self) -> Graph:
        graph = Graph()
        for name, (node, _) in self.nodes.items():
            graph.add_node(name, node=node)
        for name, (_, inputs) in self.nodes.items():
            for slot, tensor in enumerate(inputs):
                if tensor.node not in self.nodes:
                    raise GraphError(
                        f"node {name!r} reads {str(tensor)!r}, which is not there"
                    )
                graph.add_edge(tensor.node, name, key=slot, port=tensor.port)
        return graph

    def function(self) -> Function:
        graph = self.graph()
        arguments = sorted(
            graph.by_op("_Arg"), key=lambda n: _position(graph.attrs(n).get("index"))
        )
        return Function(
            self.name,
            graph,
            tuple(arguments),
            tuple(tensor for _, tensor in self.returns),
            tuple(name for name, _ in self.returns if name),
            tuple(self.control_returns),
            self.attrs,
        )


def _position(index: object) -> int:
    return index if isinstance(index, int) else 0


def _function_head(cursor: Cursor) -> tuple[str, dict[str, object]]:
    cursor.step()
    name = cursor.name()
    attrs = attributes_of(cursor)
    cursor.expect("{")
    return name, attrs


def _argument(
    cursor: Cursor, inputs: list[Tensor], controls: list[str], attrs: dict[str, object]
) -> None:
    if cursor.taking("^"):
        controls.append(cursor.name())
        return
    name = cursor.name()
    if not cursor.taking("="):
        inputs.append(cursor.tensor(name))
        return
    value = value_of(cursor)
    attrs.update(
        {f"_absent_{name}": value.text} if isinstance(value, Absent) else {name: value}
    )
