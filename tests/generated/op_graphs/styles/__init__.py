"""Small graphs in the styles of other people's suites, one module a suite: each function builds a graph and returns what is read of it."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from ..net import STYLES

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

__all__ = ["STYLES"]
