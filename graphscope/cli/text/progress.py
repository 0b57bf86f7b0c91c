"""A line on stderr that says what is being done, where that takes longer than a second and a person looks.

It is drawn on a terminal only, never into a file or a pipe, and is gone before anything is printed.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE = 1.0  # seconds before there is a line
_PERIOD = 0.2
_ENOUGH = 0.05  # of the whole: what comes before says little of the rest
_CLEAR = "\r\x1b[K"


class Notice:
    """The line, drawn by a thread of its own while the work goes on."""

    def __init__(self) -> None:
        self.work = "reading"
        self.begin = time.monotonic()
        self.share: float | None = None
        self.counted_from: float | None = (
            None  # since when the share of a whole is told
        )
        self.over = threading.Event()
        self.lock = threading.Lock()
        self.is_drawn = False
        self.thread = threading.Thread(target=self._draw, daemon=True)

    def hear(self, work: str, share: float | None) -> None:
        """What is being done from now on, and the share of the whole that is done."""
        if share is None or not share:
            self.counted_from = None if share is None else time.monotonic()
        self.work, self.share = work, share

    def text(self, now: float) -> str:
        """``reading the values of w … 40 %, 3 s, about 5 s left``: the estimate from a twentieth on."""
        words = [f"{now - self.begin:.0f} s"]
        share, since = self.share, self.counted_from
        if share is not None:
            words.insert(0, f"{share:.0%}".replace("%", " %"))
        if share is not None and share >= _ENOUGH and since is not None:
            words.append(f"about {(now - since) * (1 - share) / share:.0f} s left")
        return f"{self.work} … {', '.join(words)}"

    def end(self) -> None:
        """No line from now on; one that stands is wiped."""
        with self.lock:
            self.over.set()
            if self.is_drawn:
                sys.stderr.write(_CLEAR)
                sys.stderr.flush()
                self.is_drawn = False

    def _draw(self) -> None:
        if self.over.wait(PATIENCE):
            return
        while not self.over.wait(_PERIOD):
            with self.lock:
                if not self.over.is_set():
                    self._write()

    def _write(self) -> None:
        from ..terminal import printable

        width = os.get_terminal_size(sys.stderr.fileno()).columns or 80
        work, gap, rest = printable(self.text(time.monotonic())).rpartition(" … ")
        text = work[: max(0, width - 1 - len(gap + rest))] + gap + rest
        sys.stderr.write(f"{_CLEAR}{text}")
        sys.stderr.flush()
        self.is_drawn = True


_current: Notice | None = None


def end_notice() -> None:
    """Wipe the line, before something is printed."""
    if _current is not None:
        _current.end()


@contextmanager
def noticing() -> Iterator[None]:
    """Show what is being done meanwhile, where stderr is a terminal that can wipe a line."""
    global _current
    if not sys.stderr.isatty() or os.environ.get("TERM", "dumb") == "dumb":
        yield
        return
    from ...analysis.progress import listening

    _current = Notice()
    _current.thread.start()
    try:
        with listening(_current.hear):
            yield
    finally:
        _current.end()
        _current = None
