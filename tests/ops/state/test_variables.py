"""Variables, queues, tables, iterators, arrays and lists against TensorFlow."""

from __future__ import annotations

import numpy as np
import pytest

from graphscope import ops
from tests.ops.oracle import Case, case, check_shapes, floats, known, table


@table(
    case("VariableV2", shape=[2, 3], dtype="float32"),
    case("VarHandleOp", shape=[2, 3], dtype="float32"),
    case("HashTableV2", key_dtype="string", value_dtype="int64"),
    case("FIFOQueueV2", component_types=["float32"], shapes=[[2, 3]]),
    case("TensorArrayV3", size=known(3), dtype="float32"),
    case(
        "TensorListReserve",
        element_shape=known([2, 3]),
        num_elements=known(4),
        element_dtype="float32",
    ),
    case("TensorListFromTensor", tensor=floats(2, 3), element_shape=known([3])),
    case(
        "IteratorV2",
        shared_name="",
        container="",
        output_types=["float32"],
        output_shapes=[[2]],
    ),
    case("AnonymousIterator", output_types=["float32"], output_shapes=[[2]]),
    case("OptionalNone"),
    case("TFRecordReaderV2"),
)
def test_state(row: Case) -> None:
    check_shapes(row)


@pytest.mark.parametrize(
    "op, trait",
    [
        ("VarHandleOp", "variable"),
        ("VariableV2", "variable"),
        ("ReadVariableOp", "variable-read"),
        ("AssignVariableOp", "variable-write"),
        ("ScatterAdd", "variable-write"),
        ("ResourceApplyAdam", "variable-write"),
        ("QueueDequeueManyV2", "queue"),
        ("IteratorGetNext", "iterator"),
        ("TensorSliceDataset", "dataset"),
        ("LookupTableFindV2", "lookup-table"),
    ],
)
def test_traits_of_state(op: str, trait: str) -> None:
    assert trait in ops.traits(op)


def test_reading_a_variable_whose_value_is_known_gives_it() -> None:
    value = np.arange(3.0)
    call = ops.Call("ReadVariableOp", {"dtype": "float64"}, [], [value])
    assert ops.meaning("ReadVariableOp").fold(value) is value  # type: ignore[union-attr, misc]
    assert call.value(0) is value
