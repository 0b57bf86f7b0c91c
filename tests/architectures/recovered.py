"""A file -> what graphscope makes of it: the row that the table prints and the tests hold."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from graphscope.analysis.results import Analysis
from graphscope.read import load
from graphscope.render.keras.program.program import Program
from graphscope.render.keras.source.docstring import count_parameters
from graphscope.verify import Verification

from . import Architecture
from .forms import write

COLUMNS = "architecture form nodes layers ops weights% lines difference seconds outputs".split()


@dataclass(frozen=True)
class Row:
    """What became of one form of one architecture; ``share`` is of the weight elements, 1.0 where there are none."""

    nodes: int
    layers: Mapping[str, int]
    ops: tuple[str, ...]
    not_portable: tuple[str, ...]
    share: float
    lines: int
    proof: Verification
    seconds: float
    outputs_found: bool
    source: str

    def cells(self) -> list[str]:
        """The row as text, less its first two columns."""
        return [
            str(self.nodes),
            str(sum(self.layers.values())),
            str(len(self.ops)) + ("!" if self.not_portable else ""),
            f"{self.share:.1%}",
            str(self.lines),
            f"{self.proof.max_rel:.1e}" + ("" if self.proof.passed else " FAILED"),
            f"{self.seconds:.2f}",
            "found" if self.outputs_found else "given",
        ]


def recover(net: Architecture, form: str, folder: Path) -> Row:
    """Build, save, analyse, write and prove."""
    path, outputs = write(net, form, folder)
    started = time.perf_counter()
    found = Analysis(load(path), outputs=outputs)
    report = found.write_keras(folder / "keras")
    seconds = time.perf_counter() - started
    guessed = {str(tensor) for tensor in Analysis(load(path)).outputs}
    program = report.source.program
    total, owned = count_parameters(program)
    return Row(
        len(found.graph),
        Counter(_made(program)),
        report.unexplained,
        report.not_portable,
        owned / total if total else 1.0,
        report.source.lines_of_code,
        found.prove(folder / "keras"),
        seconds,
        guessed == {str(tensor) for tensor in found.outputs},
        report.source.text,
    )


def _made(program: Program) -> Iterator[str]:
    """The class of every layer object that the source makes."""
    for step in program.all_steps:
        if step.node in program.models:
            continue  # a model of its own, whose layers are counted
        if step.class_name and step.layer in ("", step.node):
            yield step.class_name
