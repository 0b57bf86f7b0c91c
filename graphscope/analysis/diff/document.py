"""A comparison -> its JSON document, and the sentence that sums it up."""

from __future__ import annotations

from ...graph.named_values import Row
from ..sizes import sizes_of
from ..stages import Stages
from .compare import Comparison, Pair, WeightPair, relations


def describe_comparison(comparison: Comparison) -> dict[str, object]:
    """``diff --json``: both models, their layers aligned, their weights paired; keys are documented and stable."""
    pairs = comparison.pairs
    return {
        "a": _model(comparison.a),
        "b": _model(comparison.b),
        "same": comparison.is_same,
        "verdict": verdict(comparison),
        "layers": {
            "aligned": len(pairs),
            "renamed": sum(pair.a != pair.b for pair in pairs),
            "removed": [_node(comparison.a, name) for name in comparison.removed],
            "added": [_node(comparison.b, name) for name in comparison.added],
            "changed": [_pair(pair) for pair in comparison.changed],
        },
        "weights": {
            "relations": relations(comparison),
            "unread": comparison.unread,
            "pairs": [_weight(n, w) for n, w in comparison.weight_pairs()],
        },
        "only_in": {
            side: [
                {"name": n, "role": role} for n, role in comparison.only.get(side, ())
            ]
            for side in ("a", "b")
        },
    }


def _model(analysis: Stages) -> dict[str, object]:
    return {
        "source": analysis.model.source,
        "format": analysis.model.format,
        "layers": len(analysis.layers),
        "parameters": sizes_of(analysis).parameters,
    }


def _node(analysis: Stages, name: str) -> dict[str, str]:
    return {"name": name, "type": analysis.layer_graph.op(name)}


def _pair(pair: Pair) -> dict[str, object]:
    row: Row = {"a": pair.a, "b": pair.b, "type": list(pair.types)}
    row["config"] = {key: list(values) for key, values in pair.config.items()}
    return row | {"shape": None if pair.shape is None else list(pair.shape)}


def _weight(layer: str, pair: WeightPair) -> dict[str, object]:
    shape = None if pair.shape is None else list(pair.shape)
    names = {"layer": layer, "role": pair.role, "a": pair.a, "b": pair.b}
    return {**names, "shape": shape, **pair.change.to_json()}


def verdict(comparison: Comparison) -> str:
    """What a person would say of the two in one sentence."""
    counts = relations(comparison)
    layers = [
        f"{len(names)} {word}"
        for word, names in (
            ("added", comparison.added),
            ("removed", comparison.removed),
            ("changed", comparison.changed),
        )
        if names
    ]
    structure = ", ".join(layers) if layers else "the same layers"
    if not counts:
        return f"{structure}; no weights were compared"
    if set(counts) == {"identical"}:
        return f"{structure}, identical weights"
    if not counts.get("identical") and not counts.get("rounded"):
        if set(counts) == {"unrelated"}:
            return f"{structure}, weights that have nothing to do with each other"
    counts_text = ", ".join(f"{count} {word}" for word, count in counts.items())
    return f"{structure}; weights: {counts_text}"
