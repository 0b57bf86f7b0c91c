"""Names of layers that are one op of the graph -> names as their neighbours have them, that begin where the author's scopes do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from ....graph import Graph, Layer
from ..program.names import layer_name, without_numbers
from ..program.program import Step

_READING = frozenset({"ReadVariableOp", "resource", "Read", "read", "Identity"})
_LONGEST = 60  # characters of a name


def scoped(steps: Iterable[Step], graph: Graph) -> tuple[Step, ...]:
    """The steps, whose names begin after the scopes that the names of the layers around them leave out.

    ``einsum_ReadVariableOp_resource_2 -> layer_1_attn_einsum`` beside ``layer_1_attn_norm``; only where the name was numbered, or
    becomes shorter.
    """
    steps = tuple(steps)
    left_out = [scope for scope, count in _left_out(graph).items() if count > 1]
    titles = {s.node: _title(s.node, left_out) for s in steps if _is_op(s, graph)}
    bases = Counter(without_numbers(step.name) for step in steps)
    names = Counter((*(s.name for s in steps), *filter(None, titles.values())))

    def named(step: Step) -> Step:
        title = titles.get(step.node, "")
        numbered = bases[without_numbers(step.name)] > 1
        better = numbered or len(title) < len(step.name)
        is_free = names[title] == 1 and len(title) <= _LONGEST
        return replace(step, name=title) if title and better and is_free else step

    return tuple(map(named, steps))


def _is_op(step: Step, graph: Graph) -> bool:
    """Whether a layer that owns weights is none of the layer graph."""
    known = step.node in graph and isinstance(graph.node(step.node), Layer)
    return bool(step.weights) and not known and step.layer in ("", step.node)


def _left_out(graph: Graph) -> Counter[tuple[str, ...]]:
    """The outer scopes that the names of layers begin after."""
    return Counter(scope for scope in _outer_scopes(graph) if scope)


def _outer_scopes(graph: Graph) -> Iterator[tuple[str, ...]]:
    for name in graph:
        node = graph.node(name)
        if not isinstance(node, Layer):
            continue
        parts, own = node.output.node.split("/"), layer_name(name)
        for start in range(len(parts) - 1):
            if layer_name("/".join(parts[start:])).startswith(own):
                yield tuple(parts[:start])
                break


def _title(node: str, scopes: Sequence[tuple[str, ...]]) -> str:
    """The path of a node after the longest of these scopes that it lies in, less what only reads; "" where it lies in none."""
    parts = node.partition(":")[0].split("/")
    within = [len(scope) for scope in scopes if tuple(parts[: len(scope)]) == scope]
    rest = parts[max(within, default=len(parts)) :]
    while len(rest) > 1 and without_numbers(rest[-1]) in _READING:
        rest.pop()
    return layer_name("/".join(rest)) if rest else ""
