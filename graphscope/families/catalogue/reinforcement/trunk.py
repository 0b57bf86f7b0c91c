"""What OpenAI's baselines put below a head: a convolutional net for screens, dense layers for numbers.

Source: baselines/common/models.py and baselines/a2c/utils.py (before TensorFlow 2).
"""

from __future__ import annotations

from math import isqrt

from ....graph import WeightUse
from ...notation.layers import Net
from ...notation.net import Handle
from ...notation.unknowns import Size, number

ROLES = {"kernel": "w", "bias": "b"}
_STRIDES = (4, 2, 1)
_NATURE, _SMALL = (8, 4, 3), (8, 4)  # kernels: cnn, cnn_small


def dense(net: Net, x: Handle, name: str, activation: str | None = None) -> Handle:
    """As wide as the file has it."""
    return net.dense(x, name, None, activation=activation)


def trunk(net: Net, x: Handle, scope: str, depth: int) -> Handle:
    """The convolutions or so many dense layers, whose weights lie in a scope."""
    net.need(
        depth > 0 or net.stored_size(f"{scope}/c1/w", 0) is not None,
        f"{scope} has neither c1 nor mlp_fc0",
    )
    with net[scope]:
        if not depth:
            return _screen(net, x, scope)
        for place in range(depth):
            x = dense(net, x, f"mlp_fc{place}", "tanh")
        return x


def observations(net: Net, scope: str, observed: Size) -> Handle:
    """What the trunk of a scope sees: so many screens of bytes, or rows of so many numbers."""
    if net.stored_size(f"{scope}/c1/w", 0) is not None:
        return net.input(observed)
    return net.input(observed, rank=2)


def square_side(net: Net, x: Handle, rows: int, weight: str) -> int:
    """The rows and columns of a square map that is flattened before a dense weight of so many rows."""
    channels = number(x.channels) or 1
    side = isqrt(rows // channels)
    net.need(
        side * side * channels == rows,
        f"{weight} has {rows} rows, no square of {channels} channels",
    )
    return side


def _screen(net: Net, image: Handle, scope: str) -> Handle:
    kernels = _NATURE if net.stored_size(f"{scope}/c3/w", 0) else _SMALL
    x = net.rescale(image, 1 / 255)
    for place, (size, strides) in enumerate(zip(kernels, _STRIDES, strict=False), 1):
        x = _conv(net, x, f"c{place}", size, strides)
    rows = net.stored_size(f"{scope}/fc1/w", 0) or 0
    side = square_side(net, x, rows, f"{scope}/fc1/w")
    for size, strides in reversed([*zip(kernels, _STRIDES, strict=False)]):
        side = (side - 1) * strides + size  # the smallest screen that leaves so much
    net.sized(image, side, side)
    return dense(net, net.flatten(x, rows), "fc1", "relu")


def _conv(net: Net, x: Handle, name: str, size: int, strides: int) -> Handle:
    """Its bias is stored (1, filters, 1, 1)."""
    kernel = net.weight(
        net.path("Conv2D", name, "kernel"), (size, size, x.channels, None)
    )
    filters = kernel.shape[-1]
    if number(x.channels) is None:
        net.tell_channels(x, kernel.shape[-2])
    bias = net.weight(net.path("Conv2D", name, "bias"), (1, filters, 1, 1))
    bias = WeightUse(bias.node, (filters,), (("reshape", (filters,)),))
    config = {
        "filters": filters,
        "kernel_size": (size, size),
        "strides": (strides,) * 2,
    }
    config |= {"padding": "valid", "activation": "relu"}
    weights = {"kernel": kernel, "bias": bias}
    return net.layer("Conv2D", name, (x,), config, weights, filters)
