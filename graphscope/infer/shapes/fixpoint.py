"""A pruned graph -> the graph that layers are looked for in: shapes known as far as they can be, arithmetic on them settled."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ...graph import Function, Graph, Model, Shape, Tensor, TensorSpec
from ...simplify.control_flow.selects_to_conds import CHOICE
from ...simplify.shapes.crops import settle_crops
from ...simplify.shapes.fold_sizes import settle_sizes
from ...simplify.shapes.split_slices import settle_slices
from .backward import Implied, implied_shapes
from .facts import Fact
from .forward import infer_facts
from .probes import probe

_ROUNDS = 4  # conditions that decide conditions are nested no deeper in any model seen


@dataclass(frozen=True)
class Sized:
    """The graph, what is known of its tensors, and what its feeds' readers imply of their shapes.

    ``probes`` are the specs of its tensors under several choices of the sizes left open.
    """

    graph: Graph
    facts: Mapping[Tensor, Fact]
    implied: Mapping[str, Implied]
    probes: tuple[Mapping[Tensor, TensorSpec], ...]


def study_sizes(
    pruned: Graph,
    model: Model,
    given: Mapping[str, Shape],
    keep: Collection[str],
    switches: Collection[str] = (),
) -> Sized:
    """``given`` are shapes of feeds that replace what the file says; ``keep`` names the nodes of the outputs.

    ``switches`` are the feeds that switch a mode or a rate.
    """
    found = _studied(pruned, model, given, keep, switches)
    for _ in range(_ROUNDS):
        if _choices(found.graph) == _choices(pruned):
            break
        pruned = found.graph
        found = _studied(pruned, model, given, keep, switches)
    return found


def _choices(graph: Graph) -> int:
    """How many conditions between tensors of different shapes are left: one that sizes decide lets more be known."""
    return sum(1 for name in graph if CHOICE in graph.attrs(name))


def _studied(
    pruned: Graph,
    model: Model,
    given: Mapping[str, Shape],
    keep: Collection[str],
    switches: Collection[str],
) -> Sized:
    functions: Mapping[str, Function] = model.functions
    producer = model.versions.get("producer")

    def infer(graph: Graph, shapes: Mapping[str, Shape]) -> Mapping[Tensor, Fact]:
        return infer_facts(graph, functions=functions, given=shapes, producer=producer)

    facts = infer(pruned, given)
    implied = implied_shapes(pruned, facts, switches)
    known = {**{name: found.shape for name, found in implied.items()}, **given}
    if implied:
        facts = infer(pruned, known)
    probes = probe(pruned, facts, lambda g, chosen: infer(g, {**known, **chosen}))
    kept = frozenset(keep)
    graph = settle_crops(settle_sizes(pruned, facts, probes, kept), facts, kept)
    graph = settle_slices(graph, facts)
    if graph is not pruned:
        facts = infer(graph, known)
    specs = tuple({t: fact.spec for t, fact in each.items()} for each in probes)
    return Sized(graph, facts, implied, specs)
