"""What a layer takes and gives by its weights' shapes: Keras builds it and says the same."""

from __future__ import annotations

from typing import Any

import pytest

from graphscope.read.variables.guess import likely_layer
from graphscope.read.variables.skeleton import _flat
from graphscope.read.variables.widths import Widths, widths

LAYERS: dict[str, tuple[tuple[int, ...], dict[str, Any]]] = {
    "Dense": ((2, 5), {"units": 3}),
    "Conv1D": ((2, 9, 4), {"filters": 6, "kernel_size": 3, "groups": 2}),
    "Conv2D": ((2, 9, 9, 4), {"filters": 6, "kernel_size": 3}),
    "Conv2DTranspose": ((2, 9, 9, 4), {"filters": 6, "kernel_size": 3}),
    "DepthwiseConv2D": ((2, 9, 9, 4), {"kernel_size": 3, "depth_multiplier": 2}),
    "SeparableConv2D": ((2, 9, 9, 4), {"filters": 6, "kernel_size": 3}),
    "LSTM": ((2, 7, 5), {"units": 3}),
    "GRU": ((2, 7, 5), {"units": 3}),
    "SimpleRNN": ((2, 7, 5), {"units": 3}),
    "BatchNormalization": ((2, 5), {}),
    "LayerNormalization": ((2, 5), {}),
}


@pytest.mark.parametrize("op", LAYERS)
def test_widths_are_those_that_keras_builds(op: str) -> None:
    import keras

    shape, config = LAYERS[op]
    layer = getattr(keras.layers, op)(**config)
    layer.build(shape)
    weights = {w.path.rpartition("/")[2]: tuple(w.shape) for w in layer.weights}

    ends = widths(op, weights, config)

    assert ends is not None and ends.rank in (0, len(shape))
    assert (ends.takes, ends.gives) == (
        shape[-1],
        layer.compute_output_shape(shape)[-1],
    )


def test_both_directions_give_twice_the_width() -> None:
    inner = {"kernel": (5, 12), "recurrent_kernel": (3, 12), "bias": (12,)}
    both = {
        f"{way}_layer/{n}": s
        for way in ("forward", "backward")
        for n, s in inner.items()
    }
    assert widths("Bidirectional", both, {}) == Widths(3, 5, 6)


def test_a_cell_of_tensorflow_1_keeps_inputs_above_the_state() -> None:
    cell = {"kernel": (8, 12), "bias": (12,)}
    assert widths("LSTM", cell, {"units": 3}) == Widths(3, 5, 3)
    assert widths("LSTM", {"bias": (12,)}, {"units": 3}) is None


@pytest.mark.parametrize("weights", [{}, {"kernel": (5,)}, {"bias": (5,)}])
def test_what_has_no_kernel_of_two_axes_tells_nothing(weights: Any) -> None:
    assert widths("Dense", weights, {}) is None
    assert widths("Dense", {"kernel": (5, 1)}, {}) == Widths(0, 5, 1)


def test_embeddings_take_numbers_of_rows() -> None:
    assert widths("Embedding", {"embeddings": (100, 8)}, {}) == Widths(2, 0, 8, "int32")


def test_a_bias_kept_as_one_row_is_a_bias() -> None:
    assert _flat((1, 8)) == (8,) and _flat((8,)) == (8,)
    assert _flat((2, 8)) == (2, 8) and _flat((1, 1, 8)) == (1, 1, 8)


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_a_kernel_of_as_many_axes_is_a_convolution(rank: int) -> None:
    guess = likely_layer((("kernel", (3,) * rank + (4, 8)), ("bias", (8,))), "")
    assert guess is not None and guess.op == f"Conv{rank}D"
    assert guess.config["kernel_size"] == (3,) * rank
