"""pix2pix (arXiv 1611.07004). Source: affinelayer/pix2pix-tensorflow, pix2pix.py."""

from __future__ import annotations

from ... import family
from ...notation.layers import Net
from ...notation.net import Handle
from ...notation.unknowns import Size, count, has, number, size

_EPSILON = 1e-5


def _norm(net: Net, x: Handle) -> Handle:
    """The author's norm has the statistics of its one image at any time; those in the file are never read."""
    statistics = ("moving_mean", "moving_variance")
    for role in statistics:
        path = net.path("", f"batch_normalization/{role}", "")
        net.weight(path, (x.channels,))
    return net.instance_norm(x, "batch_normalization", _EPSILON)


def _generator(net: Net, depth: int, width: Size) -> None:
    unit, skips = number(width) or 0, []
    with net["generator"]:
        x = net.input()
        for place in range(1, depth + 1):
            with net[f"encoder_{place}"]:
                y = net.leaky_relu(x, 0.2) if place > 1 else x
                filters = width if place == 1 else unit * min(2 ** (place - 1), 8)
                x = net.conv(y, "conv2d", filters, 4, 2)
                unit = unit or number(x.channels) or 0
                x = _norm(net, x) if place > 1 else x
                skips.append(x)
        for place in range(depth, 0, -1):
            with net[f"decoder_{place}"]:
                if place < depth:
                    x = net.concatenate(x, skips[place - 1])
                y = net.activation(x, "relu")
                filters = unit * min(2 ** (place - 2), 8) if place > 1 else None
                x = net.conv_transpose(y, "conv2d_transpose", filters, 4, 2)
                x = _norm(net, x) if place > 1 else x
        net.activation(x, "tanh")


def _discriminator(net: Net, depth: int, width: Size) -> None:
    with net["discriminator"]:
        joint = net.stored_size("discriminator/layer_1/conv2d/kernel", 2) or 0
        drawn = net.stored_size("generator/decoder_1/conv2d_transpose/kernel", 2) or 0
        x = net.concatenate(net.input(joint - drawn), net.input(drawn))
        for place in range(1, depth + 1):
            strides = 2 if place < depth - 1 else 1
            with net[f"layer_{place}"]:
                unit = number(width) or 0
                filters = unit * min(2 ** (place - 1), 8) if place > 1 else width
                filters = 1 if place == depth else filters
                x = net.conv(net.pad(x, 1, 1), "conv2d", filters, 4, strides, "valid")
                if place < depth:
                    x = _norm(net, x) if place > 1 else x
                    x = net.leaky_relu(x, 0.2)
        net.activation(x, "sigmoid")


@family(
    "pix2pix",
    "generator/encoder_1/conv2d/kernel",
    "generator/decoder_1/conv2d_transpose/kernel",
    "discriminator/layer_5/conv2d/kernel",
    variant=lambda ups, downs, width, judge, judges: f"{downs} layers down and up, {width} filters",
)
def pix2pix(
    net: Net,
    downs: int = count("generator/encoder_{}"),
    ups: int = count("generator/decoder_{}"),
    width: Size = size(),
    judges: bool = has("discriminator/layer_1/conv2d/kernel"),
    judge: Size = size(),
) -> None:
    """Both nets: an image to another, and two images to whether they belong together. Images come one at a time."""
    net.need(downs == ups, f"{downs} layers down, {ups} up")
    net.note("norms have the statistics of the image itself, as the author runs it")
    _generator(net, downs, width)
    if judges:
        _discriminator(net, 5, judge)
