"""Pooling against TensorFlow."""

from __future__ import annotations

from tests.ops.oracle import Case, case, check, floats, known, table

IMAGE, VOLUME = floats(2, 9, 8, 3), floats(1, 5, 6, 7, 2)


@table(
    case(
        "MaxPool",
        input=IMAGE,
        ksize=[1, 2, 2, 1],
        strides=[1, 2, 2, 1],
        padding="VALID",
    ),
    case(
        "MaxPool", input=IMAGE, ksize=[1, 3, 3, 1], strides=[1, 2, 2, 1], padding="SAME"
    ),
    case(
        "MaxPool",
        input=IMAGE,
        ksize=[1, 1, 1, 3],
        strides=[1, 1, 1, 3],
        padding="VALID",
        expect={"keras": False},
    ),
    case(
        "MaxPool",
        input=floats(2, 3, 8, 8),
        ksize=[1, 1, 2, 2],
        strides=[1, 1, 2, 2],
        padding="VALID",
        data_format="NCHW",
        expect={"runs": False},
    ),
    case(
        "MaxPoolV2",
        input=IMAGE,
        ksize=known([1, 2, 2, 1]),
        strides=known([1, 2, 2, 1]),
        padding="VALID",
    ),
    case(
        "AvgPool", value=IMAGE, ksize=[1, 3, 2, 1], strides=[1, 1, 2, 1], padding="SAME"
    ),
    case(
        "AvgPool",
        value=IMAGE,
        ksize=[1, 3, 3, 1],
        strides=[1, 3, 3, 1],
        padding="VALID",
    ),
    case(
        "MaxPool3D",
        input=VOLUME,
        ksize=[1, 2, 2, 2, 1],
        strides=[1, 2, 2, 2, 1],
        padding="VALID",
    ),
    case(
        "AvgPool3D",
        input=VOLUME,
        ksize=[1, 2, 2, 2, 1],
        strides=[1, 2, 2, 2, 1],
        padding="SAME",
    ),
    case(
        "MaxPoolWithArgmax",
        input=IMAGE,
        ksize=[1, 2, 2, 1],
        strides=[1, 2, 2, 1],
        padding="VALID",
    ),
    case(
        "MaxPoolWithArgmax",
        input=floats(2, 5, 7, 3, high=-1),
        ksize=[1, 3, 2, 1],
        strides=[1, 2, 3, 1],
        padding="SAME",
        Targmax="int32",
    ),
    case(
        "MaxPoolWithArgmax",
        input=floats(3, 4, 4, 4),
        ksize=[1, 2, 2, 1],
        strides=[1, 1, 1, 1],
        padding="SAME",
    ),
    case(
        "MaxPoolWithArgmax",
        input=floats(2, 4, 4, 1),
        ksize=[1, 2, 2, 1],
        strides=[1, 2, 2, 1],
        padding="VALID",
        include_batch_in_index=True,
        expect={"ports": (0,)},
    ),
    case(
        "AvgPoolGrad",
        orig_input_shape=known([2, 9, 8, 3]),
        grad=floats(2, 4, 4, 3),
        ksize=[1, 2, 2, 1],
        strides=[1, 2, 2, 1],
        padding="VALID",
    ),
    case(
        "MaxPoolGrad",
        orig_input=IMAGE,
        orig_output=floats(2, 4, 4, 3),
        grad=floats(2, 4, 4, 3),
        ksize=[1, 2, 2, 1],
        strides=[1, 2, 2, 1],
        padding="VALID",
    ),
)
def test_pooling(row: Case) -> None:
    check(row)
