"""Batch normalization in all its versions, local response normalization."""

from __future__ import annotations

import math
from dataclasses import replace

from ...graph import Shape
from ..registry import Call, Unsaid, define
from ..text import literal, tensor_text
from ..values.dims import merge, ranked, same


def _channel(call: Call, rank: int) -> int:
    return 1 if str(call.get("data_format", "NHWC")).startswith("NC") else rank - 1


def _fused_shape(call: Call) -> tuple[Shape, ...]:
    """The image, then statistics of one number a channel; what V3 reserves is the device's own."""
    rank = 5 if call.get("data_format") in ("NDHWC", "NCDHW") else 4
    image = ranked(call.shape(0), rank)
    at = _channel(call, rank)
    size = image[at]
    for slot in range(1, 3):
        size = size if size is not None else ranked(call.shape(slot), 1)[0]
    per = (size,)
    output = (*image[:at], size, *image[at + 1 :])
    more = ((None,),) if call.op.endswith("V3") else ()
    return (output, per, per, per, per, *more)


def _fused_text(
    call: Call, x: str, gamma: str, beta: str, mean: str, variance: str, *_: str
) -> str | None:
    """The image, the statistics, and what the CPU's kernel reserves: the statistics once more, in V3 nothing besides."""
    rank = call.rank(0) or (5 if "D" in str(call.get("data_format", "")) else 4)
    at = _channel(call, rank)
    gamma, beta, mean, variance = (
        _by_channel(call, slot, text, at)
        for slot, text in enumerate((gamma, beta, mean, variance), 1)
    )
    axis = -1 if at == rank - 1 else 1
    more = (
        f"axis={axis}, offset={beta}, scale={gamma}, epsilon={literal(call['epsilon'])}"
    )
    if call.get("is_training", True):
        axes = tuple(i for i in range(rank) if i != at)
        moments = f"ops.moments({x}, axes={literal(axes)})"
        text = f"ops.batch_normalization({x}, *{moments}, {more})"
        ports = [text, *_batch_statistics(call, moments, axes)]
    else:
        text = f"ops.batch_normalization({x}, {mean}, {variance}, {more})"
        known = call.value(3) is not None, call.value(4) is not None
        pair = ["None" if k else t for k, t in zip(known, (mean, variance))]
        ports = [text, *pair, *pair]
    if call.op.endswith("V3"):
        ports.append("None" if ports[1] == "None" else f"{ports[1]}[..., :0]")
    return f"({', '.join(ports)})"


def _fused_body(
    call: Call, x: str, gamma: str, beta: str, mean: str, variance: str, *_: str
) -> str | None:
    """Where known statistics are asked for too, which no expression over Keras's tensors can give."""
    if call.get("is_training", True) or call.dtype(0) != "float32":
        return None
    statistics = (tensor_text(call, 3, mean), tensor_text(call, 4, variance))
    fed = replace(call, values=())
    text = _fused_text(fed, x, gamma, beta, "mean", "variance")
    return f"mean, variance = {', '.join(statistics)}\nreturn {text}"


def _by_channel(call: Call, slot: int, vector: str, channel: int) -> str:
    """A vector as long as the image has channels, which Keras wants to see."""
    image, shape = call.shape(0), call.shape(slot)
    size = None if image is None else image[channel]
    if shape == (size,) or slot > 2 and call.get("is_training", True):
        return vector
    if size is None:
        raise Unsaid("Keras compares the number of channels before anything runs")
    return f"ops.reshape({vector}, ({size},))"


def _batch_statistics(
    call: Call, moments: str, axes: tuple[int, ...]
) -> tuple[str, str, str, str]:
    """Mean and corrected variance of the batch, then both as they are; ``None`` where half floats or a moving average tell others."""
    shape = call.shape(0)
    sizes = [None] if shape is None else [shape[axis] for axis in axes]
    if call.dtype(0) != "float32" or call.get("exponential_avg_factor", 1.0) != 1.0:
        return ("None",) * 4
    mean, variance = f"{moments}[0]", f"{moments}[1]"
    if None in sizes:
        return mean, "None", mean, variance
    count = math.prod(size or 0 for size in sizes)
    corrected = f"{variance} * {literal(count / max(count - 1, 1))}"
    return mean, corrected, mean, variance


define(
    "FusedBatchNorm",
    "FusedBatchNormV2",
    "FusedBatchNormV3",
    shape=_fused_shape,
    keras=_fused_text,
    body=_fused_body,
)
define("_FusedBatchNormEx", shape=_fused_shape)


def _gradient_shape(call: Call) -> tuple[Shape, ...]:
    per = call.shape(2)
    return (merge(call.shape(0), call.shape(1)), per, per, (0,), (0,))


define(
    "FusedBatchNormGrad",
    "FusedBatchNormGradV2",
    "FusedBatchNormGradV3",
    shape=_gradient_shape,
)


def _global_text(
    call: Call, x: str, mean: str, variance: str, beta: str, gamma: str
) -> str:
    scale = f", scale={gamma}" if call["scale_after_normalization"] else ""
    return (
        f"ops.batch_normalization({x}, {mean}, {variance}, axis=-1, offset={beta}{scale}, "
        f"epsilon={literal(call['variance_epsilon'])})"
    )


def _global_shape(call: Call) -> tuple[Shape]:
    image = ranked(call.shape(0), 4)
    size = image[3]
    for slot in range(1, 5):
        size = size if size is not None else ranked(call.shape(slot), 1)[0]
    return ((*image[:3], size),)


define("BatchNormWithGlobalNormalization", shape=_global_shape, keras=_global_text)


def _lrn_text(call: Call, x: str) -> str:
    """A sum over a window of channels: the channels moved to a spatial axis and averaged, times the window."""
    width = 2 * int(call["depth_radius"]) + 1
    bias, alpha, beta = (literal(call[name]) for name in ("bias", "alpha", "beta"))
    radius = width // 2
    squares = (
        f"ops.pad(ops.square({x}), ((0, 0), (0, 0), (0, 0), ({radius}, {radius})))"
    )
    pooled = (
        f"ops.average_pool(ops.expand_dims({squares}, -1), (1, 1, {width}), strides=1, "
        f'padding="valid", data_format="channels_last")'
    )
    total = f"ops.squeeze({pooled}, axis=-1) * {width}.0"
    return f"{x} / ({bias} + {alpha} * {total}) ** {beta}"


define("LRN", shape=same, keras=_lrn_text)
define("LRNGrad", shape=same)
