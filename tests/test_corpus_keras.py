"""Models that people published, each written as Keras and proven: the table that README speaks of.

``python -m tests.test_corpus_keras`` prints it; the tests hold it. One row a file: layers, the share of the weights that lie in Keras's own
layers, ops that belong to no layer, ops that only TensorFlow runs, lines of code, and the worst difference in the output's scale.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from graphscope.analysis.results import analyse
from graphscope.errors import (
    GraphscopeError,
    MissingWeight,
    NotExpressible,
    UnknownFormat,
)
from graphscope.verify.run.keras_file import is_keras_file

from .conftest import CORPUS

QUICK = (
    "ARM-software+ML-KWS-for-MCU/Pretrained_models/CNN/CNN_S.pb",
    "uTensor+utensor_cgen/_history/7dbb505dd1/tests/matmul/test_quant_matmul.pb",
    "ljb7977+ml-agents/_history/3c25257da5/unity-environment/Assets/ML-Agents/Examples/Area/TFModels/Push.bytes",
)
# files that TensorFlow itself cannot run on this machine, and its reason
UNRUNNABLE = {
    "conv_4/frozen_model.pb": "oneDNN has no primitive",
    "conv_4/frozen_graph.pbtxt": "oneDNN has no primitive",
    "Format-Serving/model.ckpt-1000.meta": "its input is a dataset that has ended",
    "Format-Serving/model.ckpt-1000.index": "its input is a dataset that has ended",
    "demo/models/tensorflowjs_model.pb": "TensorFlow does not find its loop's frame",
    "demo/model/optimized_model.pb": "its constants have no values, those of shapes neither: they lay in another file",
    "graph_properties_testdata/loops_and_queues.pbtxt": "its loop does not end",
}
# what a file lacks that could be proven, as the reason of its row begins
LACKS = ("no model", "no weights", "weights alone", "ops of its own")


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
    """Every file of the corpus that its index lists."""
    with open(corpus / "INDEX.tsv", newline="") as index:
        for row in csv.DictReader(index, delimiter="\t"):
            if (corpus / row["path"]).exists():
                yield row["path"]


def recovered(corpus: Path, file: str, folder: Path) -> Row:
    """Write one file as Keras and prove it."""
    try:
        found = analyse(corpus / file)
        report = found.write_keras(folder)
    except UnknownFormat as error:
        return Row(file, reason=f"no model: {error}")
    except MissingWeight as error:
        return Row(file, reason=f"no weights: {error}")
    except NotExpressible as error:
        return Row(file, reason=f"ops of its own: {error}")
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
    is_layered = found.model.layered and not is_keras_file(corpus / file)
    if found.model.inferred or found.family.claim is not None or is_layered:
        return replace(row, reason="weights alone: its wiring is assumed")
    try:
        proof = found.prove(folder)
    except GraphscopeError as error:
        return replace(row, reason=f"TensorFlow cannot run it: {error}")
    return replace(row, difference=proof.max_rel, passed=proof.numbers == "equal")


def _size(shape: tuple[int, ...]) -> int:
    total = 1
    for each in shape:
        total *= each
    return total


def check(corpus: Path, file: str, folder: Path) -> None:
    row = recovered(corpus, file, folder)
    if row.reason.startswith(LACKS):
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
