"""Why the weights of a file are, or are not, those of a known architecture, in full."""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import GraphError
from ..graph import Model, did_you_mean
from . import families
from .claim import Claim, Family
from .solve import solve
from .weight_index import WeightIndex

_LISTED = 20  # misfits; the rest are counted


def explain_family(model: Model, title: str) -> str:
    """What of a family's weights a file holds, and what does not fit; raises GraphError where no family is called so."""
    by_title = {each.title.lower(): each for each in families()}
    family = by_title.get(title.lower())
    if family is None:
        titles = [each.title for each in by_title.values()]
        hint = did_you_mean(title, titles)
        raise GraphError(
            f"no family is called {title!r}{hint}; known are {', '.join(sorted(titles))}"
        )
    return "\n".join(_lines(WeightIndex(model.variables), family))


def _lines(index: WeightIndex, family: Family) -> Iterator[str]:
    exact, others = solve(index, [family], every=True)
    claims = [*exact, *others]
    if not claims:
        anchors = ", ".join(family.anchors)
        yield f"not {family.title}: of the weights that begin it ({anchors}) none is here"
    for claim in claims:
        yield from _of_claim(claim)


def _of_claim(claim: Claim) -> Iterator[str]:
    where = f" below {claim.root!r}" if claim.root else ""
    if claim.is_exact:
        yield f"{claim}{where}"
        yield from (f"  {line}" for line in claim.conventions)
        if claim.outside:
            yield f"  {len(claim.outside)} weights lie beside it: {', '.join(claim.outside[:3])}"
        return
    bound, misfits = len(claim.net.bound), claim.misfits
    yield f"not {claim.family.title}{where}: {len(misfits)} of {max(bound, len(misfits))} do not fit"
    yield from (f"  {each}" for each in misfits[:_LISTED])
    if len(misfits) > _LISTED:
        yield f"  ... and {len(misfits) - _LISTED} more"
