"""What each Keras layer computes: one file a chapter of Keras's own documentation.

The folder is open: every Pattern of every module here is in ``layers()``, every Form of ``canonical/`` in ``forms()``.
To add a layer, write one function in one file and its test; to add a second spelling of its ops, a form.
"""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from ..match import Form, Pattern


def _all() -> tuple[Pattern, ...]:
    patterns: dict[str, Pattern] = {}
    for module in pkgutil.walk_packages(__path__, f"{__name__}."):
        content = vars(import_module(module.name))
        for pattern in content.values():
            if not isinstance(pattern, Pattern):
                continue
            if pattern.name in patterns:
                raise ValueError(f"two patterns are called {pattern.name!r}")
            patterns[pattern.name] = pattern
    return tuple(patterns.values())


@cache
def layers() -> tuple[Pattern, ...]:
    """All patterns of layers; raises ValueError where two bear one name."""
    return tuple(each for each in _all() if not isinstance(each, Form))


@cache
def forms() -> tuple[Form, ...]:
    """All canonical forms; raises ValueError where two bear one name."""
    return tuple(each for each in _all() if isinstance(each, Form))
