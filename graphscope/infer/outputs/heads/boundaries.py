"""Training -> where one network ends and another begins: a generator before its judge, copies of trained networks."""

from __future__ import annotations

from ....ops import spellings
from ...training.roles import Training
from ...training.weight_groups import union_of
from .alive import is_alive, readers_of

_VIEWS = frozenset({*spellings.CONCATS, *"Pack Reshape ExpandDims Transpose".split()})
_FAR = 8
_MOST_OF_A_NET = 0.4  # of one optimizer's weights; CycleGAN's two generators share one


def boundaries_of(study: Training) -> list[int]:
    """Where one optimizer's weights end and another's begin: the generator's image before the discriminator."""
    groups = study.weight_groups
    if len(groups) < 2:
        return []
    flow, deps, boundaries = study.flow, study.deps, []
    for i in range(len(flow)):
        if not is_alive(study, i) or deps.reduced[i]:
            continue
        own = [g for g in groups if deps.weights[i] & g]
        share = (
            (deps.weights[i] & own[0]).bit_count() / own[0].bit_count() if own else 0
        )
        if len(own) != 1 or share < _MOST_OF_A_NET:
            continue
        others = union_of([g for g in groups if g != own[0]])
        if any(deps.applied[n] & others for n in readers_of(study, i)):
            boundaries.append(_before_join(study, i))
    return [i for i in boundaries if not is_blend(study, i, boundaries)]


def is_blend(study: Training, i: int, boundaries: list[int]) -> bool:
    """Whether a boundary is another one mixed with data: the points between real and false of a gradient penalty."""
    weights, feeds = study.deps.weights, study.deps.feeds
    return any(
        n != i
        and weights[n] == weights[i]
        and feeds[n] != feeds[i]
        and not feeds[n] & ~feeds[i]
        and study.flow.upstream([i])[n]
        for n in boundaries
    )


def _before_join(study: Training, i: int) -> int:
    """The image itself, not what it is shown beside in a concatenation, a view of it, or the noise that a judge adds."""
    flow, weights = study.flow, study.deps.weights
    for _ in range(_FAR):
        parts = {s for s, _ in flow.inputs[i] if weights[s]}
        passes = flow.ops[i] in _VIEWS or adds_noise(study, i)
        if len(parts) != 1 or not passes or study.deps.applied[i]:
            return i
        i = parts.pop()
    return i


def adds_noise(study: Training, i: int) -> bool:
    """Whether a node adds to a value what is drawn, and nothing else."""
    flow, deps = study.flow, study.deps
    rest = [s for s, _ in flow.inputs[i] if not deps.weights[s]]
    drawn = [s for s in rest if deps.feeds[s] & deps.random]
    return flow.ops[i] in spellings.SUMS and len(drawn) == len(rest) == 1


def ends_of_copies(study: Training) -> list[int]:
    """The ends of networks whose weights are copied from the trained ones: a target network's values."""
    flow, loose = study.flow, study.loose
    if loose is None or not study.copies:
        return []
    copies = []
    for i in range(len(flow)):
        copied = loose.feeds[i] and loose.weights[i] & study.copies
        if not copied or study.deps.weights[i] or i in study.roles:
            continue
        if all(n in study.roles or not loose.feeds[n] for n in readers_of(study, i)):
            copies.append(i)
    return copies
