"""Units -> rows, each read in a child with limits on time and memory: a hostile file costs one row, whatever it does.

The children are forked from a process of one thread in which all is imported; ``serve`` is the life of such a process, which is asked
and answers by lines of JSON. Several units go to one child while all goes well.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import select
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path

from ...graph.named_values import Row
from ...verify.run.limits import restrict_process
from ...wire.remote import import_system, is_remote
from ..archives import is_archive, unpack
from ..describe import describe, empty_row
from ..options import Limits
from ..places import folders_in
from ..units import Unit, units_of

PER_CHILD = 32  # units
ARCHIVE = "archive"
_SMALL = (
    ("x", "Placeholder", ()),
    ("w", "Const", ()),
    ("product", "MatMul", ("x", "w")),
    ("y", "Softmax", ("product",)),
)
_PATIENCE, _LEAST, _FETCHING = (
    4,
    60,
    300,
)  # wall time: times the limit; seconds; for a server
_MEGABYTE = 1 << 20


def serve() -> None:
    """Answer requests from stdin until it ends: ``[units, limits]`` -> a line for each row, then an empty line."""
    _import_all()
    requests, answers = sys.stdin, os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)  # what a library prints is no answer
    with suppress(BrokenPipeError):  # whoever asked is gone
        for line in requests:
            units, limits = json.loads(line)
            for row in rows_of([Unit(**u) for u in units], Limits(**limits)):
                answers.write(json.dumps(row) + "\n")
                answers.flush()
            answers.write("\n")
            answers.flush()


def _import_all() -> None:
    """Describe a small model, so that all that is imported late is there before any child is forked; what lives now lives on."""
    from ...wire import messages as proto

    graph = proto.GraphDef()
    for name, op, inputs in _SMALL:
        node = graph.node.add(name=name, op=op, input=inputs)
        node.attr["dtype" if op in ("Placeholder", "Const") else "T"].type = 1
        if op == "Const":
            tensor = node.attr["value"].tensor
            tensor.dtype = 1
            for size in (2, 2):
                tensor.tensor_shape.dim.add(size=size)
            tensor.float_val.extend(range(4))
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "small.pb")
        Path(path).write_bytes(graph.SerializeToString())
        describe(Unit(path, path, 1, ""), Limits(hashed=True))
    gc.collect()
    gc.freeze()
    gc.set_threshold(200_000, 50, 1000)


def request_of(units: Sequence[Unit], limits: Limits) -> str:
    """The line that asks ``serve`` for the rows of units."""
    return json.dumps([[asdict(unit) for unit in units], asdict(limits)]) + "\n"


def rows_of(
    units: Sequence[Unit], limits: Limits, inside: bool = False
) -> Iterator[Row]:
    """The rows of units in their order; an archive gives those of the models in it, but an archive ``inside`` of one is left alone."""
    pending = list(units)
    for unit in filter(lambda each: is_remote(each.path), pending[:1]):
        import_system(unit.path)
    while pending:
        batch, count = pending[:PER_CHILD], 0
        for row, unit in zip(_child_rows(batch, limits), batch):  # to the child's end
            count += 1
            if row.get("format") != ARCHIVE:
                yield row
            elif not inside:
                yield from _of_archive(unit, limits)
        pending = pending[count:]


def _child_rows(units: Sequence[Unit], limits: Limits) -> Iterator[Row]:
    """The rows that one child gives, and one for the unit that ended it."""
    receiving, sending = os.pipe()
    child = os.fork()
    if not child:
        os.close(receiving)
        _work(units, limits, sending)
    os.close(sending)
    count, is_late = 0, False
    patience = _patience(limits)
    if any(is_remote(unit.path) for unit in units):
        patience += _FETCHING
    try:
        for line in _lines(receiving, patience):
            if line is None:
                is_late = True
                break
            count += 1
            yield json.loads(line)
    finally:
        os.close(receiving)
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    if count < len(units):
        reason = f"no answer within {patience} s" if is_late else _end(status, limits)
        row = empty_row(units[count]) | {"error": f"{units[count].place}: {reason}"}
        yield row | (
            {"stamp": ""} if is_late else {}
        )  # it may be the machine: try again


def _lines(pipe: int, patience: float) -> Iterator[bytes | None]:
    """What comes through a pipe, line by line; None where nothing comes for too long."""
    rest = b""
    while True:
        ready, _, _ = select.select([pipe], [], [], patience)
        if not ready:
            yield None
            return
        data = os.read(pipe, 1 << 16)
        if not data:
            return
        *whole, rest = (rest + data).split(b"\n")
        yield from whole


def _work(units: Sequence[Unit], limits: Limits, sending: int) -> None:
    """The child: describes one unit after the other, and ends without what an end in Python would run."""
    try:
        restrict_process(any(is_remote(unit.path) for unit in units))
        _limit_memory(limits)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        for unit in units:
            _limit_time(limits)
            row = _described(unit, limits)
            os.write(sending, (json.dumps(row) + "\n").encode("ascii"))
    finally:
        if sys.exc_info()[0] not in (None, BrokenPipeError):
            sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
        os._exit(1)


def _described(unit: Unit, limits: Limits) -> Row:
    try:
        row = describe(unit, limits)
        is_other = not row["model"] and not is_remote(unit.path)
        return row | ({"format": ARCHIVE} if is_other and is_archive(unit.path) else {})
    except MemoryError:
        reason = f"more than {limits.megabytes} MB of memory"
    except RecursionError:
        reason = "nested too deep"
    return empty_row(unit) | {"error": f"{unit.place}: {reason}"}


def _limit_memory(limits: Limits) -> None:
    """Bound what is allocated beyond what the process has; mapped files do not count."""
    before = (
        int(Path("/proc/self/statm").read_text().split()[5]) * resource.getpagesize()
    )
    most = before + limits.megabytes * _MEGABYTE
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def _limit_time(limits: Limits) -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    seconds = int(used.ru_utime + used.ru_stime) + 1 + limits.seconds
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, hard))


def _patience(limits: Limits) -> int:
    """The seconds that are waited for a row: a machine may do much else beside."""
    return max(_LEAST, _PATIENCE * limits.seconds)


def _end(status: int, limits: Limits) -> str:
    number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    if number == signal.SIGXCPU:
        return f"more than {limits.seconds} s of processor time"
    if number:
        return f"reading it ended the process ({signal.Signals(number).name})"
    return "a fault of graphscope: its traceback is on stderr"


def _of_archive(unit: Unit, limits: Limits) -> Iterator[Row]:
    """The rows of the models in an archive; one with the error where it cannot be unpacked."""
    folder = Path(tempfile.mkdtemp(prefix="graphscope-survey-"))
    begin = time.process_time()
    try:
        error = _unpacked(unit, folder, limits)
        inner = [] if error else list(units_of(folders_in(str(folder))))
        yield empty_row(unit) | {
            "model": bool(error),
            "error": error,
            "seconds": round(time.process_time() - begin, 4),
            "format": ARCHIVE,
        }
        yield from rows_of(
            [_inside(unit, each, folder) for each in inner], limits, True
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _inside(unit: Unit, inner: Unit, folder: Path) -> Unit:
    """A unit of an archive, under the archive's name and stamp."""
    name = os.path.relpath(inner.path, folder)
    place = f"{unit.place}!/{name}"
    return replace(inner, place=place, stamp=unit.stamp, modified=unit.modified)


def _unpacked(unit: Unit, folder: Path, limits: Limits) -> str:
    """Unpack an archive in a child with the same limits; the error, or ""."""
    receiving, sending = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.close(receiving)
            _limit_memory(limits)
            _limit_time(limits)
            os.write(sending, _unpack(unit, folder).encode("utf-8", "replace"))
        finally:
            os._exit(0)
    os.close(sending)
    patience = _patience(limits)
    ready, _, _ = select.select([receiving], [], [], patience)
    answer = os.read(receiving, 1 << 16).decode() if ready else ""
    os.close(receiving)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if answer:
        return answer.removeprefix("fine")
    return f"{unit.place}: {_end(status, limits) if ready else f'not unpacked within {patience} s'}"


def _unpack(unit: Unit, folder: Path) -> str:
    from ...errors import GraphscopeError

    try:
        unpack(unit.path, folder)
    except GraphscopeError as error:
        return str(error).replace(unit.path, unit.place)
    except MemoryError:
        return f"{unit.place}: takes too much memory to unpack"
    return "fine"
