"""Concat, pack, split against TensorFlow."""

from __future__ import annotations

import numpy as np

from tests.ops.oracle import Case, case, check, floats, ints, known, table

A, B = floats(2, 3), floats(2, 5)


@table(
    case("ConcatV2", values=[A, B], axis=known(1)),
    case("ConcatV2", values=[A, B, A], axis=known(-1)),
    case(
        "ConcatV2", values=[A, A], axis=np.array(0, np.int32), expect={"keras": False}
    ),
    case("Concat", concat_dim=known(0), values=[A, A]),
    case("ConcatOffset", concat_dim=known(1), shape=[known([2, 3]), known([2, 5])]),
    case("Pack", values=[A, A], axis=1),
    case("Pack", values=[A]),
    case("ParallelConcat", values=[known([[1, 2]]), known([[3, 4]])], shape=[2, 2]),
    case(
        "ParallelDynamicStitch",
        indices=[known([0, 2]), known([1])],
        data=[floats(2, 3), floats(1, 3)],
    ),
    case("Pack", values=[ints(), ints()], axis=0),
    case("Pack", values=[ints(), known(1), known(-1)], axis=0),
    case("Unpack", value=A, num=3, axis=1),
    case("Unpack", value=A, num=2),
    case("Unpack", value=floats(1, 4), num=1),
    case("Split", axis=known(1), value=floats(2, 6), num_split=3),
    case("Split", axis=known(-1), value=floats(2, 6), num_split=1),
    case(
        "SplitV",
        value=floats(2, 6),
        size_splits=known([1, 2, 3]),
        axis=known(1),
        num_split=3,
    ),
    case(
        "SplitV",
        value=floats(2, 6),
        size_splits=known([1, -1]),
        axis=known(1),
        num_split=2,
    ),
    case(
        "SplitV", value=floats(2, 6), size_splits=known([6]), axis=known(1), num_split=1
    ),
)
def test_joining(row: Case) -> None:
    check(row)
