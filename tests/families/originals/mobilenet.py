"""MobileNet v1, v2 and v3, after tensorflow/models' research/slim/nets (Apache 2.0)."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tests.architectures.legacy import slim
from tests.families.originals import image, original

v1 = tf.compat.v1
arg_scope, scope = slim.arg_scope, v1.variable_scope


def _mobilenet_scope(activation: Any) -> Any:
    """The training scopes of all three in inference: norms with a scale, no biases."""
    norm = {"is_training": False, "center": True, "scale": True, "epsilon": 0.001}
    return arg_scope(
        [slim.conv2d, slim.separable_conv2d],
        normalizer_fn=slim.batch_norm,
        normalizer_params=norm,
        activation_fn=activation,
        padding="SAME",
    )


def _depthwise(x: Any, size: int, strides: int, name: str, **options: Any) -> Any:
    return slim.separable_conv2d(
        x, None, size, depth_multiplier=1, stride=strides, scope=name, **options
    )


def _logits(x: Any, classes: int) -> Any:
    with scope("Logits"):
        x = tf.reduce_mean(x, [1, 2], keepdims=True)
        x = _head(x, classes, "Conv2d_1c_1x1")
        return tf.squeeze(x, [1, 2])


def _head(x: Any, classes: int, name: str, activation: Any = None) -> Any:
    return slim.conv2d(
        x, classes, 1, activation_fn=activation, normalizer_fn=None, scope=name
    )


def mobilenet_v1_base(x: Any, alpha: float) -> list[Any]:
    """mobilenet_v1.mobilenet_v1_base: a convolution and thirteen pairs; what each pair gives."""
    depth = lambda d: max(int(d * alpha), 8)  # noqa: E731
    ends = [slim.conv2d(x, depth(32), 3, stride=2, scope="Conv2d_0")]
    filters = [64, 128, 128, 256, 256, *[512] * 6, 1024, 1024]
    for place, width in enumerate(filters, 1):
        strides = 2 if place in (2, 4, 6, 12) else 1
        y = _depthwise(ends[-1], 3, strides, f"Conv2d_{place}_depthwise")
        ends.append(slim.conv2d(y, depth(width), 1, scope=f"Conv2d_{place}_pointwise"))
    return ends


@original("MobileNet v1 (slim), alpha 0.25, 7 classes")
def mobilenet_v1() -> tuple[list[Any], list[Any]]:
    x = image(65, 65, 3)
    with _mobilenet_scope(tf.nn.relu6), scope("MobilenetV1"):
        return [x], [_logits(mobilenet_v1_base(x, 0.25)[-1], 7)]


def _divisible(value: float) -> int:
    """conv_blocks._make_divisible by 8."""
    new = max(8, int(value + 4) // 8 * 8)
    return new + 8 if new < 0.9 * value else new


def expanded_conv(
    x: Any,
    filters: int,
    expansion: float = 6,
    size: int = 3,
    strides: int = 1,
    rate: int = 1,
    excite: bool = False,
    wide: dict[str, Any] | None = None,
) -> Any:
    """conv_blocks.expanded_conv, and its squeeze_excite as mobilenet_v3 sets it."""
    before = x.shape.as_list()[3]
    inner, y = _divisible(before * expansion), x
    if inner > before:
        y = slim.conv2d(y, inner, 1, scope="expand")
    if wide is not None:
        wide[v1.get_variable_scope().name.rpartition("/")[2]] = y
    y = _depthwise(y, size, strides, "depthwise", rate=rate)
    if excite:
        with scope("squeeze_excite"):
            z = tf.reduce_mean(y, [1, 2], keepdims=True)
            z = _head(z, _divisible(inner / 4), "Conv", tf.nn.relu)
            gate = lambda t: tf.nn.relu6(t + 3) * 0.16667  # noqa: E731
            y = y * _head(z, inner, "Conv_1", gate)
    y = slim.conv2d(y, filters, 1, activation_fn=tf.identity, scope="project")
    return y + x if strides == 1 and before == filters else y


def mobilenet_v2_base(
    x: Any, alpha: float, output_stride: int = 32, wide: dict[str, Any] | None = None
) -> Any:
    """mobilenet_v2.V2_DEF less its last convolution, under mobilenet_base's rule of strides and rates.

    ``wide`` takes what each unit begins with.
    """
    units = [(16, 1), (24, 2), (24, 1), (32, 2), (32, 1), (32, 1), (64, 2)]
    units += [(64, 1)] * 3 + [(96, 1)] * 3 + [(160, 2), (160, 1), (160, 1), (320, 1)]
    x = slim.conv2d(x, _divisible(32 * alpha), 3, stride=2, scope="Conv")
    current, rate = 2, 1
    for place, (width, strides) in enumerate(units):
        used = 1
        if current == output_stride:
            used, rate, strides = rate, rate * strides, 1
        current *= strides
        with scope(f"expanded_conv_{place}" if place else "expanded_conv"):
            x = expanded_conv(
                x,
                _divisible(width * alpha),
                6 if place else 1,
                strides=strides,
                rate=used,
                wide=wide,
            )
    return x


@original("MobileNet v2 (slim), alpha 0.35, 5 classes", slow=True)
def mobilenet_v2() -> tuple[list[Any], list[Any]]:
    x = image(65, 65, 3)
    with _mobilenet_scope(tf.nn.relu6), scope("MobilenetV2"):
        y = slim.conv2d(mobilenet_v2_base(x, 0.35), 1280, 1, scope="Conv_1")
        return [x], [_logits(y, 5)]


def hard_swish(x: Any) -> Any:
    return x * tf.nn.relu6(x + 3.0) * (1.0 / 6.0)


def _v3(units: list[tuple[Any, ...]], last: int, head: int, minimal: bool) -> Any:
    x = image(65, 65, 3)
    swish = tf.nn.relu if minimal else hard_swish
    with _mobilenet_scope(swish), scope("MobilenetV3"):
        y = slim.conv2d(x, 16, 3, stride=2, scope="Conv")
        for place, (ef, width, size, strides, act, excite) in enumerate(units):
            name = f"expanded_conv_{place}" if place else "expanded_conv"
            act = tf.nn.relu if minimal else act
            with scope(name), _mobilenet_scope(act):
                size = 3 if minimal else size
                excite = excite and not minimal
                y = expanded_conv(y, width, ef, size, strides, excite=excite)
        y = slim.conv2d(y, last, 1, scope="Conv_1")
        y = _head(tf.reduce_mean(y, [1, 2], keepdims=True), head, "Conv_2", swish)
        return [x], [_logits(y, 3)]


@original("MobileNet v3 (slim), small, alpha 1, 3 classes", slow=True)
def mobilenet_v3_small() -> tuple[list[Any], list[Any]]:
    """mobilenet_v3.V3_SMALL."""
    relu, h = tf.nn.relu, hard_swish
    units = [(1, 16, 3, 2, relu, True), (72 / 16, 24, 3, 2, relu, False)]
    units += [(88 / 24, 24, 3, 1, relu, False), (4, 40, 5, 2, h, True)]
    units += [(6, 40, 5, 1, h, True)] * 2 + [(3, 48, 5, 1, h, True)] * 2
    units += [(6, 96, 5, 2, h, True)] + [(6, 96, 5, 1, h, True)] * 2
    return _v3(units, 576, 1024, False)


@original("MobileNet v3 (slim), large minimalistic, alpha 1, 3 classes", slow=True)
def mobilenet_v3_large_minimalistic() -> tuple[list[Any], list[Any]]:
    """mobilenet_v3.V3_LARGE_MINIMALISTIC."""
    efs = [1, 4, 3, 3, 3, 3, 6, 2.5, 184 / 80, 184 / 80, 6, 6, 6, 6, 6]
    widths = [16, 24, 24, 40, 40, 40, 80, 80, 80, 80, 112, 112, 160, 160, 160]
    units = [
        (ef, width, 3, 2 if place in (1, 3, 6, 12) else 1, tf.nn.relu, False)
        for place, (ef, width) in enumerate(zip(efs, widths, strict=True))
    ]
    return _v3(units, 960, 1280, True)
