"""Images and sound: resizing, cropping, colour, decoding, boxes, spectrograms."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...graph import Shape
from ..registry import Call, define
from ..text import literal
from ..values.dims import Dim, ranked, unknown
from ..values.size import Size


def _resized_shape(call: Call) -> tuple[Shape]:
    image, sizes = ranked(call.shape(0), 4), call.dims(1)
    rows, columns = sizes if sizes is not None and len(sizes) == 2 else (None, None)
    return ((image[0], rows, columns, image[3]),)


def _resize_text(call: Call, x: str, _: str) -> str | None:
    """keras.ops resizes with half-pixel centres; what TensorFlow 1 did is a product, for which both sizes must be known."""
    sizes, aligned = call.integers(1), call.get("align_corners", False)
    if sizes is None or len(sizes) != 2:
        return None
    if call.op == "ResizeArea":
        return _area_text(call, x, sizes)
    if call.op == "ResizeNearestNeighbor":
        return _nearest_text(call, x, sizes)
    if call.dtype(0) != "float32":
        x = f'ops.cast({x}, "float32")'
    if not aligned and call.get("half_pixel_centers", False):
        return (
            f'ops.image.resize({x}, {literal(sizes)}, interpolation="bilinear", '
            f'data_format="channels_last")'
        )
    image = _image_sizes(call, x)
    if image is None:
        return None
    if image == [1, 1]:
        return f"ops.tile({x}, {literal((1, *sizes, 1))})"
    if any(isinstance(size, Size) for size in (*image, *sizes)):
        old, new = Size.named("size[0]"), Size.named("size[1]")
        pairs = f"zip({literal(tuple(image))}, {literal(tuple(sizes))})"
        both = f"*({_tents(old, new, aligned)} for size in {pairs})"
    else:
        pair = zip(image, sizes, strict=True)
        both = ", ".join(_tents(size, target, aligned) for size, target in pair)
    return f'ops.einsum("yh,xw,nhwc->nyxc", {both}, {x})'


def _area_text(call: Call, x: str, sizes: tuple[int, ...]) -> str | None:
    """The mean of the part of the image that each place covers: a pool where that is a whole number of its places."""
    rows, columns = ranked(call.shape(0), 4)[1:3]
    if rows is None or columns is None or call["align_corners"]:
        return None
    x = x if call.dtype(0) == "float32" else f'ops.cast({x}, "float32")'
    if not rows % sizes[0] and not columns % sizes[1]:
        window = literal((rows // sizes[0], columns // sizes[1]))
        return f'ops.average_pool({x}, {window}, strides={window}, padding="valid", data_format="channels_last")'
    both = ", ".join(map(_overlaps, (rows, columns), sizes))
    return f'ops.einsum("yh,xw,nhwc->nyxc", {both}, {x})'


def _overlaps(size: int, target: int) -> str:
    """How much of each place of the output each place of the input covers, along one axis."""
    step = _scale(size, target, False)
    start, place = f"ops.expand_dims({_positions(target)} * {step}, 1)", _positions(
        size
    )
    end = f"ops.minimum({start} + {step}, {place} + 1.0)"
    return f"ops.relu({end} - ops.maximum({start}, {place})) / {step}"


def _image_sizes(call: Call, x: str) -> list[Any] | None:
    """Rows and columns of the image; inside a layer's call those that only a run knows too."""
    image = ranked(call.shape(0), 4)[1:3]
    if None in image and not call.inside:
        return None
    return [
        Size.named(f"ops.shape({x})[{axis}]") if size is None else size
        for axis, size in enumerate(image, 1)
    ]


def _real(size: object) -> str:
    return f'ops.cast({size}, "float32")' if isinstance(size, Size) else f"{size}.0"


def _positions(count: object) -> str:
    if isinstance(count, Size):
        return f'ops.cast(ops.arange({count}), "float32")'
    return f'ops.arange({count}, dtype="float32")'


def _scale(size: Any, target: Any, aligned: bool) -> str:
    """How far apart in the input two neighbours of the output lie, in TensorFlow's float32."""
    if isinstance(size, Size) or isinstance(target, Size):
        if aligned:
            return f"({_real(size - 1)} / ops.maximum({_real(target - 1)}, 1.0))"
        return f"({_real(size)} / {_real(target)})"
    if aligned and target > 1:
        return literal(float(np.float32(size - 1) / np.float32(target - 1)))
    return literal(float(np.float32(size) / np.float32(target)))


def _tents(size: Any, target: object, aligned: bool) -> str:
    """The weights of linear interpolation: of each output position, a tent over the input positions."""
    at = f"{_positions(target)} * {_scale(size, target, aligned)}"
    at = f"ops.expand_dims(ops.minimum({at}, {_real(size - 1)}), 1)"
    return f"ops.relu(1.0 - ops.abs({at} - {_positions(size)}))"


