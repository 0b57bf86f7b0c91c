"""A folder that ``graphscope keras`` wrote -> one ``model.keras``, in place of the weights file; what Keras packs is loaded once to see that it can be."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import GraphscopeError, NotExpressible
from ..import_tensorflow import silence
from .keras_source import run_source
from .runner import first_line

WEIGHTS = ("model.weights.h5", "weights.npz")


def in_one_file(
    pack: Callable[[], Path], folder: str | Path, trust: bool, runs: bool
) -> tuple[Path | None, str]:
    """One file by ``pack``, which needs no Keras, else by Keras where that ``runs``; its path, None where neither could, and the remark.

    Raises UnsafeModel as ``run_source`` does.
    """
    try:
        return pack(), ""
    except NotExpressible as error:
        reason = str(error)
    if not runs:
        return None, f"there is no model.keras: {reason}; TensorFlow is not installed"
    try:
        return save_single(folder, trust), f"Keras itself wrote model.keras: {reason}"
    except NotExpressible as error:
        return None, str(error)


def save_single(folder: str | Path, trust: bool = False) -> Path:
    """Write ``model.keras`` and remove the file of weights; returns the path. Needs Keras.

    The classes that ``model.py`` defines are registered when it is imported, or given as ``custom_objects``. Raises
    NotExpressible where Keras cannot save the model or load it again, and leaves the folder as it was; UnsafeModel
    as ``run_source`` does.
    """
    target = Path(folder) / "model.keras"
    target.unlink(missing_ok=True)  # of an earlier run
    built = run_source(Path(folder), trust)
    unfinished = target.with_name(f".{os.getpid()}.keras")
    try:
        _save(built, unfinished)
        os.replace(unfinished, target)
    finally:
        unfinished.unlink(missing_ok=True)
    for name in WEIGHTS:
        (Path(folder) / name).unlink(missing_ok=True)
    return target


def _save(built: Any, path: Path) -> None:
    import keras

    try:
        with silence():
            built.save(path)
            again = keras.models.load_model(path)
    except (ValueError, TypeError, KeyError, AttributeError, RuntimeError) as error:
        raise NotExpressible(
            f"Keras cannot keep this model in one file ({first_line(error).split('. ')[0]}): "
            "model.py and its weights are written instead"
        ) from None
    pairs = zip(built.get_weights(), again.get_weights(), strict=True)
    if not all(np.array_equal(ours, theirs) for ours, theirs in pairs):
        raise GraphscopeError(f"{path.name} does not hold the weights that went in")
