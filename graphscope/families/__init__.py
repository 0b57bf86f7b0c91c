"""Names and shapes -> a known architecture. OPEN FOLDER: ``catalogue/`` has one builder a family, by where they come from.

A builder is ordinary code over a closed vocabulary of layers (``layers.py``), with typed unknowns as the defaults of its
parameters (``unknowns.py``). Run on the weights of a file it binds every one or says what does not fit; its trace is
the graph of the layers. A family is claimed only if every weight is bound and none is left over.
"""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from typing import Any

from . import catalogue
from .claim import Claim, Family
from .notation.unknowns import Unknown

__all__ = ["Claim", "Family", "families", "family"]

_families: dict[str, Family] = {}


def family(
    title: str,
    *anchors: str,
    roles: Mapping[str, str | tuple[str, ...]] | None = None,
    variant: Callable[..., str] | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a builder; raises ValueError where another has its title."""

    def register(build: Callable[..., object]) -> Callable[..., object]:
        if title in _families:
            raise ValueError(f"two families are called {title!r}")
        parameters = inspect.signature(build).parameters.values()
        unknowns = {
            p.name: p.default for p in parameters if isinstance(p.default, Unknown)
        }
        _families[title] = Family(title, build, anchors, roles or {}, unknowns, variant)
        return build

    return register


@cache
def families() -> tuple[Family, ...]:
    """Every family of the catalogue."""
    for module in pkgutil.walk_packages(catalogue.__path__, f"{catalogue.__name__}."):
        import_module(module.name)
    return tuple(_families.values())
