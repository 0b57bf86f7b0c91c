"""Identities, feeds, constants and control flow against TensorFlow."""

from __future__ import annotations

import numpy as np
import pytest

from graphscope import ops
from graphscope.graph import TensorSpec
from tests.ops.oracle import Case, bools, case, check, floats, ints, known, table

X = floats(2, 3)
SWITCHED = {"runs": False}


@table(
    case("Identity", input=X),
    case("StopGradient", input=X),
    case("PreventGradient", input=X),
    case("CheckNumerics", tensor=X, message="no"),
    case("Snapshot", input=X),
    case("IdentityN", input=[X, ints(4)]),
    case("EnsureShape", input=X, shape=[None, 3]),
    case(
        "PlaceholderWithDefault",
        input=known(X, "float32"),
        shape=[None, 3],
        expect={"keras": False, "runs": False},
    ),
    case("Placeholder", dtype="float32", shape=[None, 3], expect=SWITCHED),
    case("Switch", data=X, pred=known(True, "bool"), expect=SWITCHED),
    case("Merge", inputs=[X, X], expect=SWITCHED),
    case("Merge", inputs=[X, floats(4, 3)], expect=SWITCHED),
    case("Enter", data=X, frame_name="loop", expect=SWITCHED),
    case("LoopCond", input=bools(), expect=SWITCHED),
)
def test_control(row: Case) -> None:
    check(row)


@pytest.mark.parametrize(
    "op",
    ["Identity", "StopGradient", "CheckNumerics", "Enter", "Snapshot", "EnsureShape"],
)
def test_what_changes_nothing_says_so(op: str) -> None:
    assert "pass-through" in ops.traits(op)


def test_a_constant_of_any_size_is_measured_unread() -> None:
    class Attrs(dict):  # what read.attrs gives
        def spec(self, name: str) -> TensorSpec:
            return TensorSpec("float32", (1000, 1000, 1000))

        def __getitem__(self, name: str) -> np.ndarray:
            raise AssertionError("read")

    assert ops.shapes(ops.Call("Const", Attrs(value=0)), 1) == ((1000, 1000, 1000),)
