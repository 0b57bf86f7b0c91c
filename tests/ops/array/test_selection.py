"""Choices between elements against TensorFlow."""

from __future__ import annotations

import numpy as np

from tests.ops.oracle import Case, bools, case, check, floats, known, table

A, B = floats(2, 3), floats(2, 3)


@table(
    case("Select", condition=bools(2, 3), x=A, y=B),
    case("Select", condition=np.array([True, False]), x=A, y=B),
    case("Select", condition=known(True, "bool"), x=A, y=B),
    case("Select", condition=bools(3), x=floats(3), y=floats(3)),
    case("SelectV2", condition=bools(2, 1), t=A, e=floats(3)),
    case(
        "ClipByValue",
        t=A,
        clip_value_min=known(-1, "float32"),
        clip_value_max=known(0.5, "float32"),
    ),
    case(
        "ClipByValue",
        t=A,
        clip_value_min=np.full((), -1.0, np.float32),
        clip_value_max=np.full((), 0.5, np.float32),
    ),
    case("BroadcastTo", input=floats(3, 1), shape=known([2, 3, 4])),
    case(
        "BroadcastTo",
        input=floats(3),
        shape=np.array([2, 3], np.int32),
        expect={"keras": False},
    ),
)
def test_selection(row: Case) -> None:
    check(row)
