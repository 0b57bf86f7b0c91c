"""EfficientNet B0 to B7. Source: keras/src/applications/efficientnet.py (3.15)."""

from __future__ import annotations

from math import ceil
from typing import NamedTuple

from ... import family
from ...notation.layers import Net
from ...notation.net import Handle
from ...notation.unknowns import Size, number, one_of, size
from .mobilenet import divisible


class _Scale(NamedTuple):
    """A published member: its name, width and depth factors, and the size of its images."""

    name: str
    width: float
    depth: float
    side: int


_SCALES = (
    _Scale("B0", 1.0, 1.0, 224),
    _Scale("B1", 1.0, 1.1, 240),
    _Scale("B2", 1.1, 1.2, 260),
    _Scale("B3", 1.2, 1.4, 300),
    _Scale("B4", 1.4, 1.8, 380),
    _Scale("B5", 1.6, 2.2, 456),
    _Scale("B6", 1.8, 2.6, 528),
    _Scale("B7", 2.0, 3.1, 600),
)
# kernel, repeats, channels, expansion, first strides
_BLOCKS = (
    (3, 1, 16, 1, 1),
    (3, 2, 24, 6, 2),
    (5, 2, 40, 6, 2),
    (3, 3, 80, 6, 2),
    (5, 3, 112, 6, 1),
    (5, 4, 192, 6, 2),
    (3, 1, 320, 6, 1),
)


def _halved(net: Net, x: Handle, kernel: int, side: int) -> Handle:
    """``correct_pad``: what a strided convolution of an image of that size needs."""
    return net.pad(x, kernel // 2 - (1 - side % 2), kernel // 2)


def squeeze(net: Net, x: Handle, name: str, reduced: int) -> Handle:
    """Squeeze and excite: each channel times what its mean over all places says of it."""
    width = number(x.channels) or 0
    y = net.reshape(net.global_pool(x), (1, 1, width))
    y = net.conv(y, f"{name}se_reduce", reduced, 1, activation="silu")
    y = net.conv(y, f"{name}se_expand", width, 1, activation="sigmoid")
    return net.multiply(x, y)


@family(
    "EfficientNet",
    "stem_conv/kernel",
    "block1a_dwconv/depthwise_kernel",
    "block1a_dwconv/kernel",
    "block1a_se_reduce/kernel",
    roles={"depthwise_kernel": ("depthwise_kernel", "kernel")},
    variant=lambda scale, classes: scale.name
    + (f", {classes} classes" if classes else ""),
)
def efficientnet(
    net: Net,
    scale: _Scale = one_of(*_SCALES),
    classes: Size = size("predictions/kernel"),
) -> None:
    def act(x: Handle, name: str) -> Handle:
        return net.activation(net.batch_norm(x, name, 1e-3), "silu")

    side = (
        scale.side if classes is not None else 0
    )  # of open size Keras pads as for even sizes
    x = net.normalization(net.rescale(net.input(), 1 / 255), "normalization")
    x = net.conv(
        _halved(net, x, 3, side),
        "stem_conv",
        divisible(32 * scale.width),
        3,
        2,
        "valid",
        False,
    )
    x, side = act(x, "stem_bn"), ceil(side / 2)
    for stage, (kernel, repeats, filters, expansion, first) in enumerate(_BLOCKS, 1):
        for place in range(ceil(scale.depth * repeats)):
            name = f"block{stage}{chr(97 + place)}_"
            strides = first if place == 0 else 1
            before, width = number(x.channels) or 0, divisible(filters * scale.width)
            y = x
            if expansion > 1:
                y = net.conv(y, f"{name}expand_conv", expansion * before, 1, bias=False)
                y = act(y, f"{name}expand_bn")
            y = _halved(net, y, kernel, side) if strides > 1 else y
            padding = "valid" if strides > 1 else "same"
            y = net.depthwise(y, f"{name}dwconv", kernel, strides, padding)
            y = squeeze(net, act(y, f"{name}bn"), name, max(1, before // 4))
            y = net.conv(y, f"{name}project_conv", width, 1, bias=False)
            y = net.batch_norm(y, f"{name}project_bn", 1e-3)
            x = net.add(y, x) if strides == 1 and before == width else y
            side = ceil(side / strides)
    x = net.conv(x, "top_conv", divisible(1280 * scale.width), 1, bias=False)
    x = act(x, "top_bn")
    if classes is not None:
        net.dense(net.global_pool(x), "predictions", classes, activation="softmax")
