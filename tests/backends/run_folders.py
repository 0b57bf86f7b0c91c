"""Run under the backend that KERAS_BACKEND names: each folder's model on its ``given.npz``, results into ``got.npz``.

KERAS_BACKEND=jax python run_folders.py FOLDER ...
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import keras
import numpy as np


def run_folder(folder: Path) -> None:
    """Build, load the weights, call: all as one who was given the folder would do it."""
    model = runpy.run_path(str(folder / "model.py"))["build_model"]()
    model.load_weights(folder / "model.weights.h5")
    with np.load(folder / "given.npz") as stored:
        given = [stored[name] for name in stored.files]
    made = model(given[0] if len(given) == 1 else given, training=False)
    results = [keras.ops.convert_to_numpy(each) for each in flat(made)]
    np.savez(folder / "got.npz", *results)


def flat(made: object) -> list[object]:
    return list(made) if isinstance(made, list | tuple) else [made]


if __name__ == "__main__":
    for name in sys.argv[1:]:
        run_folder(Path(name))
        keras.backend.clear_session()
