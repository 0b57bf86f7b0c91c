"""FCN-8s on VGG-16 (arXiv 1411.4038). Source: MarvinTeichmann/tensorflow-fcn, fcn8_vgg.py."""

from __future__ import annotations

from ....graph import WeightUse
from ... import family
from ...notation.layers import Net
from ...notation.net import Handle
from ...notation.unknowns import Size, number, size

_MEAN = (123.68, 116.779, 103.939)  # of red, green and blue
_DEPTHS = (2, 2, 3, 3, 3)
_WIDEST = 8  # times the first width


def _turned_round(use: WeightUse) -> WeightUse:
    """A kernel that reads blue, green and red, for images of red, green and blue."""
    shape = (*use.shape[:2], 1, use.shape[-1])
    last, *others = (
        WeightUse(use.node, shape, (*use.steps, ("slice", (2, place, place + 1))))
        for place in range(use.shape[2])[::-1]
    )
    joined = (*last.steps, ("join", (2, tuple(others))))
    return WeightUse(use.node, use.shape, joined)


def _body(net: Net, x: Handle, width: Size) -> list[Handle]:
    """VGG-16 up to its last pool: what each pool gives."""
    pools = []
    for block, depth in enumerate(_DEPTHS, 1):
        unit = number(width) or 0
        filters = width if block == 1 else min(2 ** (block - 1), _WIDEST) * unit
        for place in range(1, depth + 1):
            name = f"conv{block}_{place}"
            x = net.conv(x, name, filters, 3, activation="relu")
            if name == "conv1_1":
                weights = net.trace[x.layer].weights
                weights["kernel"] = _turned_round(weights["kernel"])
        x = net.pool(x, 2, 2)
        pools.append(x)
    return pools


@family(
    "FCN-8s (VGG-16)",
    "conv1_1/filter",
    "score_pool3/weights",
    "upscore32/up_filter",
    roles={
        "Conv2D.kernel": ("filter", "weights"),
        "Conv2DTranspose.kernel": "up_filter",
        "bias": "biases",
    },
    variant=lambda width, hidden, classes: f"{classes} classes"
    + ("" if width == 64 else f", width {width} (published: 64)"),
)
def fcn8(
    net: Net, width: Size = size(), hidden: Size = size(), classes: Size = size()
) -> None:
    """Scores of each class for each pixel; images come as 0 to 255."""
    net.note("images have sides that are multiples of 32")
    image = net.input(3)
    config = {"axis": -1, "mean": _MEAN, "variance": (1.0, 1.0, 1.0)}
    x = net.layer("Normalization", "means", (image,), config, {}, 3)
    *_, pool3, pool4, pool5 = _body(net, x, width)
    x = net.conv(pool5, "fc6", hidden, 7, activation="relu")
    x = net.conv(x, "fc7", hidden, 1, activation="relu")
    x = net.conv(x, "score_fr", classes, 1)
    x = net.conv_transpose(x, "upscore2", classes, 4, 2, bias=False)
    x = net.add(x, net.conv(pool4, "score_pool4", classes, 1))
    x = net.conv_transpose(x, "upscore4", classes, 4, 2, bias=False)
    x = net.add(x, net.conv(pool3, "score_pool3", classes, 1))
    net.conv_transpose(x, "upscore32", classes, 16, 8, bias=False)
