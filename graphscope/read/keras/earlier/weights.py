"""Weights as Keras 1 and Keras on Theano stored them -> as Keras 2 on TensorFlow does; values stay in the file until they are asked for.

Source: ``preprocess_weights_for_loading`` of Keras 2 (keras/engine/saving.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ....graph.keras import KerasLayer
from ....wire.source import Source
from ...weights.hdf5 import Dataset
from ...weights.stored import Piece, Stored, StoredWeights

Named = tuple[str, Dataset]
_RECURRENT = {"LSTM": (12, 4), "ConvLSTM2D": (12, 4), "GRU": (9, 3)}
_ORDER = {4: (0, 2, 1, 3), 3: (0, 1, 2)}  # of the gates: input, forget, cell, output
_CONVOLUTIONS = ("Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose", "ConvLSTM2D")
_TURNS = {
    "Conv2D": (2, 3, 1, 0),
    "ConvLSTM2D": (2, 3, 1, 0),
    "Conv2DTranspose": (2, 3, 0, 1),
    "Conv3D": (2, 3, 4, 1, 0),
}
_INNER = {"Bidirectional": ("layer", "backward_layer"), "TimeDistributed": ("layer",)}


def in_keras_2(
    layer: KerasLayer, weights: Sequence[Named], generation: int, backend: str
) -> list[Named]:
    """The weights of one layer, in Keras 2's number, order and layout."""
    inner = _inner(layer)
    if inner:
        share = len(weights) // len(inner)
        parts = [weights[n * share : (n + 1) * share] for n in range(len(inner))]
        return [
            w
            for each, part in zip(inner, parts)
            for w in in_keras_2(each, part, generation, backend)
        ]
    if generation == 1:
        weights = [(name, _reordered(layer, data)) for name, data in weights]
        weights = _joined(layer, weights)
    if backend == "theano" and layer.class_name in _CONVOLUTIONS:
        weights = [(name, _flipped(data)) for name, data in weights]
    return list(weights)


def _inner(layer: KerasLayer) -> list[KerasLayer]:
    """The layers that a wrapper runs, each with as many weights; where it says nothing of the second it is as the first."""
    names = _INNER.get(layer.class_name, ())
    first = layer.config.get("layer")
    layers = [layer.config.get(name) or first for name in names]
    return [each for each in layers if isinstance(each, KerasLayer)]


def _joined(layer: KerasLayer, weights: Sequence[Named]) -> Sequence[Named]:
    """One kernel of all gates for one a gate: kernel, recurrent kernel and bias of each follow each other there."""
    count, gates = _RECURRENT.get(layer.class_name, (0, 1))
    if len(weights) != count or not count:
        return weights
    kinds = ("kernel", "recurrent_kernel", "bias")
    scope = weights[0][0].rpartition("/")[0] or layer.name
    return [
        (
            f"{scope}/{kind}",
            _computed(
                [weights[3 * gate + place][1] for gate in _ORDER[gates]], _side_by_side
            ),
        )
        for place, kind in enumerate(kinds)
    ]


def _reordered(layer: KerasLayer, data: Dataset) -> Dataset:
    kind, rank = layer.class_name, len(data.shape)
    if kind == "Conv1D" and rank == 4:
        return _of_one_axis(layer, data)
    if layer.config.get("data_format") == "channels_first" and rank == len(
        _TURNS.get(kind, ())
    ):
        return _computed([data], lambda parts: parts[0].transpose(_TURNS[kind]))
    if kind == "Conv2DTranspose" and rank == 4:
        return _computed([data], lambda parts: parts[0].transpose(0, 1, 3, 2))
    return data


def _of_one_axis(layer: KerasLayer, data: Dataset) -> Dataset:
    """A kernel over one axis was one over two, the second of size one; before Keras 1.2 its filters came first."""
    filters = layer.config.get("filters")
    size = np.ravel(layer.config.get("kernel_size", 0))[0]
    if data.shape[:2] != (size, 1) or data.shape[3] != filters:
        return _computed([data], lambda parts: parts[0].transpose(2, 3, 1, 0)[:, 0])
    return _computed([data], lambda parts: parts[0][:, 0])


def _flipped(data: Dataset) -> Dataset:
    """Theano convolves where TensorFlow correlates: its kernels lie upside down and back to front."""
    axes = tuple(range(len(data.shape) - 2))
    return _computed([data], lambda parts: np.flip(parts[0], axes)) if axes else data


def _side_by_side(parts: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate(parts, -1)


def _computed(
    parts: Sequence[Dataset], make: Callable[[Sequence[np.ndarray]], np.ndarray]
) -> Dataset:
    """What is made of the values of some datasets, each time that they are asked for."""
    first = parts[0]
    empty = [np.broadcast_to(np.zeros((), bool), part.shape) for part in parts]
    shape = make(empty).shape
    table: Mapping[str, Stored] = {str(n): part.stored for n, part in enumerate(parts)}

    def decode(source: Source, piece: Piece) -> np.ndarray:
        weights = StoredWeights(table, source.name)
        return np.ascontiguousarray(make([weights[name] for name in table]))

    piece = first.stored.pieces[0]
    whole = Piece(piece.opened, piece.offset, piece.length, decode=decode)
    return Dataset(first.path, first.dtype, shape, Stored(first.dtype, shape, (whole,)))
