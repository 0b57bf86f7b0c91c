"""Boxes in images: crops, borders that are drawn, the best of those that overlap."""

from __future__ import annotations

import numpy as np

from ...graph import Shape
from ..registry import Call, define
from ..text import literal
from ..values.dims import Dim, ranked, same


def _positions(count: int) -> str:
    return f'ops.arange({count}, dtype="float32")'


def _cropped_shape(call: Call) -> tuple[Shape]:
    image, boxes, sizes = ranked(call.shape(0), 4), call.shape(1), call.dims(3)
    rows, columns = sizes if sizes is not None and len(sizes) == 2 else (None, None)
    return ((None if boxes is None else boxes[0], rows, columns, image[3]),)


def _crop_text(call: Call, image: str, boxes: str, indices: str, _: str) -> str | None:
    """Linear interpolation inside each box: a tent over rows, one over columns; 0 beyond the image."""
    sizes, (rows, columns) = call.integers(3), ranked(call.shape(0), 4)[1:3]
    plain = call["method"] == "bilinear" and not call["extrapolation_value"]
    if sizes is None or rows is None or columns is None or not plain:
        return None
    if call.value(0) is not None or call.dtype(0) != "float32":
        return None
    down = _box_tents(boxes, (0, 2), rows, sizes[0])
    across = _box_tents(boxes, (1, 3), columns, sizes[1])
    chosen = f"ops.take({image}, {indices}, axis=0)"
    return f'ops.einsum("nyh,nxw,nhwc->nyxc", {down}, {across}, {chosen})'


def _box_tents(boxes: str, ends: tuple[int, int], size: int, target: int) -> str:
    """For each box and each place in its crop the weights of the image's places along one axis."""
    first, last = (f"{boxes}[:, {end} : {end + 1}] * {size - 1}.0" for end in ends)
    if target > 1:
        step = f"({last} - {first}) / {target - 1}.0"
        at = f"({first} + {step} * {_positions(target)})"
    else:
        at = f"(0.5 * ({first} + {last}))"
    at = f"ops.expand_dims({at}, 2)"
    tent = f"ops.relu(1.0 - ops.abs({at} - {_positions(size)}))"
    inside = f"ops.logical_and({at} >= 0.0, {at} <= {size - 1}.0)"
    return f"ops.where({inside}, {tent}, 0.0)"


def _crop_body(call: Call, image: str, boxes: str, places: str, _: str) -> str | None:
    """As above for images of any size, the nearest place too, and any number beyond the image."""
    sizes, method = call.integers(3), call["method"]
    if sizes is None or len(sizes) != 2 or method not in ("bilinear", "nearest"):
        return None
    near = "1.0 - ops.abs(at - places)"
    if method == "nearest":
        near = 'ops.cast(ops.floor(at + 0.5) == places, "float32")'
    return f"""
def tents(first, last, size, target):
    end, steps = ops.cast(size - 1, "float32"), ops.arange(target, dtype="float32")
    at = first * end + (last - first) * end * steps / max(target - 1, 1)
    at = ops.expand_dims(at if target > 1 else 0.5 * (first + last) * end, 2)
    places = ops.cast(ops.arange(size), "float32")
    inside = ops.logical_and(at >= 0.0, at <= end)
    return ops.where(inside, ops.relu({near}), 0.0), inside

ymin, xmin, ymax, xmax = ops.split({boxes}, 4, axis=1)
images = ops.cast(ops.take({image}, {places}, axis=0), "float32")
down, is_down = tents(ymin, ymax, ops.shape(images)[1], {sizes[0]})
along, is_along = tents(xmin, xmax, ops.shape(images)[2], {sizes[1]})
crops = ops.einsum("nyh,nxw,nhwc->nyxc", down, along, images)
inside = ops.logical_and(ops.expand_dims(is_down, 2), ops.expand_dims(is_along, 1))
return ops.where(inside, crops, {literal(call["extrapolation_value"])})
"""


define("CropAndResize", shape=_cropped_shape, keras=_crop_text, body=_crop_body)
_COLOURS = """[
    [1.0, 1.0, 0.0, 1.0], [0.0, 0.0, 1.0, 1.0], [1.0, 0.0, 0.0, 1.0], [0.0, 1.0, 0.0, 1.0],
    [0.5, 0.0, 0.5, 1.0], [0.5, 0.5, 0.0, 1.0], [0.5, 0.0, 0.0, 1.0], [0.0, 0.0, 0.5, 1.0],
    [0.0, 1.0, 1.0, 1.0], [1.0, 0.0, 1.0, 1.0],
]"""  # draw_bounding_box_op.cc


