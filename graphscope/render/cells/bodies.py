"""A loop, a condition or a recurrent layer of its own -> what it computes in a turn, as graphs that can be drawn and tabulated."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from ...graph import RNN, Function, FunctionRef, Graph, Loop, Node, Tensor, TensorSpec
from ...graph.names import Names

_PARTS = {
    "body": "each turn",
    "then_branch": "where it holds",
    "else_branch": "where it does not",
}
_LEAST = 2  # ops below which a part tells nothing: a condition that passes one of two tensors on
GIVENS = frozenset({"Placeholder", "VariableV2", "Const"})


class Body(NamedTuple):
    """A part of a node: what is called ``title`` is computed by ``graph``; ``marks`` are words for its ends.

    Arguments that stay the same from turn to turn (weights) stand in the graph as variables, others as placeholders.
    """

    title: str
    graph: Graph
    specs: Mapping[Tensor, TensorSpec]
    marks: Mapping[str, str]

    def ops(self) -> Counter[str]:
        """How often each op stands in it; what it is given and constants are left out."""
        ops = map(self.graph.op, self.graph)
        return Counter(op for op in ops if op not in GIVENS and op != "Identity")


@dataclass(frozen=True)
class _Part:
    """A function that a node runs; ``labels`` name its arguments, ``steady`` are those that no turn changes,
    ``words`` name its results, ``""`` where one only passes an argument on.
    """

    title: str
    function: Function
    facts: Mapping[Tensor, Any]
    labels: Mapping[str, str]
    steady: frozenset[str]
    words: tuple[str, ...]


def bodies_of(node: Node, functions: Mapping[str, Function] = {}) -> list[Body]:
    """The parts that a node runs, not what runs within these; empty for a node that runs none."""
    bodies = map(_body, _parts(node, functions))
    return [body for body in bodies if body.ops().total() >= _LEAST]


def _parts(node: Node, functions: Mapping[str, Function]) -> Iterator[_Part]:
    if isinstance(node, RNN) and node.function is not None:
        yield _step(node, node.function)
    elif isinstance(node, Loop) and node.function is not None:
        yield from _within(node.function, node.library, node.facts)
    else:
        yield from _named(node, functions, {})
        called = node.attrs.get("f")
        if isinstance(called, FunctionRef) and called.name in functions:
            yield from _within(functions[called.name], functions, {})


def _within(
    function: Function,
    functions: Mapping[str, Function],
    facts: Mapping[str, Mapping[Tensor, Any]],
) -> Iterator[_Part]:
    """What the loops and conditions in a function run."""
    for name in function.graph:
        yield from _named(function.graph.node(name), functions, facts)


def _named(
    node: Node,
    functions: Mapping[str, Function],
    facts: Mapping[str, Mapping[Tensor, Any]],
) -> Iterator[_Part]:
    """The functions that a While or an If names."""
    for key, title in _PARTS.items():
        reference = node.attrs.get(key)
        if not isinstance(reference, FunctionRef) or reference.name not in functions:
            continue
        function = functions[reference.name]
        arguments, known = function.arguments, facts.get(function.name, {})
        fresh = Names()
        labels = {a: fresh.unique(a.rpartition("/")[2] or a) for a in arguments}
        steady: frozenset[str] = frozenset()
        words = ("result",) * len(function.returns)
        if key == "body":
            pairs = list(zip(arguments, function.returns, strict=False))
            steady = frozenset(a for a, tensor in pairs if tensor == Tensor(a))
            words = tuple("" if a in steady else f"next {labels[a]}" for a, _ in pairs)
        yield _Part(title, function, known, labels, steady, words)


def _step(layer: RNN, function: Function) -> _Part:
    """What a recurrent layer's own cell computes."""
    labels = dict(zip(function.arguments, layer.arguments, strict=False))
    first = len(layer.parts)
    states = layer.arguments[first : first + len(layer.sizes)]
    steady = frozenset(function.arguments[first + len(states) :])
    outputs = len(function.returns) - len(states)
    words = ("output",) * outputs + tuple(f"next {state}" for state in states)
    return _Part("each step", function, layer.facts, labels, steady, words)


def _body(part: _Part) -> Body:
    """The graph of a part, less what it only passes on, under short names."""
    inner = part.function.graph
    ends = list(zip(part.function.returns, part.words, strict=False))
    needed = inner.upstream(tensor.node for tensor, word in ends if word)
    names = _short_names([name for name in inner if name in needed], part.labels)
    graph = Graph()
    for name, short in names.items():
        inputs = [Tensor(names[t.node], t.port) for t in inner.inputs(name)]
        graph.add(short, _payload(inner.node(name), name, part), inputs)
    specs = {
        Tensor(names[tensor.node], tensor.port): fact.spec
        for tensor, fact in part.facts.items()
        if tensor.node in names
    }
    return Body(part.title, graph, specs, _marks(ends, names))


def _payload(node: Node, name: str, part: _Part) -> Node:
    if name not in part.labels:
        return node
    spec = getattr(part.facts.get(Tensor(name)), "spec", TensorSpec())
    attrs = {"shape": spec.shape} if name in part.steady else {}
    op = "VariableV2" if name in part.steady else "Placeholder"
    return Node(op, attrs, node.outputs)


def _marks(
    ends: Iterable[tuple[Tensor, str]], names: Mapping[str, str]
) -> dict[str, str]:
    """What each result is called; one tensor may be several."""
    words: dict[str, dict[str, None]] = defaultdict(dict)
    for tensor, word in ends:
        if word and tensor.node in names:
            words[names[tensor.node]][word] = None
    return {name: ", ".join(listed) for name, listed in words.items()}


def _short_names(nodes: list[str], labels: Mapping[str, str]) -> dict[str, str]:
    """Each node's name less the scopes that all of them share; arguments by their labels."""
    inside = [name.split("/") for name in nodes if name not in labels]
    shared = 0
    while all(len(parts) > shared + 1 for parts in inside) and (
        len({parts[shared] for parts in inside}) == 1
    ):
        shared += 1
    fresh = Names()
    return {
        name: fresh.unique(labels.get(name) or "/".join(name.split("/")[shared:]))
        for name in nodes
    }
