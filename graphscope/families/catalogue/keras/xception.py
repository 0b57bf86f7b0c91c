"""Xception. Source: keras/src/applications/xception.py (3.15)."""

from __future__ import annotations

from ... import family
from ...notation.layers import Net
from ...notation.net import Handle
from ...notation.unknowns import Size, size


@family(
    "Xception",
    "block1_conv1/kernel",
    "block14_sepconv2_bn/gamma",
    "block2_sepconv1_bn/gamma",
)
def xception(net: Net, classes: Size = size("predictions/kernel")) -> None:
    def norm(x: Handle, name: str) -> Handle:
        return net.batch_norm(x, name, 1e-3)

    def relu(x: Handle) -> Handle:
        return net.activation(x, "relu")

    def separable(x: Handle, name: str, filters: int) -> Handle:
        return norm(net.separable(x, name, filters, 3), f"{name}_bn")

    def shortcut(x: Handle, filters: int) -> Handle:
        x = net.conv(x, net.auto("conv2d"), filters, 1, 2, bias=False)
        return norm(x, net.auto("batch_normalization"))

    x = net.conv(net.input(), "block1_conv1", 32, 3, 2, "valid", bias=False)
    x = relu(norm(x, "block1_conv1_bn"))
    x = net.conv(x, "block1_conv2", 64, 3, 1, "valid", bias=False)
    x = relu(norm(x, "block1_conv2_bn"))
    for block, filters in ((2, 128), (3, 256), (4, 728)):
        residual = shortcut(x, filters)
        y = x if block == 2 else relu(x)
        y = relu(separable(y, f"block{block}_sepconv1", filters))
        y = separable(y, f"block{block}_sepconv2", filters)
        x = net.add(net.pool(y, 3, 2), residual)
    for block in range(5, 13):
        y = x
        for place in (1, 2, 3):
            y = separable(relu(y), f"block{block}_sepconv{place}", 728)
        x = net.add(y, x)
    residual = shortcut(x, 1024)
    y = separable(relu(x), "block13_sepconv1", 728)
    y = separable(relu(y), "block13_sepconv2", 1024)
    x = net.add(net.pool(y, 3, 2), residual)
    x = relu(separable(x, "block14_sepconv1", 1536))
    x = relu(separable(x, "block14_sepconv2", 2048))
    if classes is not None:
        net.dense(net.global_pool(x), "predictions", classes, activation="softmax")
