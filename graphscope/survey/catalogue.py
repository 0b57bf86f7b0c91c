"""The catalogue: a folder of Parquet parts, one row a model, each part there whole or not at all; the latest row of a place counts.

Rows that came in since the last part stand in a journal, a line each, so that a run that is killed loses none; the next run makes a
part of it. Any program that reads Parquet reads the parts; ``query`` shows them to DuckDB as the table ``models``.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ..errors import FormatError, GraphscopeError
from ..graph.named_values import Row
from ..wire.beside import beside, is_running

PARTS = "parts"
ROWS_PER_PART, SECONDS_PER_PART = 1000, 60
MOST_PARTS = 64  # more are made one when a run ends
_JOURNAL = re.compile(r"journal-(\d+)\.jsonl\Z")
_LATEST = "row_number() OVER (PARTITION BY place ORDER BY read_at DESC)"
_RANKED = f"(SELECT *, {_LATEST} AS latest FROM read_parquet(?))"
_LATEST_ROWS = f"SELECT * EXCLUDE (latest) FROM {_RANKED} WHERE latest = 1"
_VIEW = f"""CREATE VIEW models AS
SELECT * EXCLUDE (latest, model, tensors, stamp) FROM {_RANKED} WHERE latest = 1 AND model"""
_FETCHED = 2000  # rows at a time


def schema() -> Any:
    """The columns, as pyarrow has them."""
    import pyarrow as pa

    text = pa.string()
    endpoint = [("tensor", text), ("dtype", text), ("shape", text)]
    return pa.schema(
        [
            ("place", text),
            ("format", text),
            ("producer", text),
            ("family", text),
            ("nodes", pa.int64()),
            ("parameters", pa.int64()),
            ("variables", pa.int64()),
            ("bytes", pa.int64()),
            ("size", pa.int64()),
            ("inputs", pa.list_(pa.struct(endpoint))),
            ("outputs", pa.list_(pa.struct([*endpoint, ("score", pa.float64())]))),
            ("layers", pa.list_(pa.struct([("class", text), ("count", pa.int64())]))),
            (
                "findings",
                pa.list_(pa.struct([(k, text) for k in ("id", "severity", "message")])),
            ),
            ("targets", pa.list_(text)),
            ("structure", text),
            ("shapes", text),
            ("weights", text),
            ("tensors", pa.list_(text)),
            ("inferred", pa.bool_()),
            ("modified", pa.float64()),
            ("stamp", text),
            ("fetched", pa.int64()),
            ("seconds", pa.float64()),
            ("read_at", pa.float64()),
            ("model", pa.bool_()),
            ("error", text),
        ]
    )


def write_part(rows: Sequence[Row], folder: str | Path, name: str) -> None:
    """Write rows as the part of that name, whole or not at all; one that is there is replaced."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pylist(list(rows), schema=schema())
    parts = Path(folder, PARTS)
    parts.mkdir(parents=True, exist_ok=True)
    with beside(parts / f"{name}.parquet") as path:
        pq.write_table(table, path, compression="zstd")


