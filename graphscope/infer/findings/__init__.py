"""Model -> findings: what would break or falsify a freeze, and the remedy. One file a family.

A module of this folder is a family when it has ``find(case) -> Iterator[Finding]``; the folder lists itself.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable

from ...graph import Layer, Model
from ..finding import SEVERITIES, Case, Finding
from ..outputs.answer import Candidates
from ..training.roles import Training

_WITHOUT_GRAPH = (f"{__name__}.checkpoint", f"{__name__}.weights")

__all__ = ["Case", "Finding", "diagnose"]


def diagnose(
    model: Model,
    *,
    outputs: Iterable[str] = (),
    weights: bool = True,
    flat: Model | None = None,
    training: Training | None = None,
    ranking: Callable[[], Candidates] | None = None,
    layers: Callable[[], Iterable[Layer]] | None = tuple,
) -> tuple[Finding, ...]:
    """The findings on a model, worst first.

    ``outputs`` are the names that the user means to freeze, exactly as given; without them the likely outputs are
    looked at. ``weights=False`` leaves the values of the weights unread. ``flat`` (the model inlined), ``training``
    (``study_training`` of it) and ``ranking`` (which gives ``find_outputs`` of it) spare computing them once more.
    ``layers`` gives the recovered layers: what became of its loops (None: nothing is said of that).
    """
    case = Case(model, tuple(outputs), weights, flat, training, ranking, layers)
    chosen = [
        f for f in families() if not model.layered or f.__name__ in _WITHOUT_GRAPH
    ]
    listed = [finding for family in chosen for finding in family.find(case)]
    return tuple(sorted(listed, key=lambda f: -SEVERITIES.index(f.severity)))


def families() -> list:
    """The modules of this folder, by name."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return [importlib.import_module(f"{__name__}.{name}") for name in names]
