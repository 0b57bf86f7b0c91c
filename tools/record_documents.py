"""What graphscope prints of many models, written down, so that two states of the package can be compared.

``python tools/record_documents.py MODELS OUT [--jobs 2] [--only GLOB]`` writes OUT/NAME/ for each row of
MODELS/index.tsv (name, path, and optionally outputs, apart by spaces) or of the corpus's INDEX.tsv (path):
model.py, weights.sha256 and keras.json of ``keras --no-verify``, the JSON of ``layers``, ``outputs``, ``doctor`` and
``inspect``, freeze.sha256 of the bytes that ``freeze`` writes, and errors.txt with the status and the stderr of each
command that has either. ``python tools/record_documents.py --compare BEFORE AFTER`` prints what differs, and exits 1
if anything does. Only the command line is used; each model has a process of its own, and a time to end in.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import fnmatch
import hashlib
import io
import itertools
import multiprocessing
import os
import runpy
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from multiprocessing.connection import wait
from pathlib import Path

SECONDS = 120
JSON_COMMANDS = ("inspect", "outputs", "doctor", "layers")
Row = tuple[str, str, list[str]]


def rows(models: Path) -> Iterator[Row]:
    """Name, path and outputs of each model in the folder."""
    index = models / "index.tsv"
    if not index.exists():
        index = models / "INDEX.tsv"
    with index.open(newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            name = row.get("name") or row["path"]
            outputs = (row.get("outputs") or "").split() if "name" in row else []
            yield name.replace("/", "__"), str(models / row["path"]), outputs


def run(*arguments: str) -> tuple[str, str]:
    """What ``graphscope ARGUMENTS`` prints, and what it complains of."""
    out, err, status = io.StringIO(), io.StringIO(), "0"
    sys.argv = ["graphscope", *arguments]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            runpy.run_module("graphscope", run_name="__main__")
        except SystemExit as end:
            status = str(end.code or 0)
        except Exception as error:  # noqa: B902 (a bug, which is to stay the same)
            status = f"{type(error).__name__}: {error}"
    if status == "0" and not err.getvalue():
        return out.getvalue(), ""
    return out.getvalue(), f"{arguments[0]}: status {status}\n{err.getvalue()}"


def record(model: str, outputs: Sequence[str], folder: Path) -> None:
    """Write all documents of one model; the scratch folder is the current one, so that no path names it."""
    warnings.simplefilter("ignore")
    wanted = [part for name in outputs for part in ("--output", name)]

    def keep(document: str, arguments: Sequence[str]) -> None:
        printed, complaint = run(*arguments)
        if printed:
            (folder / document).write_text(printed, errors="backslashreplace")
        with (folder / "errors.txt").open("a", errors="backslashreplace") as file:
            file.write(complaint)

    for command in JSON_COMMANDS:
        keep(f"{command}.json", [command, model, "--json", *wanted])
    made = ["-o", "keras", "--no-verify", "--json", *wanted]
    keep("keras.json", ["keras", model, *made])
    for source in Path("keras").glob("model.py"):
        shutil.copy(source, folder / source.name)
    _sign(Path("keras/model.weights.h5"), folder / "weights.sha256")
    keep("freeze.json", ["freeze", model, "-o", "frozen.pb", "--json", *wanted])
    _sign(Path("frozen.pb"), folder / "freeze.sha256")


def _sign(file: Path, document: Path) -> None:
    if file.exists():
        document.write_text(hashlib.sha256(file.read_bytes()).hexdigest() + "\n")


def record_all(models: Path, out: Path, jobs: int, only: str) -> None:
    """Record each model in a child of its own, ``jobs`` at once."""
    import graphscope

    print("recording", Path(graphscope.__file__).parent, flush=True)
    run("--help"), graphscope.analyse, graphscope.load  # imported once for all children
    waiting = [row for row in rows(models) if fnmatch.fnmatch(row[0], only)]
    waiting.reverse()
    fork = multiprocessing.get_context("fork")
    running: dict[object, tuple[multiprocessing.Process, Row, str, float]] = {}
    while waiting or running:
        while waiting and len(running) < jobs:
            row = waiting.pop()
            scratch, folder = tempfile.mkdtemp(), out / row[0]
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            child = fork.Process(target=_in_child, args=(row, folder, scratch))
            child.start()
            running[child.sentinel] = child, row, scratch, time.monotonic()
        ended = wait(list(running), timeout=1)
        for sentinel, (child, row, scratch, since) in list(running.items()):
            late = time.monotonic() - since > SECONDS
            if sentinel not in ended and not late:
                continue
            if sentinel not in ended:
                child.kill()
            child.join()
            del running[sentinel]
            shutil.rmtree(scratch)
            if child.exitcode:
                why = f"after {SECONDS} s" if late else f"status {child.exitcode}"
                with (out / row[0] / "errors.txt").open("a") as file:
                    file.write(f"the process ended: {why}\n")
            print(f"{time.monotonic() - since:6.1f} s  {row[0]}", flush=True)


def _in_child(row: Row, folder: Path, scratch: str) -> None:
    os.chdir(scratch)
    record(row[1], row[2], folder)


def differences(before: Path, after: Path) -> Iterator[tuple[str, str, str]]:
    """Name, document and first differing line of each document that is not the same."""
    tops = before, after
    files = {p.relative_to(t) for t in tops for p in t.rglob("*") if p.is_file()}
    for folder, group in itertools.groupby(sorted(files), lambda file: file.parent):
        missing = [str(t) for t in tops if not (t / folder).exists()]
        if missing:
            yield str(folder), "(all)", f"not recorded in {missing[0]}"
            continue
        for file in group:
            pairs = itertools.zip_longest(
                *(_lines(top / file) for top in tops), fillvalue="(end)"
            )
            for number, (old, new) in enumerate(pairs, 1):
                if old != new:
                    told = f"{number}: {old.strip()[:80]} -> {new.strip()[:80]}"
                    yield str(folder), file.name, told
                    break


def _lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else ["(no such document)"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("folders", nargs=2, type=Path, metavar="FOLDER")
    parser.add_argument("--compare", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", default="*", metavar="GLOB", help="of the names")
    asked = parser.parse_args()
    first, second = (folder.absolute() for folder in asked.folders)
    if not asked.compare:
        return record_all(first, second, asked.jobs, asked.only)
    found = list(differences(first, second))
    for row in found:
        print(*row, sep="\t")
    print(f"{len(found)} documents differ, of {len({row[0] for row in found})} models")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
