"""EfficientNet v2: B0 to B3, S, M and L. Source: keras/src/applications/efficientnet_v2.py (3.15)."""

from __future__ import annotations

from math import ceil
from typing import NamedTuple

from ... import family
from ...notation.layers import Net
from ...notation.net import Handle
from ...notation.unknowns import Size, number, one_of, size
from .efficientnet import squeeze


class _Stage(NamedTuple):
    """Blocks of a kind: whether convolution and depthwise convolution are one, repeats, channels, expansion, first strides."""

    fused: bool
    repeats: int
    filters: int
    expansion: int
    strides: int


class _Member(NamedTuple):
    """A published member: its name, channels of the stem, width and depth factors, and stages."""

    name: str
    stem: int
    width: float
    depth: float
    stages: tuple[_Stage, ...]


def _stages(*rows: tuple[int, int, int, int, int]) -> tuple[_Stage, ...]:
    return tuple(_Stage(bool(fused), *rest) for fused, *rest in rows)


_B = _stages(
    (1, 1, 16, 1, 1),
    (1, 2, 32, 4, 2),
    (1, 2, 48, 4, 2),
    (0, 3, 96, 4, 2),
    (0, 5, 112, 6, 1),
    (0, 8, 192, 6, 2),
)
_S = _stages(
    (1, 2, 24, 1, 1),
    (1, 4, 48, 4, 2),
    (1, 4, 64, 4, 2),
    (0, 6, 128, 4, 2),
    (0, 9, 160, 6, 1),
    (0, 15, 256, 6, 2),
)
_M = _stages(
    (1, 3, 24, 1, 1),
    (1, 5, 48, 4, 2),
    (1, 5, 80, 4, 2),
    (0, 7, 160, 4, 2),
    (0, 14, 176, 6, 1),
    (0, 18, 304, 6, 2),
    (0, 5, 512, 6, 1),
)
_L = _stages(
    (1, 4, 32, 1, 1),
    (1, 7, 64, 4, 2),
    (1, 7, 96, 4, 2),
    (0, 10, 192, 4, 2),
    (0, 19, 224, 6, 1),
    (0, 25, 384, 6, 2),
    (0, 7, 640, 6, 1),
)
_MEMBERS = (
    _Member("B0", 32, 1.0, 1.0, _B),
    _Member("B1", 32, 1.0, 1.1, _B),
    _Member("B2", 32, 1.1, 1.2, _B),
    _Member("B3", 32, 1.2, 1.4, _B),
    _Member("S", 24, 1.0, 1.0, _S),
    _Member("M", 24, 1.0, 1.0, _M),
    _Member("L", 32, 1.0, 1.0, _L),
)


def _rounded(filters: int, width: float) -> int:
    return max(8, int(filters * width + 4) // 8 * 8)


def _norm(net: Net, x: Handle, name: str, act: bool = True) -> Handle:
    x = net.batch_norm(x, name, 1e-3, momentum=0.9)
    return net.activation(x, "silu") if act else x


def _block(
    net: Net, x: Handle, name: str, stage: _Stage, filters: int, strides: int
) -> Handle:
    before, y = number(x.channels) or 0, x
    wide, plain = before * stage.expansion, stage.expansion == 1
    if not plain:
        kernel, step = (3, strides) if stage.fused else (1, 1)
        y = net.conv(y, f"{name}expand_conv", wide, kernel, step, bias=False)
        y = _norm(net, y, f"{name}expand_bn")
    if not stage.fused:
        y = net.depthwise(y, f"{name}dwconv2", 3, strides)
        y = _norm(net, y, f"{name}bn")
        y = squeeze(net, y, name, max(1, before // 4))
    kernel, step = (3, strides) if plain else (1, 1)
    y = net.conv(y, f"{name}project_conv", filters, kernel, step, bias=False)
    y = _norm(net, y, f"{name}project_bn", act=plain)
    return net.add(y, x) if strides == 1 and before == filters else y


@family(
    "EfficientNet v2",
    "block1a_project_conv/kernel",
    "block2a_expand_conv/kernel",
    "block4a_dwconv2/depthwise_kernel",
    "block4a_dwconv2/kernel",
    roles={"depthwise_kernel": ("depthwise_kernel", "kernel")},
    variant=lambda member, classes: member.name
    + (f", {classes} classes" if classes else ""),
)
def efficientnet_v2(
    net: Net,
    member: _Member = one_of(*_MEMBERS),
    classes: Size = size("predictions/kernel"),
) -> None:
    x = net.input()
    if member.name.startswith("B"):
        x = net.normalized(net.rescale(x, 1 / 255))
    else:
        x = net.rescale(x, 1 / 128, -1.0)
    stem = _rounded(member.stem, member.width)
    x = _norm(net, net.conv(x, "stem_conv", stem, 3, 2, bias=False), "stem_bn")
    for number_, stage in enumerate(member.stages, 1):
        filters = _rounded(stage.filters, member.width)
        for place in range(ceil(member.depth * stage.repeats)):
            name = f"block{number_}{chr(97 + place)}_"
            strides = stage.strides if place == 0 else 1
            x = _block(net, x, name, stage, filters, strides)
    x = net.conv(x, "top_conv", _rounded(1280, member.width), 1, bias=False)
    x = _norm(net, x, "top_bn")
    if classes is not None:
        net.dense(net.global_pool(x), "predictions", classes, activation="softmax")
