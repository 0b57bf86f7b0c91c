"""ResNet v1 and v2 of slim. Source: nets/resnet_v1.py, resnet_v2.py and resnet_utils.py of tf_slim 1.1."""

from __future__ import annotations

from ... import family
from ...notation.layers import Net
from ...notation.net import Handle
from ...notation.unknowns import Counts, Size, counts, number, size

_ROLES = {"kernel": "weights", "bias": "biases"}
_PUBLISHED = ((3, 4, 6, 3), (3, 4, 23, 3), (3, 8, 36, 3), (3, 24, 36, 3))
_EPSILON = 1e-5


def _title(units: Counts, classes: int | None, **_: object) -> str:
    layers = f"{3 * sum(units) + 2} layers"
    return f"{layers}, {classes} classes" if classes else layers


def _same(
    net: Net, x: Handle, name: str, filters: Size, kernel: int, strides: int, bias: bool
) -> Handle:
    """``conv2d_same``: where it is strided, padded by hand so that the result doesn't depend on the size."""
    if strides == 1:
        return net.conv(x, name, filters, kernel, bias=bias)
    x = net.pad(x, (kernel - 1) // 2, kernel // 2)
    return net.conv(x, name, filters, kernel, strides, "valid", bias)


def _norm(net: Net, x: Handle, name: str, act: bool = True) -> Handle:
    x = net.batch_norm(x, f"{name}/BatchNorm" if name else "BatchNorm", _EPSILON)
    return net.activation(x, "relu") if act else x


def _conv(
    net: Net,
    x: Handle,
    name: str,
    filters: Size,
    kernel: int,
    strides: int = 1,
    act: bool = True,
) -> Handle:
    return _norm(net, _same(net, x, name, filters, kernel, strides, False), name, act)


def _logits(net: Net, x: Handle, classes: Size) -> None:
    x = net.global_pool(x, keepdims=True)
    if classes is not None:
        net.conv(x, "logits", classes, 1)


def _strides(units: Counts, block: int, unit: int) -> int:
    return 2 if unit == units[block] - 1 and block < len(units) - 1 else 1


def unit_v1(net: Net, x: Handle, scope: str, inner: int, strides: int) -> Handle:
    """Three convolutions and what they are added to."""
    with net[f"{scope}/bottleneck_v1"]:
        if number(x.channels) == 4 * inner:
            shortcut = net.pool(x, 1, strides, "valid") if strides > 1 else x
        else:
            shortcut = _conv(net, x, "shortcut", 4 * inner, 1, strides, act=False)
        y = _conv(net, x, "conv1", inner, 1)
        y = _conv(net, y, "conv2", inner, 3, strides)
        y = _conv(net, y, "conv3", 4 * inner, 1, act=False)
        return net.activation(net.add(shortcut, y), "relu")


def blocks_v1(net: Net, x: Handle, units: Counts, width: Size) -> Handle:
    """An image to what the last block gives; each block but the last halves the sizes."""
    x = net.pool(_conv(net, x, "conv1", width, 7, 2), 3, 2)
    for block, repeats in enumerate(units):
        inner = 2**block * (number(width) or 0)
        for unit in range(repeats):
            scope = f"block{block + 1}/unit_{unit + 1}"
            x = unit_v1(net, x, scope, inner, _strides(units, block, unit))
    return x


@family(
    "ResNet v1 (slim)",
    "block1/unit_1/bottleneck_v1/conv1/weights",
    "block4/unit_1/bottleneck_v1/shortcut/weights",
    roles=_ROLES,
    variant=_title,
)
def resnet_v1_slim(
    net: Net,
    units: Counts = counts("block{}/unit_{}"),
    width: Size = size(),
    classes: Size = size("logits/weights"),
) -> None:
    net.need(tuple(units) in _PUBLISHED, f"{tuple(units)} units: no published depth")
    x = blocks_v1(net, net.input(), units, width)
    _logits(net, x, classes)


@family(
    "ResNet v2 (slim)",
    "block1/unit_1/bottleneck_v2/conv1/weights",
    "block4/unit_1/bottleneck_v2/shortcut/weights",
    "postnorm/beta",
    roles=_ROLES,
    variant=_title,
)
def resnet_v2_slim(
    net: Net,
    units: Counts = counts("block{}/unit_{}"),
    width: Size = size(),
    classes: Size = size("logits/weights"),
) -> None:
    net.need(tuple(units) in _PUBLISHED, f"{tuple(units)} units: no published depth")
    x = net.pool(_same(net, net.input(), "conv1", width, 7, 2, bias=True), 3, 2)
    for block, repeats in enumerate(units):
        inner = 2**block * (number(width) or 0)
        for unit in range(repeats):
            strides = _strides(units, block, unit)
            with net[f"block{block + 1}/unit_{unit + 1}/bottleneck_v2"]:
                before = net.activation(net.batch_norm(x, "preact", _EPSILON), "relu")
                if number(x.channels) == 4 * inner:
                    shortcut = net.pool(x, 1, strides, "valid") if strides > 1 else x
                else:
                    shortcut = net.conv(before, "shortcut", 4 * inner, 1, strides)
                y = _conv(net, before, "conv1", inner, 1)
                y = _conv(net, y, "conv2", inner, 3, strides)
                x = net.add(shortcut, net.conv(y, "conv3", 4 * inner, 1))
    x = net.activation(net.batch_norm(x, "postnorm", _EPSILON), "relu")
    _logits(net, x, classes)
