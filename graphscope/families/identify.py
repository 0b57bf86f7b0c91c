"""A Model of weights alone -> the architecture that it is, where exactly one known family explains every weight."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..graph import Model, Variable
from ..graph.named_values import Row

if TYPE_CHECKING:
    from .claim import Claim


@dataclass(frozen=True)
class Identity:
    """What the catalogue says of a file.

    ``claim`` is the family, if one alone explains every weight below its root; ``model`` has its layers for a graph
    where nothing is left over beside it either. ``rivals`` are several that explain every weight alike, ``near``
    those of which a few do not fit.
    """

    model: Model
    claim: Claim | None = None
    rivals: tuple[Claim, ...] = ()
    near: tuple[Claim, ...] = ()

    def to_json(self) -> Row | None:
        """``{"name", "variant", "confidence", "evidence", "left_over"}``; None where no family is claimed."""
        claim = self.claim
        if claim is None:
            return None
        count = len(claim.net.bound)
        return {
            "name": claim.family.title,
            "variant": claim.variant,
            "confidence": 1.0,
            "evidence": [f"names and shapes, {count} of {count}"],
            "open": claim.open_values,
            "left_over": claim.outside,
        }

    @property
    def remarks(self) -> list[str]:
        """What else is to be said: rivals, weights beside the family; of near ones there are findings."""
        lines = []
        if self.rivals:
            titles = " and ".join(claim.family.title for claim in self.rivals)
            lines.append(
                f"{titles} have these names and shapes alike: neither is claimed"
            )
        if self.claim is not None and self.claim.outside:
            outside = self.claim.outside
            lines.append(
                f"{len(outside)} weights lie beside {self.claim.family.title}: {', '.join(outside[:3])}"
            )
        return lines


def identify(model: Model, options: Mapping[str, object] | None = None) -> Identity:
    """The family of a model that was read without a graph; ``options`` sets what names and shapes leave open."""
    if not model.inferred:
        return Identity(model)
    from .model import with_family
    from .solve import solve
    from .weight_index import WeightIndex

    index = WeightIndex(model.variables)
    exact, near = solve(index, options=options)
    whole = [claim for claim in exact if not claim.outside]
    listed = whole or exact
    if len(listed) != 1:
        return Identity(model, None, tuple(listed), tuple(near))
    claim = listed[0]
    if claim.outside:
        return Identity(model, claim)
    return Identity(with_family(model, claim), claim)


def identify_graph(model: Model, parameters: Iterable[Variable]) -> Identity:
    """The family of a model whose graph is known, by the names and shapes of the weights that its layers have.

    The graph stays as it is: only the name is told, and only where one family explains every weight.
    """
    from .solve import solve
    from .weight_index import WeightIndex

    exact, _ = solve(WeightIndex(parameters))
    whole = [claim for claim in exact if not claim.outside]
    listed = whole or exact
    return Identity(model, listed[0] if len(listed) == 1 else None)
