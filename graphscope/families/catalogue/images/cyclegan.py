"""CycleGAN (arXiv 1703.10593). Source: vanhuyz/CycleGAN-TensorFlow, generator.py, discriminator.py and ops.py."""

from __future__ import annotations

from ... import family
from ...notation.layers import Net
from ...notation.net import Handle
from ...notation.unknowns import Size, Width, has, number, size

_EPSILON = 1e-5
_BLOCKS = (6, 9)  # of images up to 128 pixels, and of larger ones


def _norm(net: Net, x: Handle, scope: str) -> Handle:
    return net.instance_norm(x, f"{scope}/instance_norm", _EPSILON)


def _seven(net: Net, x: Handle, name: str, filters: Size) -> Handle:
    x = net.reflect(x, 3)
    return net.conv(x, name, filters, 7, padding="valid", bias=False)


def _residual(net: Net, x: Handle, name: str) -> Handle:
    y, width = x, number(x.channels) or 0
    for place in (1, 2):
        scope = f"{name}/layer{place}"
        kernel = net.weight(
            net.path("", f"{scope}/weights{place}", ""), (3, 3, width, width)
        )
        config = {"filters": width, "kernel_size": (3, 3), "use_bias": False}
        weights = {"kernel": kernel}
        y = net.layer("Conv2D", scope, (net.reflect(y, 1),), config, weights, width)
        y = _norm(net, y, scope)
        y = net.activation(y, "relu") if place == 1 else y
    return net.add(x, y)


def _generator(net: Net, scope: str) -> None:
    unit = net.stored_size(f"{scope}/c7s1_32/weights", -1) or 0
    depth = 4 * unit
    blocks = 0
    while (
        net.stored_size(f"{scope}/R{depth}_{blocks + 1}/layer1/weights1", 0) is not None
    ):
        blocks += 1
    net.need(blocks in _BLOCKS, f"{scope} has {blocks} residual blocks, not 6 or 9")
    with net[scope]:
        x = _seven(net, net.input(), "c7s1_32", Width("first"))
        x = net.activation(_norm(net, x, "c7s1_32"), "relu")
        for name, filters in (("d64", 2 * unit), ("d128", depth)):
            x = net.conv(x, name, filters, 3, 2, bias=False)
            x = net.activation(_norm(net, x, name), "relu")
        for place in range(1, blocks + 1):
            x = _residual(net, x, f"R{depth}_{place}")
        for name, filters in (("u64", 2 * unit), ("u32", unit)):
            x = net.conv_transpose(x, name, filters, 3, 2, bias=False)
            x = net.activation(_norm(net, x, name), "relu")
        net.activation(_seven(net, x, "output", None), "tanh")


def _discriminator(net: Net, scope: str) -> None:
    unit = net.stored_size(f"{scope}/C64/weights", -1) or 0
    with net[scope]:
        x = net.input()
        for place in range(4):
            name = f"C{64 * 2**place}"
            filters: Size = unit * 2 ** place if place else Width("first")
            x = net.conv(x, name, filters, 4, 2, bias=False)
            x = _norm(net, x, name) if place else x
            x = net.leaky_relu(x, 0.2)
        net.conv(x, "output", 1, 4)


@family(
    "CycleGAN",
    "G/c7s1_32/weights",
    "F/c7s1_32/weights",
    "D_Y/C64/weights",
    roles={
        "kernel": "weights",
        "bias": "biases",
        "gamma": "scale",
        "beta": "offset",
    },
    variant=lambda width, there, back, **_: f"{width} filters"
    + ("" if there and back else ", one way alone"),
)
def cyclegan(
    net: Net,
    width: Size = size(),
    there: bool = has("G/c7s1_32/weights"),
    back: bool = has("F/c7s1_32/weights"),
    judges_x: bool = has("D_X/C64/weights"),
    judges_y: bool = has("D_Y/C64/weights"),
) -> None:
    """An image to another and back, and how real each of both looks."""
    first = "G" if there else "F"
    stored = net.stored_size(f"{first}/c7s1_32/weights", -1)
    if isinstance(width, Width) and stored:
        width.meets(stored)
    for scope, is_here in (("G", there), ("F", back)):
        if is_here:
            _generator(net, scope)
    for scope, is_here in (("D_X", judges_x), ("D_Y", judges_y)):
        if is_here:
            _discriminator(net, scope)
