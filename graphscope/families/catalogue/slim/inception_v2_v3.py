"""Inception v2 and v3 of slim. Sources: nets/inception_v2.py and inception_v3.py of tf_slim 1.1."""

from __future__ import annotations

from ... import family
from ...notation.layers import Net
from ...notation.net import Handle
from ...notation.unknowns import Size, has, number, one_of, size
from .branches import Branches

_ROLES = {
    "kernel": "weights",
    "bias": "biases",
    "depthwise_kernel": "depthwise_weights",
    "pointwise_kernel": "pointwise_weights",
}
_MULTIPLIERS = (1.0, 0.75, 0.5, 0.35, 0.25, 1.4)
_A = "Conv2d_0a_1x1"


def _title(multiplier: float, classes: int | None, **_: object) -> str:
    width = f"depth multiplier {multiplier:g}"
    return f"{width}, {classes} classes" if classes else width


def _logits(net: Net, x: Handle, name: str, classes: Size) -> None:
    x = net.conv(net.global_pool(x, keepdims=True), name, classes, 1)
    net.flatten(x, number(classes))


def _mixed_v2(
    one: int,
    low: int,
    three: int,
    low_2: int,
    three_2: int,
    last: int,
    pool: str = "avg",
) -> tuple[str, ...]:
    """The usual block of v2: 1 x 1, 3 x 3, two of 3 x 3, and what is behind a pool."""
    return (
        f"{_A}:{one}",
        f"{_A}:{low} Conv2d_0b_3x3:{three}",
        f"{_A}:{low_2} Conv2d_0b_3x3:{three_2} Conv2d_0c_3x3:{three_2}",
        f"{pool} Conv2d_0b_1x1:{last}",
    )


def _reduction_v2(low: int, wide: int, low_2: int, wide_2: int) -> tuple[str, ...]:
    return (
        f"{_A}:{low} Conv2d_1a_3x3:{wide}/2",
        f"{_A}:{low_2} Conv2d_0b_3x3:{wide_2} Conv2d_1a_3x3:{wide_2}/2",
        "max/2",
    )


_V2 = {
    "Mixed_3b": _mixed_v2(64, 64, 64, 64, 96, 32),
    "Mixed_3c": _mixed_v2(64, 64, 96, 64, 96, 64),
    "Mixed_4a": _reduction_v2(128, 160, 64, 96),
    "Mixed_4b": _mixed_v2(224, 64, 96, 96, 128, 128),
    "Mixed_4c": _mixed_v2(192, 96, 128, 96, 128, 128),
    "Mixed_4d": _mixed_v2(160, 128, 160, 128, 160, 96),
    "Mixed_4e": _mixed_v2(96, 128, 192, 160, 192, 96),
    "Mixed_5a": _reduction_v2(128, 192, 192, 256),
    "Mixed_5b": _mixed_v2(352, 192, 320, 160, 224, 128),
    "Mixed_5c": _mixed_v2(352, 192, 320, 192, 224, 128, "max"),
}


