"""Reductions by segment, and counts, against TensorFlow."""

from __future__ import annotations

import numpy as np

from tests.ops.oracle import Case, case, check, floats, ints, known, table

IDS = np.array([0, 0, 2], np.int32)
SPARSE = {"indices": np.int32([4, 1, 0]), "segment_ids": np.int32([0, 0, 2])}
GRADIENT = {
    "grad": floats(3, 4),
    "indices": np.int32([4, 1, 4]),
    "segment_ids": np.int32([0, 0, 2]),
    "output_dim0": known(5),
}
ORDER = known([0, 0, 1])


BODIES = (
    *(
        case(f"Segment{kind}", data=data, segment_ids=IDS.astype("int64"))
        for kind in ("Sum", "Mean", "Prod", "Max", "Min")
        for data in (floats(3, 4, 2), ints(3, 2, low=-9, high=9), ints(3).astype("uint8"))
    ),
    *(
        case(f"UnsortedSegment{kind}", data=data, segment_ids=ids, num_segments=np.array(5))
        for kind in ("Sum", "Prod", "Max", "Min")
        for data, ids in (
            (floats(3, 2), np.int32([3, -1, 3])),
            (ints(2, 3), np.int32([[0, 3, 3], [1, -1, 0]])),
        )
    ),
    *(
        case(f"SparseSegment{kind}", data=floats(5, 4), **SPARSE)
        for kind in ("Sum", "Mean", "SqrtN")
    ),
    *(
        case(f"SparseSegment{kind}WithNumSegments", data=floats(5), **SPARSE, num_segments=np.array(4))
        for kind in ("Sum", "Mean", "SqrtN")
    ),
    *(case(f"SparseSegment{kind}Grad", **GRADIENT) for kind in ("Sum", "Mean", "SqrtN")),
    case("Bincount", arr=np.int32([0, 7, 2]), size=np.array(5, "int32"), weights=floats(3)),
    case("Bincount", arr=IDS, size=np.array(4, "int32"), weights=np.zeros(0, "int32")),
    case("DenseBincount", input=np.int64([0, 7, 2]), size=np.array(5, "int64"), weights=floats(3)),
    case("DenseBincount", input=IDS, size=np.array(4, "int32"), weights=np.zeros(0, "float32"), binary_output=True),
    case("DenseBincount", input=np.int32([[1, 1, 9], [0, 3, 1]]), size=np.array(4, "int32"), weights=floats(2, 3)),
    case("DenseBincount", input=np.int32([[1, 1, 9], [0, 3, 1]]), size=np.array(4, "int32"), weights=np.zeros(0, "float32")),
)  # fmt: skip


@table(
    *BODIES,
    case("SegmentSum", data=floats(3, 4), segment_ids=IDS, expect={"keras": False}),
    case("SegmentSum", data=floats(3, 4), segment_ids=ORDER),
    case("SegmentMean", data=floats(3, 4), segment_ids=ORDER),
    case("SegmentMean", data=floats(3), segment_ids=ORDER),
    case("SegmentMax", data=floats(3, 4), segment_ids=ORDER),
    case("SegmentMin", data=floats(3, 4), segment_ids=ORDER),
    case("SegmentProd", data=floats(3, 4), segment_ids=ORDER),
    case(
        "UnsortedSegmentProd",
        data=floats(4, 3),
        segment_ids=known([0, 2, 0, 1]),
        num_segments=known(3),
    ),
    case(
        "SegmentMax",
        data=floats(3, 4),
        segment_ids=known([0, 0, 2]),
        expect={"keras": False},
    ),
    case(
        "UnsortedSegmentMin", data=floats(3, 4), segment_ids=IDS, num_segments=known(3)
    ),
    case(
        "UnsortedSegmentSum",
        data=known([1.0, 1.0, 1.0], "float32"),
        segment_ids=IDS,
        num_segments=known(3),
    ),
    case("Bincount", arr=IDS, size=known(5), weights=floats(3)),
    case("Bincount", arr=IDS, size=known(2), weights=known([], "float32")),
    case(
        "UnsortedSegmentSum", data=floats(3, 4), segment_ids=IDS, num_segments=known(4)
    ),
    case(
        "UnsortedSegmentMax", data=floats(3, 4), segment_ids=IDS, num_segments=known(3)
    ),
    case(
        "UnsortedSegmentSum",
        data=floats(3, 4),
        segment_ids=ints(3, 4, low=0, high=4),
        num_segments=known(4),
        expect={"keras": False},
    ),
    case("SparseSegmentMean", data=floats(5, 4), indices=IDS, segment_ids=IDS),
    case("DenseBincount", input=IDS, size=known(5), weights=known([], "float32")),
    case(
        "DenseBincount",
        input=ints(2, 3, low=0, high=4),
        size=known(4),
        weights=floats(2, 3),
    ),
)
def test_segments(row: Case) -> None:
    check(row)
