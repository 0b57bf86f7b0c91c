"""Run under the backend that KERAS_BACKEND names: each folder's model is used as one who inherits it would.

It is summarised, cloned, saved, loaded and trained for a few steps on ``given.npz``; what became of it goes into ``used.json``.

KERAS_BACKEND=jax python train_folders.py FOLDER ...
"""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np

EPOCHS = 40


def used(folder: Path) -> dict[str, Any]:
    """Worst differences of copies, in the scale of the outputs; the losses; what training moved."""
    keras.utils.set_random_seed(0)
    model = runpy.run_path(str(folder / "model.py"))["build_model"]()
    model.load_weights(folder / "model.weights.h5")
    with np.load(folder / "given.npz") as stored:
        inputs = [stored[name] for name in stored.files]
    want = results(model, inputs)
    model.summary(print_fn=lambda *_: None)
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    report = {"cloned": worst(results(copy, inputs), want)}
    report["weights"] = len({id(each) for each in model.weights})
    report |= training(model, inputs, [unlike(each) for each in want])
    want = results(model, inputs)
    model.save(folder / "used.keras")
    loaded = keras.models.load_model(folder / "used.keras")
    report["loaded"] = worst(results(loaded, inputs), want)
    report["kept"] = len({id(each) for each in loaded.weights})
    report["rates"] = [each.rate for each in dropouts(model)]
    if report["rates"]:
        report["drops"] = worst(results(model, inputs, training=True), want) > 0
    return report


def training(model: Any, inputs: list[Any], aims: list[Any]) -> dict[str, Any]:
    """The losses before and after some steps, nothing dropped; which moving statistics and trained weights moved."""
    losses = [loss(model, inputs, aims)]
    before = [np.array(each) for each in model.get_weights()]
    kinds = "mse" if len(aims) == 1 else ["mse"] * len(aims)
    model.compile(optimizer=keras.optimizers.Adam(1e-2), loss=kinds)
    model.fit(
        one(inputs), one(aims), batch_size=len(inputs[0]), epochs=EPOCHS, verbose=0
    )
    pairs = zip(model.weights, before, model.get_weights(), strict=True)
    moved = {each.path: not np.array_equal(a, b) for each, a, b in pairs}
    trained = {each.path for each in model.trainable_weights}
    return {
        "losses": [*losses, loss(model, inputs, aims)],
        "moving": [m for path, m in moved.items() if "/moving_" in path],
        "learnt": [m for path, m in moved.items() if path in trained],
    }


def unlike(output: np.ndarray) -> np.ndarray:
    """An aim far from ``output`` that probabilities, unit vectors and plain numbers alike can reach: a one at first, zeros behind it."""
    aim = np.zeros_like(output)
    aim[..., 0] = 1
    return aim


def loss(model: Any, inputs: list[Any], aims: list[Any]) -> float:
    """The mean square error on the batch as in training, but that nothing is dropped: no draw is in it."""
    rates = [each.rate for each in dropouts(model)]
    for each in dropouts(model):
        each.rate = 0.0
    outputs = results(model, inputs, training=True)
    for each, rate in zip(dropouts(model), rates, strict=True):
        each.rate = rate
    pairs = zip(outputs, aims, strict=True)
    return sum(float(np.square(output - aim).mean()) for output, aim in pairs)


def dropouts(model: Any) -> list[Any]:
    """The Dropout layers, also inside of models that it calls."""
    layers = model._flatten_layers(include_self=False)
    return [each for each in layers if "Dropout" in type(each).__name__]


def results(model: Any, inputs: list[Any], training: bool = False) -> list[Any]:
    outputs = model(one(inputs), training=training)
    flat = list(outputs) if isinstance(outputs, list | tuple) else [outputs]
    return [keras.ops.convert_to_numpy(each) for each in flat]


def one(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values


def worst(got: list[Any], want: list[Any]) -> float:
    pairs = zip(got, want, strict=True)
    scaled = [float(np.abs(g - w).max() / (np.abs(w).max() or 1)) for g, w in pairs]
    return max(scaled)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        report = used(Path(name))
        Path(name, "used.json").write_text(json.dumps(report))
        keras.backend.clear_session()
