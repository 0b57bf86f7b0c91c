"""Identities, feeds, constants and control flow against TensorFlow."""

from __future__ import annotations

import numpy as np
import pytest

from graphscope import ops
from graphscope.graph import TensorSpec
from graphscope.ops import spellings
from tests.ops.oracle import Case, bools, case, check, floats, ints, known, table

X = floats(2, 3)
SWITCHED = {"runs": False}


@table(
    case("Identity", input=X),
    case("StopGradient", input=X),
    case("PreventGradient", input=X),
    case("CheckNumerics", tensor=X, message="no"),
    case("Snapshot", input=X),
    case("Copy", input=X),
    case("CopyHost", input=X),
    case("DeepCopy", x=X),
    case("GuaranteeConst", input=X),
    case("CheckNumericsV2", tensor=X, message="no"),
    case("DebugGradientIdentity", input=X),
    case("DebugIdentity", input=X, tensor_name="x:0"),
    case("DebugIdentityV2", input=X),
    case("Print", input=X, data=[floats(2)], message="told"),
    case("Exit", data=X, expect=SWITCHED),
    case("NextIteration", data=X, expect=SWITCHED),
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


@pytest.mark.parametrize("op", sorted(spellings.OF_VALUES))
def test_an_op_on_a_reference_is_the_op_on_its_value(op: str) -> None:
    """TensorFlow 1 alone runs these, on variables by reference; what they mean is held against the ops on values."""
    attrs = {"T": "float32", "frame_name": "loop", "N": 2}
    inputs = [X, np.array(True)] if "Switch" in op else [X, X]
    specs = [TensorSpec(a.dtype.name, a.shape) for a in inputs]
    plain = spellings.OF_VALUES[op]
    for values in ([], inputs):
        calls = [ops.Call(each, attrs, specs, values, "node") for each in (op, plain)]
        assert ops.shapes(calls[0], 2) == ops.shapes(calls[1], 2)
        folded = [ops.values(call, 2) for call in calls]
        assert str(folded[0]) == str(folded[1])
        assert ops.keras_text(calls[0], "ab") == ops.keras_text(calls[1], "ab")
    assert ops.traits(op) >= ops.traits(plain)
