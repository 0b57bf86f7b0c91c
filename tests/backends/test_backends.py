"""What is written without a TensorFlow-only op computes the same on JAX and PyTorch.

The models run in one process a backend; each is compared with what TensorFlow computed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

pytest.importorskip("tensorflow")

from .record import record_net  # noqa: E402

NETS = (
    "unet.padded",
    "dcgan.tutorial_generator",
    "siamese.contrastive",
    "autoencoder.tied",
    "dqn.dueling",
    "vae.decoder",
)
SLOW = (
    "style_transfer.fast",
    "wavenet.temporal_convolutions",
    "graph_convolution.attention",
    "pointnet.keras_example",
    "segmentation.edsr",
    "yolo.third_in_keras",
)
BACKENDS = ("jax", pytest.param("torch", marks=pytest.mark.slow))


def compared(names: tuple[str, ...], backend: str, folder: Path) -> None:
    if find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    for name in names:
        assert record_net(name, folder / name.replace(".", "_"))
    check(backend, folder)


def check(backend: str, folder: Path) -> None:
    """Run what is recorded in the folder in a process of that backend."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.backends.run", str(folder)],
        env={**os.environ, "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
    )
    assert not done.returncode, done.stdout + done.stderr[-2000:]


@pytest.mark.parametrize("backend", BACKENDS)
def test_published_nets_compute_the_same(backend: str, tmp_path: Path) -> None:
    compared(NETS, backend, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_more_published_nets_compute_the_same(backend: str, tmp_path: Path) -> None:
    compared(SLOW, backend, tmp_path)
