"""Inception v1 of slim. Source: nets/inception_v1.py of tf_slim 1.1."""

from __future__ import annotations

from ... import family
from ...notation.layers import Net
from ...notation.unknowns import Size, number, size
from .branches import Branches

_ROLES = {"kernel": "weights", "bias": "biases"}
# 1x1; reduce, 3x3; reduce, 3x3; behind the pool
_MIXED = {
    "3b": (64, 96, 128, 16, 32, 32),
    "3c": (128, 128, 192, 32, 96, 64),
    "4b": (192, 96, 208, 16, 48, 64),
    "4c": (160, 112, 224, 24, 64, 64),
    "4d": (128, 128, 256, 24, 64, 64),
    "4e": (112, 144, 288, 32, 64, 64),
    "4f": (256, 160, 320, 32, 128, 128),
    "5b": (256, 160, 320, 32, 128, 128),
    "5c": (384, 192, 384, 48, 128, 128),
}


@family(
    "Inception v1 (slim)",
    "Mixed_3b/Branch_0/Conv2d_0a_1x1/weights",
    "Conv2d_2b_1x1/weights",
    roles=_ROLES,
)
def inception_v1(
    net: Net, classes: Size = size("Logits/Conv2d_0c_1x1/weights")
) -> None:
    write = Branches(net, strided="same")
    stem = "Conv2d_1a_7x7:64/2 max/2 Conv2d_2b_1x1:64 Conv2d_2c_3x3:192 max/2"
    x = write.chain(net.input(), stem)
    for block, (one, low, three, low_2, three_2, pooled) in _MIXED.items():
        if block in ("4b", "5b"):
            x = net.pool(x, 3 if block == "4b" else 2, 2)
        # a slip of the original that every checkpoint has
        second = "Conv2d_0a_3x3" if block == "5b" else "Conv2d_0b_3x3"
        lines = (
            f"Conv2d_0a_1x1:{one}",
            f"Conv2d_0a_1x1:{low} Conv2d_0b_3x3:{three}",
            f"Conv2d_0a_1x1:{low_2} {second}:{three_2}",
            f"max Conv2d_0b_1x1:{pooled}",
        )
        x = write.mixed(x, f"Mixed_{block}", lines)
    x = net.global_pool(x, keepdims=True)
    if classes is not None:
        net.flatten(net.conv(x, "Logits/Conv2d_0c_1x1", classes, 1), number(classes))
