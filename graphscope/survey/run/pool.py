"""Reader processes: each forks its children from one thread in which everything is imported; one on its own, or some side by side."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from ...errors import GraphscopeError
from ...graph.named_values import Row
from ..describe import empty_row
from ..options import Limits
from ..units import Unit
from .limited import request_of

BATCH = 8  # units a request: small, that all readers end together
LISTED_AHEAD = 200_000  # units, some 100 MB
_SERVE = "from graphscope.survey.run.limited import serve; serve()"
_PACKAGE = str(Path(__file__).parents[3])


class Reader:
    """A process that turns units into rows; it is started anew where it ends."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.process = self._started()

    def _started(self) -> subprocess.Popen[str]:
        """-P: what lies in the working directory, maybe next to the models, is never imported."""
        path = os.pathsep.join(
            [_PACKAGE, *filter(None, [os.environ.get("PYTHONPATH")])]
        )
        return subprocess.Popen(
            [sys.executable, "-P", "-c", _SERVE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": path},
        )

    def rows(self, units: Sequence[Unit]) -> Iterator[Row]:
        """The rows of some units. Where the process itself is ended, the unit that it was at has the error, and the next go on."""
        pending = list(units)
        while pending:
            read: set[str] = set()
            for row in self._answer(pending):
                read.add(row["place"])
                yield row
            left = [unit for unit in pending if empty_row(unit)["place"] not in read]
            if left and self.process.poll() is not None:
                reason = f"{left[0].place}: the process that read it was ended"
                yield empty_row(left[0]) | {"error": reason, "stamp": ""}  # try again
                self.process = self._started()
                pending = left[1:]
            else:
                pending = []

    def _answer(self, units: Sequence[Unit]) -> Iterator[Row]:
        answers, requests = self.process.stdout, self.process.stdin
        if answers is None or requests is None:
            return
        try:
            requests.write(request_of(units, self.limits))
            requests.flush()
        except OSError:  # it is gone
            self.process.wait()
            return
        for line in answers:
            if line == "\n":
                return
            yield json.loads(line)
        self.process.wait()

    def close(self) -> None:
        if self.process.stdin is not None:
            self.process.stdin.close()
        self.process.terminate()
        self.process.wait()


def ahead(units: Iterable[Unit]) -> Iterator[Unit]:
    """The same units, listed by a thread ahead of who reads them, so that soon it is known how many there are."""
    listed: queue.Queue[Unit | GraphscopeError | None] = queue.Queue(LISTED_AHEAD)

    def work() -> None:
        try:
            for unit in units:
                listed.put(unit)
            listed.put(None)
        except GraphscopeError as error:  # a place that cannot be listed
            listed.put(error)

    threading.Thread(target=work, daemon=True).start()
    while (unit := listed.get()) is not None:
        if isinstance(unit, GraphscopeError):
            raise unit
        yield unit


def batches(units: Iterable[Unit], size: int = BATCH) -> Iterator[list[Unit]]:
    """Some units at a time."""
    left = iter(units)
    while batch := list(islice(left, size)):
        yield batch


def local_rows(units: Iterable[Unit], limits: Limits, jobs: int) -> Iterator[Row]:
    """The rows of all units as they come, read by so many processes; units are listed no faster than they are read."""
    waiting: queue.Queue[list[Unit] | None] = queue.Queue(2 * jobs)
    done: queue.Queue[Row | None] = queue.Queue(64 * jobs)
    stop = threading.Event()
    threads = [
        threading.Thread(target=_read, args=(waiting, done, limits, stop), daemon=True)
        for _ in range(jobs)
    ]
    for thread in threads:
        thread.start()
    failures: list[GraphscopeError] = []
    arguments = (units, waiting, jobs, stop, failures)
    threading.Thread(target=_feed, args=arguments, daemon=True).start()
    try:
        for _ in range(jobs):
            while (row := done.get()) is not None:
                yield row
    finally:
        stop.set()
    for failure in failures:
        raise failure


def _feed(
    units: Iterable[Unit],
    waiting: queue.Queue[list[Unit] | None],
    jobs: int,
    stop: threading.Event,
    failures: list[GraphscopeError],
) -> None:
    try:
        for batch in batches(units):
            if stop.is_set():
                return
            waiting.put(batch)
    except GraphscopeError as error:  # a place that cannot be listed: for the caller
        failures.append(error)
    finally:
        for _ in range(jobs):
            waiting.put(None)


def _read(
    waiting: queue.Queue[list[Unit] | None],
    done: queue.Queue[Row | None],
    limits: Limits,
    stop: threading.Event,
) -> None:
    reader = Reader(limits)
    try:
        while not stop.is_set() and (batch := waiting.get()) is not None:
            for row in reader.rows(batch):
                done.put(row)
    finally:
        reader.close()
        done.put(None)
