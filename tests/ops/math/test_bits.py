"""Small sums over whole numbers against TensorFlow."""

from __future__ import annotations

import numpy as np

from tests.ops.oracle import Case, case, check, known, table


@table(
    case("PopulationCount", x=np.int32([0, 7, -1, 1 << 30])),
    case("PopulationCount", x=np.uint8([255, 0, 3])),
    case("PopulationCount", x=np.int64([-2, 5])),
    case("UnravelIndex", indices=np.int32([22, 41, 0]), dims=np.int32([7, 3, 4])),
    case("UnravelIndex", indices=np.int64([22, 41]), dims=known([7, 6], "int64")),
    case("DataFormatDimMap", x=np.int32([0, -1, 2, 1])),
    case("DataFormatDimMap", x=np.int64([3]), src_format="NCHW", dst_format="NHWC"),
    case("DataFormatVecPermute", x=np.int32([7, 8, 9, 4])),
    case("DataFormatVecPermute", x=np.int64([[7, 8], [9, 4], [1, 1], [2, 3]])),
)
def test_bits(row: Case) -> None:
    check(row)
