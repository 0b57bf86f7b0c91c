"""Findings on loops: those that only TensorFlow can run, and those that nothing can."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from ...errors import GraphscopeError
from ...graph import Layer, Loop
from ...graph.amounts import number_of
from ...simplify.control_flow.lifted import Region, has_loops
from ...simplify.prune import prune
from ..finding import NAMED, Case, Finding, listed


def find(case: Case) -> Iterator[Finding]:
    functions = case.flat.functions
    if not case.outputs or not has_loops(case.flat.graph, functions):
        return  # before a graph of a million nodes is pruned
    graph = prune(case.flat.graph, case.outputs)
    if not has_loops(graph, functions):
        return
    from ...simplify.control_flow.lift import lift_loops

    lifted = lift_loops(graph, functions, case.outputs)
    yield from _running(case, [region for region in lifted.regions if region.loops])
    if not lifted.broken:
        return
    broken = lift_loops(graph, functions).broken  # wherever an output lies
    if not broken:
        return
    why = next(iter(broken.values()))
    rest = f", and {len(broken) - 1} more like it" if len(broken) > 1 else ""
    yield Finding(
        "broken-loop",
        "error",
        f"{why}{rest}: TensorFlow will not run it",
        tuple(broken),
        case.cut_commands(broken).partition("\n")[0],
    )


def _running(case: Case, regions: list[Region]) -> Iterator[Finding]:
    """The loops that the outputs run, and what each is in Keras source."""
    from ..layers.loops import shown

    if case.layers is None:
        return
    layers = _recovered(case.layers)
    places = _places(regions, layers)
    is_known = [any(not isinstance(x, Loop) for x in each) for each in places]
    rest = [region for region, known in zip(regions, is_known) if not known]
    texts = []
    if any(is_known):
        at_known = [each for each, known in zip(places, is_known) if known]
        kinds = {x.op: None for each in at_known for x in each}
        recovered = [region for region, known in zip(regions, is_known) if known]
        names = listed([shown(region.loops[0]) for region in recovered])
        texts.append(f"{names}: recovered as {', '.join(kinds)}")
    if rest:
        sizes = [f"{shown(r.loops[0])!r} ({number_of(r.ops, 'op')})" for r in rest]
        more = [f"{len(rest) - NAMED} more"] if len(rest) > NAMED else []
        names = ", ".join([*sizes[:NAMED], *more])
        texts.append(
            f"{names}: no recurrent layer of Keras's that is known here, kept as a layer that runs the loop"
        )
    if texts:
        yield Finding(
            "loops",
            "info",
            f"the outputs run {len(regions)} loop{'s' * (len(regions) > 1)}; {'; '.join(texts)}",
            tuple(name for region in regions for name in region.loops),
        )


def _places(regions: list[Region], layers: Iterable[Layer]) -> list[list[Layer]]:
    """For each region the layers that hold a node of it; each node is looked up once, since there may be 100,000 of either."""
    places: list[list[Layer]] = [[] for _ in regions]
    owners: dict[str, list[int]] = {}
    for number, region in enumerate(regions):
        for member in region.members:
            owners.setdefault(member, []).append(number)
    for layer in layers:
        shared = layer.members & owners.keys()
        for number in sorted({n for member in shared for n in owners[member]}):
            places[number].append(layer)
    return places


def _recovered(layers: Callable[[], Iterable[Layer]]) -> tuple[Layer, ...]:
    try:
        return tuple(layers())
    except GraphscopeError:
        return ()
