"""The families tried on the weights of a file: exact claims, and those that nearly fit with what does not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any

from . import families
from .claim import Claim, Family
from .notation.net import TooMany
from .notation.sequences import SequenceNet
from .notation.unknowns import Unknown, Width, number
from .weight_index import WeightIndex, under

_NEAR = 0.1  # the share of weights that may not fit for "not X: ..." to be worth a line
_FEW = 8  # of fewer weights nothing can nearly fit
_STOPS = (TypeError, ValueError, IndexError, ZeroDivisionError, KeyError)


def solve(
    index: WeightIndex,
    among: Iterable[Family] | None = None,
    options: Mapping[str, object] | None = None,
    every: bool = False,
) -> tuple[list[Claim], list[Claim]]:
    """Exact claims, and near ones (``every`` one that was tried) with the nearest first.

    ``options`` sets free values (attention heads). Where two exact claims stand at one root, names could not decide
    between two wirings: both are listed as they are, and the caller claims neither.
    """
    exact: list[Claim] = []
    near: list[Claim] = []
    for each in families() if among is None else among:
        for root in _roots(index, each):
            claim = attempt(index, each, root, options or {})
            (exact if claim.is_exact else near).append(claim)
    near = [claim for claim in near if every or _is_near(claim)]
    return exact, sorted(near, key=lambda claim: len(claim.misfits))


def _roots(index: WeightIndex, family: Family) -> list[str]:
    """Where the names of a family may begin: wherever one of its anchors stands."""
    roots = (root for anchor in family.anchors for root in index.roots.get(anchor, ()))
    return list(dict.fromkeys(roots))


def _is_near(claim: Claim) -> bool:
    count = len(claim.net.bound)
    return count >= _FEW and len(claim.misfits) <= max(1, _NEAR * count)


def attempt(
    index: WeightIndex, family: Family, root: str, options: Mapping[str, object]
) -> Claim:
    """One family at one root, with the values of its unknowns under which most fits."""
    unknowns = family.unknowns
    choices = [
        (
            unknown.values
            if unknown.kind == "one of"
            else (_value(index, root, name, unknown, options),)
        )
        for name, unknown in unknowns.items()
    ]
    best: Claim | None = None
    for values in product(*choices):
        arguments = dict(zip(unknowns, values, strict=True))
        for name, unknown in unknowns.items():
            if isinstance(arguments[name], Width):
                arguments[name] = Width(name)  # each try binds its own
        net = SequenceNet(index, root, family.roles)
        if best is not None:
            net.limit = min(net.limit, len(best.misfits))
        try:
            family.build(net, **arguments)
        except TooMany:
            pass
        except _STOPS as error:
            net.misfits.append(f"the builder stops: {error}")
        solved = {
            name: number(value) if isinstance(value, Width) else value
            for name, value in arguments.items()
        }
        claim = Claim(family, root, solved, net, index)
        if best is None or len(claim.misfits) < len(best.misfits):
            best = claim
        if claim.is_exact:
            break
    if best is None:
        raise ValueError(f"{family.title}: nothing to try")
    return best


def _value(
    index: WeightIndex,
    root: str,
    name: str,
    unknown: Unknown,
    options: Mapping[str, object],
) -> Any:
    """What names alone say of an unknown; a Width where shapes must."""
    where = unknown.where
    if unknown.kind == "free":
        return options.get(name, unknown.values[0])
    if unknown.kind == "has":
        return under(root, where) in index.shapes
    if unknown.kind == "names":
        return tuple(sorted(index.children.get(under(root, where), ())))
    if unknown.kind == "count":
        return index.count(root, where, unknown.start)
    if unknown.kind == "counts":
        head, _, tail = where.partition("{}")
        outer = index.count(root, f"{head}{{}}", unknown.start)
        numbers = range(unknown.start, unknown.start + outer)
        return tuple(
            index.count(root, f"{head}{n}{tail}", unknown.start) for n in numbers
        )
    paths = [under(root, each) for each in unknown.values]
    is_here = not paths or any(path in index.shapes for path in paths)
    return Width(name) if is_here else None
