"""PLACE -> catalogue: list, leave out what is known, read the rest, enter the rows; and what was counted on the way."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .catalogue import Catalogue, ask
from .describe import Row, plain
from .options import NEEDS, Wishes, check_installed
from .output.page import page_of
from .output.sarif import sarif_of
from .places import folders_in
from .relatives import Relation, relations
from .run.cluster import cluster_rows
from .run.pool import local_rows
from .units import Unit, units_of

PAGE = "catalogue.html"
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
    rows: list[Row] = field(default_factory=list)
    relations: list[Relation] = field(default_factory=list)

    def count(self, row: Row) -> None:
        """Enter a row that came in."""
        self.read += 1
        self.models += bool(row["model"])
        self.errors += bool(row["error"]) and bool(row["model"])
        self.fetched += row.get("fetched") or 0

    def to_json(self) -> dict[str, Any]:
        """The document of ``graphscope survey --json``."""
        formats = Counter(row["format"] for row in self.rows if not row["error"])
        return {
            "path": self.folder,
            "models": len(self.rows),
            "read": self.models,
            "known": self.known,
            "errors": sum(bool(row["error"]) for row in self.rows),
            "fetched": self.fetched,
            "seconds": round(self.seconds, 1),
            "formats": dict(formats.most_common()),
            "families": _counted(row["family"] for row in self.rows),
            "layers": _layers(self.rows),
            "findings": _counted(
                f["id"] for row in self.rows for f in row["findings"] or ()
            ),
            "relations": _counted(relation.what for relation in self.relations),
        }


def _counted(texts: Iterable[str | None]) -> dict[str, int]:
    return dict(Counter(text for text in texts if text).most_common())


def _layers(rows: Iterable[Row]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for row in rows:
        total.update({e["class"]: e["count"] for e in row["layers"] or ()})
    return dict(total.most_common(20))


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
    units = _new_units(place, catalogue, wishes, state)
    try:
        for row in _rows(units, catalogue, wishes):
            state.count(row)
            state.seconds = time.monotonic() - begin
            progress(state)
    finally:
        catalogue.flush()
    catalogue.merge()
    state.rows = [r for r in catalogue.models() if _is_wished(r, wishes)]
    state.relations = relations(state.rows)
    page = Path(folder, PAGE)
    page.write_text(page_of(state.rows, state.relations), encoding="utf-8")
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
    known = catalogue.known()
    home = f"{os.path.realpath(catalogue.folder)}/"
    for unit in units_of(folders_in(place)):
        if unit.modified < wishes.since and unit.modified:
            continue
        if os.path.realpath(unit.path).startswith(home):
            continue  # the catalogue itself
        if wishes.limit and state.listed >= wishes.limit:
            break
        state.listed += 1
        if known.get(plain(unit.place, 4096)) == (unit.size, unit.stamp):
            state.known += 1
        else:
            yield unit
    state.is_listed = True


def _is_wished(row: Row, wishes: Wishes) -> bool:
    words = [word.lower() for word in wishes.formats]
    return not words or any(word in str(row["format"]).lower() for word in words)


def query(folder: str | Path, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Columns and rows of a SQL query over the table ``models`` of a catalogue."""
    check_installed(*NEEDS)
    return ask(folder, sql)


def sarif(survey_: Survey) -> dict[str, Any]:
    """The findings of all models as a SARIF 2.1.0 log, which code scanning reads."""
    return sarif_of(survey_.rows)


SEVERITIES = ("info", "warning", "error")


def is_failure(survey_: Survey, severity: str) -> bool:
    """Whether a model has a finding of this severity or a worse one, or could not be read."""
    worst = SEVERITIES[SEVERITIES.index(severity) :]
    return any(
        row["error"] or any(f["severity"] in worst for f in row["findings"] or ())
        for row in survey_.rows
    )
