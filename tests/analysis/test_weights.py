"""Charts of weights, and how they moved over a folder of checkpoints."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from graphscope.analysis import analyse
from graphscope.analysis.weights import describe_history, draw_weights
from graphscope.cli import cli
from graphscope.errors import GraphscopeError

tf = pytest.importorskip("tensorflow")
STEPS = (9, 10, 20)


@pytest.fixture(scope="module")
def values() -> dict[int, np.ndarray]:
    kernels = {step: np.full((3, 4), step, np.float32) for step in STEPS}
    kernels[20][:, 1] = 0  # a dead channel
    kernels[20][0, 0] = np.nan
    return kernels


@pytest.fixture(scope="module")
def folder(
    tmp_path_factory: pytest.TempPathFactory, values: dict[int, np.ndarray]
) -> Path:
    place = tmp_path_factory.mktemp("run")
    for step, value in values.items():
        kernel, bias = tf.Variable(value), tf.Variable(np.zeros(4, np.float32) + step)
        tf.train.Checkpoint(kernel=kernel, bias=bias).write(
            str(place / f"model.ckpt-{step}")
        )
    return place


def test_the_history_is_in_order_of_steps_and_measured(
    folder: Path, values: dict[int, np.ndarray]
) -> None:
    document = describe_history(folder)
    assert document["steps"] == [9, 10, 20]
    bias, kernel = sorted(document["variables"], key=lambda row: len(row["shape"]))
    assert bias["norms"] == pytest.approx([18, 20, 40])
    assert bias["changes"][0] is None
    assert bias["changes"][1:] == pytest.approx([1 / 9, 1.0])
    assert kernel["norms"][:2] == pytest.approx(
        [np.linalg.norm(values[9]), np.linalg.norm(values[10])]
    )
    assert kernel["norms"][2] is None  # NaN has no norm


@pytest.mark.parametrize("suffix", ["html", "svg", "png"])
def test_a_chart_is_whole_and_names_what_is_wrong(
    folder: Path, tmp_path: Path, suffix: str
) -> None:
    out = tmp_path / f"weights.{suffix}"
    draw_weights(analyse(folder / "model.ckpt-20"), out)
    data = out.read_bytes()
    if suffix == "png":
        assert data.startswith(b"\x89PNG") and len(data) > 2000
        return
    text = data.decode()
    assert "1 NaN" in text and "1 dead channels" in text
    assert "kernel" in text and "[3,4]" in text
    if suffix == "html":
        assert "default-src 'none'" in text and "<script" not in text
        assert len(re.findall("<tr>", text)) == 3


def test_the_command_prints_and_draws(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "over.svg"
    line = ["variables", str(folder), "--over-time", "-o", str(out)]
    result = CliRunner().invoke(cli, line)
    assert result.exit_code == 0, result.output
    assert "step 9" in result.stdout and "100.00%" in result.stdout
    assert "<polyline" in out.read_text()


def test_what_cannot_be_drawn_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(GraphscopeError, match="holds 0 checkpoints"):
        describe_history(tmp_path)
    checkpoint = str(folder / "model.ckpt-9")
    line = ["variables", checkpoint, "-o", str(tmp_path / "w.txt")]
    result = CliRunner().invoke(cli, line)
    assert result.exit_code == 2 and "is no .html" in result.output
