"""Weights -> ``model.weights.h5`` as Keras 3 lays it out, written without Keras; ``weights.npz`` without h5py.

``layers/<class in snake case>_<n>/vars/<i>`` in the order of the model's layers and of each layer's variables; a layer
inside a layer has its attribute's name between. From ``keras/src/saving/saving_lib.py`` of Keras 3.15.
In the ``.npz`` the arrays lie in the order of ``model.weights``, each under its layer's name and its own. Either way
one weight is in memory at a time.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np

from ...errors import MissingWeight, NotExpressible
from ...graph import Model, WeightUse
from ...graph.names import Names
from ...ops.values.budget import MOST_REPEATED, Budget
from ...wire.mapped import release
from .program.layer_order import layer_paths
from .program.program import Program, Step


def write_weights(program: Program, model: Model, path: Path) -> int:
    """Write the file; returns the number of elements.

    Raises MissingWeight for a weight that has no value, OSError where the disk takes no more.
    """
    import h5py

    from .datasets import put

    count, repeated = 0, Budget(MOST_REPEATED)
    with open(path, "wb+", buffering=0) as disk, WithoutFailure(disk) as target:
        with h5py.File(target, "w") as file:
            file.create_group("vars").attrs["name"] = program.name
            for group, step in stored_layers(program):
                file.create_group(f"{group}/vars").attrs["name"] = step.name
                for place, name in places(step):
                    array = _array(step, step.weights[name], model, repeated)
                    put(file, f"{group}/{place}", array)
                    target.check()
                    count += array.size
        target.check()
    return count


class WithoutFailure(io.RawIOBase):
    """A file for libhdf5, which ends the process when a write fails: the failure is kept, and raised by ``check``."""

    def __init__(self, disk: Any) -> None:
        self.disk = disk
        self.failure: OSError | None = None

    def check(self) -> None:
        """Raise OSError where the disk took no more."""
        if self.failure is not None:
            raise OSError(self.failure.errno, self.failure.strerror, self.disk.name)

    def write(self, data: Any) -> int:
        rest = memoryview(data).cast("B")
        size = len(rest)
        try:
            while len(rest) and self.failure is None:
                rest = rest[self.disk.write(rest) :]
        except OSError as error:
            self.failure = error
        return size

    def truncate(self, size: int | None = None) -> int:
        try:
            self.disk.truncate(size)
        except OSError as error:
            self.failure = error
        return size or 0

    def readinto(self, target: Any) -> int:
        count: int = self.disk.readinto(target)
        return count

    def seek(self, offset: int, whence: int = 0) -> int:
        place: int = self.disk.seek(offset, whence)
        return place

    def tell(self) -> int:
        place: int = self.disk.tell()
        return place

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True


def write_arrays(program: Program, model: Model, path: Path) -> int:
    """Write ``weights.npz``, which the source's own ``load_weights`` reads; returns the number of elements."""
    count, names, repeated = 0, Names(), Budget(MOST_REPEATED)
    with ZipFile(path, "w") as file:
        for _, step in stored_layers(program):
            for _, name in places(step):
                array = _array(step, step.weights[name], model, repeated)
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


def _array(step: Step, use: WeightUse, model: Model, repeated: Budget) -> np.ndarray:
    array = np.asarray(use.array(model))
    if not any(array.strides) and not repeated.take(array.nbytes):
        raise NotExpressible(
            f"weight {use.node!r} of layer {step.name!r} is one number {array.size:,} times: "
            f"more than {MOST_REPEATED >> 20} MB of such are not written out"
        )
    if array.dtype.hasobject:
        raise NotExpressible(
            f"weight {use.node!r} of layer {step.name!r} holds strings, which no Keras weight can"
        )
    if tuple(array.shape) != tuple(use.shape):
        raise MissingWeight(
            f"weight {use.node!r} of layer {step.name!r} has shape {array.shape}, but the layer needs {use.shape}"
        )
    return array
