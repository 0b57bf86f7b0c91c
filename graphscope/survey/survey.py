"""PLACE -> catalogue: list, leave out what is known, read the rest, enter the rows; and what was counted on the way."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..graph.named_values import Document, Row
from ..wire.beside import beside
from .catalogue import Catalogue, ask
from .describe import plain
from .options import NEEDS, Wishes, check_installed
from .output.page import MOST_ROWS, page_of
from .output.sarif import sarif_of
from .places import folders_in
from .relatives import Relation, relations
from .run.cluster import cluster_rows
from .run.pool import ahead, local_rows
from .units import Unit, units_of

PAGE = "catalogue.html"
SEVERITIES = ("info", "warning", "error")
Progress = Callable[["Survey"], None]


@dataclass
class Survey:
    """What a survey came to so far: units listed, known from before and read; models, errors and bytes fetched among those read."""

    folder: str
    listed: int = 0
    known: int = 0
    read: int = 0
    models: int = 0
    errors: int = 0
    fetched: int = 0
    seconds: float = 0.0
    is_listed: bool = False  # all units are listed: how many there are is known
    totals: Totals = field(default_factory=lambda: Totals())
    relations: list[Relation] = field(default_factory=list)

    @property
    def new(self) -> int:
        """How many of the listed units are to be read."""
        return self.listed - self.known

    def count(self, row: Row) -> None:
        """Enter a row that came in."""
        self.read += 1
        self.models += bool(row["model"])
        self.errors += bool(row["error"]) and bool(row["model"])
        self.fetched += row.get("fetched") or 0

    def to_json(self) -> Row:
        """The document of ``graphscope survey --json``."""
        return {
            "path": self.folder,
            "models": self.totals.models,
            "read": self.models,
            "known": self.known,
            "errors": self.totals.errors,
            "fetched": self.fetched,
            "seconds": round(self.seconds, 1),
            **{key: dict(c.most_common()) for key, c in self.totals.counts.items()},
            "relations": dict(Counter(r.what for r in self.relations).most_common()),
        }


class Totals:
    """What all models of a catalogue come to: formats, families, layers, findings."""

    def __init__(self) -> None:
        self.models = self.errors = 0
        self.worst = -1  # of SEVERITIES
        self.counts: dict[str, Counter[str]] = {
            key: Counter() for key in ("formats", "families", "layers", "findings")
        }

    def add(self, row: Row) -> None:
        """Count one more."""
        counts, findings = self.counts, row["findings"] or ()
        self.models += 1
        self.errors += bool(row["error"])
        counts["formats"].update(filter(None, [row["format"]]))
        counts["families"].update(filter(None, [row["family"]]))
        counts["layers"].update({e["class"]: e["count"] for e in row["layers"] or ()})
        counts["findings"].update(f["id"] for f in findings)
        ranks = [SEVERITIES.index(f["severity"]) for f in findings]
        self.worst = max(self.worst, len(SEVERITIES) if row["error"] else -1, *ranks)


def survey(
    place: str, folder: str | Path, wishes: Wishes, progress: Progress
) -> Survey:
    """Read the models of ``place`` that the catalogue in ``folder`` does not know as they are, and write its page.

    Raises GraphscopeError where there is no such place or a package is missing; what is wrong with one model is in its row.
    """
    check_installed(*NEEDS)
    catalogue = Catalogue(folder)
    state = Survey(str(folder))
    begin = time.monotonic()
    units = ahead(_new_units(place, catalogue, wishes, state))
    try:
        for row in _rows(units, catalogue, wishes):
            state.count(row)
            state.seconds = time.monotonic() - begin
            progress(state)
    finally:
        catalogue.flush()
    catalogue.merge()
    rows: list[Row] = []
    for row in catalogue.models():
        if _is_wished(row, wishes):
            state.totals.add(row)
            rows += [row] if len(rows) < MOST_ROWS else []
    state.relations = relations(rows)
    more = state.totals.models - len(rows)
    with beside(Path(folder, PAGE)) as page:
        page.write_text(page_of(rows, state.relations, more), encoding="utf-8")
    state.seconds = time.monotonic() - begin
    return state


def _rows(units: Iterator[Unit], catalogue: Catalogue, wishes: Wishes) -> Iterator[Row]:
    """The rows as they come, entered in the catalogue: by its workers where there is a scheduler."""
    if wishes.scheduler:
        folder = str(catalogue.folder.absolute())
        yield from cluster_rows(units, wishes.limits, wishes.scheduler, folder)
        return
    jobs = wishes.jobs or os.cpu_count() or 1
    for row in local_rows(units, wishes.limits, jobs):
        catalogue.add(row)
        yield row


def _new_units(
    place: str, catalogue: Catalogue, wishes: Wishes, state: Survey
) -> Iterator[Unit]:
    """The units that are new or were changed, as many as are wished for."""
    recorded = catalogue.known()
    home = f"{os.path.realpath(catalogue.folder)}/"
    for unit in units_of(folders_in(place)):
        if unit.modified < wishes.since and unit.modified:
            continue
        if os.path.realpath(unit.path).startswith(home):
            continue  # the catalogue itself
        is_known = recorded.get(plain(unit.place, 4096)) == (unit.size, unit.stamp)
        if wishes.limit and not is_known and state.new >= wishes.limit:
            break
        state.listed += 1
        state.known += is_known
        if not is_known:
            yield unit
    state.is_listed = True


def _is_wished(row: Row, wishes: Wishes) -> bool:
    words = [word.lower() for word in wishes.formats]
    return not words or any(word in str(row["format"]).lower() for word in words)


def query(folder: str | Path, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Columns and rows of a SQL query over the table ``models`` of a catalogue."""
    check_installed(*NEEDS)
    return ask(folder, sql)


def sarif(folder: str | Path, wishes: Wishes) -> Document:
    """The findings of all models as a SARIF 2.1.0 log, which code scanning reads."""
    rows = Catalogue(folder).models()
    return sarif_of(row for row in rows if _is_wished(row, wishes))


def is_failure(state: Survey, severity: str) -> bool:
    """Whether a model has a finding of this severity or a worse one, or could not be read."""
    return state.totals.worst >= SEVERITIES.index(severity)
