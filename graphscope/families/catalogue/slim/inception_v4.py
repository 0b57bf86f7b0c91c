"""Inception v4 and Inception-ResNet v2 of slim. Sources: tensorflow/models' research/slim/nets, inception_v4.py and inception_resnet_v2.py."""

from __future__ import annotations

from ... import family
from ...notation.layers import Net
from ...notation.net import Handle
from ...notation.unknowns import Size, count, has, size
from .branches import Branches

_ROLES = {"kernel": "weights", "bias": "biases"}
_A = "Conv2d_0a_1x1"
_STEM_V4 = {
    "Mixed_3a": ("max/2", "Conv2d_0a_3x3:96/2"),
    "Mixed_4a": (
        f"{_A}:64 Conv2d_1a_3x3:96!",
        f"{_A}:64 Conv2d_0b_1x7:64 Conv2d_0c_7x1:64 Conv2d_1a_3x3:96!",
    ),
    "Mixed_5a": ("Conv2d_1a_3x3:192/2", "max/2"),
}
_A_V4 = (
    f"{_A}:96",
    f"{_A}:64 Conv2d_0b_3x3:96",
    f"{_A}:64 Conv2d_0b_3x3:96 Conv2d_0c_3x3:96",
    "avg Conv2d_0b_1x1:96",
)
_B_V4 = (
    f"{_A}:384",
    f"{_A}:192 Conv2d_0b_1x7:224 Conv2d_0c_7x1:256",
    f"{_A}:192 Conv2d_0b_7x1:192 Conv2d_0c_1x7:224 Conv2d_0d_7x1:224 Conv2d_0e_1x7:256",
    "avg Conv2d_0b_1x1:128",
)
_C_V4 = (
    f"{_A}:256",
    f"{_A}:384 Conv2d_0b_1x3:256|Conv2d_0c_3x1:256",
    f"{_A}:384 Conv2d_0b_3x1:448 Conv2d_0c_1x3:512 Conv2d_0d_1x3:256|Conv2d_0e_3x1:256",
    "avg Conv2d_0b_1x1:256",
)
_V4 = {
    **_STEM_V4,
    **{f"Mixed_5{letter}": _A_V4 for letter in "bcde"},
    "Mixed_6a": (
        "Conv2d_1a_3x3:384/2",
        f"{_A}:192 Conv2d_0b_3x3:224 Conv2d_1a_3x3:256/2",
        "max/2",
    ),
    **{f"Mixed_6{letter}": _B_V4 for letter in "bcdefgh"},
    "Mixed_7a": (
        f"{_A}:192 Conv2d_1a_3x3:192/2",
        f"{_A}:256 Conv2d_0b_1x7:256 Conv2d_0c_7x1:320 Conv2d_1a_3x3:320/2",
        "max/2",
    ),
    **{f"Mixed_7{letter}": _C_V4 for letter in "bcd"},
}


def _title(classes: int | None, **_: object) -> str:
    return f"{classes} classes" if classes else ""


def _auxiliary(
    write: Branches, x: Handle, name: str, logits: str, classes: Size
) -> None:
    """The head beside the net: a convolution over all that the images left, and a Dense."""
    net = write.net
    with net["AuxLogits"]:
        rows = net.stored_size(f"AuxLogits/{name}/weights", 0) or 0
        columns = net.stored_size(f"AuxLogits/{name}/weights", 1) or 0
        x = net.pool(x, 5, 3, "valid", "Average")
        x = write.conv(x, "Conv2d_1b_1x1", 128, 1)
        x = write.conv(x, name, 768, (rows, columns), padding="valid")
        net.dense(net.flatten(x, 768), logits, classes)


