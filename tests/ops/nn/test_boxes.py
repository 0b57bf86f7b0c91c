"""Boxes in images against TensorFlow's kernels."""

from __future__ import annotations

import numpy as np
import pytest

from tests.ops.oracle import Case, case, check, floats, known, table

IMAGES = floats(2, 7, 9, 3)
CORNERS = np.sort(np.random.default_rng(5).uniform(0, 1, (12, 2, 2)), 1)
BOXES = CORNERS.reshape(12, 4).astype("float32")
SCORES = np.random.default_rng(6).permutation(12).astype("float32") / 12
OVER = np.float32([[-0.2, 0.1, 0.5, 1.3], [0.9, 0.7, 0.2, 0.1], [0.5, 0.5, 0.5, 0.5]])
FEW = {"boxes": BOXES, "scores": SCORES, "max_output_size": known(5)}


def limits(overlap: float = 0.4, least: float = 0.2) -> dict[str, object]:
    return {
        "iou_threshold": known(overlap, "float32"),
        "score_threshold": known(least, "float32"),
    }


def crop(method: str, size: list[int], beyond: float = 0.0) -> Case:
    return case(
        "CropAndResize",
        image=IMAGES,
        boxes=OVER,
        box_ind=np.int32([0, 1, 0]),
        crop_size=known(size),
        method=method,
        extrapolation_value=beyond,
    )


@table(
    crop("bilinear", [3, 4]),
    crop("bilinear", [3, 4], 2.5),
    crop("nearest", [3, 4]),
    crop("nearest", [1, 1], -1.0),
    case("DrawBoundingBoxes", images=IMAGES, boxes=BOXES.reshape(2, 6, 4)),
    case("DrawBoundingBoxes", images=IMAGES, boxes=np.stack([OVER, OVER + 0.1])),
    case("DrawBoundingBoxes", images=IMAGES[..., :1], boxes=BOXES.reshape(2, 6, 4)),
    case(
        "DrawBoundingBoxesV2",
        images=IMAGES,
        boxes=BOXES.reshape(2, 6, 4),
        colors=known([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]], "float32"),
    ),
    case("NonMaxSuppression", **FEW, iou_threshold=0.3),
    case("NonMaxSuppressionV2", **FEW, iou_threshold=known(0.3, "float32")),
    case("NonMaxSuppressionV3", **FEW, **limits()),
    case("NonMaxSuppressionV3", **FEW, **limits(0.05, 0.8)),
    case("NonMaxSuppressionV4", **FEW, **limits()),
    case("NonMaxSuppressionV4", **FEW, **limits(), pad_to_max_output_size=True),
    case(
        "NonMaxSuppressionV5",
        **FEW,
        **limits(0.1, 0.7),
        soft_nms_sigma=known(0, "float32"),
        pad_to_max_output_size=True,
    ),
)
def test_boxes(row: Case) -> None:
    check(row)


@pytest.mark.parametrize("merge", [True, False])
def test_greedy_decoder(merge: bool) -> None:
    row = case(
        "CTCGreedyDecoder",
        inputs=floats(9, 3, 4),
        sequence_length=np.int32([9, 4, 0]),
        merge_repeated=merge,
    )
    check(row)