def _nearest_text(call: Call, x: str, sizes: tuple[int, ...]) -> str | None:
    """Growing by whole factors is repetition in every convention but aligned corners; all else takes by index."""
    image, aligned = _image_sizes(call, x), call.get("align_corners", False)
    if image is None:
        return None
    if image == [1, 1] and 1 not in sizes:
        return f"ops.tile({x}, {literal((1, *sizes, 1))})"
    text = x
    for axis, (size, target) in enumerate(zip(image, sizes, strict=True), 1):
        if target == size:
            continue
        factor = _factor(size, target)
        if factor and not aligned:
            text = f"ops.repeat({text}, {factor}, axis={axis})"
        else:
            centred = call.get("half_pixel_centers", False)
            text = f"ops.take({text}, {_nearest(size, target, aligned, centred)}, axis={axis})"
    return text


def _factor(size: Any, target: Any) -> int:
    """By which whole number an axis grows; 0 where it may be by none."""
    if isinstance(size, Size) or isinstance(target, Size):
        return 0
    return target // size if size and target % size == 0 else 0


def _nearest(size: Any, target: object, aligned: bool, centred: bool) -> str:
    at = _positions(target)
    if centred:
        at = f"({at} + 0.5)"
    at = f"{at} * {_scale(size, target, aligned)}"
    at = f"ops.floor({at} + 0.5)" if aligned else f"ops.floor({at})"
    return f'ops.cast(ops.minimum({at}, {_real(size - 1)}), "int32")'


def _cubic_body(call: Call, x: str, sizes: str) -> str | None:
    """The four nearest places, by Keys's cubic of a distance in steps of 1/1024 (resize_bicubic_op.cc)."""
    targets, aligned = call.integers(1), call.get("align_corners", False)
    if targets is None or len(targets) != 2:
        return None
    centred, steepness = call.get("half_pixel_centers", False), "-0.75"
    scale, at = 'ops.cast(size, "float32") / target', "ops.arange(target) * scale"
    if aligned:
        scale = f"({scale.replace(' / target', '')} - 1.0) / max(target - 1, 1)"
        scale += f" if target > 1 else {scale.split(' / max')[0]} + 1.0"
    if centred:
        steepness, at = "-0.5", "(ops.arange(target) + 0.5) * scale - 0.5"
    at = at.replace("ops.arange(target)", 'ops.arange(target, dtype="float32")')
    normal = (
        "total = total / ops.sum(total, axis=1, keepdims=True)\n    " if centred else ""
    )
    weight = "weight * ops.cast(place == near, weight.dtype)" if centred else "weight"
    return f"""
def tents(size, target, a={steepness}):
    scale = {scale}
    at = {at}
    total = 0.0
    for offset in (-1, 0, 1, 2):
        part = ops.round((at - ops.floor(at)) * 1024.0) / 1024.0
        d = ops.abs(part - float(offset))
        inner = ((a + 2.0) * d - (a + 3.0)) * d * d + 1.0
        outer = ((a * d - 5.0 * a) * d + 8.0 * a) * d - 4.0 * a
        weight = ops.where(d <= 1.0, inner, outer)
        place = ops.cast(ops.floor(at), "int32") + offset
        near = ops.clip(place, 0, size - 1)
        row = ops.cast(ops.expand_dims(near, 1) == ops.arange(size), "float32")
        total = total + ops.expand_dims({weight}, 1) * row
    {normal}return total

x = ops.cast({x}, "float32")
down = tents(ops.shape(x)[1], {targets[0]})
along = tents(ops.shape(x)[2], {targets[1]})
return ops.einsum("yh,xw,nhwc->nyxc", down, along, x)
"""


define(
    "ResizeBilinear",
    "ResizeNearestNeighbor",
    "ResizeArea",
    shape=_resized_shape,
    keras=_resize_text,
)
define("ResizeBicubic", shape=_resized_shape, body=_cubic_body)
define("QuantizedResizeBilinear", shape=lambda c: (*_resized_shape(c), (), ()))
define("ScaleAndTranslate", shape=_resized_shape)
define("ResizeBilinearGrad", "ResizeBicubicGrad", shape=lambda call: (call.shape(1),))


def _nearest_gradient_shape(call: Call) -> tuple[Shape]:
    return _resized_shape(call)


define("ResizeNearestNeighborGrad", shape=_nearest_gradient_shape)


def _glimpse_shape(call: Call) -> tuple[Shape]:
    image, sizes = ranked(call.shape(0), 4), call.dims(1)
    rows, columns = sizes if sizes is not None and len(sizes) == 2 else (None, None)
    return ((image[0], rows, columns, image[3]),)


define("ExtractGlimpse", "ExtractGlimpseV2", shape=_glimpse_shape)


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


def _random_crop_shape(call: Call) -> tuple[Shape]:
    image = ranked(call.shape(0), 3)
    sizes = call.dims(1) or unknown(2)
    return ((*sizes, image[2]),)


define("RandomCrop", shape=_random_crop_shape)
