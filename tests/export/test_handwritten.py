"""Models as people write them that an export once failed on: each kind on each target that has to take it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from graphscope.analysis import analyse

from . import handwritten
from .heldout import SUFFIXES, equal
from .runtimes import _packages, needs_node
from .test_converters import needs

__all__ = ["_packages"]
ROWS = {
    "two doors": ("tfjs", "tflite", "onnx"),  # TensorFlow 2's loop, an open batch
    "recurrent": ("tfjs", "tflite", "onnx"),  # two signatures that share their bodies
    "newton": ("tflite", "onnx"),  # TensorFlow 1's loop, which counts nothing
}
ROWS_OF_TARGETS = [
    pytest.param(name, target, marks=needs_node if target == "tfjs" else needs(target))
    for name, targets in ROWS.items()
    for target in targets
]
LACKING = {
    "savedmodel": set(),
    "tfjs": set(),
    "tflite": {"detector"},
    "onnx": {"texts"},
    "openvino": {"texts"},
}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    made = {}
    for name in ROWS:
        (folder / name).mkdir()
        made[name] = handwritten.MAKERS[name](folder / name)
    return made


@pytest.mark.parametrize("name, target", ROWS_OF_TARGETS)
def test_loops(models, tmp_path: Path, name: str, target: str) -> None:
    path, outputs = models[name]
    place = tmp_path / f"net{SUFFIXES.get(target, '')}"
    proof = analyse(path, outputs=outputs).export(place, target).verified
    assert proof.passed and proof.max_rel < 1e-5, proof


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("target", LACKING)
def test_all(tmp_path_factory, target: str) -> None:
    lasting = os.environ.get("GRAPHSCOPE_HANDWRITTEN")
    folder = Path(lasting) if lasting else tmp_path_factory.mktemp("handwritten")
    models = handwritten.sources(folder)
    assert models.keys() - set(equal(folder, models, target)) <= LACKING[target]