def _drawn_body(call: Call, image: str, boxes: str, *colours: str) -> str | None:
    """The border of each box over those before it; what has no colours of its own takes the kernel's."""
    depth = (call.shape(0) or (None,))[-1]
    if call.dtype(0) != "float32" or depth is None:
        return None
    table = f"colours = ops.array({_COLOURS})"
    if depth == 1:
        table = "colours = ops.ones((10, 4))"
    if colours and (call.shape(2) or (None,))[0]:
        table = f"colours = {colours[0]}"
    elif colours and call.shape(2) != (0, 0) and (call.shape(2) or (None,))[0] != 0:
        return None
    return f"""
{table}
height, width = ops.shape({image})[1:3]
ends = ops.cast(ops.array([height - 1, width - 1, height - 1, width - 1]), "float32")
corners = ops.cast(ops.trunc({boxes} * ends), "int32")[:, :, None, None]
top, left, bottom, right = (corners[..., i] for i in range(4))
row, column = ops.expand_dims(ops.arange(height), 1), ops.arange(width)
inside = ops.logical_and(row >= top, row <= bottom)
inside = ops.logical_and(inside, ops.logical_and(column >= left, column <= right))
border = ops.logical_or(row == top, row == bottom)
border = ops.logical_or(border, ops.logical_or(column == left, column == right))
number = ops.reshape(ops.arange(ops.shape({boxes})[1]), (-1, 1, 1))
last = ops.max(ops.where(ops.logical_and(inside, border), number, -1), axis=1)
colour = ops.take(colours, ops.maximum(last, 0) % ops.shape(colours)[0], axis=0)
return ops.where(ops.expand_dims(last >= 0, -1), colour[..., :{depth}], {image})
"""


define("DrawBoundingBoxes", "DrawBoundingBoxesV2", shape=same, body=_drawn_body)


def _suppressed(call: Call, texts: tuple[str, ...], after: str) -> str | None:
    """From the highest score down each box that no chosen one overlaps by more than the threshold, as many as are asked for."""
    boxes, scores, most, *rest = texts
    if call.dtype(0) != "float32" or rest[2:] and np.any(call.value(5) != 0):
        return None
    overlap = rest[0] if rest else literal(call["iou_threshold"])
    least = f"ranked > {rest[1]}" if rest[1:] else "ranked == ranked"
    return f"""
order = ops.argsort(-{scores})
ranked = ops.take({scores}, order)
ymin, xmin, ymax, xmax = (ops.take({boxes}[:, i], order) for i in range(4))
top, left = ops.minimum(ymin, ymax), ops.minimum(xmin, xmax)
bottom, right = ops.maximum(ymin, ymax), ops.maximum(xmin, xmax)
area = (bottom - top) * (right - left)
tall = ops.minimum(bottom, bottom[:, None]) - ops.maximum(top, top[:, None])
wide = ops.minimum(right, right[:, None]) - ops.maximum(left, left[:, None])
shared = ops.relu(tall) * ops.relu(wide)
over = shared > {overlap} * (area + area[:, None] - shared)
over = ops.logical_and(over, ops.logical_and(area > 0.0, area[:, None] > 0.0))
places, fits = ops.arange(ops.shape(order)[0]), {least}

def choose(place, kept):
    taken = ops.any(ops.logical_and(kept, ops.take(over, place, axis=1)))
    fit = ops.logical_and(ops.take(fits, place), ops.logical_not(taken))
    return ops.where(places == place, fit, kept)

kept = ops.fori_loop(0, ops.shape(order)[0], choose, ops.zeros_like(fits))
chosen = ops.nonzero(kept)[0][:{most}]
{after.format(most=most).strip()}
"""


_CHOSEN = 'ops.cast(ops.take(order, chosen), "int32")'
_FILLED = "ops.concatenate([{0}, ops.zeros(({{most}},), dtype={0}.dtype)])[:{{most}}]"


def _chosen_body(call: Call, *texts: str) -> str | None:
    return _suppressed(call, texts, f"return {_CHOSEN}")


def _counted_body(call: Call, *texts: str) -> str | None:
    """With the scores in the fifth version, and the number of what comes before the zeros."""
    filled = _FILLED if call["pad_to_max_output_size"] else "{0}"
    scores = filled.format("highest") + ", " if call.op.endswith("5") else ""
    after = f"""
index, highest = {_CHOSEN}, ops.take(ranked, chosen)
return {filled.format("index")}, {scores}ops.cast(ops.sum(ops.ones_like(chosen)), "int32")"""
    return _suppressed(call, texts, after)


define(
    "NonMaxSuppression",
    "NonMaxSuppressionV2",
    "NonMaxSuppressionV3",
    shape=lambda call: ((None,),),
    body=_chosen_body,
)


def _padded_boxes(call: Call) -> tuple[Shape, Shape]:
    most = call.integer(2)
    padded = bool(call["pad_to_max_output_size"])
    return ((most if padded else None),), ()


define("NonMaxSuppressionV4", shape=_padded_boxes, body=_counted_body)
define(
    "NonMaxSuppressionV5",
    shape=lambda call: (_padded_boxes(call)[0], _padded_boxes(call)[0], ()),
    body=_counted_body,
)
define("NonMaxSuppressionWithOverlaps", shape=lambda call: ((None,),))


def _combined_boxes(call: Call) -> tuple[Shape, ...]:
    boxes, scores = ranked(call.shape(0), 4), ranked(call.shape(1), 3)
    per, total, classes = call.integer(2), call.integer(3), scores[2]
    count: Dim = total
    if call["pad_per_class"]:
        is_complete = per is not None and total is not None and classes is not None
        count = min(total, per * classes) if is_complete else None  # type: ignore[operator, type-var]
    batch = boxes[0]
    return (batch, count, 4), (batch, count), (batch, count), (batch,)


define("CombinedNonMaxSuppression", shape=_combined_boxes)
define(
    "SampleDistortedBoundingBox",
    "SampleDistortedBoundingBoxV2",
    "StatelessSampleDistortedBoundingBox",
    shape=lambda call: ((3,), (3,), (1, 1, 4)),
)
