"""What only trains, saves, reports or reads examples: optimizers, summaries, checkpoints, records, strings, sparse tensors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...graph import Shape
from ..registry import Call, define
from ..values.dims import broadcasting, elements, ranked, same, scalar

for _optimizer in (
    "AdaMax",
    "Adadelta",
    "Adagrad",
    "AdagradDA",
    "AdagradV2",
    "Adam",
    "AddSign",
    "CenteredRMSProp",
    "Ftrl",
    "FtrlV2",
    "GradientDescent",
    "Momentum",
    "PowerSign",
    "ProximalAdagrad",
    "ProximalGradientDescent",
    "RMSProp",
):
    define(f"Apply{_optimizer}", shape=same, traits="optimizer variable-write")
define(
    "ScalarSummary",
    "HistogramSummary",
    "ImageSummary",
    "AudioSummary",
    "AudioSummaryV2",
    "MergeSummary",
    "TensorSummaryV2",
    shape=scalar,
    traits="summary",
)
define("TensorSummary", shape=scalar, traits="summary own-name")
define("Save", "SaveV2", "SaveSlices", "MergeV2Checkpoints", shape=lambda call: ())
define(
    "ShardedFilename",
    "ShardedFilespec",
    "ReadFile",
    "StringFormat",
    "SerializeTensor",
    shape=scalar,
)
define("WriteFile", shape=lambda call: ())
define("MatchingFiles", shape=lambda call: ((None,),))
define("StringJoin", shape=broadcasting)
define(
    "AsString",
    "StringLower",
    "StringUpper",
    "StringStrip",
    "StringLength",
    "StringToNumber",
    "StringToHashBucket",
    "StringToHashBucketFast",
    "StringToHashBucketStrong",
    "RegexReplace",
    "RegexFullMatch",
    "StaticRegexReplace",
    "StaticRegexFullMatch",
    "Substr",
    "EncodeBase64",
    "DecodeBase64",
    "UnicodeTranscode",
    shape=same,
    traits="string",
)
define("StringSplit", shape=lambda call: ((None, 2), (None,), (2,)))
define("StringSplitV2", shape=lambda call: ((None, 2), (None,), (2,)))


def _row_splits(call: Call) -> Shape:
    """Where each row begins, and where the last one ends."""
    rows = elements(call.shape(0))
    return (None if rows is None else rows + 1,)


define("UnicodeDecode", shape=lambda call: (_row_splits(call), (None,)))
define(
    "UnicodeDecodeWithOffsets",
    shape=lambda call: (_row_splits(call), (None,), (None,)),
)


def _unicode_encode_shape(call: Call) -> tuple[Shape]:
    splits = ranked(call.shape(1), 1)[0]
    return ((None if splits is None else splits - 1,),)


define("UnicodeEncode", shape=_unicode_encode_shape)


def _raw_shape(call: Call) -> tuple[Shape]:
    shape = call.shape(0)
    return (None if shape is None else (*shape, None),)


define("DecodeRaw", "DecodePaddedRaw", shape=_raw_shape)
define("DecodeCSV", shape=lambda call: (call.shape(0),) * len(call["OUT_TYPE"]))


def _example_shape(call: Call) -> Sequence[Shape]:
    """ParseExample: sparse indices, values and shapes, then the dense features behind the batch."""
    count = int(call["Nsparse"])
    return _features(call.shape(0), call, count, call["dense_shapes"])


def _features(
    serialized: Shape, call: Call, sparse: int, dense: Sequence[Shape]
) -> list[Shape]:
    rank = None if serialized is None else len(serialized) + 1
    shapes: list[Shape] = [(None, rank)] * sparse
    shapes += [(None,)] * sparse + [(rank,)] * sparse
    for shape in dense:
        is_complete = serialized is not None and shape is not None
        shapes.append((*serialized, *shape) if is_complete else None)  # type: ignore[misc]
    return shapes


define("ParseExample", shape=_example_shape)


def _example_v2_shape(call: Call) -> Sequence[Shape]:
    shapes = _features(
        call.shape(0), call, int(call["num_sparse"]), call["dense_shapes"]
    )
    ragged = len(call.get("ragged_value_types") or ())
    splits = len(call.get("ragged_split_types") or ())
    return shapes + [(None,)] * ragged + [(None,)] * splits


define("ParseExampleV2", shape=_example_v2_shape)


def _single_example_shape(call: Call) -> Sequence[Shape]:
    return _features((), call, int(call["num_sparse"]), call["dense_shapes"])


define("ParseSingleExample", shape=_single_example_shape)


def _sparse_reshape_shape(call: Call) -> tuple[Shape, Shape]:
    indices, sizes = ranked(call.shape(0), 2), ranked(call.shape(2), 1)
    return (indices[0], sizes[0]), (sizes[0],)


define("SparseReshape", shape=_sparse_reshape_shape)


def _filled_rows_shape(call: Call) -> tuple[Shape, ...]:
    rank = ranked(call.shape(0), 2)[1]
    sizes = call.dims(2)
    rows = sizes[0] if sizes else None
    return (None, rank), (None,), (rows,), (ranked(call.shape(0), 2)[0],)


define("SparseFillEmptyRows", shape=_filled_rows_shape)


def _dense_shape(call: Call) -> tuple[Shape]:
    return (call.dims(1),)


def _dense(
    indices: np.ndarray, shape: np.ndarray, values: np.ndarray, default: np.ndarray
) -> np.ndarray:
    """TensorFlow's docs: indices of rank 0 or 1 are those of a vector; one value may stand for all."""
    array = np.full(tuple(shape), default, values.dtype)
    rows = indices.reshape(-1, array.ndim)
    array[tuple(rows.T)] = values
    return array


define("SparseToDense", shape=_dense_shape, fold=_dense, moves=slice(2, None))
define("SparseReorder", shape=lambda call: (call.shape(0), call.shape(1)))
define("SparseConcat", shape=lambda call: ((None, None), (None,), call.shape(-1)))
define("SparseSoftmax", shape=lambda call: (call.shape(1),))
define("Timestamp", shape=scalar)


def _restored(call: Call) -> Sequence[Shape]:
    """A slice specification says the shape: ``"3 4 0,3:0,2"``; an empty one leaves it to the file."""
    specs = call.value(2)
    if specs is None:
        return ()
    return [_sliced(text) for text in np.ravel(specs).tolist()]


def _sliced(text: bytes) -> Shape:
    parts = text.decode("utf-8", "replace").split()
    if len(parts) < 2:
        return None
    sizes = [int(size) for size in parts[:-1]]
    lengths = [part.partition(",") for part in parts[-1].split(":")]
    if len(lengths) != len(sizes):
        return None
    return tuple(
        int(length) if comma else size
        for size, (_, comma, length) in zip(sizes, lengths, strict=True)
    )


define("RestoreV2", shape=_restored, traits="restore")
