"""Model -> every node that could touch files, the network or Python when it is run; nothing is run to find out.

Nested functions are searched, and graphs that are carried as strings too (``DatasetFromGraph``, TensorRT segments): to
hide an op there is a known way around scanners.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from ..errors import FormatError, GraphError
from ..graph import Function, FunctionRef, Graph, Model, Tensor
from ..ops.effects import INSIDE, UNKNOWN, effect_of
from ..wire.write import open_attrs, raw_attr

DEPTH = 8  # graphs within strings within graphs; deeper nesting is itself reported
_LONGEST = 1 << 26  # bytes of a string that is tried as a graph


@dataclass(frozen=True)
class UnsafeNode:
    """One op that is not mere computation. ``what`` is a class of ``ops.effects``; ``where`` names
    the functions and serialised graphs around it, outermost first, and is empty in the main graph.
    """

    node: str
    op: str
    what: str
    where: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "/".join((*self.where, self.node)) + f" ({self.op}: {self.what})"


_CARRIERS = frozenset("DatasetFromGraph FunctionalDatasetFromGraph TRTEngineOp".split())


@cache
def danger_of(op: str) -> str:
    """What the op could touch, as ``ops.effects`` classes it: "files", "network", "processes", "python", "unknown code";
    "" for mere computation.
    """
    effect = effect_of(op)
    return "" if effect in INSIDE else effect


def unsafe_nodes(
    model: Model, outputs: Iterable[Tensor | str] | None = None
) -> tuple[UnsafeNode, ...]:
    """The unsafe nodes of a model, in the file's order; of what ``outputs`` need only, where they are given.

    Functions of the library count as soon as anything calls them, or differentiates what names them as its gradient; without
    ``outputs`` all of them do. A graph of layers has no op that runs.
    """
    if model.layered or model.inferred or _is_harmless(model):
        return ()
    names = None
    if outputs is not None:
        suspects = [
            t.node if isinstance(t, Tensor) else Tensor.parse(t).node for t in outputs
        ]
        names = _running(model.graph, suspects)
    return tuple(
        _Search(model.functions).graph(model.graph, names, (), outputs is None)
    )


def _is_harmless(model: Model) -> bool:
    """Whether there is nothing to search: no op that is more than computation, no function that could hold one."""
    ops = model.graph.kinds()
    return not model.functions and not any(
        danger_of(op) or op in _CARRIERS for op in ops
    )


def _running(graph: Graph, outputs: Iterable[str]) -> set[str]:
    """What runs when these nodes are computed: what is upstream of them, and all of the bodies of calls among that.

    A call that was inlined stays as an IdentityN before the scope of its body; TensorFlow runs what is stateful in a body even where
    nothing reads it.
    """
    names = graph.upstream(outputs, control=True)
    calls = {name for name in names if graph.op(name) == "IdentityN"}
    while calls:
        inside = [n for n in graph if n not in names and _is_inside(n, calls)]
        more = graph.upstream(inside, control=True) - names
        calls = {name for name in more if graph.op(name) == "IdentityN"}
        names |= more
    return names


def _is_inside(name: str, scopes: set[str]) -> bool:
    end = name.find("/")
    while end >= 0:
        if name[:end] in scopes:
            return True
        end = name.find("/", end + 1)
    return False


class _Search:
    """One walk; each function is entered once."""

    def __init__(self, functions: Mapping[str, Function], depth: int = 0) -> None:
        self.functions, self.depth = functions, depth
        self.entered: set[str] = set()
        self.asked: set[tuple[str, int]] = set()  # many nodes share what they say

    def graph(
        self, graph: Graph, names: set[str] | None, where: tuple[str, ...], whole: bool
    ) -> Iterator[UnsafeNode]:
        """The unsafe nodes of one graph and of all that it calls."""
        pending: list[tuple[Graph, set[str] | None, tuple[str, ...]]] = [
            (graph, names, where)
        ]
        while pending:
            here, chosen, path = pending.pop()
            for name, data in here._node.items():
                if chosen is not None and name not in chosen:
                    continue
                op, attrs = data["node"].op, data["node"].attrs
                if danger_of(op) or op in _CARRIERS:
                    yield from self._node(here, name, path)
                if self.functions and (op, id(attrs)) not in self.asked:
                    pending += self._called(attrs, op, path)
            if whole and not pending:
                rest = [f for f in self.functions if f not in self.entered]
                pending += self._enter(rest[:1], where)

    def _called(self, attrs: Any, op: str, path: tuple[str, ...]) -> list[Any]:
        self.asked.add((op, id(attrs)))
        names = [op] if op in self.functions else []
        for key in open_attrs(op, attrs):
            names += _function_names(attrs, key)
        return self._enter(names, path) if names else []

    def _with_gradients(self, names: Iterable[str]) -> Iterator[str]:
        """The functions of these names, and those that the library gives as their gradients."""
        for name in names:
            while name in self.functions and name not in self.entered:
                self.entered.add(name)
                yield name
                name = self.functions[name].gradient

    def _enter(self, names: Iterable[str], path: tuple[str, ...]) -> list[Any]:
        fresh = self._with_gradients(names)
        return [(self.functions[n].graph, None, (*path, n)) for n in fresh]

    def _node(
        self, graph: Graph, name: str, path: tuple[str, ...]
    ) -> Iterator[UnsafeNode]:
        op = graph.op(name)
        what = danger_of(op)
        if what and op not in self.functions:
            yield UnsafeNode(name, op, what, path)
        if op in _CARRIERS:
            yield from self._carried(graph, name, path)

    def _carried(
        self, graph: Graph, name: str, path: tuple[str, ...]
    ) -> Iterator[UnsafeNode]:
        """What the serialised graphs hold that a node is given; unknown code where they cannot be read."""
        texts = list(_strings(graph, name))
        if not texts or self.depth >= DEPTH:
            yield UnsafeNode(name, graph.op(name), UNKNOWN, path)
        for data in texts if self.depth < DEPTH else ():
            inner = _read_graph(data, name)
            if inner is None:
                yield UnsafeNode(name, graph.op(name), UNKNOWN, path)
                continue
            search = _Search(inner.functions, self.depth + 1)
            yield from search.graph(inner.graph, None, (*path, name), True)


def _function_names(attrs: Any, key: str) -> list[str]:
    """The functions that one attribute names, as a function or by a text; attributes of other kinds are not decoded."""
    message = raw_attr(attrs, key)
    if not hasattr(message, "WhichOneof"):
        value = attrs[key]
        values = value if type(value) is tuple else (value,)
        names = [v.name if isinstance(v, FunctionRef) else v for v in values]
        return [name for name in names if isinstance(name, str)]
    kind = message.WhichOneof("value")
    if kind == "func":
        return [message.func.name]
    if kind == "s":
        return [message.s.decode("utf-8", "surrogateescape")]
    if kind == "list":
        texts = [text.decode("utf-8", "surrogateescape") for text in message.list.s]
        return [ref.name for ref in message.list.func] + texts
    return []


def _strings(graph: Graph, name: str) -> Iterator[bytes]:
    """The byte strings that a node is given: attributes, and string constants among its inputs."""
    for key in ("serialized_segment", "segment_funcdef_name", "graph_def"):
        value = graph.attrs(name).get(key)
        if isinstance(value, str) and len(value) > 16:
            yield value.encode("utf-8", "surrogateescape")
    for tensor in graph.inputs(name):
        if graph.op(tensor.node) != "Const":
            continue
        value = graph.attrs(tensor.node).get("value")
        if value is not None and value.dtype == object:
            yield from (v for v in value.reshape(-1).tolist() if isinstance(v, bytes))


def _read_graph(data: bytes, name: str) -> Model | None:
    from ..wire import messages as proto
    from ..wire.nodes import functions_of, graph_from_nodes

    if len(data) > _LONGEST:
        return None
    try:
        message = proto.parse("GraphDef", data, name)
        functions = functions_of(message.library)
        return Model(graph_from_nodes(message.node), functions=functions)
    except (FormatError, GraphError):
        return None
