"""Reshaping, transposing, repeating and reversing against TensorFlow."""

from __future__ import annotations

import numpy as np

from graphscope import ops
from graphscope.graph import TensorSpec
from tests.ops.oracle import Case, case, check, floats, ints, known, table

X = floats(2, 3, 4)


@table(
    case("Reshape", tensor=X, shape=known([4, 6])),
    case("Reshape", tensor=X, shape=known([2, -1])),
    case("Reshape", tensor=X, shape=known([-1])),
    case("Reshape", tensor=ints(6), shape=known([3, 2])),
    case(
        "Reshape", tensor=X, shape=np.array([6, 4], np.int32), expect={"keras": False}
    ),
    case("Squeeze", input=floats(2, 1, 3, 1), axis=[1, 3]),
    case("Squeeze", input=floats(2, 1, 3, 1), axis=[-1]),
    case("Squeeze", input=floats(2, 1, 3, 1)),
    case("ExpandDims", input=X, axis=known(1)),
    case("ExpandDims", input=X, axis=known(-1)),
    case("Transpose", x=X, perm=known([2, 0, 1])),
    case("Transpose", x=X, perm=known([0, 1, 2])),
    case("ConjugateTranspose", x=X, perm=known([2, 0, 1])),
    case(
        "ConjugateTranspose",
        x=np.array([[1 + 2j, 3 - 1j, 1j]], np.complex64),
        perm=known([1, 0]),
        expect={"keras": False},
    ),
    case("Tile", input=X, multiples=known([1, 2, 3])),
    case("ReverseV2", tensor=X, axis=known([0, -1])),
    case("ReverseV2", tensor=X, axis=np.int32([0, -1])),
    case("Reverse", tensor=X, dims=np.array([False, True, False])),
    case("Reverse", tensor=X, dims=known([False, True, False], "bool")),
    case("ReverseSequence", input=X, seq_lengths=np.array([2, 1], np.int32), seq_dim=1),
    case(
        "ReverseSequence",
        input=floats(4, 3, 2),
        seq_lengths=np.array([2, 4, 1], np.int64),
        seq_dim=0,
        batch_dim=1,
    ),
    case("Roll", input=X, shift=known([1]), axis=known([1])),
    case("Roll", input=X, shift=known([1, -2]), axis=known([0, 1])),
    case("InvertPermutation", x=np.array([2, 0, 1], np.int32)),
    case("BroadcastArgs", s0=known([2, 1, 3]), s1=known([4, 1])),
    case("Bitcast", input=X, type=np.int32),
    case("Bitcast", input=X, type=np.uint8, expect={"keras": False}),
    case("ListDiff", x=known([4, 1, 2, 4, 3]), y=known([4, 3])),
)
def test_array(row: Case) -> None:
    check(row)


@table(
    *(
        case("BroadcastGradientArgs", s0=known(a), s1=known(b))
        for a, b in (
            ([2, 3], [3]),
            ([2, 3], [2, 3]),
            ([2, 1, 3], [2, 4, 1]),
            ([], [2, 1]),
            ([1, 3], [1, 3]),
            ([1, 3], [1, 1]),
        )
    )
)
def test_which_axes_a_gradient_is_summed_over(row: Case) -> None:
    check(row)


def test_a_partly_known_target_is_written_with_minus_one() -> None:
    target = ops.Partial(np.array([0, 7, 8], "int32"), np.array([False, True, True]))
    specs = [TensorSpec("float32", (None, 56)), TensorSpec("int32", (3,))]
    call = ops.Call("Reshape", {}, specs, [None, target])
    assert ops.keras_text(call, ["x", "shape"]) == "ops.reshape(x, (-1, 7, 8))"
    assert ops.shapes(call, 1) == ((None, 7, 8),)


def test_reshape_that_contradicts_itself() -> None:
    """Ten elements make no rows of eleven: nothing is known, least of all that there are none."""
    specs = [TensorSpec("float32", (10,)), TensorSpec("int32", (2,))]
    call = ops.Call("Reshape", {}, specs, [None, np.array([-1, 11], np.int32)])
    assert ops.shapes(call, 1) == (None,)
