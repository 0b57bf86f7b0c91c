"""AlexNet v2, OverFeat and LeNet of slim. Sources: nets/alexnet.py and overfeat.py of tf_slim 1.1; tensorflow/models' research/slim/nets/lenet.py."""

from __future__ import annotations

from math import isqrt

from ... import family
from ...notation.layers import Net
from ...notation.net import Handle
from ...notation.unknowns import Size, number, size

_ROLES = {"kernel": "weights", "bias": "biases"}
# filters, kernel, strides, padding, pool behind it
Steps = tuple[tuple[int, int, int, str, int], ...]
_ALEXNET: Steps = (
    (64, 11, 4, "valid", 3),
    (192, 5, 1, "same", 3),
    (384, 3, 1, "same", 0),
    (384, 3, 1, "same", 0),
    (256, 3, 1, "same", 3),
)
_OVERFEAT: Steps = (
    (64, 11, 4, "valid", 2),
    (256, 5, 1, "valid", 2),
    (512, 3, 1, "same", 0),
    (1024, 3, 1, "same", 0),
    (1024, 3, 1, "same", 2),
)


def _net(
    net: Net, steps: Steps, side: int, hidden: Size, last: Size, classes: Size
) -> None:
    """Five convolutions, and what stands for dense layers as convolutions too."""
    x = net.input()
    for place, (filters, kernel, strides, padding, pool) in enumerate(steps, 1):
        name = f"conv{place}"
        x = net.conv(x, name, filters, kernel, strides, padding, activation="relu")
        x = net.pool(x, pool, 2, "valid") if pool else x
    x = net.conv(x, "fc6", hidden, side, padding="valid", activation="relu")
    x = net.conv(x, "fc7", last, 1, activation="relu")
    if classes is not None:
        net.flatten(net.conv(x, "fc8", classes, 1), number(classes))


def _title(classes: int | None, **_: object) -> str:
    return f"{classes} classes" if classes else ""


@family(
    "AlexNet v2 (slim)", "conv5/weights", "fc7/weights", roles=_ROLES, variant=_title
)
def alexnet_v2(
    net: Net,
    hidden: Size = size(),
    last: Size = size(),
    classes: Size = size("fc8/weights"),
) -> None:
    _net(net, _ALEXNET, 5, hidden, last, classes)


@family("OverFeat (slim)", "conv5/weights", "fc7/weights", roles=_ROLES, variant=_title)
def overfeat(
    net: Net,
    hidden: Size = size(),
    last: Size = size(),
    classes: Size = size("fc8/weights"),
) -> None:
    _net(net, _OVERFEAT, 6, hidden, last, classes)


@family(
    "LeNet (slim)",
    "LeNet/conv1/weights",
    "LeNet/fc3/weights",
    roles=_ROLES,
    variant=_title,
)
def lenet(net: Net, classes: Size = size("LeNet/fc4/weights")) -> None:
    rows = net.stored_size("LeNet/fc3/weights", 0) or 0
    with net["LeNet"]:
        x: Handle = net.input()
        image = x
        for name, filters in (("conv1", 32), ("conv2", 64)):
            x = net.pool(
                net.conv(x, name, filters, 5, activation="relu"), 2, 2, "valid"
            )
        side = isqrt(rows // 64)
        net.need(
            side * side * 64 == rows, f"LeNet/fc3 has {rows} rows, no square of 64"
        )
        net.sized(image, 4 * side, 4 * side)
        x = net.dense(net.flatten(x, rows), "fc3", 1024, activation="relu")
        if classes is not None:
            net.dense(x, "fc4", classes)
