"""DCGAN (arXiv 1511.06434). Source: carpedm20/DCGAN-tensorflow, model.py and ops.py."""

from __future__ import annotations

from math import isqrt

from ... import family
from ...notation.layers import Net
from ...notation.net import Handle
from ...notation.unknowns import Size, count, number, size

_ROLES = {"kernel": ("w", "Matrix"), "bias": ("biases", "bias")}


def _norm(net: Net, x: Handle, name: str) -> Handle:
    return net.batch_norm(x, name, 1e-5, momentum=0.9)


def _generator(net: Net, ups: int, noise: Size) -> None:
    last = net.stored_size(f"generator/g_h{ups}/w", -1) or 0
    width = last * 2 ** (ups - 1)
    columns = net.stored_size("generator/g_h0_lin/Matrix", -1) or 0
    side = isqrt(columns // width) if width else 0
    net.need(
        side * side * width == columns,
        f"generator/g_h0_lin/Matrix has {columns} columns, no square of {width} channels",
    )
    with net["generator"]:
        x = net.dense(net.input(noise, rank=2), "g_h0_lin", side * side * width)
        x = net.reshape(x, (side, side, width))
        for place in range(1, ups + 1):
            x = net.activation(_norm(net, x, f"g_bn{place - 1}"), "relu")
            filters = width // 2**place if place < ups else None
            x = net.conv_transpose(x, f"g_h{place}", filters, 5, 2)
        net.activation(x, "tanh")


def _discriminator(net: Net, downs: int, width: Size) -> None:
    rows = net.stored_size(f"discriminator/d_h{downs}_lin/Matrix", 0) or 0
    with net["discriminator"]:
        x = image = net.input()
        unit = width
        for place in range(downs):
            filters = unit if place == 0 else (number(unit) or 0) * 2**place
            x = net.conv(x, f"d_h{place}_conv", filters, 5, 2)
            x = _norm(net, x, f"d_bn{place}") if place else x
            x = net.leaky_relu(x, 0.2)
        channels = number(x.channels) or 1
        side = isqrt(rows // channels) * 2**downs
        net.need(
            (side // 2**downs) ** 2 * channels == rows,
            f"discriminator/d_h{downs}_lin/Matrix has {rows} rows, no square of {channels} channels",
        )
        net.sized(image, side, side)
        x = net.dense(net.flatten(x, rows), f"d_h{downs}_lin", 1)
        net.activation(x, "sigmoid")


@family(
    "DCGAN",
    "generator/g_h0_lin/Matrix",
    "discriminator/d_h0_conv/w",
    roles=_ROLES,
    variant=lambda ups, downs, noise, width: f"noise of {noise}, {ups} layers up, {downs} down, {width} channels",
)
def dcgan(
    net: Net,
    ups: int = count("generator/g_h{}", start=1),
    downs: int = count("discriminator/d_h{}_conv", start=0),
    noise: Size = size(),
    width: Size = size(),
) -> None:
    """Both nets: noise to an image, an image to the probability that it is real. Images are square."""
    _generator(net, ups, noise)
    _discriminator(net, downs, width)
