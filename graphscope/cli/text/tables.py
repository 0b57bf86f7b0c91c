"""Tables that fit a terminal: which rows, which columns, in which order, and what gives way where there is no room.

Where a table is wider than the terminal (80 columns where there is none), this gives way in this order: the columns of
``LEAST`` are shortened, down to that many characters; names down to ``NAME``; then whole columns are left out in the order of
``DROPPED``, and what remains has their room; last, names are shortened further. A line below the table says which columns
are left out. ``--wide`` shows all. Names that would be the same once shortened stand whole on a line of their own, above their row.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

import click

from ..terminal import amount, number, printable, shape_text

GAP = 2  # blanks between columns
LEAST = {"config": 14, "connected to": 12, "role": 14, "why": 14, "weight": 24}
NAMES = frozenset({"weight"})  # of them: those of which the middle gives way
_OTHERS = ("connected to",)  # columns that name other rows
NAME, SHORTEST = 36, 16  # characters of a name, which is the first column
DROPPED = tuple(
    "connected to,config,dead,inf,nan,zeros,std,mean,dtype,bytes".split(",")
)

STATISTICS = ("minimum", "maximum", "mean", "std", "zeros", "nan", "inf", "dead")

Decorated = Callable[..., Any]


@dataclass(frozen=True)
class Choice:
    """What was asked of a table: ``columns`` by name, rows that hold ``pattern``, sorted by ``sort``, as wide as it is."""

    wide: bool = False
    sort: str = ""
    pattern: str = ""
    columns: tuple[str, ...] = ()


@dataclass
class Table:
    """``rows`` are cells as text; ``values``, where given, what they are sorted by; ``right`` the columns of numbers;
    ``least`` and ``dropped`` are what gives way where there is no room, as the module says.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    values: Sequence[Sequence[Any]] = ()
    right: frozenset[str] = frozenset()
    least: Mapping[str, int] = field(default_factory=lambda: LEAST)
    dropped: Sequence[str] = DROPPED


def of_tables(command: Decorated) -> Decorated:
    """``--wide --sort --grep --columns`` of a command that prints a table; they arrive as one ``choice``."""

    @wraps(command)
    def with_shown(
        *args: object, wide: bool, sort: str, grep: str, columns: str, **options: object
    ) -> Any:
        names = tuple(each.strip() for each in columns.split(",") if each.strip())
        choice = Choice(wide, sort, grep, names)
        return command(*args, choice=choice, **options)

    wrapped: Decorated = with_shown
    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped


_OPTIONS = (
    click.option("--wide", is_flag=True, help="All of it, however wide."),
    click.option("--sort", default="", metavar="COLUMN", help="-COLUMN: downwards."),
    click.option(
        "--grep",
        default="",
        metavar="TEXT",
        help="Rows that hold it, in any column.",
    ),
    click.option("--columns", default="", metavar="A,B", help="These columns alone."),
)


def width_of_terminal() -> int:
    """The columns that there are: COLUMNS, the terminal's, 80 where the text goes into a pipe."""
    return shutil.get_terminal_size((80, 24)).columns if _asked() else 80


def _asked() -> bool:
    return sys.stdout.isatty() or "COLUMNS" in os.environ


def table_text(table: Table, choice: Choice, width: int | None = None) -> str:
    """The table as lines; raises BadParameter where a column is asked for that it has not."""
    rows = _rows(table, choice)
    at = _columns(table, choice)
    head = [table.head[i] for i in at]
    cells = [[printable(row[i]) for i in at] for row in rows]
    room = None if choice.wide else width or width_of_terminal()
    sizes = _sizes(table, head, cells, room, keep=bool(choice.columns))
    for i, name in enumerate(head):
        if name in NAMES and sizes[i]:
            for line, text in zip(cells, _cuts([c[i] for c in cells], sizes[i])):
                line[i] = text
    names = _distinct([line[0] for line in cells], sizes[0], _total(sizes))
    lines = [
        _line(line, head, sizes, table.right)
        for line in (head, ["-" * size for size in sizes])
    ]
    for (first, *rest), line in zip(names, cells, strict=True):
        lines += [*rest, _line([first, *line[1:]], head, sizes, table.right)]
    omissions = [name for name, size in zip(head, sizes, strict=True) if not size]
    if omissions:
        lines.append(_left_out(omissions, room))
    return "\n".join(lines)


