"""The same by Dask: a task reads some units and writes their rows as one Parquet part under a name that says which they are.

A task that is run again, because its worker was lost, writes the same part again: nothing is lost and nothing is there twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from functools import cache
from threading import Lock
from typing import Any

from ...errors import GraphscopeError
from ...graph.named_values import Row
from ..catalogue import write_part
from ..options import Limits, check_installed
from ..units import Unit
from .pool import Reader, batches

BATCH = 32  # units a task: one part, some seconds
RETRIES = 5
_LOCAL = "local:"
_LOCK = Lock()  # one request at a time goes to the reader of a worker


@cache
def _reader(limits: Limits) -> Reader:
    return Reader(limits)


def survey_task(units: Sequence[Row], limits: Row, folder: str) -> list[Row]:
    """Read units and write their part; the rows, for whoever counts them."""
    listed = [Unit(**unit) for unit in units]
    with _LOCK:
        rows = list(_reader(Limits(**limits)).rows(listed))
    write_part(rows, folder, part_name(listed))
    return [{**row, "tensors": []} for row in rows]


def part_name(units: Sequence[Unit]) -> str:
    """The name of the part that holds these units, as they are now."""
    text = "\n".join(f"{unit.place} {unit.stamp}" for unit in units)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:24]


def cluster_rows(
    units: Iterable[Unit], limits: Limits, scheduler: str, folder: str
) -> Iterator[Row]:
    """The rows of all units as tasks end, already written; raises GraphscopeError where there is no such scheduler."""
    check_installed("distributed")
    from distributed import as_completed

    with _client(scheduler) as client:
        tasks = (
            client.submit(
                survey_task,
                [asdict(unit) for unit in batch],
                asdict(limits),
                folder,
                key=f"survey-{part_name(batch)}",
                retries=RETRIES,
                pure=False,
            )
            for batch in batches(units, BATCH)
        )
        running = as_completed()
        most = 4 * max(1, len(client.scheduler_info(n_workers=-1)["workers"]))
        for _, task in zip(range(most), tasks):
            running.add(task)
        for task in running:
            yield from task.result()
            task.release()
            for new in [next(tasks, None)]:
                if new is not None:
                    running.add(new)


def _client(scheduler: str) -> Any:
    from distributed import Client, LocalCluster

    try:
        if scheduler.startswith(_LOCAL):
            count = int(scheduler.removeprefix(_LOCAL))
            cluster = LocalCluster(
                n_workers=count, threads_per_worker=1, dashboard_address="127.0.0.1:0"
            )
            return Client(cluster)
        return Client(scheduler, timeout=20)
    except (OSError, ValueError) as error:
        raise GraphscopeError(
            f"--scheduler {scheduler}: {error}; give tcp://HOST:PORT of a Dask scheduler, or local:4"
        ) from None
