"""Weights -> ``model.weights.h5`` as Keras 3 lays it out, written without Keras.

``layers/<class in snake case>_<n>/vars/<i>`` in the order of the model's layers and of each layer's variables; a layer
inside a layer has its attribute's name between. From ``keras/src/saving/saving_lib.py`` of Keras 3.15.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import MissingWeight, NotExpressible
from ...graph import Model, WeightUse
from .order import layer_paths
from .program import Program, Step


def write_weights(program: Program, model: Model, path: Path) -> int:
    """Write the file; returns the number of elements. Raises MissingWeight for a weight that has no value."""
    import h5py

    count, paths = 0, layer_paths(program)
    with h5py.File(path, "w") as file:
        file.create_group("vars").attrs["name"] = program.name
        for step in program.steps:
            if step.layer not in ("", step.node) or step.node not in paths:
                continue
            file.create_group(f"{paths[step.node]}/vars").attrs["name"] = step.name
            for place, use in places(step):
                array = _array(step, use, model)
                _put(file, f"{paths[step.node]}/{place}", array)
                count += array.size
    return count


def places(step: Step) -> Iterator[tuple[str, WeightUse]]:
    """Where each weight of a layer lies inside the layer's group."""
    counts: dict[str, int] = {}
    for name in step.stored:
        *inner, _ = name.split("/")
        group = "/".join([*inner, "vars"])
        counts[group] = number = counts.get(group, -1) + 1
        yield f"{group}/{number}", step.weights[name]


def _array(step: Step, use: WeightUse, model: Model) -> np.ndarray:
    array = np.asarray(use.array(model))
    if array.dtype.hasobject:
        raise NotExpressible(
            f"weight {use.node!r} of layer {step.name!r} holds strings, which no Keras weight can"
        )
    if tuple(array.shape) != tuple(use.shape):
        raise MissingWeight(
            f"weight {use.node!r} of layer {step.name!r} has shape {array.shape}, but the layer needs {use.shape}"
        )
    return array


def _put(file: Any, place: str, array: np.ndarray) -> None:
    """One dataset; numpy itself has no bfloat16, so that its name is stored beside it, as Keras does."""
    made = file.create_dataset(place, data=array)
    if array.dtype.name == "bfloat16":
        made.attrs["dtype"] = "bfloat16"
