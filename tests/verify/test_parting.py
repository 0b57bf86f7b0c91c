"""A Keras model whose weights were damaged: the proof fails, and names the layer."""

from __future__ import annotations

from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from graphscope.analysis.results import Analysis, analyse

from ..recovery import freeze_model

L = keras.layers


def branching() -> keras.Model:
    """Two branches, a layer called twice, two outputs."""
    keras.backend.clear_session()
    image = keras.Input((8, 8, 3), name="image")
    stem = L.Conv2D(4, 3, padding="same", activation="relu", name="stem")(image)
    left = L.Conv2D(4, 1, name="left")(stem)
    right = L.BatchNormalization(name="right")(L.DepthwiseConv2D(3, name="wide")(stem))
    right = L.ZeroPadding2D(1)(right)
    both = L.Add()([left, right])
    shared = L.Conv2D(4, 1, name="shared")
    both = shared(shared(both))
    pooled = L.GlobalAveragePooling2D()(both)
    scores = L.Dense(5, name="scores")(pooled)
    mask = L.Conv2D(2, 3, name="mask")(both)
    return keras.Model(image, [scores, mask])


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Analysis:
    folder = tmp_path_factory.mktemp("branching")
    model = branching()
    rng = np.random.default_rng(0)
    for variable in model.weights:
        variable.assign(rng.uniform(0.3, 0.6, variable.shape))
    _, outputs = freeze_model(model, folder / "frozen.pb")
    found = analyse(folder / "frozen.pb", outputs=[str(t) for t in outputs])
    found.write_keras(folder / "keras")
    return found


def damaged(file: Path, wanted: tuple[int, ...]) -> None:
    """Change one element of every weight of this shape."""
    changed = []

    def visit(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset) and item.shape == wanted:
            item[(0,) * len(wanted)] += 0.5
            changed.append(name)

    with h5py.File(file, "r+") as held:
        held.visititems(visit)
    assert changed


def test_what_is_whole_passes(written: Analysis) -> None:
    folder = Path(written.model.source).parent / "keras"
    found = written.prove(folder)
    assert found.passed and not found.parts_at
    assert {run["input_0:0"][0] for run in found.drawn} >= {1, 2, 3}


@pytest.mark.parametrize(
    "shape, layer, failing",
    [
        ((3, 3, 3, 4), "stem", 2),
        ((3, 3, 4, 1), "wide", 2),
        ((3, 3, 4, 2), "mask", 1),
        ((4, 5), "scores", 1),
    ],
)
def test_the_first_damaged_layer_is_named(
    written: Analysis, shape: tuple[int, ...], layer: str, failing: int
) -> None:
    folder = Path(written.model.source).parent / "keras"
    weights = folder / "model.weights.h5"
    whole = weights.read_bytes()
    try:
        damaged(weights, shape)
        found = written.prove(folder)
    finally:
        weights.write_bytes(whole)
    assert not found.passed and found.parts_at == layer
    assert sum(not row["passed"] for row in found.outputs) == failing
    assert f"part first at {layer}" in " ".join(found.remarks)
