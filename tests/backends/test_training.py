"""A recovered model is a Keras model: it can be cloned, saved, loaded and trained on, with what its layers do only then.

Those of the fast suite run in one process a backend. The aim is one that every net can reach and none is near:
PointNet's averages, which nothing moved, are zeros, so it says 1e32, and an aim near that overflows.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("tensorflow")

from .record import record_net  # noqa: E402
from .trained_nets import OTHERS  # noqa: E402

NETS = {  # net: form
    "autoencoder.tied": "pb",
    "siamese.contrastive": "pb",
    "dcgan.tutorial_generator": "pb",
    "bert.classifier": "training",
}
MORE = {
    "dcgan.tutorial_discriminator": "pb",
    "dqn.dueling": "pb",
    "unet.padded": "pb",
    "vit.example": "pb",
    "transformer.keras_layers": "pb",
    "wavenet.temporal_convolutions": "pb",
    "pointnet.classifier": "training",
    "segmentation.fcn": "pb",
    "autoencoder.denoising": "pb",
    "detection.facenet": "training",
    "gpt2.logits": "training",
    "graph_convolution.dense": "training",
    "vae.decoder": "pb",
    "style_transfer.fast": "pb",
    "wide_and_deep.two_towers": "pb",
    "yolo.third_in_keras": "pb",
} | dict.fromkeys(OTHERS, "pb")
BACKENDS = ("tensorflow", "jax", pytest.param("torch", marks=pytest.mark.slow))


def check(nets: dict[str, str], backend: str, folder: Path) -> None:
    if find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    folders = [folder / name.replace(".", "_") for name in nets]
    for (name, form), each in zip(nets.items(), folders, strict=True):
        assert record_net(name, each, form)
    runner = Path(__file__).with_name("train_folders.py")
    done = subprocess.run(
        [sys.executable, str(runner), *map(str, folders)],
        env={**os.environ, "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    for each in folders:
        check_used(each.name, json.loads((each / "used.json").read_text()))


def check_used(name: str, used: dict[str, Any]) -> None:
    assert used["cloned"] < 1e-5 and used["loaded"] < 1e-5, (name, used)
    assert used["kept"] == used["weights"], name  # what is tied is still one
    before, after = used["losses"]
    assert after < before / 2, (name, before, after)
    assert all(used["moving"]), name  # statistics of batch normalisation
    assert any(used["learnt"]), name
    drops = not any(used["rates"]) or used["drops"]
    assert drops, (name, used["rates"])


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_recovered_model_can_be_trained_on(backend: str, tmp_path: Path) -> None:
    check(NETS, backend, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", MORE)
def test_more_recovered_models_can_be_trained_on(
    name: str, backend: str, tmp_path: Path
) -> None:
    check({name: MORE[name]}, backend, tmp_path)
