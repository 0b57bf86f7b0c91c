"""Padding and the moves between space, batch and depth against TensorFlow."""

from __future__ import annotations

import numpy as np

from tests.ops.oracle import Case, case, check, floats, ints, known, table

X, IMAGE = floats(2, 3), floats(2, 6, 4, 8)
PADS = [[1, 0], [2, 3]]


@table(
    case("Pad", input=X, paddings=known(PADS)),
    case("Pad", input=ints(2, 3), paddings=known(PADS)),
    case("Pad", input=X, paddings=np.array(PADS, np.int32), expect={"keras": False}),
    case("PadV2", input=X, paddings=known(PADS), constant_values=known(-1, "float32")),
    case(
        "PadV2",
        input=X,
        paddings=known(PADS),
        constant_values=floats(),
        expect={"symbolic": False},
    ),
    case("MirrorPad", input=floats(4, 5), paddings=known(PADS), mode="REFLECT"),
    case(
        "MirrorPad",
        input=floats(4, 5),
        paddings=known(PADS),
        mode="SYMMETRIC",
        expect={"keras": False},
    ),
    case(
        "MirrorPad",
        input=floats(4, 5),
        paddings=known([[0, 0], [2, 3]]),
        mode="SYMMETRIC",
    ),
    case("MirrorPad", input=IMAGE, paddings=known([[0, 0]] * 4), mode="SYMMETRIC"),
    case(
        "MirrorPad",
        input=IMAGE,
        paddings=known([[1, 0], *[[0, 0]] * 3]),
        mode="REFLECT",
    ),
    case(
        "SpaceToBatchND",
        input=IMAGE,
        block_shape=known([2, 2]),
        paddings=known([[1, 1], [0, 2]]),
    ),
    case(
        "SpaceToBatchND",
        input=floats(2, 6, 3),
        block_shape=known([2]),
        paddings=known([[1, 1]]),
    ),
    case(
        "BatchToSpaceND",
        input=floats(8, 3, 4, 2),
        block_shape=known([2, 2]),
        crops=known([[0, 1], [1, 0]]),
    ),
    case("SpaceToDepth", input=IMAGE, block_size=2),
    case("SpaceToBatch", input=IMAGE, paddings=known([[0, 0]] * 2), block_size=2),
    case(
        "BatchToSpace",
        input=floats(8, 2, 3, 3),
        crops=known([[0, 1]] * 2),
        block_size=2,
    ),
    case("DepthToSpace", input=IMAGE, block_size=2),
    case(
        "DepthToSpace",
        input=floats(2, 8, 3, 3),
        block_size=2,
        data_format="NCHW",
        expect={"runs": False},
    ),
)
def test_padding(row: Case) -> None:
    check(row)
