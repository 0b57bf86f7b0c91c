"""A comparison -> one graph of both models with what changed marked: the map that the page colours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ...graph import Graph, Tensor
from ...graph.edit import fresh
from .compare import Comparison, Pair, WeightPair
from .document import verdict

if TYPE_CHECKING:
    from ...render import Drawing

ADDED, REMOVED, CHANGED, MOVED = 1, 2, 3, 4  # as the page's style.css colours them
WORDS = ("", "added", "removed", "changed", "weights")


def draw_comparison(comparison: Comparison, drawing: Drawing) -> Drawing:
    """The drawing of the second model's layers with the first's removed ones among them, every change marked and told."""
    graph, names = _union(comparison)
    changes: dict[str, tuple[int, tuple[str, ...]]] = {
        names[n]: (REMOVED, ("only in the first",)) for n in comparison.removed
    }
    changes |= {n: (ADDED, ("only in the second",)) for n in comparison.added}
    for pair in comparison.pairs:
        lines = tuple(_lines(pair))
        if lines:
            changes[pair.b] = (CHANGED if pair.is_changed else MOVED, lines)
    first = Path(comparison.a.model.source).name
    facts = dict(drawing.facts)
    facts["verdict"] = f"compared with {first}: {verdict(comparison)}"
    facts["findings"] = [
        {"severity": WORDS[change], "node": name, "message": "; ".join(lines)}
        for name, (change, lines) in sorted(changes.items(), key=lambda item: item[1])
    ]
    return replace(
        drawing,
        graph=graph,
        facts=facts,
        altitudes={"layer": graph},
        changes=changes,
        title=f"{drawing.title}, compared",
    )


def _union(comparison: Comparison) -> tuple[Graph, dict[str, str]]:
    """The second's layer graph and the first's removed nodes, wired to the partners of their neighbours; and their names in it."""
    first, second = comparison.a.layer_graph, comparison.b.layer_graph
    graph = Graph()
    for name in second:
        graph.add(name, second.node(name), second.inputs(name))
    names: dict[str, str] = {}
    for name in comparison.removed:
        names[name] = fresh(graph, name) if name in graph else name
        graph.add(names[name], first.node(name))
    names_of_b = {pair.a: pair.b for pair in comparison.pairs} | names
    for name in comparison.removed:
        for slot, tensor in enumerate(first.inputs(name)):
            _join(graph, names_of_b, tensor, names[name], slot)
        for target, slot in first.consumers(name):
            if target not in names and target in names_of_b:
                free = 1 + max(
                    graph[names[name]].get(names_of_b[target], {}), default=0
                )
                slot = max(slot, free, len(graph.inputs(names_of_b[target])))
                _join(graph, names_of_b, Tensor(name), names_of_b[target], slot)
    graph.graph["tensors"] = dict(second.graph.get("tensors", {}))
    return graph, names


def _join(
    graph: Graph, names: dict[str, str], tensor: Tensor, target: str, slot: int
) -> None:
    source = names.get(tensor.node)
    if source is not None and source != target:
        graph.add_edge(source, target, key=slot, port=tensor.port)


def _lines(pair: Pair) -> Iterator[str]:
    if pair.types[0] != pair.types[1]:
        yield f"type: {pair.types[0]} → {pair.types[1]}"
    for key, (one, other) in pair.config.items():
        yield f"{key}: {one} → {other}"
    if pair.shape:
        yield f"output: {pair.shape[0]} → {pair.shape[1]}"
    for each in pair.weights:
        if each.change.relation != "identical":
            yield f"{each.role}: {change_text(each)}"


def change_text(pair: WeightPair) -> str:
    """How a weight changed, in words."""
    change = pair.change
    if change.relation == "scaled":
        return f"scaled by {change.scale:.4g}"
    if change.change is None:
        return change.relation
    cosine = "" if change.cosine is None else f", cosine {change.cosine:.3f}"
    return f"{change.relation} by {change.change:.3g} of its norm{cosine}"
