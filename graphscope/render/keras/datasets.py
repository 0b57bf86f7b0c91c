"""Arrays -> datasets of an HDF5 file, by h5py's low level: a net has hundreds, and its high level takes longer than writing them."""

from __future__ import annotations

from functools import cache
from typing import Any

import h5py
import numpy as np
from h5py import h5d, h5p, h5s, h5t

from ...wire.mapped import pieces


def put(file: Any, place: str, array: np.ndarray) -> None:
    """One dataset, byte for byte as ``create_dataset`` writes it; numpy itself has no bfloat16, so that its name is stored beside it,
    as Keras does.
    """
    kind, space = h5t.py_create(array.dtype, logical=True), h5s.create_simple(
        array.shape
    )
    group, _, name = place.rpartition("/")
    parent = file.require_group(group).id
    dataset = h5d.create(parent, name.encode(), kind, space, dcpl=_untimed())
    for cut, piece in pieces(array):
        if piece.shape == array.shape:
            dataset.write(h5s.ALL, h5s.ALL, np.ascontiguousarray(piece))
        else:
            h5py.Dataset(dataset)[cut] = piece
    if array.dtype.name == "bfloat16":
        h5py.Dataset(dataset).attrs["dtype"] = "bfloat16"


@cache
def _untimed() -> Any:
    """No time of writing: the same weights are the same bytes."""
    created = h5p.create(h5p.DATASET_CREATE)
    created.set_obj_track_times(False)
    return created
