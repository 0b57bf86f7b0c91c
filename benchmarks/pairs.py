"""A command of two trees of the package, in turn: ``python benchmarks/pairs.py --runs 5 OTHER_TREE inspect model.ckpt`` (``table.py``: all of the table).

Prints, of each tree, the least and the median processor time of all that it started and its peak memory, and what this tree needs of the
other's. A file or folder named after ``-o`` is removed before each run. On a busy machine the ratio is what can be trusted.
"""

from __future__ import annotations

import argparse
import compileall
import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

from side_by_side import environment

ROOT = Path(__file__).parent.parent


def clear(command: list[str]) -> None:
    """Remove what the command is to write."""
    if "-o" in command:
        out = Path(command[command.index("-o") + 1])
        shutil.rmtree(out) if out.is_dir() else out.unlink(missing_ok=True)


def cost(tree: Path, program: list[str]) -> tuple[float, float]:
    """Processor seconds and peak MB of one run of Python; raises RuntimeError where it fails."""
    child = subprocess.Popen(
        [sys.executable, "-P", *program],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment() | {"PYTHONPATH": str(tree)},
    )
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        raise RuntimeError(f"{tree}: {program} failed (status {status})")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("other", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    asked = parser.parse_args()
    trees = [asked.other.resolve(), ROOT.resolve()]
    for tree in trees:
        compileall.compile_dir(str(tree / "graphscope"), quiet=2)
    costs: dict[Path, list[tuple[float, float]]] = {tree: [] for tree in trees}
    for _ in range(asked.runs):
        for tree in trees:
            clear(asked.command)
            program = ["-m", "graphscope", *asked.command]
            costs[tree].append(cost(tree, program))
    for tree in trees:
        seconds = [each for each, _ in costs[tree]]
        least, middle = min(seconds), statistics.median(seconds)
        print(f"{tree}: {least:.2f} s, median {middle:.2f}, {costs[tree][0][1]:.0f} MB")
    other, own = (min(seconds for seconds, _ in costs[tree]) for tree in trees)
    print(f"{' '.join(asked.command)}: {own / other:.2f} of the other's time")


if __name__ == "__main__":
    main()
