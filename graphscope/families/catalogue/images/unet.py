"""U-Net (arXiv 1505.04597). Source: jakeret/tf_unet, tf_unet/unet.py and layers.py."""

from __future__ import annotations

from ... import family
from ...notation.layers import Net
from ...notation.net import Handle
from ...notation.unknowns import Size, count, number, size


def _conv(net: Net, x: Handle, place: int, filters: Size, kernel: int) -> Handle:
    """The first or second convolution of a level, without padding."""
    use = net.weight(
        net.path("", f"w{place}", ""), (kernel, kernel, x.channels, filters)
    )
    if number(x.channels) is None:
        net.tell_channels(x, use.shape[-2])
    bias = net.weight(net.path("", f"b{place}", ""), (filters,))
    config = {"filters": use.shape[-1], "kernel_size": (kernel, kernel)}
    config |= {"activation": "relu"}
    weights = {"kernel": use, "bias": bias}
    return net.layer("Conv2D", f"conv{place}", (x,), config, weights, filters)


def _raised(net: Net, x: Handle, filters: int) -> Handle:
    """Twice as large, half as many channels."""
    use = net.weight(net.path("", "wd", ""), (2, 2, filters, x.channels))
    bias = net.weight(net.path("", "bd", ""), (filters,))
    config = {"filters": use.shape[2], "kernel_size": (2, 2), "strides": (2, 2)}
    config |= {"padding": "valid", "activation": "relu"}
    weights = {"kernel": use, "bias": bias}
    return net.layer("Conv2DTranspose", "up", (x,), config, weights, filters)


@family(
    "U-Net (tf_unet)",
    "down_conv_0/w1",
    "up_conv_0/wd",
    "output_map/weight",
    roles={"kernel": "weight"},
    variant=lambda levels, width, classes, **_: f"{levels} levels from {width} channels on, {classes} classes",
)
def unet(
    net: Net,
    levels: int = count("down_conv_{}", start=0),
    width: Size = size(),
    classes: Size = size(),
    gradients: Size = size("norm_gradients"),
    rate: Size = size("learning_rate"),
) -> None:
    """The probability of each class for each pixel that is far enough from the border."""
    net.note("images have sides that every pool halves without a rest")
    kernel = net.stored_size("down_conv_0/w1", 0) or 3
    unit = net.stored_size("down_conv_0/w1", -1) or 0
    x, skips = net.input(), []
    for level in range(levels):
        filters = 2**level * unit if level else width
        x = net.pool(x, 2, 2, "valid") if level else x
        with net[f"down_conv_{level}"]:
            for place in (1, 2):
                x = _conv(net, x, place, filters, kernel)
        skips.append(x)
    border = 2 * (kernel - 1)  # how much a skip is larger on each side
    for level in range(levels - 2, -1, -1):
        filters = 2**level * unit
        with net[f"up_conv_{level}"]:
            cut = (border, border)
            y = net.crop(skips[level], cut, cut)
            x = net.concatenate(y, _raised(net, x, filters))
            for place in (1, 2):
                x = _conv(net, x, place, filters, kernel)
        border = 2 * border + 4 * (kernel - 1)
    x = net.conv(x, "output_map", classes, 1, padding="valid", activation="relu")
    net.activation(x, "softmax")
    if gradients is not None:
        net.beside("norm_gradients", (None,), "the norms of what training changed")
    if rate is not None:
        net.beside("learning_rate", (), "the rate of training")
