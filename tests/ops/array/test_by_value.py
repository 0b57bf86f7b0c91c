"""What is as long as its elements tell: as literals and as the bodies of layers, against TensorFlow."""

from __future__ import annotations

import numpy as np

from tests.ops.oracle import Case, case, check, floats, ints, known, table

LONG = np.int32([5, 1, 5, 7, 1, 1, 9])
LEFT, RIGHT = np.int32([[1, 5, 3, 3], [9, 8, 9, 7]]), np.int32([[3, 4], [7, 9]])
INDEX = np.int64([[0, 0], [0, 1], [0, 2], [2, 0]])


@table(
    case("DynamicStitch", indices=[np.int32([2, 0]), np.int32([1, 3, 0])], data=[floats(2, 3), floats(3, 3)]),
    case("DynamicStitch", indices=[np.int32([[2, 0], [4, 1]]), np.array(3, "int32")], data=[floats(2, 2), floats()], expect={"less": True}),
    case("ParallelDynamicStitch", indices=[np.int32([2, 0]), np.int32([1])], data=[ints(2, 3), ints(1, 3)]),
    case("DynamicPartition", data=floats(6, 2), partitions=np.int32([0, 2, 0, 1, 2, 0]), num_partitions=4),
    case("DynamicPartition", data=floats(2, 3, 2), partitions=np.int32([[0, 1, 0], [1, 1, 0]]), num_partitions=2),
    case("Where", condition=np.array([[True, False], [True, True]])),
    case("Where", condition=floats(3) > 9),
    case("Unique", x=LONG),
    case("Unique", x=LONG.astype("float32"), out_idx="int64"),
    case("UniqueWithCounts", x=LONG),
    case("ListDiff", x=LONG, y=np.int32([1, 9])),
    *(case("DenseToDenseSetOperation", set1=LEFT, set2=RIGHT, set_operation=kind, expect={"less": True}) for kind in ("a-b", "b-a", "intersection", "union")),
    case("SetSize", set_indices=INDEX, set_values=np.int32([4, 5, 4, 4]), set_shape=np.int64([4, 3]), expect={"less": True}),
    case("Range", start=np.array(2), limit=np.array(11), delta=np.array(3)),
    case("Range", start=floats(), limit=known(-3.0, "float32"), delta=np.array(-0.5, "float32")),
    case("Fill", dims=np.int32([2, 3]), value=floats()),
)  # fmt: skip
def test_by_value(row: Case) -> None:
    check(row)
