"""Weights -> ``model.weights.h5`` as Keras 3 lays it out, written without Keras; ``weights.npz`` without h5py.

``layers/<class in snake case>_<n>/vars/<i>`` in the order of the model's layers and of each layer's variables; a layer
inside a layer has its attribute's name between. From ``keras/src/saving/saving_lib.py`` of Keras 3.15.
In the ``.npz`` the arrays lie in the order of ``model.weights``, each under its layer's name and its own. Either way
one weight is in memory at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np

from ...errors import MissingWeight, NotExpressible
from ...graph import Model, WeightUse
from ...wire.mapped import pieces, release
from .program.layer_order import layer_paths
from .program.names import Namespace
from .program.program import Program, Step


def write_weights(program: Program, model: Model, path: Path) -> int:
    """Write the file; returns the number of elements. Raises MissingWeight for a weight that has no value."""
    import h5py

    count = 0
    with h5py.File(path, "w") as file:
        file.create_group("vars").attrs["name"] = program.name
        for group, step in stored_layers(program):
            file.create_group(f"{group}/vars").attrs["name"] = step.name
            for place, name in places(step):
                array = _array(step, step.weights[name], model)
                _put(file, f"{group}/{place}", array)
                count += array.size
    return count


def write_arrays(program: Program, model: Model, path: Path) -> int:
    """Write ``weights.npz``, which the source's own ``load_weights`` reads; returns the number of elements."""
    count, names = 0, Namespace()
    with ZipFile(path, "w") as file:
        for _, step in stored_layers(program):
            for _, name in places(step):
                array = _array(step, step.weights[name], model)
                entry = f"{names.unique(f'{step.name}/{name}')}.npy"
                with file.open(entry, "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, _known_to_numpy(array))
                release(array)
                count += array.size
    return count


def _known_to_numpy(array: np.ndarray) -> np.ndarray:
    """numpy's own format has no bfloat16; float32 holds every value of it."""
    return array.astype("float32") if array.dtype.name == "bfloat16" else array


def stored_layers(program: Program) -> Iterator[tuple[str, Step]]:
    """The layers in the order of ``model.layers``, each with its group in the weights file."""
    steps = program.by_node
    for node, group in layer_paths(program).items():
        if node in program.models:
            inside = stored_layers(program.models[node])
            yield from ((f"{group}/{path}", step) for path, step in inside)
        elif node in steps:
            yield group, steps[node]


def places(step: Step) -> Iterator[tuple[str, str]]:
    """Where each weight of a layer lies inside the layer's group, and its name."""
    counts: dict[str, int] = {}
    for name in step.stored:
        *inner, _ = name.split("/")
        group = "/".join([*inner, "vars"])
        counts[group] = number = counts.get(group, -1) + 1
        yield f"{group}/{number}", name


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
    dataset = file.create_dataset(place, array.shape, array.dtype)
    for cut, piece in pieces(array):
        dataset[cut if array.ndim else ()] = piece
    if array.dtype.name == "bfloat16":
        dataset.attrs["dtype"] = "bfloat16"
