"""Fill, range, one-hot and sizes against TensorFlow."""

from __future__ import annotations

import numpy as np

from graphscope import ops
from graphscope.graph import TensorSpec
from tests.ops.oracle import Case, case, check, floats, ints, known, table

X = floats(2, 3, 4)


@table(
    case("Fill", dims=known([2, 3]), value=known(1.5, "float32")),
    case("Fill", dims=known([2, 3]), value=known(7)),
    case("Fill", dims=known([2]), value=floats()),
    case("Range", start=known(2), limit=known(11), delta=known(3)),
    case("Range", start=known(5), limit=known(0), delta=known(-2)),
    case(
        "Range",
        start=known(0, "float32"),
        limit=known(1, "float32"),
        delta=known(0.25, "float32"),
    ),
    case("LinSpace", start=known(0, "float32"), stop=known(1, "float32"), num=known(5)),
    case("LinSpace", start=floats(), stop=floats(), num=known(1)),
    case(
        "OneHot",
        indices=ints(2, 3, low=0, high=4),
        depth=known(4),
        on_value=known(1, "float32"),
        off_value=known(0, "float32"),
    ),
    case(
        "OneHot",
        indices=ints(2, 3, low=-1, high=4),
        depth=known(4),
        on_value=known(5, "float32"),
        off_value=known(-1, "float32"),
        axis=1,
    ),
    case(
        "OneHot",
        indices=ints(2, low=0, high=4),
        depth=known(4),
        on_value=known(1),
        off_value=known(0),
    ),
    case("Shape", input=X),
    case("Shape", input=X, out_type=np.int64),
    case("ShapeN", input=[X, floats(5)]),
    case("Rank", input=X),
    case("Size", input=X),
)
def test_making(row: Case) -> None:
    check(row)


def test_what_a_file_asks_for_is_not_made_when_it_is_huge() -> None:
    specs = [TensorSpec("int32", (2,)), TensorSpec("int32", ())]
    dims = np.array([100_000, 100_000], np.int32)
    call = ops.Call("Fill", {}, specs, [dims, np.array(1, np.int32)])
    assert ops.values(call, 1) == (None,)
    assert ops.shapes(call, 1) == ((100_000, 100_000),)


def test_sizes_are_known_where_shapes_are() -> None:
    call = ops.Call("Shape", {}, [TensorSpec("float32", (None, 7))], [None])
    (value,) = ops.values(call, 1)
    assert isinstance(value, ops.Partial)
    assert value.known.tolist() == [False, True] and value.array[1] == 7
