"""How many of eighteen models each target computes equally: the counts may only rise.

``GRAPHSCOPE_EIGHTEEN`` names a folder in which the models stay between runs; without it they are made anew, which takes minutes.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from . import eighteen
from .runtimes import _packages, needs_chromium, needs_node

__all__ = ["_packages"]
LACKING = {
    "savedmodel": set(),
    "tfjs": set(),
    "tflite": {"mtcnn"},
    "onnx": {"hash table", "mtcnn"},
    "openvino": {"hash table", "mtcnn"},
    "chromium-wasm": set(),
    "chromium-webgl": set(),
    "chromium-webgpu": {"mtcnn"},  # without a real GPU the large nets take hours
}
NEEDS = {"tfjs": needs_node} | {
    name: needs_chromium for name in LACKING if name.startswith("chromium")
}
TARGETS = [pytest.param(name, marks=NEEDS.get(name, ())) for name in LACKING]


@pytest.fixture(scope="module")
def folder(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    lasting = os.environ.get("GRAPHSCOPE_EIGHTEEN")
    return Path(lasting) if lasting else tmp_path_factory.mktemp("eighteen")


@pytest.mark.slow
@pytest.mark.timeout(6000)
@pytest.mark.parametrize("target", TARGETS)
def test_equal(folder: Path, target: str) -> None:
    assert set(eighteen.MODELS) - set(eighteen.equal(folder, target)) <= LACKING[target]