def _left_out(names: Sequence[str], room: int | None) -> str:
    """The line below a table that has not all columns: as many of their names as there is room for."""
    for count in range(len(names), 0, -1):
        more = f" and {len(names) - count} more" if count < len(names) else ""
        line = f"(left out: {', '.join(names[:count])}{more}; --wide shows all)"
        if room is None or len(line) <= room:
            break
    return line


def _columns(table: Table, choice: Choice) -> list[int]:
    for name in (*choice.columns, *filter(None, [choice.sort.lstrip("-")])):
        if name not in table.head:
            head = ", ".join(table.head)
            raise click.BadParameter(f"no column {name!r}; there are: {head}")
    names = choice.columns or table.head
    return [list(table.head).index(name) for name in names]


def _rows(table: Table, choice: Choice) -> list[Sequence[str]]:
    """The rows that hold the text, sorted. It may stand in a column that is not shown, but for the names of others: those of
    what a row reads are sought where they are shown alone.
    """
    values = table.values or table.rows
    pairs = list(zip(table.rows, values, strict=True))
    if choice.pattern:
        text = choice.pattern.lower()
        shown = _columns(table, choice)
        places = [
            i for i, name in enumerate(table.head) if i in shown or name not in _OTHERS
        ]
        pairs = [p for p in pairs if any(text in str(p[0][i]).lower() for i in places)]
    name = choice.sort.lstrip("-")
    if name in table.head:
        at = list(table.head).index(name)
        pairs.sort(key=lambda p: _key(p[1][at]), reverse=choice.sort.startswith("-"))
    return [row for row, _ in pairs]


def _key(value: object) -> tuple[int, float, str]:
    """Numbers by size, shapes by their elements, all else by its text."""
    if isinstance(value, list | tuple):
        product = 1.0
        for size in value:
            product *= size if isinstance(size, int | float) else 1
        return 0, product, str(value)
    if isinstance(value, int | float):
        return 0, float(value), ""
    return 1, 0.0, str(value)


def _sizes(
    table: Table,
    head: Sequence[str],
    cells: Sequence[Sequence[str]],
    room: int | None,
    keep: bool,
) -> list[int]:
    """The width of each column, 0 for one that is left out."""
    whole = [
        max(len(name), *map(len, column), 0) for name, *column in zip(head, *cells)
    ]
    droppable = [] if keep else [name for name in table.dropped if name in head]
    omissions: set[str] = set()
    while room is not None:
        sizes = [0 if n in omissions else w for n, w in zip(head, whole, strict=True)]
        for i, name in enumerate(head):
            _shorten(sizes, i, table.least.get(name, sizes[i]), room)
        _shorten(sizes, 0, NAME, room)
        if _total(sizes) <= room or not droppable:
            _shorten(sizes, 0, SHORTEST, room)
            return sizes
        omissions.add(droppable.pop(0))
    return whole


def _shorten(sizes: list[int], i: int, least: int, room: int) -> None:
    """Take what is too much from one column."""
    if sizes[i] > least:
        sizes[i] = max(least, sizes[i] - max(0, _total(sizes) - room))


def _total(sizes: Sequence[int]) -> int:
    return sum(size + GAP for size in sizes if size) - GAP


def _line(
    cells: Sequence[str],
    head: Sequence[str],
    sizes: Sequence[int],
    right: Iterable[str],
) -> str:
    parts = [
        _fit(cell, size, name in right, name in LEAST and name not in NAMES)
        for cell, name, size in zip(cells, head, sizes, strict=True)
        if size
    ]
    return (" " * GAP).join(parts).rstrip()


TAILS = (3 / 5, 0, 1, 1 / 3)  # of a shortened name, how much is its end


def _distinct(names: Sequence[str], size: int, room: int) -> list[list[str]]:
    """Each name in its width: cut where that leaves most of them apart; those that would be the same are told whole, above.

    Each is what stands in the row, and the lines above it, which have ``room``.
    """
    whole, best = set(names), _cuts(names, size)
    owners: dict[str, set[str]] = {}
    for short, name in zip(best, names, strict=True):
        owners.setdefault(short, set()).add(name)
    if len(owners) == len(whole):
        return [[short] for short in best]
    return [
        [short] if len(owners[short]) == 1 else ["", *_pieces(name, room)]
        for short, name in zip(best, names, strict=True)
    ]


