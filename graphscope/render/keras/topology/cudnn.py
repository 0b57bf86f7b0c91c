"""Weights of Keras 2's CuDNNLSTM and CuDNNGRU -> those of LSTM and GRU, which lie otherwise.

Source: tf_keras/src/saving/legacy/hdf5_format.py, ``_convert_rnn_weights``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ....graph import Model, WeightUse
from ....graph.keras import KerasLayer

_GATES = {"CuDNNGRU": 3, "CuDNNLSTM": 4}


def converted(layer: KerasLayer, path: str) -> WeightUse:
    """A weight of a layer as Keras 3 keeps it."""
    use = layer.weights[path]
    inner = layer.config.get("layer") if "layer/" in path else layer
    origin = inner.origin if isinstance(inner, KerasLayer) else ""
    if origin not in _GATES:
        return use
    last = path.rpartition("/")[2]
    count = _GATES[origin]
    shape = use.shape
    if last == "bias":
        half = use.shape[0] // 2
        shape = (half,) if origin == "CuDNNLSTM" else (2, half)

    def turn(array: np.ndarray) -> np.ndarray:
        return turned(array, last, origin, count)

    return WeightUse(use.node, shape, (("computed", _reader(use, turn)),))


def _reader(
    use: WeightUse, turn: Callable[[np.ndarray], np.ndarray]
) -> Callable[[Model], np.ndarray]:
    return lambda model: turn(use.array(model))


def turned(array: np.ndarray, name: str, origin: str, gates: int) -> np.ndarray:
    """One array in the layout of Keras's own layer; ``name`` is kernel, recurrent_kernel or bias."""
    if name == "bias":
        both = array.reshape(2, -1)
        return both.sum(0) if origin == "CuDNNLSTM" else both
    parts = np.split(array, gates, axis=1)
    if name == "recurrent_kernel":
        return np.hstack([part.T for part in parts])
    return np.hstack([part.T.reshape(part.shape, order="F") for part in parts])
