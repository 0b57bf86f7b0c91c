"""Images and sound: resizing, cropping, colour, decoding, boxes, spectrograms."""

from __future__ import annotations

from ..graph import Shape
from .dims import Dim, ranked, same, unknown
from .registry import Call, define
from .text import literal


def _resized_shape(call: Call) -> tuple[Shape]:
    image, sizes = ranked(call.shape(0), 4), call.dims(1)
    rows, columns = sizes if sizes is not None and len(sizes) == 2 else (None, None)
    return ((image[0], rows, columns, image[3]),)


def _resize_text(call: Call, x: str, _: str) -> str | None:
    """keras.ops resizes with half-pixel centres only; other sampling is sayable where it comes to the same."""
    sizes, kind = call.integers(1), call.op
    if sizes is None:
        return None
    if kind == "ResizeNearestNeighbor":
        return _nearest_text(call, x, sizes)
    if not call.get("half_pixel_centers", False) or call.get("align_corners", False):
        return None
    method = "bilinear" if kind == "ResizeBilinear" else "bicubic"
    made = f'ops.image.resize({x}, {literal(sizes)}, interpolation="{method}", data_format="channels_last")'
    return f'ops.cast({made}, "float32")' if call.dtype(0) != "float32" else made


def _nearest_text(call: Call, x: str, sizes: tuple[int, ...]) -> str | None:
    """Growing by whole factors is repetition in every convention but aligned corners."""
    image = ranked(call.shape(0), 4)
    if call.get("align_corners", False) or None in image[1:3]:
        return None
    made = x
    for axis, wanted in zip((1, 2), sizes, strict=True):
        size = image[axis] or 0
        if not size or wanted % size:
            return None
        if wanted != size:
            made = f"ops.repeat({made}, {wanted // size}, axis={axis})"
    return made


define(
    "ResizeBilinear",
    "ResizeNearestNeighbor",
    "ResizeBicubic",
    "ResizeArea",
    shape=_resized_shape,
    keras=_resize_text,
)
define("QuantizedResizeBilinear", shape=lambda c: (*_resized_shape(c), (), ()))
define("ScaleAndTranslate", shape=_resized_shape)
define("ResizeBilinearGrad", "ResizeBicubicGrad", shape=lambda call: (call.shape(1),))


def _nearest_gradient_shape(call: Call) -> tuple[Shape]:
    return _resized_shape(call)


define("ResizeNearestNeighborGrad", shape=_nearest_gradient_shape)


def _cropped_shape(call: Call) -> tuple[Shape]:
    image, boxes, sizes = ranked(call.shape(0), 4), call.shape(1), call.dims(3)
    rows, columns = sizes if sizes is not None and len(sizes) == 2 else (None, None)
    return ((None if boxes is None else boxes[0], rows, columns, image[3]),)


define("CropAndResize", shape=_cropped_shape)


def _glimpse_shape(call: Call) -> tuple[Shape]:
    image, sizes = ranked(call.shape(0), 4), call.dims(1)
    rows, columns = sizes if sizes is not None and len(sizes) == 2 else (None, None)
    return ((image[0], rows, columns, image[3]),)


define("ExtractGlimpse", "ExtractGlimpseV2", shape=_glimpse_shape)
define("RGBToHSV", "HSVToRGB", shape=same)
define(
    "AdjustContrastv2",
    "AdjustContrast",
    "AdjustHue",
    "AdjustSaturation",
    "DrawBoundingBoxes",
    "DrawBoundingBoxesV2",
    shape=same,
)


def _warped_shape(call: Call) -> tuple[Shape]:
    image, sizes = ranked(call.shape(0), 4), call.dims(2)
    rows, columns = sizes if sizes is not None and len(sizes) == 2 else (None, None)
    return ((image[0], rows, columns, image[3]),)


define("ImageProjectiveTransformV2", "ImageProjectiveTransformV3", shape=_warped_shape)


def _decoded_shape(call: Call) -> tuple[Shape]:
    channels = int(call.get("channels", 0) or 0)
    return ((None, None, channels or None),)


define(
    "DecodeJpeg",
    "DecodePng",
    "DecodeBmp",
    "DecodeAndCropJpeg",
    shape=_decoded_shape,
)
define("DecodeGif", shape=lambda call: ((None, None, None, 3),))


def _decoded_image_shape(call: Call) -> tuple[Shape]:
    if call.get("expand_animations", True):
        return (None,)
    return _decoded_shape(call)


define("DecodeImage", shape=_decoded_image_shape)
define("EncodeJpeg", "EncodeWav", shape=lambda call: ((),))
define("EncodePng", shape=lambda call: ((call.shape(0) or ())[:-3],))
define("ExtractJpegShape", shape=lambda call: ((3,),))


def _wav_shape(call: Call) -> tuple[Shape, Shape]:
    channels, samples = int(call["desired_channels"]), int(call["desired_samples"])
    return (samples if samples >= 0 else None, channels if channels >= 0 else None), ()


define("DecodeWav", shape=_wav_shape)


def _spectrogram_shape(call: Call) -> tuple[Shape]:
    samples, channels = ranked(call.shape(0), 2)
    size, stride = int(call["window_size"]), int(call["stride"])
    bins = 1 + (1 << max(size - 1, 0).bit_length()) // 2
    rows: Dim = None
    if samples is not None:
        rows = 0 if samples < size else 1 + (samples - size) // stride
    return ((channels, rows, bins),)


define("AudioSpectrogram", shape=_spectrogram_shape)


def _mfcc_shape(call: Call) -> tuple[Shape]:
    channels, rows, _ = ranked(call.shape(0), 3)
    return ((channels, rows, int(call["dct_coefficient_count"])),)


define("Mfcc", shape=_mfcc_shape)
define(
    "NonMaxSuppression",
    "NonMaxSuppressionV2",
    "NonMaxSuppressionV3",
    shape=lambda call: ((None,),),
)


def _padded_boxes(call: Call) -> tuple[Shape, Shape]:
    most = call.integer(2)
    padded = bool(call["pad_to_max_output_size"])
    return ((most if padded else None),), ()


define("NonMaxSuppressionV4", shape=_padded_boxes)
define(
    "NonMaxSuppressionV5",
    shape=lambda call: (_padded_boxes(call)[0], _padded_boxes(call)[0], ()),
)
define("NonMaxSuppressionWithOverlaps", shape=lambda call: ((None,),))


def _combined_boxes(call: Call) -> tuple[Shape, ...]:
    boxes, scores = ranked(call.shape(0), 4), ranked(call.shape(1), 3)
    per, total, classes = call.integer(2), call.integer(3), scores[2]
    count: Dim = total
    if call["pad_per_class"]:
        known = per is not None and total is not None and classes is not None
        count = min(total, per * classes) if known else None  # type: ignore[operator, type-var]
    batch = boxes[0]
    return (batch, count, 4), (batch, count), (batch, count), (batch,)


define("CombinedNonMaxSuppression", shape=_combined_boxes)
define(
    "SampleDistortedBoundingBox",
    "SampleDistortedBoundingBoxV2",
    "StatelessSampleDistortedBoundingBox",
    shape=lambda call: ((3,), (3,), (1, 1, 4)),
)


def _random_crop_shape(call: Call) -> tuple[Shape]:
    image = ranked(call.shape(0), 3)
    sizes = call.dims(1) or unknown(2)
    return ((*sizes, image[2]),)


define("RandomCrop", shape=_random_crop_shape)
