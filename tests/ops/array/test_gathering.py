"""Gathers, scatters, stitches against TensorFlow."""

from __future__ import annotations

import keras
import numpy as np

from graphscope import ops
from graphscope.graph import TensorSpec
from tests.ops.oracle import Case, case, check, floats, ints, known, table

X = floats(5, 6, 7)
ROWS = ints(2, 3, low=0, high=5)


@table(
    case("Bucketize", input=X, boundaries=[-0.5, 0.0, 0.75]),
    case("Gather", params=X, indices=ROWS),
    case("GatherV2", params=X, indices=ROWS, axis=known(0)),
    case("GatherV2", params=X, indices=ROWS, axis=known(1)),
    case("GatherV2", params=X, indices=ROWS, axis=known(-1)),
    case("GatherV2", params=X, indices=known(3), axis=known(1)),
    case("GatherV2", params=X, indices=known([3, 0]), axis=known(1)),
    case(
        "GatherV2",
        params=X,
        indices=ints(5, 2, low=0, high=6),
        axis=known(1),
        batch_dims=1,
        expect={"fold": False},
    ),
    case(
        "GatherV2",
        params=X,
        indices=ints(5, 2, 2, low=0, high=6),
        axis=known(1),
        batch_dims=1,
        expect={"keras": False, "fold": False},
    ),
    case(
        "GatherV2",
        params=floats(3, 4),
        indices=ints(3, 2, low=0, high=4),
        axis=known(1),
        batch_dims=1,
        expect={"fold": False},
    ),
    case("GatherNd", params=X, indices=ints(4, 3, low=0, high=5)),
    case("GatherNd", params=X, indices=ints(4, 2, 1, low=0, high=5)),
    case("GatherNd", params=X, indices=ints(4, 2, low=0, high=5)),
    case(
        "ScatterNd", indices=ROWS[:, :1], updates=floats(2, 4), shape=np.int32([5, 4])
    ),
    case("ScatterNd", indices=ROWS[:, :1], updates=floats(2, 4), shape=known([5, 4])),
    *(
        case(
            op,
            **{name: floats(5, 4)},
            indices=np.array([[1], [1], [3]], np.int32),
            updates=floats(3, 4),
        )
        for op, name in (
            ("TensorScatterAdd", "tensor"),
            ("TensorScatterSub", "tensor"),
            ("ScatterNdNonAliasingAdd", "input"),
        )
    ),
    case(
        "TensorScatterUpdate",
        tensor=floats(5, 4),
        indices=np.array([[1], [3]], np.int32),
        updates=floats(2, 4),
    ),
    case(
        "TensorScatterUpdate",
        tensor=floats(5, 4, 2),
        indices=np.array([[[1, 0], [3, 2]]], np.int32),
        updates=floats(1, 2, 2),
    ),
    case(
        "DynamicStitch",
        indices=[known([0, 2]), known([1, 3])],
        data=[floats(2, 4), floats(2, 4)],
    ),
    case(
        "DynamicStitch",
        indices=[known(0), known([1, 3, 2])],
        data=[floats(4), floats(3, 4)],
        expect={"keras": False},
    ),
    case(
        "DynamicPartition",
        data=X,
        partitions=ints(5, low=0, high=2),
        num_partitions=2,
        expect={"keras": False},
    ),
    case(
        "DynamicPartition",
        data=X,
        partitions=known([0, 1, 1, 0, 1]),
        num_partitions=2,
    ),
    *(
        case(
            f"TensorScatter{kind}",
            tensor=floats(5, 4),
            indices=np.array([[1], [3]], np.int32),
            updates=floats(2, 4),
        )
        for kind in ("Add", "Sub", "Max", "Min", "Update")
    ),
    case(
        "TensorScatterAdd",
        tensor=ints(3, 2).astype("uint8"),
        indices=np.int64([[[1], [1]]]),
        updates=ints(1, 2, 2).astype("uint8"),
    ),
    case(
        "TensorScatterMin",
        tensor=floats(3, 2),
        indices=np.int64([[1, 0], [1, 0]]),
        updates=floats(2),
    ),
    case(
        "ScatterNdNonAliasingAdd",
        input=ints(3, 2),
        indices=np.int64([[1, 0], [1, 0]]),
        updates=ints(2),
    ),
    case("NthElement", input=floats(3, 6), n=known(2)),
    case("NthElement", input=floats(3, 6), n=known(1), reverse=True),
    case("NthElement", input=floats(3, 6), n=np.array(2, np.int32)),
    case("NthElement", input=floats(3, 6), n=np.array(1, np.int32), reverse=True),
    case("Where", condition=np.array([True, False, True])),
    case("Where", condition=known([[True, False], [True, True]])),
    case("Where", condition=known([False, False])),
    case("Unique", x=np.array([1, 2, 1], np.int32)),
    case("TopKV2", input=floats(3, 6), k=known(2)),
    case("InTopK", predictions=floats(3, 5), targets=np.array([1, 0, 4]), k=2),
    case(
        "InTopKV2", predictions=floats(3, 6), targets=ints(3, low=0, high=6), k=known(2)
    ),
    case("LowerBound", sorted_inputs=np.sort(floats(2, 5)), values=floats(2, 3)),
    case("UpperBound", sorted_inputs=np.sort(floats(2, 5)), values=floats(2, 3)),
)
def test_gathering(row: Case) -> None:
    check(row)


def test_the_first_version_of_top_k_has_its_number_as_an_attribute() -> None:
    """TensorFlow no longer imports it (GraphDef version 7)."""
    scores = floats(3, 6)
    spec, number = TensorSpec("float32", (3, 6)), TensorSpec("int32", ())
    first = ops.Call("TopK", {"k": 2, "sorted": True}, [spec])
    second = ops.Call(
        "TopKV2", {"sorted": True}, [spec, number], [None, np.array(2, "int32")]
    )
    assert ops.shapes(first, 2) == ops.shapes(second, 2) == ((3, 2), (3, 2))
    texts = ops.keras_text(first, ["x"]), ops.keras_text(second, ["x", "k"])
    ours, theirs = (eval(t, {"ops": keras.ops, "x": scores, "k": 2}) for t in texts)
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(mine, other)
