"""`graphscope demo` runs the whole chain in a fresh process and proves what it made."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-m", "graphscope", "demo", "-o", str(folder)]
    env = {**os.environ, "COLUMNS": "200"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, env=env)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return folder, done.stdout


def test_it_says_what_the_checkpoint_is(demo: tuple[Path, str]) -> None:
    _, said = demo
    for word in ("Conv2D", "BatchNormalization", "MaxPooling2D", "Dropout", "Dense"):
        assert word in said
    assert "probabilities:0" in said and "images:0" in said


def test_the_prediction_ranks_above_the_label_called_output(
    demo: tuple[Path, str],
) -> None:
    _, said = demo
    outputs = said.split("\nOutputs\n", 1)[1].split("\n\n", 1)[0]
    assert "probabilities:0" in outputs.splitlines()[0]
    assert "output:0" not in outputs


def test_everything_is_left_in_the_folder_that_it_names(demo: tuple[Path, str]) -> None:
    folder, said = demo
    assert str(folder.resolve()) in said
    for name in (
        "model.svg",
        "model.png",
        "frozen.pb",
        "keras/model.py",
        "keras/model.weights.h5",
    ):
        assert (folder / name).stat().st_size > 200, name


def test_both_are_proven_equal(demo: tuple[Path, str]) -> None:
    _, said = demo
    proof = said.split("Last, TensorFlow runs the original")[1]
    assert proof.count("equal: largest difference") == 2
    assert "DIFFERENT" not in proof
