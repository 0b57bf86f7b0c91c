"""VGG. Sources: keras/src/applications/vgg16.py and vgg19.py (3.15); slim's nets/vgg.py (tf_slim 1.1)."""

from __future__ import annotations

from ... import family
from ...notation.layers import Net
from ...notation.unknowns import Size, number, one_of, size

_DEPTHS = ((2, 2, 3, 3, 3), (2, 2, 4, 4, 4), (2, 2, 2, 2, 2), (1, 1, 2, 2, 2))


def _title(depth: tuple[int, ...], classes: int | None, **_: object) -> str:
    layers = f"{sum(depth) + 3} layers"
    return f"{layers}, {classes} classes" if classes else layers


@family("VGG", "block1_conv1/kernel", "block5_conv1/kernel", variant=_title)
def vgg(
    net: Net,
    depth: tuple[int, ...] = one_of(*_DEPTHS[:2]),
    width: Size = size(),
    hidden: Size = size("fc1/kernel"),
    classes: Size = size("predictions/kernel"),
) -> None:
    image = x = net.input()
    for block, repeats in enumerate(depth):
        for place in range(1, repeats + 1):
            name = f"block{block + 1}_conv{place}"
            filters = width if block == 0 else min(2**block, 8) * (number(width) or 0)
            x = net.conv(x, name, filters, 3, activation="relu")
        x = net.pool(x, 2, 2, "valid")
    if hidden is None:
        return
    places = (net.stored_size("fc1/kernel", 0) or 0) // (number(x.channels) or 1)
    side = round(places**0.5)
    net.need(side * side == places, f"fc1 reads {places} places, no square")
    net.sized(image, 2 ** len(depth) * side, 2 ** len(depth) * side)
    x = net.flatten(x, places * (number(x.channels) or 0))
    x = net.dense(x, "fc1", hidden, activation="relu")
    x = net.dense(x, "fc2", hidden, activation="relu")
    net.dense(x, "predictions", classes, activation="softmax")


@family(
    "VGG (slim)",
    "conv1/conv1_1/weights",
    "conv5/conv5_1/weights",
    roles={"kernel": "weights", "bias": "biases"},
    variant=_title,
)
def vgg_slim(
    net: Net,
    depth: tuple[int, ...] = one_of(*_DEPTHS),
    width: Size = size(),
    hidden: Size = size("fc6/weights"),
    classes: Size = size("fc8/weights"),
) -> None:
    x = net.input()
    for block, repeats in enumerate(depth, 1):
        for place in range(1, repeats + 1):
            filters = (
                width if block == 1 else min(2 ** (block - 1), 8) * (number(width) or 0)
            )
            x = net.conv(
                x, f"conv{block}/conv{block}_{place}", filters, 3, activation="relu"
            )
        x = net.pool(x, 2, 2, "valid")
    if hidden is None:
        return
    x = net.conv(x, "fc6", hidden, 7, padding="valid", activation="relu")
    x = net.conv(x, "fc7", hidden, 1, activation="relu")
    if classes is not None:
        net.flatten(net.conv(x, "fc8", classes, 1), number(classes))
