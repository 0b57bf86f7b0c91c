"""Lines of the written Keras source, of this tree beside earlier ones: ``python benchmarks/source_lines.py [--against TREE] FILE ...``.

A FILE is a model, or an ``.tsv`` with the columns ``name``, ``path`` (from the table's folder) and ``outputs`` (tensors,
apart by spaces, or none). TREE is a checkout of another commit (``git worktree add TREE COMMIT``); each tree works in one
process of its own. Beside the lines stand the layers that are no class of Keras. No TensorFlow is needed.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

ROOT = Path(__file__).parent.parent
# lines of JSON, each a path and its outputs, become lines of two numbers, or of an error
WRITE = """
import json, re, sys, tempfile, warnings
from graphscope.analysis import Analysis
from graphscope.read import load
warnings.simplefilter("ignore")
for line in sys.stdin:
    path, outputs = json.loads(line)
    try:
        with tempfile.TemporaryDirectory() as folder:
            source = Analysis(load(path), outputs=outputs or ()).write_keras(folder).source
        own = len(re.findall(r"^class ", source.text, re.M))
        print(json.dumps([source.lines_of_code, own]), flush=True)
    except Exception as error:
        print(json.dumps(type(error).__name__), flush=True)
"""


class Model(NamedTuple):
    """One row: what it is called, its file, and the outputs that are asked for."""

    name: str
    path: str
    outputs: tuple[str, ...] = ()


def models(files: list[str]) -> Iterator[Model]:
    """The models of each file, or of each row of a table."""
    for file in map(Path, files):
        if file.suffix != ".tsv":
            yield Model(file.name, str(file))
            continue
        with open(file, newline="") as table:
            for row in csv.DictReader(table, delimiter="\t"):
                path = str(file.parent / row["path"])
                name = row.get("name") or row["path"]
                yield Model(name, path, tuple((row.get("outputs") or "").split()))


class Writer:
    """A tree's package in a process of its own."""

    def __init__(self, tree: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", WRITE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=tree,
            env={**os.environ, "PYTHONPATH": str(tree)},
            text=True,
        )

    def lines(self, model: Model) -> tuple[int, int] | str:
        """Lines and classes of its source, or the error's name."""
        line = json.dumps([model.path, model.outputs])
        print(line, file=_pipe(self.process.stdin), flush=True)
        answer = json.loads(_pipe(self.process.stdout).readline() or '"ended"')
        return answer if isinstance(answer, str) else (answer[0], answer[1])


def _pipe(pipe: IO[str] | None) -> IO[str]:
    if pipe is None:
        raise ValueError("the process has no pipe")
    return pipe


def _cell(answer: tuple[int, int] | str) -> str:
    return answer if isinstance(answer, str) else f"{answer[0]} ({answer[1]})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--against", type=Path, action="append", default=[])
    asked = parser.parse_args()
    writers = [Writer(tree.resolve()) for tree in (*asked.against, ROOT)]
    longer = 0
    for model in models(asked.files):
        answers = [writer.lines(model) for writer in writers]
        numbers = [each[0] for each in answers if not isinstance(each, str)]
        is_longer = len(numbers) == len(answers) and numbers[-1] > min(numbers)
        longer += is_longer
        cells = [model.name, *map(_cell, answers), "longer" if is_longer else ""]
        print("\t".join(cells), flush=True)
    print(f"{longer} longer than before")


if __name__ == "__main__":
    main()
