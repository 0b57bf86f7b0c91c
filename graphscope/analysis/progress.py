"""What is being done at the moment, for whoever wants to show it.

Work that may take seconds says what it does (``announce``): to the logger ``graphscope``, at level INFO, and to whoever
listens (``listening``).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Listener = Callable[[str], None]
_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


def announce(work: str) -> None:
    """Say what is being done from now on, in a few words."""
    if "logging" in sys.modules:  # nobody can hear it otherwise
        sys.modules["logging"].getLogger("graphscope").info(work)
    listener = _listener.get()
    if listener is not None:
        listener(work)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Hear what is announced meanwhile."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)
