"""Runs the whole chain on a freshly trained checkpoint, each step as the command that a user would type."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from ...errors import GraphscopeError

STEPS: tuple[tuple[str, ...], ...] = (
    ("inspect", "{checkpoint}"),
    ("outputs", "{checkpoint}"),
    ("layers", "{checkpoint}"),
    ("doctor", "{checkpoint}"),
    ("render", "{checkpoint}", "-o", "{folder}/model.svg"),
    ("render", "{checkpoint}", "-o", "{folder}/model.png"),
    ("keras", "{checkpoint}", "-o", "{folder}/keras", "--no-verify"),
    ("freeze", "{checkpoint}", "-o", "{folder}/frozen.pb"),
)
CHECKS: tuple[tuple[str, ...], ...] = (
    ("verify", "{checkpoint}", "{folder}/frozen.pb"),
    ("verify", "{checkpoint}", "{folder}/keras"),
)


def run_demo(out: str, say: Callable[[str], object], cli: click.Group) -> None:
    """Train in a process of its own, run the chain here without TensorFlow, verify last.

    Raises GraphscopeError where TensorFlow is missing or a step fails.
    """
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    say("Training a small TensorFlow 1 classifier (some seconds) ...")
    accuracy = train_elsewhere(folder)
    checkpoint = _latest(folder)
    say(
        f"It recognises {accuracy:.0%} of the digits that it has not seen; it is saved as {checkpoint}."
    )
    say(
        "From here on nobody knows where that checkpoint comes from, and nothing imports TensorFlow."
    )
    for step in STEPS:
        _run(step, folder, checkpoint, say, cli)
    if "tensorflow" in sys.modules:
        raise GraphscopeError("the chain imported TensorFlow: it must not")
    say(
        "\nLast, TensorFlow runs the original and what was made of it on the same inputs."
    )
    for step in CHECKS:
        _run(step, folder, checkpoint, say, cli)
    say(f"\nEverything is in {folder.resolve()}:")
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            say(f"  {path.relative_to(folder)}  {path.stat().st_size:,} bytes")


def train_elsewhere(folder: Path) -> float:
    """Train in a process of its own; the accuracy on images that it has not seen."""
    command = [sys.executable, "-m", "graphscope.cli.demo.train", str(folder)]
    quiet = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    done = subprocess.run(command, capture_output=True, text=True, env=quiet)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["no message"]
        raise GraphscopeError(
            f"the demo could not train its model ({last[0]}); it needs TensorFlow: pip install tf-graphscope[tensorflow]"
        )
    return float(done.stdout.split()[-1])


def _latest(folder: Path) -> str:
    indexes = sorted(
        folder.glob("model.ckpt-*.index"), key=lambda path: path.stat().st_mtime
    )
    return str(indexes[-1].with_suffix(""))


def _run(
    step: Sequence[str],
    folder: Path,
    checkpoint: str,
    say: Callable[[str], object],
    cli: click.Group,
) -> None:
    words = [word.format(checkpoint=checkpoint, folder=folder) for word in step]
    say("\n$ graphscope " + " ".join(words))
    cli.main(words, standalone_mode=False)
