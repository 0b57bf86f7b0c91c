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
    if not case.outputs:
        return
    graph = prune(case.flat.graph, case.outputs)
    if not has_loops(graph, case.flat.functions):
        return
    from ...simplify.control_flow.lift import lift_loops

    lifted = lift_loops(graph, case.flat.functions, case.outputs)
    yield from _running(case, [region for region in lifted.regions if region.loops])
    if not lifted.broken:
        return
    broken = lift_loops(graph, case.flat.functions).broken  # wherever an output lies
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
    rest = []
    for region in regions:
        places = [x for x in layers if x.members & region.members]
        regions_in = [x for x in places if not isinstance(x, Loop)]
        if not regions_in:
            rest.append(region)
    others = [region for region in regions if region not in rest]
    texts = []
    if others and layers:
        kinds = {x.op: None for r in others for x in layers if x.members & r.members}
        names = listed([shown(r.loops[0]) for r in others])
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


def _recovered(layers: Callable[[], Iterable[Layer]]) -> tuple[Layer, ...]:
    try:
        return tuple(layers())
    except GraphscopeError:
        return ()
