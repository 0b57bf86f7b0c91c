"""Two models: what differs, in the document, on the terminal and on the page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from graphscope.analysis import Analysis, analyse
from graphscope.analysis.diff.weights import change_between
from graphscope.cli import cli
from graphscope.graph import Weights
from graphscope.read import load
from tests.export.models import save_checkpoint, values


def test_how_a_weight_came_of_another() -> None:
    a = values(64, 32)
    cases = {
        "identical": a.copy(),
        "scaled": a * np.float32(0.25),
        "rounded": a.astype("float16"),
        "moved": a + values(64, 32, seed=1) / 50,
        "unrelated": values(64, 32, seed=2),
        "reshaped": a.reshape(32, 64),
    }
    for relation, b in cases.items():
        change = change_between(a, b)
        assert change.relation == relation, change
    moved = change_between(a, cases["moved"])
    assert moved.change == pytest.approx(0.02, rel=0.1)
    assert change_between(a, -a).scale == pytest.approx(-1)
    assert change_between(np.zeros(3), np.ones(3)).relation == "moved"
    assert (
        change_between(np.array([b"x"], object), np.array([b"y"], object)).relation
        == "unrelated"
    )
    assert change_between(a[:0], a[:0]).relation == "identical"


class Edited(Weights):
    """The weights of a model, some of them changed."""

    def __init__(self, weights: Weights, edits: dict[str, np.ndarray]) -> None:
        self.weights, self.edits = weights, edits

    def __getitem__(self, name: str) -> np.ndarray:
        return self.edits[name] if name in self.edits else self.weights[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.weights)

    def __len__(self) -> int:
        return len(self.weights)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_checkpoint(tmp_path_factory.mktemp("diff"))


def edited(path: Path, **edits: np.ndarray) -> Analysis:
    model = load(str(path))
    named = {key.replace("__", "/"): value for key, value in edits.items()}
    return Analysis(replace(model, weights=Edited(model.weights, named)))


def test_a_model_beside_itself(checkpoint: Path) -> None:
    document = analyse(checkpoint).compare(analyse(checkpoint)).to_json()
    assert (
        document["same"] and document["verdict"] == "the same layers, identical weights"
    )
    assert document["weights"]["relations"] == {
        "identical": len(load(str(checkpoint)).weights)
    }


def test_which_weights_moved_and_how_far(checkpoint: Path) -> None:
    """Measured against numpy on the arrays themselves."""
    before = load(str(checkpoint)).weights
    kernel, dense = before["conv/kernel"], before["dense/kernel"]
    after = {
        "conv__kernel": kernel * 1.01,
        "dense__kernel": dense + values(256, 5) / 99,
    }
    document = analyse(checkpoint).compare(edited(checkpoint, **after)).to_json()
    assert not document["same"] and not document["layers"]["changed"]
    first, second, *rest = document["weights"]["pairs"]
    assert (first["b"], first["role"], first["relation"]) == (
        "dense/kernel",
        "kernel",
        "moved",
    )
    told = np.linalg.norm(after["dense__kernel"] - dense) / np.linalg.norm(dense)
    assert first["change"] == pytest.approx(told, rel=1e-4)
    assert second["relation"] == "scaled" and second["scale"] == pytest.approx(
        1.01, rel=1e-5
    )
    assert {row["relation"] for row in rest} == {"identical"}


def test_a_checkpoint_and_what_was_frozen_of_it(
    checkpoint: Path, tmp_path: Path
) -> None:
    frozen = tmp_path / "frozen.pb"
    analyse(checkpoint).freeze(frozen)
    document = analyse(checkpoint).compare(analyse(frozen)).to_json()
    assert set(document["weights"]["relations"]) == {"identical"}
    assert document["layers"]["aligned"] >= 4 and not document["layers"]["added"]
    half = tmp_path / "half.pb"
    analyse(checkpoint).freeze(half, half=True)
    relations = (
        analyse(checkpoint).compare(analyse(half)).to_json()["weights"]["relations"]
    )
    assert set(relations) <= {"identical", "rounded"} and relations["rounded"]


def test_the_command(checkpoint: Path, tmp_path: Path) -> None:
    frozen, page = tmp_path / "frozen.pb", tmp_path / "diff.html"
    analyse(checkpoint).freeze(frozen)
    run = CliRunner().invoke
    same = run(cli, ["diff", str(frozen), str(frozen)])
    assert same.exit_code == 0 and "the same layers, identical weights" in same.output
    other = run(cli, ["diff", str(checkpoint), str(frozen), "-o", str(page)])
    assert other.exit_code == 3 and "momentum 0.9 -> " in other.output, other.output
    assert page.stat().st_size > 10_000
    told = run(cli, ["diff", str(checkpoint), str(frozen), "--json", "--no-weights"])
    assert told.exit_code == 3 and json.loads(told.output)["weights"]["pairs"] == []
    wrong = run(cli, ["diff", str(frozen), str(frozen), "-o", str(tmp_path / "x.svg")])
    assert wrong.exit_code == 2 and not (tmp_path / "x.svg").exists()
