"""Optimizers, summaries, checkpoints, records, strings and sparse tensors against TensorFlow."""

from __future__ import annotations

import numpy as np
import pytest

from graphscope import ops
from tests.ops.oracle import Case, case, check, check_shapes, floats, known, table

TEXTS = np.array([b"a", b"bc"], object)
EMPTY = known([], "object")


@table(
    case(
        "ScalarSummary",
        tags=known(b"loss", "object"),
        values=floats(),
        expect={"runs": False},
    ),
    case(
        "MergeSummary",
        inputs=[known(b"", "object"), known(b"", "object")],
        expect={"runs": False},
    ),
    case(
        "ShardedFilename",
        basename=known(b"a", "object"),
        shard=known(0),
        num_shards=known(1),
    ),
    case("StringJoin", inputs=[TEXTS, known(b"x", "object")]),
    case("StringToHashBucketFast", input=TEXTS, num_buckets=7),
    case("StringLower", input=TEXTS),
    case("AsString", input=floats(2, 3)),
    case("DecodeRaw", bytes=TEXTS, out_type="uint8", expect={"runs": False}),
    case(
        "SparseReshape",
        input_indices=np.array([[0, 1], [1, 0]]),
        input_shape=known([2, 3], "int64"),
        new_shape=known([3, 2], "int64"),
    ),
    case(
        "SparseToDense",
        sparse_indices=known(np.zeros((0, 1), np.int64)),
        output_shape=known(np.array([3], np.int64)),
        sparse_values=known(np.zeros(0, np.int64)),
        default_value=known(np.int64(0)),
    ),
    case(
        "SparseToDense",
        sparse_indices=known(np.array([2], np.int64)),
        output_shape=known(np.array([4], np.int64)),
        sparse_values=known(np.int64(7)),
        default_value=known(np.int64(-1)),
    ),
    case(
        "SparseToDense",
        sparse_indices=np.array([[0, 1]]),
        output_shape=known([2, 3], "int64"),
        sparse_values=floats(1),
        default_value=known(0, "float32"),
    ),
    case(
        "ParseSingleExample",
        serialized=known(b"", "object"),
        dense_defaults=[known([1.0], "float32")],
        num_sparse=0,
        sparse_keys=[],
        dense_keys=["x"],
        sparse_types=[],
        dense_shapes=[[1]],
        expect={"runs": False},
    ),
    case(
        "ParseExampleV2",
        serialized=TEXTS,
        names=EMPTY,
        sparse_keys=EMPTY,
        dense_keys=known([b"x"], "object"),
        ragged_keys=EMPTY,
        dense_defaults=[known([1.0], "float32")],
        num_sparse=0,
        sparse_types=[],
        ragged_value_types=[],
        ragged_split_types=[],
        dense_shapes=[[1]],
        expect={"runs": False},
    ),
)
def test_training_and_records(row: Case) -> None:
    check(row)


@table(
    case(
        "RestoreV2",
        prefix=known(b"x", "object"),
        tensor_names=known([b"a", b"b"], "object"),
        shape_and_slices=known([b"", b"4 5 0,2:-"], "object"),
        dtypes=["float32", "int32"],
    ),
    case("MatchingFiles", pattern=known(b"*", "object")),
    case("UnicodeDecode", input=TEXTS, input_encoding="UTF-8"),
    case("StringSplitV2", input=TEXTS, sep=known(b" ", "object")),
)
def test_restoring_and_text(row: Case) -> None:
    check_shapes(row)


@pytest.mark.parametrize(
    "op, trait",
    [
        ("ApplyAdam", "optimizer"),
        ("ResourceApplyKerasMomentum", "optimizer"),
        ("ResourceSparseApplyFtrl", "optimizer"),
        ("HistogramSummary", "summary"),
        ("WriteSummary", "summary"),
        ("SaveV2", "save"),
        ("RestoreV2", "restore"),
        ("Assert", "assertion"),
        ("DecodeJpeg", "decode"),
        ("ReluGrad", "gradient-op"),
        ("Conv2DBackpropFilter", "gradient-op"),
        ("BroadcastGradientArgs", "gradient-op"),
        ("FakeQuantWithMinMaxVars", "quantisation"),
        ("RandomUniform", "random"),
        ("Placeholder", "feed"),
        ("Switch", "control-flow"),
        ("StatelessWhile", "function-call"),
    ],
)
def test_traits(op: str, trait: str) -> None:
    assert trait in ops.traits(op)


@pytest.mark.parametrize(
    "op, trait",
    [
        ("PreventGradient", "gradient-op"),
        ("Conv2D", "stateful"),
        ("RandomDataset", "random"),
        ("ShuffleDataset", "queue"),
        ("Relu", "gradient-op"),
        ("ScatterNd", "variable-write"),
        ("Select", "control-flow"),
    ],
)
def test_traits_that_are_not(op: str, trait: str) -> None:
    assert trait not in ops.traits(op)


def test_every_trait_is_explained() -> None:
    from graphscope.wire import op_registry

    used = {trait for op in op_registry.registry() for trait in ops.traits(op)}
    assert used <= set(ops.TRAITS)
