"""How many of eighteen models each target computes equally: the counts may only rise."""

from __future__ import annotations

from pathlib import Path

import pytest

from . import eighteen
from .runtimes import _packages

__all__ = ["_packages"]
LACKING = {
    "savedmodel": set(),
    "tfjs": set(),
    "tflite": {"mtcnn"},
    "onnx": {"hash table", "mtcnn"},
}


@pytest.fixture(scope="module")
def folder(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("eighteen")


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("target", LACKING)
def test_equal(folder: Path, target: str) -> None:
    assert set(eighteen.MODELS) - set(eighteen.equal(folder, target)) <= LACKING[target]
