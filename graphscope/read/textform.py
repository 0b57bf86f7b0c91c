"""The text form of a graph -> Graph, exactly (the grammar stands in ``render/text.py``).

A tensor whose values the text left out is absent: its attribute is missing, and ``_absent_value`` keeps its dtype, shape
and digest, so that the same text is written again and ``Model.has_value`` says no.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..errors import FormatError, GraphError
from ..graph import Function, FunctionRef, Graph, Node, Tensor, TensorSpec
from . import proto
from .attrs import numpy_dtype

HEADER = "# graphscope graph "
VERSION = 1
_DEEPEST = 64  # brackets inside brackets
_LARGEST = 1 << 31  # elements that one splat may claim
_TOKEN = re.compile(
    r"""\s*(?:(?P<string>"(?:[^"\\]|\\.)*")
    | (?P<number>-?(?:\d+\.?\d*(?:e[+-]?\d+)?|inf|nan)(?![A-Za-z0-9_.\\/>&-]))
    | (?P<word>[A-Za-z0-9_.][A-Za-z0-9_.\\/>-]*&?) | (?P<mark>[][(){}=,:^@?*\#|]) | (?P<end>$))""",
    re.VERBOSE,
)
_KINDS = {"f": "float", "i": "int", "u": "uint", "c": "complex", "bf": "bfloat"}


class TextGraph(NamedTuple):
    """What a text holds: a graph, and the functions of its library."""

    graph: Graph
    functions: dict[str, Function]


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
            cursor = _Cursor(stripped)
            if cursor.taking("}"):
                made = block.function()
                functions[made.name], block = made, top
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
    return TextGraph(top.graph(), functions)


class _Cursor:
    """The tokens of one line, read from left to right."""

    def __init__(self, line: str) -> None:
        self.line, self.at, self.depth = line, 0, 0
        self.kind, self.text = "", ""
        self.step()

    def step(self) -> str:
        """Go on to the next token; what the last one said."""
        last = self.text
        match = _TOKEN.match(self.line, self.at)
        if match is None:
            raise FormatError(
                f"column {self.at + 1}: {self.line[self.at :][:20]!r} cannot be"
            )
        self.kind, self.at = str(match.lastgroup), match.end()
        self.text = match.group(self.kind)
        return last

    def taking(self, mark: str) -> bool:
        """Whether the next token is this mark, which is then passed."""
        found = self.kind == "mark" and self.text == mark
        if found:
            self.step()
        return found

    def expect(self, mark: str) -> None:
        if not self.taking(mark):
            raise FormatError(f"column {self.at}: {mark!r} expected, not {self.text!r}")

    def name(self) -> str:
        """A word or a quoted string."""
        if self.kind == "string":
            return _unquoted(self.step())
        if self.kind == "word" or self.kind == "number" and self.text[0] != "-":
            return self.step()
        raise FormatError(f"column {self.at}: a name expected, not {self.text!r}")

    def tensor(self, name: str) -> Tensor:
        return Tensor(name, self.integer() if self.taking(":") else 0)

    def integer(self) -> int:
        text = self.step()
        if not re.fullmatch(r"\d{1,18}", text):
            raise FormatError(f"column {self.at}: a number expected, not {text!r}")
        return int(text)


def _unquoted(text: str) -> str:
    try:
        return str(json.loads(text, strict=False))
    except ValueError as error:
        raise FormatError(f"{text[:40]} is no JSON string ({error})") from None


class _Block:
    """The nodes of one graph: the file's, or a function's."""

    def __init__(self, name: str = "", attrs: dict[str, Any] | None = None) -> None:
        self.name, self.attrs = name, attrs or {}
        self.nodes: dict[str, tuple[Node, list[Tensor]]] = {}
        self.returns: list[tuple[str, Tensor]] = []
        self.control_returns: list[str] = []

    def add(self, cursor: _Cursor) -> None:
        """``name: specs = Op(inputs, ^controls, attrs) @device``."""
        name = cursor.name()
        if name in self.nodes:
            raise GraphError(f"two nodes are called {name!r}: names must be unique")
        specs = _specs(cursor) if cursor.taking(":") else []
        cursor.expect("=")
        op = cursor.name()
        inputs: list[Tensor] = []
        controls: list[str] = []
        attrs: dict[str, Any] = {}
        cursor.expect("(")
        _separated(cursor, ")", lambda: _argument(cursor, inputs, controls, attrs))
        device = cursor.name() if cursor.taking("@") else ""
        if cursor.kind != "end" and cursor.text != "#":
            raise FormatError(f"column {cursor.at}: {cursor.text!r} is too much")
        if attrs.get("_output_shapes") is _AS_ABOVE:
            attrs["_output_shapes"] = tuple(spec.shape for spec in specs)
        node = Node(op, attrs, tuple(specs), tuple(controls), device)
        self.nodes[name] = (node, inputs)

    def returning(self, cursor: _Cursor) -> None:
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
        made = Graph()
        for name, (node, _) in self.nodes.items():
            made.add_node(name, node=node)
        for name, (_, inputs) in self.nodes.items():
            for slot, tensor in enumerate(inputs):
                if tensor.node not in self.nodes:
                    raise GraphError(
                        f"node {name!r} reads {str(tensor)!r}, which is not there"
                    )
                made.add_edge(tensor.node, name, key=slot, port=tensor.port)
        return made

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


def _position(index: Any) -> int:
    return index if isinstance(index, int) else 0


def _function_head(cursor: _Cursor) -> tuple[str, dict[str, Any]]:
    cursor.step()
    name = cursor.name()
    attrs = _attributes(cursor)
    cursor.expect("{")
    return name, attrs


def _separated(cursor: _Cursor, end: str, item: Callable[[], None]) -> None:
    """Items with commas between them, up to the closing mark."""
    while not cursor.taking(end):
        item()
        if not cursor.taking(","):
            cursor.expect(end)
            return


def _argument(
    cursor: _Cursor, inputs: list[Tensor], controls: list[str], attrs: dict[str, Any]
) -> None:
    if cursor.taking("^"):
        controls.append(cursor.name())
        return
    name = cursor.name()
    if not cursor.taking("="):
        inputs.append(cursor.tensor(name))
        return
    value = _value(cursor)
    attrs.update(
        {f"_absent_{name}": value.text} if isinstance(value, _Absent) else {name: value}
    )


class _Absent(NamedTuple):
    text: str


_AS_ABOVE = object()


def _specs(cursor: _Cursor) -> list[TensorSpec]:
    found = []
    while True:
        dtype = _long_dtype(cursor.name())
        cursor.expect("[")
        found.append(TensorSpec(dtype, _shape(cursor)))
        if not cursor.taking(","):
            return found


def _shape(cursor: _Cursor) -> tuple[int | None, ...] | None:
    if cursor.taking("*"):
        cursor.expect("]")
        return None
    sizes: list[int | None] = []

    def size() -> None:
        sizes.append(None if cursor.taking("?") else cursor.integer())

    _separated(cursor, "]", size)
    return tuple(sizes)


def _long_dtype(short: str) -> str:
    """``float32`` for ``f32``."""
    base, ref = short.removesuffix("&"), "_ref" if short.endswith("&") else ""
    letters = base.rstrip("0123456789")
    if letters in _KINDS and letters != base:
        base = _KINDS[letters] + base[len(letters) :]
    return ("" if base == "_" else base) + ref


def _value(cursor: _Cursor) -> Any:
    cursor.depth += 1
    if cursor.depth > _DEEPEST:
        raise FormatError(f"more than {_DEEPEST} brackets inside each other")
    found = _any_value(cursor)
    cursor.depth -= 1
    return found


def _any_value(cursor: _Cursor) -> Any:
    if cursor.kind == "string":
        return _unquoted(cursor.step())
    if cursor.taking("["):
        listed: list[Any] = []
        _separated(cursor, "]", lambda: listed.append(_value(cursor)))
        return tuple(listed)
    if cursor.text == "{":
        return _attributes(cursor)
    if cursor.taking("@"):
        return FunctionRef(cursor.name(), _attributes(cursor))
    if cursor.taking("?"):
        return None
    if cursor.taking("*"):
        return _AS_ABOVE
    return _word_value(cursor)


def _attributes(cursor: _Cursor) -> dict[str, Any]:
    cursor.expect("{")
    found: dict[str, Any] = {}

    def pair() -> None:
        name = cursor.name()
        cursor.expect(":")
        found[name] = _value(cursor)

    _separated(cursor, "}", pair)
    return found


def _word_value(cursor: _Cursor) -> Any:
    """A number, a constant, a dtype or a tensor."""
    if cursor.kind == "number":
        return _number(cursor.step())
    if cursor.kind != "word":
        raise FormatError(f"column {cursor.at}: a value expected, not {cursor.text!r}")
    word = cursor.step()
    if cursor.text == "[":
        return _tensor(cursor, word)
    if word in _CONSTANTS:
        return _CONSTANTS[word]
    if word in proto.DATA_TYPE_NUMBERS:
        return word
    raise FormatError(
        f"column {cursor.at}: {word!r} is no value; strings stand in quotes"
    )


_CONSTANTS = {"true": True, "false": False, "none": None}


def _number(text: str) -> int | float:
    digits = text.removeprefix("-")
    if not digits.isdigit():
        return float(text)
    if len(digits) > 20:
        raise FormatError(f"{text[:24]}... has more digits than any TensorFlow integer")
    return int(text)


def _tensor(cursor: _Cursor, dtype: str) -> Any:
    """``[shape]{values}``, ``[shape]{value*}`` or ``[shape]#digest``."""
    cursor.expect("[")
    shape = _shape(cursor)
    known = numpy_dtype(_long_dtype(dtype))
    if shape is None or None in shape or known is None:
        raise FormatError(
            f"column {cursor.at}: no tensor is of {dtype} and such a shape"
        )
    sizes = tuple(size for size in shape if size is not None)
    if cursor.taking("#"):
        return _Absent(f"{dtype}[{','.join(map(str, sizes))}]#{cursor.name()}")
    cursor.expect("{")
    values: list[Any] = []
    splat: list[bool] = []

    def element() -> None:
        values.append(_element(cursor))
        splat.append(cursor.taking("*"))

    _separated(cursor, "}", element)
    return _array(values, any(splat), known, sizes)


def _element(cursor: _Cursor) -> Any:
    if cursor.kind == "string":
        return _unquoted(cursor.step()).encode("latin-1", "replace")
    if cursor.kind == "word" and cursor.text in _CONSTANTS:
        return _CONSTANTS[cursor.step()]
    if cursor.kind != "number":
        raise FormatError(f"column {cursor.at}: a value expected, not {cursor.text!r}")
    real = _number(cursor.step())
    return complex(real, _number(cursor.step())) if cursor.taking("|") else real


def _array(
    values: list[Any], splat: bool, dtype: np.dtype[Any], shape: tuple[int, ...]
) -> np.ndarray:
    count = 1
    for size in shape:
        count *= size
    if count > _LARGEST or len(values) != (1 if splat else count):
        raise FormatError(
            f"a tensor of shape {list(shape)} cannot have {len(values)} values"
        )
    made = np.empty(len(values), dtype)
    try:
        made[:] = values
    except (TypeError, ValueError, OverflowError) as error:
        raise FormatError(f"the values are not of {dtype.name} ({error})") from None
    return np.broadcast_to(made[0], shape) if splat else made.reshape(shape)
