"""Reductions, positions, running sums and losses against TensorFlow."""

from __future__ import annotations

import numpy as np

from tests.ops.oracle import Case, bools, case, check, floats, ints, known, table

X, WHOLE = floats(2, 3, 4), ints(2, 3, 4)


@table(
    *(
        case(op, input=X, axis=known(axis), keep_dims=keep)
        for op in ("Sum", "Mean", "Max", "Min", "Prod")
        for axis, keep in (([1], False), ([1, 2], True), ([0, 1, 2], False), (-1, True))
    ),
    case("Sum", input=X, axis=known(1)),
    case("Sum", input=X, axis=known([], "int32")),
    case("Sum", input=WHOLE, axis=known([1])),
    case("Max", input=WHOLE, axis=known([1])),
    case("Prod", input=WHOLE, axis=known([1])),
    case("Sum", input=ints(2, 3).astype(np.int64), axis=known([0])),
    case("Sum", input=ints(2, 3).astype(np.int8), axis=known([0])),
    *(
        case("Mean", input=x, axis=known([0]), keep_dims=keep, expect={"fold": False})
        for x in (
            np.int32([[-7, 8], [2, 1]]),
            np.uint8([[250, 8], [9, 1]]),
            np.int64([[5], [-10]]),
        )
        for keep in (True, False)
    ),
    case(
        "Mean", input=WHOLE * 3, axis=known([1]), expect={"keras": False, "fold": False}
    ),
    case("All", input=bools(3, 4), axis=known([1])),
    case("Any", input=bools(3, 4), axis=known([0]), keep_dims=True),
    case("EuclideanNorm", input=X, axis=known([2])),
    case("Sum", input=X, axis=np.array([1], np.int32), expect={"keras": False}),
)
def test_reduction(row: Case) -> None:
    check(row)


@table(
    case("ArgMax", input=X, dimension=known(1)),
    case("ArgMax", input=X, dimension=known(-1), output_type=np.int32),
    case("ArgMin", input=X, dimension=known(0), output_type=np.int32),
    case("Cumsum", x=X, axis=known(1)),
    case("Cumsum", x=X, axis=known(1), reverse=True),
    case("Cumsum", x=X, axis=known(-1), exclusive=True),
    case(
        "Cumsum",
        x=X,
        axis=known(-1),
        exclusive=True,
        reverse=True,
    ),
    case("Cumprod", x=X, axis=known(2)),
    case("Cumprod", x=X, axis=known(2), exclusive=True, expect={"keras": False}),
    case("L2Loss", t=X),
)
def test_positions_and_running_sums(row: Case) -> None:
    check(row)


IDS = np.array([0, 0, 2], np.int32)


@table(
    case(
        "SoftmaxCrossEntropyWithLogits",
        features=floats(3, 4),
        labels=floats(3, 4, low=0),
    ),
    case(
        "SparseSoftmaxCrossEntropyWithLogits",
        features=floats(3, 4),
        labels=IDS,
    ),
)
def test_cross_entropy(row: Case) -> None:
    check(row)
