"""The bodies of layers compute on JAX what TensorFlow does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = [f"tests/ops/{name}" for name in ("array", "math", "nn")]


@pytest.mark.slow
def test_bodies_on_jax() -> None:
    """All rows of the oracle, in a process of their own."""
    process = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", *FOLDERS],
        cwd=ROOT,
        env={**os.environ, "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stdout[-3000:]
