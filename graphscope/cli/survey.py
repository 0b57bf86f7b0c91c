"""``graphscope survey``: its options, its progress on stderr, what it tells a person."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import GraphscopeError
from .arguments import say, show_json
from .options import PATH, as_json
from .terminal import amount
from .text.show import show

if TYPE_CHECKING:
    from ..survey import Survey, Wishes

DEFAULT = "graphscope-survey"
_EVERY, _EVERY_LINE = 0.5, 30.0  # seconds, on a terminal and elsewhere
_SHOWN = 8  # of a list

OPTIONS = (
    click.argument("place", type=PATH, required=False),
    click.option(
        "-o",
        "--out",
        "--catalogue",
        "catalogue",
        type=PATH,
        default=DEFAULT,
        show_default=True,
        metavar="DIR",
        help="Where the catalogue is; what it knows is not read again.",
    ),
    click.option("--query", metavar="SQL", help="Ask the table models by DuckDB."),
    click.option("--wide", is_flag=True, help="All of the answer, however wide."),
    click.option("--since", metavar="DATE", help="Leave out files that are older."),
    click.option(
        "--format",
        "formats",
        multiple=True,
        metavar="WORD",
        help="Tell of formats with this word.",
    ),
    click.option("--limit", type=int, default=0, help="Look at so many, no more."),
    click.option("--jobs", type=int, default=0, help="Processes; all cores."),
    click.option(
        "--scheduler",
        default="",
        metavar="ADDRESS",
        help="A Dask scheduler's (tcp://HOST:PORT), or local:N.",
    ),
    click.option(
        "--fail-on",
        type=click.Choice(["info", "warning", "error"]),
        help="Exit 1 where a model has such a finding, or cannot be read.",
    ),
    click.option(
        "--sarif", type=PATH, metavar="FILE", help="Write the findings as SARIF."
    ),
    click.option(
        "--hash-weights",
        is_flag=True,
        help="Read the weights that have no checksum, too.",
    ),
    click.option(
        "--timeout",
        type=click.IntRange(min=1),
        default=60,
        show_default=True,
        help="Seconds of processor time for a model.",
    ),
    click.option(
        "--memory",
        type=click.IntRange(min=64),
        default=2048,
        show_default=True,
        help="Megabytes for a model.",
    ),
)


def _with_options(function: Any) -> Any:
    for decorate in reversed(OPTIONS):
        function = decorate(function)
    return function


@click.command("survey")
@_with_options
@as_json
def survey_command(json_wanted: bool, **options: object) -> None:
    """A catalogue of every model under PLACE: a folder, a glob, a zip or tar, a bucket (s3://, gs://, http://).

    One row a model, as Parquet, for SQL (--query), and as a page. What is known is not read again.
    """
    run_survey(options, json_wanted)


def time_of(text: str) -> float:
    """``2026-01-31``, with a time or without, as seconds since 1970; raises a usage error for anything else."""
    try:
        date = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no date such as 2026-01-31") from None
    return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()


class Progress:
    """How far a survey is, on one line of a terminal, or on a line every half minute."""

    def __init__(self) -> None:
        self.is_terminal = sys.stderr.isatty()
        self.begin = self.last = time.monotonic()
        self.is_shown = False

    def __call__(self, state: Survey) -> None:
        now = time.monotonic()
        if now - self.last < (_EVERY if self.is_terminal else _EVERY_LINE):
            return
        self.last = now
        text = progress_text(state, now - self.begin)
        click.echo(f"\r{text}\033[K" if self.is_terminal else text, err=True, nl=False)
        self.is_shown = self.is_terminal
        if not self.is_terminal:
            click.echo(err=True)

    def end(self) -> None:
        if self.is_shown:
            click.echo("\r\033[K", err=True, nl=False)


def progress_text(state: Survey, seconds: float) -> str:
    """``120 of 3,600 files, 40 models, 8.5 a second, about 7 min left``; without an estimate until all files are listed."""
    rate = state.read / seconds if seconds else 0.0
    of = f"{state.read:,} of {state.new:,}" + ("" if state.is_listed else " and more")
    text = f"{of} files, {state.models:,} models, {rate:.1f} a second"
    if state.is_listed and rate:
        left = (state.new - state.read) / rate
        text += (
            f", about {left / 60:.0f} min left"
            if left > 90
            else f", about {left:.0f} s left"
        )
    return text


def run_survey(options: Mapping[str, Any], json_wanted: bool) -> None:
    """Survey a place, or ask a catalogue, and tell what came of it."""
    from ..survey import query, survey
    from ..survey.survey import is_failure, sarif
    from .ledger import check_ours, remember

    place, folder, sql = options["place"], options["catalogue"], options["query"]
    if not (place or sql):
        raise click.UsageError("give a PLACE to survey, or --query SQL")
    if place and options["sarif"]:
        check_ours([options["sarif"]], False)
    document = None
    if place:
        progress, wishes = Progress(), _wishes(options)
        try:
            state = survey(place, folder, wishes, progress)
        finally:
            progress.end()
        document = state.to_json()
        if options["sarif"]:
            write_json(options["sarif"], sarif(folder, wishes))
            remember([options["sarif"]])
    if sql:
        table = query(folder, sql)
        if json_wanted:
            show_json(rows_json(*table))
        else:
            show(rows_text(*table, wide=options["wide"]), wide=True)
    elif document:
        say(document, lambda: survey_text(document), json_wanted)
    if place and options["fail_on"] and is_failure(state, options["fail_on"]):
        sys.exit(1)


def _wishes(options: Mapping[str, Any]) -> Wishes:
    from ..survey.options import Limits, Wishes

    since = time_of(options["since"]) if options["since"] else 0.0
    limits = Limits(options["timeout"], options["memory"], options["hash_weights"])
    names = ("formats", "limit", "jobs", "scheduler")
    return Wishes(since=since, limits=limits, **{name: options[name] for name in names})


def write_json(path: str, document: object) -> None:
    """Write a document whole or not at all."""
    from ..wire.beside import beside

    folder = Path(path).absolute().parent
    if not folder.is_dir():
        raise GraphscopeError(
            f"cannot write {path}: there is no folder {str(folder)!r}"
        )
    with beside(Path(path)) as unfinished:
        unfinished.write_text(json.dumps(document, indent=1), encoding="utf-8")


def rows_json(names: list[str], rows: list[tuple[Any, ...]]) -> str:
    """The answer of a query as JSON: a list of objects."""
    return json.dumps([dict(zip(names, row)) for row in rows], indent=2, default=str)


_NARROW = 12  # characters of a cell that gives way


def rows_text(names: list[str], rows: list[tuple[Any, ...]], wide: bool = False) -> str:
    """The answer of a query as a table that fits the terminal: cells give way first, then the columns asked for last."""
    from .text.tables import Choice, Table, table_text

    cells = [["" if c is None else str(c) for c in row] for row in rows]
    numbers = {
        name
        for i, name in enumerate(names)
        if any(isinstance(row[i], int | float) for row in rows)
    }
    least = {name: _NARROW for name in names[1:] if name not in numbers}
    gives_way = tuple(reversed(names[1:]))
    table = Table(names, cells, rows, frozenset(numbers), least, gives_way)
    return table_text(table, Choice(wide=wide))


def survey_text(document: Mapping[str, object]) -> str:
    """What a survey came to, a line for each thing."""
    return "\n".join(_lines(document))


def _lines(document: Mapping[str, Any]) -> Iterator[str]:
    read, recognised = document["read"], document["models"] - document["read"]
    old = f" ({recognised:,} of them known before)" if recognised > 0 else ""
    yield f"{document['path']}: {document['models']:,} models{old}, {read:,} read in {document['seconds']:.1f} s"
    if document["fetched"]:
        yield f"  fetched    {amount(document['fetched'])}"
    for key in ("formats", "families", "layers", "findings", "relations"):
        counts = {
            name: n for name, n in document[key].items() if name and name != "None"
        }
        for place, line in enumerate(_wrapped(counts)):
            yield f"  {'' if place else key:10} {line}"
    if document["errors"]:
        yield f"  errors     {document['errors']:,}: --query \"SELECT place, error FROM models WHERE error <> ''\""
    yield f"  page       {document['path']}/catalogue.html"


def _wrapped(counts: Mapping[str, int]) -> Iterator[str]:
    """``12 Dense, 3 Conv2D``, some on a line."""
    shown = [f"{count:,} {name}" for name, count in list(counts.items())[:_SHOWN]]
    more = len(counts) - _SHOWN
    shown += [f"{more} more kinds"] if more > 0 else []
    for start in range(0, len(shown), 4):
        end = "," if start + 4 < len(shown) else ""
        yield ", ".join(shown[start : start + 4]) + end
