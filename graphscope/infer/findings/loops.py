"""Findings on loops: those that only TensorFlow can run, and those that nothing can."""

from __future__ import annotations

from collections.abc import Iterator

from ...simplify.control_flow.lifted import has_loops
from ...simplify.prune import prune
from ..finding import Case, Finding

_MOST = 4  # loops named in a message


def find(case: Case) -> Iterator[Finding]:
    if not case.outputs:
        return
    graph = prune(case.flat.graph, case.outputs)
    if not has_loops(graph, case.flat.functions):
        return
    from ...simplify.control_flow.lift import lift_loops
    from ..layers.loops import shown

    lifted = lift_loops(graph, case.flat.functions, case.outputs)
    regions = [region for region in lifted.regions if region.loops]
    if regions:
        texts = [f"{shown(r.loops[0])!r} ({r.ops} ops)" for r in regions[:_MOST]]
        if len(regions) > _MOST:
            texts.append(f"{len(regions) - _MOST} more")
        yield Finding(
            "loops",
            "info",
            f"the outputs run {len(regions)} loop{'s' * (len(regions) > 1)}: {', '.join(texts)}; in Keras source a loop "
            "that is a recurrent layer of Keras's is that layer, any other one layer that runs on TensorFlow only",
            tuple(name for region in regions for name in region.loops),
        )
    if not lifted.broken:
        return
    broken = lift_loops(graph, case.flat.functions).broken  # wherever an output lies
    for name, why in broken.items():
        yield Finding(
            "broken-loop",
            "error",
            f"{why}: TensorFlow will not run it",
            (name,),
            "name an --output before the loop",
        )
