"""Batch normalization in all its versions, local response normalization."""

from __future__ import annotations

from ...graph import Shape
from ..registry import Call, define
from ..text import literal
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
    return output, per, per, per, per


def _fused_text(
    call: Call, x: str, gamma: str, beta: str, mean: str, variance: str, *_: str
) -> str | None:
    """Inference says all; in training only the normalised image is sayable (batch statistics, uncorrected)."""
    rank = call.rank(0) or (5 if "D" in str(call.get("data_format", "")) else 4)
    at = _channel(call, rank)
    axis = -1 if at == rank - 1 else 1
    more = (
        f"axis={axis}, offset={beta}, scale={gamma}, epsilon={literal(call['epsilon'])}"
    )
    rest = ", None" * (5 if call.op.endswith("V3") else 4)
    if call.get("is_training", True):
        axes = literal(tuple(i for i in range(rank) if i != at))
        moments = f"*ops.moments({x}, axes={axes})"
        return f"(ops.batch_normalization({x}, {moments}, {more}){rest})"
    text = f"ops.batch_normalization({x}, {mean}, {variance}, {more})"
    return f"({text}, {mean}, {variance}{rest[: -len(', None') * 2]})"


define(
    "FusedBatchNorm",
    "FusedBatchNormV2",
    "FusedBatchNormV3",
    shape=_fused_shape,
    keras=_fused_text,
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
