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

EPOCHS = 15


def used(folder: Path) -> dict[str, Any]:
    """Worst differences of copies, in the scale of the outputs; the losses; what training moved."""
    model = runpy.run_path(str(folder / "model.py"))["build_model"]()
    model.load_weights(folder / "model.weights.h5")
    with np.load(folder / "given.npz") as stored:
        given = [stored[name] for name in stored.files]
    want = results(model, given)
    model.summary(print_fn=lambda *_: None)
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    found = {"cloned": worst(results(copy, given), want)}
    found["weights"] = len({id(each) for each in model.weights})
    before = [np.array(each) for each in model.get_weights()]
    found["loss"] = trained(model, given, want)
    after = model.get_weights()
    moved = [not np.array_equal(a, b) for a, b in zip(before, after, strict=True)]
    kinds = [each.path.rsplit("/", 1)[-1] for each in model.weights]
    found["moving"] = [m for m, k in zip(moved, kinds) if k.startswith("moving_")]
    trainable = {id(each) for each in model.trainable_weights}
    found["learnt"] = [
        m for m, each in zip(moved, model.weights) if id(each) in trainable
    ]
    want = results(model, given)
    model.save(folder / "used.keras")
    loaded = keras.models.load_model(folder / "used.keras")
    found["loaded"] = worst(results(loaded, given), want)
    found["kept"] = len({id(each) for each in loaded.weights})
    found["rates"] = rates(model)
    if found["rates"]:
        found["drops"] = worst(results(model, given, training=True), want) > 0
    return found


def trained(model: Any, given: list[Any], want: list[Any]) -> list[float]:
    """The losses of a few steps towards other outputs than the model has."""
    rng = np.random.default_rng(0)
    aims = [each + rng.normal(0, 0.3, each.shape).astype(each.dtype) for each in want]
    losses = "mse" if len(aims) == 1 else ["mse"] * len(aims)
    model.compile(optimizer=keras.optimizers.Adam(1e-3), loss=losses)
    history = model.fit(
        one(given), one(aims), batch_size=len(given[0]), epochs=EPOCHS, verbose=0
    )
    return [float(each) for each in history.history["loss"]]


def rates(model: Any) -> list[float]:
    """Those of the Dropout layers, also inside of models that it calls."""
    layers = model._flatten_layers(include_self=False)
    return [float(each.rate) for each in layers if "Dropout" in type(each).__name__]


def results(model: Any, given: list[Any], training: bool = False) -> list[Any]:
    made = model(one(given), training=training)
    flat = list(made) if isinstance(made, list | tuple) else [made]
    return [keras.ops.convert_to_numpy(each) for each in flat]


def one(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values


def worst(got: list[Any], want: list[Any]) -> float:
    pairs = zip(got, want, strict=True)
    scaled = [float(np.abs(g - w).max() / (np.abs(w).max() or 1)) for g, w in pairs]
    return max(scaled)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        said = used(Path(name))
        Path(name, "used.json").write_text(json.dumps(said))
        keras.backend.clear_session()