@family(
    "Inception v2 (slim)",
    "Mixed_4a/Branch_0/Conv2d_1a_3x3/weights",
    "Conv2d_1a_7x7/depthwise_weights",
    "Mixed_5c/Branch_2/Conv2d_0c_3x3/weights",
    roles=_ROLES,
    variant=_title,
)
def inception_v2(
    net: Net,
    multiplier: float = one_of(*_MULTIPLIERS),
    biased: bool = has("Conv2d_1a_7x7/biases"),
    gamma: bool = has("Conv2d_2b_1x1/BatchNorm/gamma"),
    classes: Size = size("Logits/Conv2d_1c_1x1/weights"),
) -> None:
    write = Branches(net, multiplier, gamma, strided="same")
    wide = write.depth(64)
    name = "Conv2d_1a_7x7"
    multiplied = min(wide // 3, 8)
    x = net.separable(net.input(), name, wide, 7, 2, "same", multiplied, biased)
    x = net.activation(x, "relu") if biased else write.norm(x, name)
    x = write.chain(x, "max/2 Conv2d_2b_1x1:64 Conv2d_2c_3x3:192 max/2")
    for scope, lines in _V2.items():
        x = write.mixed(x, scope, lines)
    if classes is not None:
        _logits(net, x, "Logits/Conv2d_1c_1x1", classes)


_STEM = (
    "Conv2d_1a_3x3:32/2 Conv2d_2a_3x3:32! Conv2d_2b_3x3:64 max/2 "
    "Conv2d_3b_1x1:80! Conv2d_4a_3x3:192! max/2"
)


def _mixed_5(last: int, names: str = "Conv2d_0a_1x1 Conv2d_0b_5x5") -> tuple[str, ...]:
    low, five = names.split()
    return (
        f"{_A}:64",
        f"{low}:48 {five}:64",
        f"{_A}:64 Conv2d_0b_3x3:96 Conv2d_0c_3x3:96",
        f"avg Conv2d_0b_1x1:{last}",
    )


def _mixed_6(low: int) -> tuple[str, ...]:
    return (
        f"{_A}:192",
        f"{_A}:{low} Conv2d_0b_1x7:{low} Conv2d_0c_7x1:192",
        f"{_A}:{low} Conv2d_0b_7x1:{low} Conv2d_0c_1x7:{low} "
        f"Conv2d_0d_7x1:{low} Conv2d_0e_1x7:192",
        "avg Conv2d_0b_1x1:192",
    )


def _mixed_7(second: str) -> tuple[str, ...]:
    return (
        f"{_A}:320",
        f"{_A}:384 Conv2d_0b_1x3:384|{second}:384",
        f"{_A}:448 Conv2d_0b_3x3:384 Conv2d_0c_1x3:384|Conv2d_0d_3x1:384",
        "avg Conv2d_0b_1x1:192",
    )


_V3 = {
    "Mixed_5b": _mixed_5(32),
    "Mixed_5c": _mixed_5(64, "Conv2d_0b_1x1 Conv_1_0c_5x5"),
    "Mixed_5d": _mixed_5(64),
    "Mixed_6a": (
        "Conv2d_1a_1x1=3x3:384/2",
        f"{_A}:64 Conv2d_0b_3x3:96 Conv2d_1a_1x1=3x3:96/2",
        "max/2",
    ),
    "Mixed_6b": _mixed_6(128),
    "Mixed_6c": _mixed_6(160),
    "Mixed_6d": _mixed_6(160),
    "Mixed_6e": _mixed_6(192),
    "Mixed_7a": (
        f"{_A}:192 Conv2d_1a_3x3:320/2",
        f"{_A}:192 Conv2d_0b_1x7:192 Conv2d_0c_7x1:192 Conv2d_1a_3x3:192/2",
        "max/2",
    ),
    "Mixed_7b": _mixed_7("Conv2d_0b_3x1"),
    "Mixed_7c": _mixed_7("Conv2d_0c_3x1"),
}


def _auxiliary(write: Branches, x: Handle, classes: Size) -> None:
    """The head beside the net; its second kernel is as large as the images left it, and its name says so."""
    net = write.net
    with net["AuxLogits"]:
        x = net.pool(x, 5, 3, "valid", "Average")
        x = write.conv(x, "Conv2d_1b_1x1", write.depth(128), 1)
        name = net.child("Conv2d_2a_")
        rows, _, columns = name.rpartition("_")[2].partition("x")
        kernel = (int(rows), int(columns))
        x = write.conv(x, name, write.depth(768), kernel, padding="valid")
        net.conv(x, "Conv2d_2b_1x1", classes, 1)


@family(
    "Inception v3 (slim)",
    "Mixed_6a/Branch_0/Conv2d_1a_1x1/weights",
    "Mixed_5c/Branch_1/Conv_1_0c_5x5/weights",
    "Mixed_7c/Branch_1/Conv2d_0c_3x1/weights",
    roles=_ROLES,
    variant=_title,
)
def inception_v3(
    net: Net,
    multiplier: float = one_of(*_MULTIPLIERS),
    gamma: bool = has("Conv2d_1a_3x3/BatchNorm/gamma"),
    auxiliary: bool = has("AuxLogits/Conv2d_1b_1x1/weights"),
    classes: Size = size("Logits/Conv2d_1c_1x1/weights"),
) -> None:
    write = Branches(net, multiplier, gamma)
    x = side = write.chain(net.input(), _STEM)
    for scope, lines in _V3.items():
        x = write.mixed(x, scope, lines)
        side = x if scope == "Mixed_6e" else side
    if classes is not None:
        _logits(net, x, "Logits/Conv2d_1c_1x1", classes)
    if auxiliary:
        _auxiliary(write, side, classes)
