"""The speed table: ``python benchmarks/table.py [--against TREE] [--inputs FOLDER] [--only WORD ...] [--runs 3]``.

Each job runs in a process of its own, in turn with what it is held against: TensorFlow doing the same, a copy of the weights, or an earlier
tree of the package (``git worktree add TREE 9c88c65``; without one those rows are left out). Prints the least processor seconds of all that
each started, which a busy machine stretches least, the peak memory, and the ratio with what was to be reached. The inputs are written first
where they are not there (``inputs.py``).
"""

from __future__ import annotations

import argparse
import compileall
import tempfile
from pathlib import Path
from typing import NamedTuple

from freeze import TENSORFLOW as FREEZE
from inputs import FOLDER, path_of
from list_variables import TENSORFLOW as LIST
from open_graph import TENSORFLOW as OPEN
from pairs import ROOT, cost

COPY = """
import glob, shutil, sys
for path in glob.glob(sys.argv[1] + ".data-*"):
    shutil.copyfile(path, sys.argv[2])
"""
TREE = ""  # held against an earlier tree


class Row(NamedTuple):
    """A command on an input, the program that it is held against, and the ratio to reach: TensorFlow's time by ours, else ours by the rival's."""

    command: str
    input: str
    rival: str
    reach: float
    options: str = ""


ROWS = (
    Row("variables", "vgg16-training", LIST, 20),
    Row("inspect", "heavy", OPEN, 20),
    Row("freeze", "resnet50", FREEZE, 10, "-o {out}/ours.pb"),
    Row("freeze", "vgg16", FREEZE, 18, "-o {out}/ours.pb"),
    Row("freeze", "vgg16-training", FREEZE, 16, "-o {out}/ours.pb"),
    Row("inspect", "training", TREE, 0.32),
    Row("inspect", "training_small", TREE, 0.34),
    Row("keras", "inception", TREE, 0.58, "-o {out}/keras --no-verify"),
    Row("render", "training", TREE, 0.41, "-o {out}/graph.svg"),
    Row("inspect", "chain", TREE, 0.33),
    Row("freeze", "matrices", COPY, 3, "-o {out}/ours.pb --half --no-verify"),
    Row(
        "freeze",
        "matrices",
        COPY,
        3,
        "-o {out}/ours.pb --quantize int8 --no-verify",
    ),
)


class Least(NamedTuple):
    """Of several runs: processor seconds, and peak MB."""

    seconds: float
    megabytes: float


def measure(row: Row, path: Path, tree: Path | None, runs: int) -> tuple[Least, Least]:
    """Ours and the rival's, in turn; what either wrote is removed before the next run."""
    ours, theirs = [], []
    for _ in range(runs):
        for costs, is_own in ((ours, True), (theirs, False)):
            with tempfile.TemporaryDirectory(dir=path.parent) as out:
                command = [row.command, str(path), *row.options.format(out=out).split()]
                program = ["-m", "graphscope", *command]
                if row.rival and not is_own:
                    program = ["-c", row.rival, str(path), f"{out}/theirs.pb"]
                costs.append(cost(ROOT if is_own or tree is None else tree, program))
    return _least(ours), _least(theirs)


def _least(costs: list[tuple[float, float]]) -> Least:
    return Least(min(seconds for seconds, _ in costs), costs[0][1])


def line(row: Row, ours: Least, theirs: Least) -> str:
    size = f"{row.command} {row.input} {row.options.replace('{out}/', '')}"
    ratio, unit = theirs.seconds / ours.seconds, "x"
    reach = f"{row.reach:g} x"
    if row.rival == COPY:
        ratio, reach, unit = 1 / ratio, f"at most {row.reach:g} x", "x the copy"
    elif not row.rival:
        ratio, reach, unit = 1 / ratio, f"at most {row.reach:g}", ""
    own, other = (f"{e.seconds:6.2f} s {e.megabytes:5.0f} MB" for e in (ours, theirs))
    return f"{size:60} | {own} | {other} | {ratio:5.2f} {unit} ({reach})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--against", type=Path, metavar="TREE")
    parser.add_argument("--inputs", type=Path, default=FOLDER)
    parser.add_argument("--only", nargs="+", metavar="WORD", default=[""])
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args()
    tree = asked.against and asked.against.resolve()
    for each in filter(None, (ROOT, tree)):
        compileall.compile_dir(str(each / "graphscope"), quiet=2)
    for row in ROWS:
        title = f"{row.command} {row.input} {row.options}"
        if not (row.rival or tree) or not any(word in title for word in asked.only):
            continue
        path = path_of(row.input, asked.inputs)
        print(line(row, *measure(row, path, tree, asked.runs)), flush=True)


if __name__ == "__main__":
    main()
