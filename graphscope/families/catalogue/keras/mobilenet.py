"""MobileNet v1 and v2. Sources: keras/src/applications/mobilenet.py and mobilenet_v2.py (3.15)."""

from __future__ import annotations

from ... import family
from ...notation.layers import Net
from ...notation.net import Handle
from ...notation.unknowns import Size, number, one_of, size

# strides and channels (in units of the first layer's) of the thirteen depthwise blocks
BLOCKS = (
    *((1, 2), (2, 4), (1, 4), (2, 8), (1, 8), (2, 16)),
    *(((1, 16),) * 5),
    *((2, 32), (1, 32)),
)
# expansion, channels, repeats and first strides of the inverted residuals
UNITS = (
    *((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2)),
    *((6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)),
)
ALPHAS = (1.0, 0.35, 0.5, 0.75, 1.3, 1.4, 0.25, 0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9)


def divisible(value: float, by: int = 8) -> int:
    """The multiple of ``by`` nearest to a width that is not a tenth smaller than it."""
    rounded = max(by, int(value + by / 2) // by * by)
    return rounded + by if rounded < 0.9 * value else rounded


@family(
    "MobileNet",
    "conv1/kernel",
    "conv_pw_1/kernel",
    "conv_dw_1_bn/gamma",
    roles={"depthwise_kernel": ("depthwise_kernel", "kernel")},
    variant=lambda width, classes: f"alpha {width / 32:g}"
    + (f", {classes} classes" if classes else ""),
)
def mobilenet_v1(
    net: Net, width: Size = size(), classes: Size = size("conv_preds/kernel")
) -> None:
    def finish(x: Handle, name: str) -> Handle:
        return net.relu6(net.batch_norm(x, name, 1e-3))

    x = finish(net.conv(net.input(), "conv1", width, 3, 2, bias=False), "conv1_bn")
    unit = number(width) or 0
    for place, (strides, factor) in enumerate(BLOCKS, 1):
        padded = net.pad(x, 0, 1) if strides > 1 else x
        padding = "valid" if strides > 1 else "same"
        x = net.depthwise(padded, f"conv_dw_{place}", 3, strides, padding)
        x = finish(x, f"conv_dw_{place}_bn")
        x = net.conv(x, f"conv_pw_{place}", factor * unit, 1, bias=False)
        x = finish(x, f"conv_pw_{place}_bn")
    if classes is not None:
        x = net.conv(net.global_pool(x, keepdims=True), "conv_preds", classes, 1)
        net.activation(net.flatten(x, number(classes)), "softmax")


@family(
    "MobileNet v2",
    "bn_Conv1/gamma",
    "Conv1_bn/gamma",
    "block_1_expand/kernel",
    "Conv_1_bn/gamma",
    roles={"depthwise_kernel": ("depthwise_kernel", "kernel")},
    variant=lambda alpha, classes: f"alpha {alpha:g}"
    + (f", {classes} classes" if classes else ""),
)
def mobilenet_v2(
    net: Net,
    alpha: float = one_of(*ALPHAS),
    classes: Size = size("predictions/kernel"),
) -> None:
    def conv(x: Handle, name: str, norm: str, filters: int, act: bool = True) -> Handle:
        x = net.batch_norm(
            net.conv(x, name, filters, 1, bias=False), norm, 1e-3, momentum=0.999
        )
        return net.relu6(x) if act else x

    x = net.conv(net.input(), "Conv1", divisible(32 * alpha), 3, 2, bias=False)
    x = net.relu6(net.batch_norm(x, "bn_Conv1", 1e-3, momentum=0.999))
    place = 0
    for expansion, filters, repeats, first_strides in UNITS:
        for repeat in range(repeats):
            block = f"block_{place}" if place else "expanded_conv"
            strides = first_strides if repeat == 0 else 1
            width, y = divisible(int(filters * alpha)), x
            if expansion > 1:
                inner = expansion * (number(x.channels) or 0)
                y = conv(y, f"{block}_expand", f"{block}_expand_BN", inner)
            y = net.pad(y, 0, 1) if strides > 1 else y
            padding = "valid" if strides > 1 else "same"
            y = net.depthwise(y, f"{block}_depthwise", 3, strides, padding)
            y = net.relu6(
                net.batch_norm(y, f"{block}_depthwise_BN", 1e-3, momentum=0.999)
            )
            y = conv(y, f"{block}_project", f"{block}_project_BN", width, act=False)
            x = net.add(x, y) if strides == 1 and x.channels == width else y
            place += 1
    last = divisible(1280 * alpha) if alpha > 1 else 1280
    x = conv(x, "Conv_1", "Conv_1_bn", last)
    if classes is not None:
        net.dense(net.global_pool(x), "predictions", classes, activation="softmax")
