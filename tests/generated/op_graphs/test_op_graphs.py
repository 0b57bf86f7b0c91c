"""Graphs of single ops, and of a few in the styles of other people's suites, come back as Keras models that compute the same."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from . import run, write
from .styles import STYLES
from .tf_graph import Case, case, styled

SAMPLE = [*STYLES][::3]
OFTEN = [op for op in write.names() if write.count(op) == write.OFTEN]


def ending(made: Case | None, folder: Path) -> dict[str, object]:
    """What becomes of one graph; one that TensorFlow would not run is no case."""
    if made is None:
        pytest.skip("TensorFlow runs none of the draws")
    write.save(made, folder)
    return run.outcome(folder / f"{made.name}.pb", folder / "keras")


@pytest.mark.parametrize("name", SAMPLE)
def test_graph_of_a_style(name: str, tmp_path: Path) -> None:
    end = ending(styled(name, 7), tmp_path)
    assert end["how"] == "equal", end


@pytest.mark.parametrize("op", OFTEN[::4])
def test_graph_of_one_op(op: str, tmp_path: Path) -> None:
    end = ending(case(op, 7), tmp_path)
    assert end["how"] == "equal", end


@pytest.mark.slow
@pytest.mark.parametrize("seed", [11, 12])
def test_every_op_and_style(seed: int, tmp_path: Path) -> None:
    """Two thousand graphs and more a seed: none wrong, ninety-nine in a hundred equal."""
    for name in [*STYLES, *write.names()]:
        made = write.write_style if name in STYLES else write.write_op
        write.apart(lambda: made(name, seed, tmp_path))
    out = tmp_path / "endings.jsonl"
    run.run_all(tmp_path, out)
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    ends = Counter(row["how"] for row in rows)
    assert not ends["WRONG"], [row for row in rows if row["how"] == "WRONG"]
    assert ends["equal"] >= 0.99 * len(rows), [r for r in rows if r["how"] != "equal"]
