"""Which outputs chance decides, drawn or in the last bit of an input: their numbers cannot be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ...errors import GraphscopeError
from ...freeze.inference.rewrite import find_modes
from ...graph import Model, Tensor
from ...graph.order import descendants
from ...simplify.prune import prune
from ...simplify.rewrites.dropout import drop_dropout
from ...simplify.specialise import specialise
from ...wire import opdefs
from ..differences import difference
from ..feeds.draw import shaken
from ..feeds.noise import Noise
from ..pairing import Pair
from ..run.runner import Runner
from ..run.safety import draws

_HALVES = {"float16": 2.0**-10, "bfloat16": 2.0**-7}  # their units in the last place
_UNITS = 8  # of them, summed up: of float32's the tolerance is 800
ROUNDING = 4.0  # times its inputs' rounding: what a reference may make of its own
_SHAKES = (
    3  # times that inputs are moved by their last bit to see whether a draw is steady
)


def is_drawn(model: Model, output: str) -> bool:
    """Whether an output depends on random numbers once its mode switches are fed as inference needs.

    Dropout of which the probability to keep is fed as 1 draws a mask of ones: nothing in its output is random.
    """
    if not draws(model, output):
        return False
    try:
        graph = prune(model.graph, [output])
        modes = find_modes(model, graph)
        if not modes:
            return True
        graph = prune(specialise(graph, modes, functions=model.functions), [output])
        list(drop_dropout(graph))
        used = prune(graph, [output])
    except GraphscopeError:
        return True
    if Tensor.parse(output).node not in used:
        return True
    return draws(replace(model, graph=used), output)


def drawn_outputs(
    first: Runner,
    second: Runner,
    pairs: Sequence[Pair],
    feeds: Mapping[str, object],
    before: Sequence[np.ndarray],
) -> list[Pair]:
    """The outputs that differ from run to run; integers that random numbers decide count, whether they did differ or not."""
    suspects = [
        (pair, value)
        for pair, value in zip(pairs, before)
        if any(
            runner.model is not None and is_drawn(runner.model, name)
            for runner, name in zip((first, second), pair)
        )
    ]
    if not suspects:
        return []
    again = first.run(feeds, [pair[0] for pair, _ in suspects])
    return [
        pair
        for (pair, value), other in zip(suspects, again)
        if value.dtype.kind in "iu" or difference(value, other)[1] > 1e-6
    ]


def own_movement(
    runner: Runner, feeds: Mapping[str, object], names: Sequence[str], seed: int = 0
) -> list[float]:
    """How far outputs move, each in its own scale, when every float that is fed moves by one unit in the last place."""
    both = (feeds, shaken(feeds, seed))
    x, y = (runner.run(each, names, Noise()) for each in both)
    return [difference(a, b)[1] for a, b in zip(x, y)]


def is_chaotic(
    runners: Sequence[Runner],
    pairs: Sequence[Pair],
    feeds: Sequence[Mapping[str, object]],
    results: Sequence[Sequence[np.ndarray]],
    tolerance: float,
) -> bool:
    """Whether the last bit of an input moves the outputs as far as two models are apart: such a draw says nothing.

    Untrained networks are like that on numbers larger than those that their normalisations were made for.
    """
    apart = [difference(x, y)[1] for x, y in zip(*results)]
    if max(apart, default=0.0) <= tolerance:
        return False
    moved = [
        own_movement(runner, fed, [pair[side] for pair in pairs], seed)
        for side, (runner, fed) in enumerate(zip(runners, feeds))
        for seed in range(_SHAKES)
    ]
    return all(
        a <= max(tolerance, ROUNDING * max(m)) for a, m in zip(apart, zip(*moved))
    )


def coarseness(model: Model | None, outputs: Sequence[str]) -> float:
    """How far outputs may be apart, in their own scale, that were computed in half precision somewhere on the way; else 0.

    Weights that are only stored in half precision round nothing that is fed.
    """
    if model is None:
        return 0.0
    graph = model.graph
    nodes = [Tensor.parse(name).node for name in outputs]
    above = graph.upstream([node for node in nodes if node in graph])
    feeds = [name for name in above if graph.op(name).startswith("Placeholder")]
    fed = {below for name in feeds for below in descendants(graph, name)}
    dtypes = {
        dtype
        for name in above & fed
        for dtype in opdefs.output_dtypes(graph.op(name), graph.attrs(name))
    }
    return max((_HALVES[d] * _UNITS for d in dtypes if d in _HALVES), default=0.0)
