"""Resizing, cropping, decoding and spectrograms against TensorFlow."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphscope.graph import TensorSpec
from graphscope.ops import Call, keras_text
from graphscope.ops.values.size import Size
from tests.ops.oracle import Case, case, check, floats, ints, known, table

IMAGE = floats(2, 4, 6, 3)


def resize(op: str, rows: int, columns: int, keras: bool, **more: Any) -> Case:
    return case(
        op, images=IMAGE, size=known([rows, columns]), expect={"keras": keras}, **more
    )


@table(
    resize("ResizeBilinear", 8, 12, True, half_pixel_centers=True),
    resize("ResizeBilinear", 7, 5, True, half_pixel_centers=True),
    resize("ResizeBilinear", 8, 12, True),
    resize("ResizeBilinear", 7, 5, True),
    resize("ResizeBilinear", 3, 11, True),
    resize("ResizeBilinear", 8, 12, True, align_corners=True),
    resize("ResizeBilinear", 3, 1, True, align_corners=True),
    resize("ResizeNearestNeighbor", 8, 12, True, half_pixel_centers=True),
    resize("ResizeNearestNeighbor", 7, 4, True, half_pixel_centers=True),
    resize("ResizeNearestNeighbor", 8, 18, True),
    resize("ResizeNearestNeighbor", 4, 6, True),
    resize("ResizeNearestNeighbor", 7, 5, True),
    resize("ResizeNearestNeighbor", 8, 12, True, align_corners=True),
    resize("ResizeBicubic", 8, 12, True, half_pixel_centers=True),
    resize("ResizeBicubic", 8, 12, False, half_pixel_centers=False),
    resize("ResizeBicubic", 3, 5, True, half_pixel_centers=True),
    resize("ResizeBicubic", 7, 1, True),
    resize("ResizeBicubic", 7, 9, True, align_corners=True),
    resize("ResizeBicubic", 1, 2, True, align_corners=True),
    resize("ResizeArea", 8, 12, True),
    resize("ResizeArea", 7, 4, True),
    resize("ResizeArea", 2, 3, True),
    resize("ResizeArea", 3, 6, False, align_corners=True),
    case(
        "ResizeBilinear",
        images=ints(2, 4, 6, 3, low=0).astype(np.uint8),
        size=known([8, 12]),
        half_pixel_centers=True,
    ),
    case(
        "ResizeBilinear",
        images=ints(2, 4, 6, 3, low=0).astype(np.uint8),
        size=known([6, 9]),
    ),
    case("HSVToRGB", images=np.abs(IMAGE) / 2),
    case(
        "CropAndResize",
        image=IMAGE,
        boxes=floats(5, 4, low=0, high=1),
        box_ind=ints(5, low=0, high=2),
        crop_size=known([3, 4]),
    ),
    case("RGBToHSV", images=np.abs(IMAGE) / 2),
    case("AdjustContrastv2", images=IMAGE, contrast_factor=known(2, "float32")),
    case(
        "NonMaxSuppressionV3",
        boxes=floats(5, 4),
        scores=floats(5),
        max_output_size=known(3),
        iou_threshold=known(0.5, "float32"),
        score_threshold=known(0, "float32"),
    ),
    case(
        "CombinedNonMaxSuppression",
        boxes=floats(2, 5, 1, 4),
        scores=floats(2, 5, 3),
        max_output_size_per_class=known(3),
        max_total_size=known(7),
        iou_threshold=known(0.5, "float32"),
        score_threshold=known(0, "float32"),
    ),
    case("AudioSpectrogram", input=floats(1000, 1), window_size=256, stride=100),
    case(
        "Mfcc",
        spectrogram=np.abs(floats(1, 8, 129)),
        sample_rate=known(16000),
        dct_coefficient_count=10,
    ),
)
def test_image(row: Case) -> None:
    check(row)


@table(
    case(
        "DecodeJpeg", contents=known(b"", "object"), channels=3, expect={"runs": False}
    ),
    case("DecodePng", contents=known(b"", "object"), expect={"runs": False}),
    case(
        "DecodeWav",
        contents=known(b"", "object"),
        desired_channels=1,
        desired_samples=16000,
        expect={"runs": False},
    ),
)
def test_decoding(row: Case) -> None:
    check(row)


def test_sizes_that_a_run_knows() -> None:
    """Inside a layer's call the text says what TensorFlow computes, the image's own size unknown to it."""
    import keras
    import tensorflow as tf

    sizes = np.array([Size.named("rows"), Size.named("columns")])
    given = [TensorSpec("float32", (2, None, None, 3)), TensorSpec("int32", (2,))]
    for op in ("ResizeBilinear", "ResizeNearestNeighbor"):
        for name in ("", "align_corners", "half_pixel_centers"):
            attrs = {name: True} if name else {}
            text = keras_text(
                Call(op, attrs, given, [None, sizes], inside=True), ["x", ""]
            )
            assert text is not None
            for rows, columns in ((8, 12), (7, 4), (3, 11), (1, 6)):
                names = {"ops": keras.ops, "x": IMAGE, "rows": rows, "columns": columns}
                wanted = getattr(tf.raw_ops, op)(
                    images=IMAGE, size=[rows, columns], **attrs
                )
                np.testing.assert_allclose(eval(text, names), wanted, atol=1e-5)