@family(
    "Inception v4 (slim)",
    "Mixed_3a/Branch_1/Conv2d_0a_3x3/weights",
    "Mixed_7d/Branch_2/Conv2d_0e_3x1/weights",
    "Mixed_6h/Branch_2/Conv2d_0e_1x7/weights",
    roles=_ROLES,
    variant=_title,
)
def inception_v4(
    net: Net,
    auxiliary: bool = has("AuxLogits/Conv2d_1b_1x1/weights"),
    classes: Size = size("Logits/Logits/weights"),
) -> None:
    write = Branches(net)
    stem = "Conv2d_1a_3x3:32/2 Conv2d_2a_3x3:32! Conv2d_2b_3x3:64"
    x = side = write.chain(net.input(), stem)
    for scope, lines in _V4.items():
        x = write.mixed(x, scope, lines)
        side = x if scope == "Mixed_6h" else side
    if classes is not None:
        net.dense(net.global_pool(x), "Logits/Logits", classes)
    if auxiliary:
        _auxiliary(write, side, "Conv2d_2a", "Aux_logits", classes)


_STEM = (
    "Conv2d_1a_3x3:32/2 Conv2d_2a_3x3:32! Conv2d_2b_3x3:64 max/2 "
    "Conv2d_3b_1x1:80! Conv2d_4a_3x3:192! max/2"
)
_5B = (
    "Conv2d_1x1:96",
    f"{_A}:48 Conv2d_0b_5x5:64",
    f"{_A}:64 Conv2d_0b_3x3:96 Conv2d_0c_3x3:96",
    "avg Conv2d_0b_1x1:64",
)
_BLOCK35 = (
    "Conv2d_1x1:32",
    f"{_A}:32 Conv2d_0b_3x3:32",
    f"{_A}:32 Conv2d_0b_3x3:48 Conv2d_0c_3x3:64",
)
_6A = (
    "Conv2d_1a_3x3:384/2",
    f"{_A}:256 Conv2d_0b_3x3:256 Conv2d_1a_3x3:384/2",
    "max/2",
)
_BLOCK17 = ("Conv2d_1x1:192", f"{_A}:128 Conv2d_0b_1x7:160 Conv2d_0c_7x1:192")
_7A = (
    f"{_A}:256 Conv2d_1a_3x3:384/2",
    f"{_A}:256 Conv2d_1a_3x3:288/2",
    f"{_A}:256 Conv2d_0b_3x3:288 Conv2d_1a_3x3:320/2",
    "max/2",
)
_BLOCK8 = ("Conv2d_1x1:192", f"{_A}:192 Conv2d_0b_1x3:224 Conv2d_0c_3x1:256")


@family(
    "Inception-ResNet v2 (slim)",
    "Repeat_1/block17_20/Conv2d_1x1/weights",
    "Conv2d_7b_1x1/weights",
    "Mixed_5b/Branch_1/Conv2d_0b_5x5/weights",
    roles=_ROLES,
    variant=_title,
)
def inception_resnet_v2(
    net: Net,
    a: int = count("Repeat/block35_{}"),
    b: int = count("Repeat_1/block17_{}"),
    c: int = count("Repeat_2/block8_{}"),
    auxiliary: bool = has("AuxLogits/Conv2d_1b_1x1/weights"),
    classes: Size = size("Logits/Logits/weights"),
) -> None:
    net.need((a, b, c) == (10, 20, 9), f"{a}, {b} and {c} blocks: no published depth")
    write = Branches(net)
    x = write.mixed(write.chain(net.input(), _STEM), "Mixed_5b", _5B)
    x = write.repeat(x, "Repeat/block35", a, _BLOCK35, 0.17)
    x = write.mixed(x, "Mixed_6a", _6A)
    x = side = write.repeat(x, "Repeat_1/block17", b, _BLOCK17, 0.1)
    x = write.mixed(x, "Mixed_7a", _7A)
    x = write.repeat(x, "Repeat_2/block8", c, _BLOCK8, 0.2)
    with net["Block8"]:
        x = write.residual(x, _BLOCK8, 1.0)
    x = write.conv(x, "Conv2d_7b_1x1", 1536, 1)
    if classes is not None:
        net.dense(net.global_pool(x), "Logits/Logits", classes)
    if auxiliary:
        _auxiliary(write, side, "Conv2d_2a_5x5", "Logits", classes)
