"""Reductions by segment, and counts, against TensorFlow."""

from __future__ import annotations

import numpy as np

from tests.ops.oracle import Case, case, check, floats, ints, known, table

IDS = np.array([0, 0, 2], np.int32)
ORDER = known([0, 0, 1])


@table(
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