class Catalogue:
    """The catalogue in a folder, which is made; raises GraphscopeError where the folder holds something else."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._check()
        (self.folder / PARTS).mkdir(parents=True, exist_ok=True)
        self._recover()
        self.journal = self.folder / f"journal-{os.getpid()}.jsonl"
        self.rows: list[Row] = []
        self.begun = time.monotonic()

    def _check(self) -> None:
        if self.folder.exists() and not self.folder.is_dir():
            raise GraphscopeError(f"{self.folder} is no folder: a catalogue is one")
        is_other = self.folder.is_dir() and any(self.folder.iterdir())
        if is_other and not (self.folder / PARTS).is_dir():
            raise GraphscopeError(
                f"{self.folder} holds no catalogue but other files: name an empty folder, or a new one"
            )

    def _recover(self) -> None:
        """Make parts of the journals of runs that are no more."""
        for path in sorted(self.folder.iterdir()):
            match = _JOURNAL.fullmatch(path.name)
            if match and not is_running(int(match[1])):
                rows = list(_journal_rows(path))
                if rows:
                    name = f"run-{int(rows[0]['read_at'] * 1e6)}-{match[1]}"
                    write_part(rows, self.folder, name)
                path.unlink(missing_ok=True)

    def known(self) -> dict[str, tuple[int, str]]:
        """Place -> size and stamp as they were when it was read last."""
        import pyarrow.parquet as pq

        latest: dict[str, tuple[float, int, str]] = {}
        for path in self.parts():
            columns = ["place", "size", "stamp", "read_at"]
            table = pq.read_table(path, columns=columns, use_threads=False)
            for place, size, stamp, at in zip(*(c.to_pylist() for c in table.columns)):
                if place not in latest or latest[place][0] <= at:
                    latest[place] = (at, size, stamp)
        return {place: (size, stamp) for place, (_, size, stamp) in latest.items()}

    def parts(self) -> list[Path]:
        """The files of the parts."""
        return sorted((self.folder / PARTS).glob("*.parquet"))

    def add(self, row: Row) -> None:
        """Enter a row: it is on the disk when this returns."""
        with open(self.journal, "a", encoding="ascii") as file:
            file.write(json.dumps(row) + "\n")
        self.rows.append(row)
        is_old = time.monotonic() - self.begun > SECONDS_PER_PART
        if len(self.rows) >= ROWS_PER_PART or is_old:
            self.flush()

    def flush(self) -> None:
        """Make a part of the rows that stand in the journal."""
        if self.rows:
            name = f"run-{int(self.rows[0]['read_at'] * 1e6)}-{os.getpid()}"
            write_part(self.rows, self.folder, name)
        self.journal.unlink(missing_ok=True)
        self.rows, self.begun = [], time.monotonic()

    def merge(self) -> None:
        """One part of many, with the latest row of each place."""
        paths = self.parts()
        if len(paths) <= MOST_PARTS:
            return
        rows = list(self._select(_LATEST_ROWS))
        write_part(rows, self.folder, f"merged-{time.time_ns()}")
        for path in paths:
            path.unlink()

    def _select(self, sql: str) -> Iterator[Row]:
        import duckdb

        paths = [str(path) for path in self.parts()]
        if not paths:
            return
        with duckdb.connect() as connection:
            reader = connection.execute(sql, [paths])
            names = [column[0] for column in reader.description or ()]
            while rows := reader.fetchmany(_FETCHED):
                yield from (dict(zip(names, row)) for row in rows)

    def models(self) -> Iterator[Row]:
        """The latest row of each place that holds a model, by place, some thousand in memory at a time."""
        yield from self._select(f"{_LATEST_ROWS} AND model ORDER BY place")


def _journal_rows(path: Path) -> Iterator[Row]:
    """The rows of a journal; a line that was not finished is none."""
    for line in path.read_text(encoding="ascii", errors="replace").splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            return
        if isinstance(row, dict) and "place" in row and "read_at" in row:
            yield row


def ask(folder: str | Path, sql: str) -> tuple[list[str], list[tuple[object, ...]]]:
    """The columns and rows that a query over the table ``models`` gives; raises GraphscopeError with DuckDB's reason."""
    import duckdb

    paths = sorted(map(str, Path(folder, PARTS).glob("*.parquet")))
    if not paths:
        raise FormatError(
            f"{folder}: no catalogue: make one by graphscope survey PLACE -o {folder}"
        )
    with duckdb.connect() as connection:
        # a view takes no parameters: the paths are ours, and quoted
        listed = "[" + ", ".join("'" + p.replace("'", "''") + "'" for p in paths) + "]"
        try:
            connection.execute(_VIEW.replace("?", listed))
            reader = connection.execute(sql)
            names = [column[0] for column in reader.description or ()]
            return names, reader.fetchall()
        except duckdb.Error as error:
            reason = str(error).splitlines()[0]
            raise GraphscopeError(f"--query: {reason}") from None
