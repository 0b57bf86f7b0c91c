"""What is being done at the moment, for whoever wants to show it.

Work that may take seconds says what it does (``announce``): to the logger ``graphscope``, at level INFO, and to whoever
listens (``listening``).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

Listener = Callable[[str, float | None], None]
T = TypeVar("T")
_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


def announce(work: str, share: float | None = None) -> None:
    """Say what is being done from now on, in a few words; ``share`` of the whole is done, where the whole is known."""
    if "logging" in sys.modules:  # nobody can hear it otherwise
        sys.modules["logging"].getLogger("graphscope").info(work)
    listener = _listener.get()
    if listener is not None:
        listener(work, share)


def announced(
    items: Iterable[T], words: Callable[[T], str], size: Callable[[T], float]
) -> Iterator[T]:
    """The items, each announced before it is taken, with the share that those before it have of all sizes."""
    listed = list(items)
    sizes = [size(item) for item in listed]
    whole, done = sum(sizes) or 1, 0.0
    for item, amount in zip(listed, sizes, strict=True):
        announce(words(item), done / whole)
        yield item
        done += amount


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Hear what is announced meanwhile."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)
