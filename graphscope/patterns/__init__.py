"""What each Keras layer computes: one file a chapter of Keras's own documentation.

The folder is open: every Pattern of every module here is in ``layers()``. To add a layer, write one function in one
file and its test.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from ..match import Pattern


@cache
def layers() -> tuple[Pattern, ...]:
    """All patterns; raises ValueError where two bear one name."""
    found: dict[str, Pattern] = {}
    for module in pkgutil.walk_packages(__path__, f"{__name__}."):
        content = vars(import_module(module.name))
        for pattern in content.values():
            if not isinstance(pattern, Pattern):
                continue
            if pattern.name in found:
                raise ValueError(f"two patterns are called {pattern.name!r}")
            found[pattern.name] = pattern
    return tuple(found.values())
