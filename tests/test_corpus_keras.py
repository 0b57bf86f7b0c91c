"""Models that people published, each written as Keras and proven: the table that README speaks of.

``python -m tests.test_corpus_keras`` prints it; the tests hold it. One row a file: layers, the share of the weights that lie in Keras's own
layers, ops that belong to no layer, ops that only TensorFlow runs, lines of code, and the worst difference in the output's scale.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from graphscope.analysis.results import analyse
from graphscope.errors import GraphscopeError, MissingWeight, NotRunnable

from .conftest import CORPUS

KINDS = ("frozen_pb", "savedmodel_v1", "savedmodel_v2", "metagraph")
QUICK = (
    "ARM-software+ML-KWS-for-MCU/Pretrained_models/CNN/CNN_S.pb",
    "uTensor+utensor_cgen/_history/7dbb505dd1/tests/matmul/test_quant_matmul.pb",
    "ljb7977+ml-agents/_history/3c25257da5/unity-environment/Assets/ML-Agents/Examples/Area/TFModels/Push.bytes",
)
# files that TensorFlow itself cannot run on this machine, and its reason
UNRUNNABLE = {
    "conv_4/frozen_model.pb": "oneDNN has no primitive",
    "Format-Serving/model.ckpt-1000.meta": "its input is a dataset that has ended",
}


@dataclass(frozen=True)
class Row:
    """What became of one file; ``difference`` is None where nothing was run, ``reason`` says why."""

    file: str
    layers: int = 0
    share: float = 0.0
    ops: int = 0
    not_portable: int = 0
    lines: int = 0
    difference: float | None = None
    passed: bool = False
    reason: str = ""

    def __str__(self) -> str:
        told = self.reason or f"{self.difference:.1e}"
        return (
            f"{self.file[-60:]:60} {self.layers:6} {self.share:5.0%} {self.ops:4} {self.not_portable:4} "
            f"{self.lines:5}  {told[:60]}"
        )


HEAD = f"{'file':60} layers  own   ops  tf   lines  difference"


def files(corpus: Path) -> Iterator[str]:
    """The graphs of the corpus."""
    with open(corpus / "INDEX.tsv", newline="") as index:
        for row in csv.DictReader(index, delimiter="\t"):
            if row["kind"] in KINDS and (corpus / row["path"]).exists():
                yield row["path"]


def recovered(corpus: Path, file: str, folder: Path) -> Row:
    """Write one file as Keras and prove it."""
    found = analyse(corpus / file)
    try:
        report = found.write_keras(folder)
    except MissingWeight as error:
        return Row(file, reason=f"no weights: {error}")
    steps = report.source.program.steps
    counts = {"own": 0, "all": 0}
    for step in {step.name: step for step in steps if step.weights}.values():
        size = sum(_size(use.shape) for use in step.weights.values())
        counts["all"] += size
        counts["own"] += size * step.constructor.startswith("layers.")
    row = Row(
        file,
        report.layers,
        counts["own"] / counts["all"] if counts["all"] else 1.0,
        len(report.unexplained),
        len(report.not_portable),
        report.source.lines_of_code,
    )
    try:
        proof = found.prove(folder)
    except NotRunnable as error:
        return Row(**{**vars(row), "reason": f"TensorFlow cannot run it: {error}"})
    return Row(
        **{**vars(row), "difference": proof.max_rel, "passed": proof.numbers == "equal"}
    )


def _size(shape: tuple[int, ...]) -> int:
    total = 1
    for each in shape:
        total *= each
    return total


def check(corpus: Path, file: str, folder: Path) -> None:
    row = recovered(corpus, file, folder)
    if row.reason.startswith("no weights"):
        pytest.skip(row.reason)
    if row.reason:
        assert any(file.endswith(name) for name in UNRUNNABLE), row
        return
    assert row.passed, row


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "file" in metafunc.fixturenames:
        every = list(files(CORPUS)) if (CORPUS / "INDEX.tsv").exists() else []
        rest = [f for f in every if f not in QUICK]
        is_slow = "others" in metafunc.function.__name__
        metafunc.parametrize("file", rest if is_slow else QUICK)


def test_file_is_equal(corpus: Path, file: str, tmp_path: Path) -> None:
    check(corpus, file, tmp_path)


@pytest.mark.slow
def test_others_are_equal(corpus: Path, file: str, tmp_path: Path) -> None:
    check(corpus, file, tmp_path)


def test_everything_of_a_convolutional_net_lies_in_layers(
    corpus: Path, tmp_path: Path
) -> None:
    row = recovered(corpus, QUICK[0], tmp_path)
    assert row.share == 1.0 and row.lines <= 60


def main() -> None:
    """Print the table."""
    print(HEAD)
    for file in files(CORPUS):
        with tempfile.TemporaryDirectory() as folder:
            try:
                print(recovered(CORPUS, file, Path(folder)), flush=True)
            except GraphscopeError as error:
                print(Row(file, reason=f"FAILED: {error}"), flush=True)


if __name__ == "__main__":
    main()
