"""Which outputs are drawn at random: their numbers cannot be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ...errors import GraphscopeError
from ...freeze.inference.rewrite import find_modes
from ...graph import Model, Tensor
from ...simplify.prune import prune
from ...simplify.rewrites.dropout import drop_dropout
from ...simplify.specialise import specialise
from ..differences import difference
from ..pairing import Pair
from .runner import Runner
from .safety import draws


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
    feeds: Mapping[str, Any],
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
