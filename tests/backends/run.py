"""``KERAS_BACKEND=torch python -m tests.backends.run FOLDER ...``: every model in the folders, on that backend, against TensorFlow's numbers.

A model is a folder with ``model.py``, ``model.weights.h5``, ``given.npz`` and ``want.npz``, as ``tests.backends.record``
leaves it; ``got.npz`` is left beside them. Needs Keras, the backend and h5py; TensorFlow only where ``model.py`` does.
"""

from __future__ import annotations

import runpy
import sys
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np

BOUND = 1e-4
BUILD_FAILURES = (
    AttributeError,
    ImportError,
    IndexError,
    KeyError,
    NotImplementedError,
    RuntimeError,
    TypeError,
    ValueError,
)


def run_folder(folder: Path) -> list[np.ndarray]:
    """Build, load the weights, call: all as one who was given the folder would do it."""
    model = runpy.run_path(str(folder / "model.py"))["build_model"]()
    model.load_weights(folder / "model.weights.h5")
    with np.load(folder / "given.npz") as stored:
        given = [stored[name] for name in stored.files]
    outputs = model(given[0] if len(given) == 1 else given, training=False)
    results = [keras.ops.convert_to_numpy(each) for each in keras.tree.flatten(outputs)]
    np.savez(folder / "got.npz", *results)
    return results


def gap(folder: Path) -> float:
    """The worst difference from ``want.npz`` in units of each output's scale; infinite where shapes differ."""
    results = run_folder(folder)
    with np.load(folder / "want.npz") as stored:
        wanted = [stored[name] for name in stored.files]
    if [each.shape for each in wanted] != [each.shape for each in results]:
        return float("inf")
    return max(map(scaled, wanted, results), default=0.0)


def scaled(want: np.ndarray, got: np.ndarray) -> float:
    """The greatest absolute difference in units of the greatest value; NaN and infinity must stand in the same places."""
    want, got = want.astype("float64"), got.astype("float64")
    finite = np.isfinite(want)
    if not np.array_equal(want[~finite], got[~finite], equal_nan=True):
        return float("inf")
    difference = np.abs(want[finite] - got[finite]).max(initial=0)
    return float(difference / (np.abs(want[finite]).max(initial=0) or 1.0))


def verdicts(folder: Path) -> Iterator[tuple[str, str]]:
    """Each model's name, and ``equal`` or what is wrong."""
    for inner in sorted(path.parent for path in folder.rglob("want.npz")):
        keras.backend.clear_session()
        try:
            worst = gap(inner)
        except BUILD_FAILURES as error:
            first = " ".join(str(error).split())[:300]
            yield inner.name, f"does not run: {type(error).__name__}: {first}"
        else:
            yield inner.name, "equal" if worst < BOUND else f"{worst:.2g} apart"


def main() -> int:
    rows = []
    for folder in sys.argv[1:]:
        for name, verdict in verdicts(Path(folder)):
            rows.append(verdict)
            print(f"{name}: {verdict}", flush=True)
    count = rows.count("equal")
    print(f"{count} of {len(rows)} equal on {keras.backend.backend()}")
    return int(count < len(rows))


if __name__ == "__main__":
    sys.exit(main())
