"""What is written without a TensorFlow-only op computes the same on JAX and PyTorch.

The models run in one process a backend; each is compared with what TensorFlow computed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from graphscope.analysis.results import Analysis  # noqa: E402
from graphscope.read import load  # noqa: E402
from graphscope.verify.run.keras_source import run_source  # noqa: E402

from ..architectures import architectures  # noqa: E402
from ..architectures.forms import write  # noqa: E402
from .trained_nets import OTHERS  # noqa: E402

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


def prepared(name: str, folder: Path, form: str = "pb") -> Path:
    """A folder with the model, inputs for it and what TensorFlow makes of them."""
    net = {**architectures(), **OTHERS}[name]
    folder.mkdir()
    path, outputs = write(net, form, folder)
    report = Analysis(load(path), outputs=outputs).write_keras(folder)
    assert not report.not_portable
    model = run_source(folder)
    given = [drawn(each, seed) for seed, each in enumerate(model.inputs)]
    made = model(given[0] if len(given) == 1 else given, training=False)
    np.savez(folder / "given.npz", *given)
    made = made if isinstance(made, list | tuple) else [made]
    np.savez(folder / "want.npz", *map(np.array, made))
    return folder


def drawn(tensor: Any, seed: int) -> np.ndarray:
    least = 8 if len(tensor.shape) < 3 else 32  # a sequence, an image
    shape = [size or (least if axis else 2) for axis, size in enumerate(tensor.shape)]
    rng = np.random.default_rng(seed)
    if "int" in tensor.dtype or tensor.dtype == "bool":
        return rng.integers(0, 2, shape).astype(tensor.dtype)
    return rng.uniform(size=shape).astype(tensor.dtype)


def compared(names: tuple[str, ...], backend: str, folder: Path) -> None:
    if find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    folders = [prepared(name, folder / name.replace(".", "_")) for name in names]
    runner = Path(__file__).with_name("run_folders.py")
    done = subprocess.run(
        [sys.executable, str(runner), *map(str, folders)],
        env={**os.environ, "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    for each in folders:
        with np.load(each / "got.npz") as got, np.load(each / "want.npz") as want:
            assert got.files == want.files
            for name in want.files:
                scale = float(np.abs(want[name]).max(initial=0)) or 1.0
                assert got[name].shape == want[name].shape, (each.name, name)
                worst = float(np.abs(got[name] - want[name]).max(initial=0))
                assert worst < 1e-4 * scale, (each.name, name, worst / scale)


@pytest.mark.parametrize("backend", BACKENDS)
def test_published_nets_compute_the_same(backend: str, tmp_path: Path) -> None:
    compared(NETS, backend, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
def test_more_published_nets_compute_the_same(backend: str, tmp_path: Path) -> None:
    compared(SLOW, backend, tmp_path)