def _cuts(names: Sequence[str], size: int) -> list[str]:
    """Each name in its width, cut where that leaves most of them apart."""
    cuts = [[_cut(name, size, tail) for name in names] for tail in TAILS]
    return max(cuts, key=lambda cut: len(set(cut)))


def _pieces(name: str, room: int) -> list[str]:
    """A name in lines of ``room``."""
    return [name[start : start + room] for start in range(0, len(name), room)]


def _cut(cell: str, size: int, tail: float) -> str:
    """At most ``size`` characters, the rest an ellipsis; ``tail`` of them are the end."""
    if len(cell) <= size:
        return cell
    end = int((size - 1) * tail)
    return f"{cell[: size - 1 - end]}…{cell[len(cell) - end :]}"


def _fit(cell: str, size: int, right: bool, is_text: bool) -> str:
    """The cell in its width; of a name the middle gives way, since scopes differ in front and names at the end."""
    cell = _cut(cell, size, 0 if is_text else TAILS[0])
    return cell.rjust(size) if right else cell.ljust(size)


def rows_text(
    rows: Iterable[Sequence[object]], head: Sequence[str], choice: Choice = Choice()
) -> str:
    """A table of what has no numbers to sort by but as text."""
    return table_text(Table(head, [[str(c) for c in row] for row in rows]), choice)


def layers_text(frame: Any, choice: Choice, outside: int = 0) -> str:
    """The layer table (a DataFrame), and below it how many rows there are and what their parameters sum to.

    ``outside`` are the parameters that no row has.
    """
    values = [list(row) for row in frame.itertuples(index=False)]
    head = list(frame.columns)
    right = frozenset({"parameters"})
    rows = [[_cell(head[i], value) for i, value in enumerate(row)] for row in values]
    table = Table(head, rows, values, right)
    total = sum(frame["parameters"])
    more = f"; {outside:,} more in variables that none of them reads" * bool(outside)
    count = _count(table, choice, "row")
    return f"{table_text(table, choice)}\n\n{count}, {total:,} parameters{more}"


def variables_text(doc: Mapping[str, Any], choice: Choice) -> str:
    """The list of variables, with statistics where they were read."""
    head = ["name", "dtype", "shape", "bytes", "role"]
    head += [k for k in STATISTICS if any(k in v for v in doc["variables"])]
    values, rows = [], []
    for v in doc["variables"]:
        role = f"{v['role']} of {v['of']}" if v.get("of") else v["role"]
        value = [role if key == "role" else v.get(key) for key in head]
        values.append(value)
        rows.append([_cell(key, each) for key, each in zip(head, value, strict=True)])
    table = Table(head, rows, values, frozenset({"bytes", *STATISTICS}))
    total = amount(sum(v["bytes"] for v in doc["variables"]))
    text = table_text(table, choice) + "\n" if rows else ""
    return f"{text}{_count(table, choice, 'variable')}, {total}"


def _cell(name: str, value: Any) -> str:
    if name == "shape":
        return shape_text(value)
    if name == "output shape":
        return (
            "?"
            if value is None
            else " × ".join("?" if n is None else str(n) for n in value) or "scalar"
        )
    if name == "parameters":
        return f"{value:,}" if value else ""
    return f"{value:,}" if name == "bytes" else number(value)


def history_text(doc: Mapping[str, Any], choice: Choice) -> str:
    """The norm of each weight at the first steps and the last, and how far the last step moved it."""
    steps = doc["steps"]
    few = sorted({0, *range(len(steps))[-4:]} if not choice.wide else range(len(steps)))
    head = ["name", "shape", *(f"step {steps[i]}" for i in few), "last change"]
    values, rows = [], []
    for v in doc["variables"]:
        values.append(
            [v["name"], v["shape"], *(v["norms"][i] for i in few), v["change"]]
        )
        norms = ["" if v["norms"][i] is None else f"{v['norms'][i]:.4g}" for i in few]
        change = "" if v["change"] is None else f"{v['change']:.2%}"
        rows.append([v["name"], shape_text(v["shape"]), *norms, change])
    table = Table(head, rows, values, frozenset(head[2:]))
    return f"{table_text(table, choice)}\n{_count(table, choice, 'weight')}, norms over {len(steps)} checkpoints"


def _count(table: Table, choice: Choice, unit: str) -> str:
    total, count = len(table.rows), len(_rows(table, choice))
    words = f"{count:,} of {total:,}" if count < total else f"{total:,}"
    return f"{words} {unit}{'' if total == 1 else 's'}"
