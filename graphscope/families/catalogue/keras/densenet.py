"""DenseNet. Source: keras/src/applications/densenet.py (3.15)."""

from __future__ import annotations

from ... import family
from ...notation.layers import Net
from ...notation.net import Handle
from ...notation.unknowns import Size, number, one_of, size

_BLOCKS = ((6, 12, 24, 16), (6, 12, 32, 32), (6, 12, 48, 32))  # 121, 169, 201 layers
_EPSILON = 1.001e-5


def _title(blocks: tuple[int, ...], growth: int | None, classes: int | None) -> str:
    layers = f"{2 * sum(blocks) + 5} layers"
    return f"{layers}, {classes} classes" if classes else layers


@family(
    "DenseNet",
    "conv2_block1_0_bn/gamma",
    "conv5_block1_0_bn/gamma",
    "pool2_bn/gamma",
    variant=_title,
)
def densenet(
    net: Net,
    blocks: tuple[int, ...] = one_of(*_BLOCKS),
    growth: Size = size(),
    classes: Size = size("predictions/kernel"),
) -> None:
    def act(x: Handle, name: str) -> Handle:
        return net.activation(net.batch_norm(x, name, _EPSILON), "relu")

    x = net.conv(
        net.pad(net.input(), 3, 3), net_stem(net), 64, 7, 2, "valid", bias=False
    )
    x = net.pad(
        act(x, net_stem(net).replace("conv1_conv", "conv1_bn").replace("/conv", "/bn")),
        1,
        1,
    )
    x = net.pool(x, 3, 2, "valid")
    for stage, repeats in enumerate(blocks, 2):
        for place in range(1, repeats + 1):
            name = f"conv{stage}_block{place}"
            y = act(x, f"{name}_0_bn")
            rate = number(growth) or net.stored_size(f"{name}_2_conv/kernel", -1) or 0
            y = net.conv(y, f"{name}_1_conv", 4 * rate, 1, bias=False, padding="valid")
            y = net.conv(
                act(y, f"{name}_1_bn"), f"{name}_2_conv", growth, 3, bias=False
            )
            x = net.concatenate(x, y)
        if stage < 5:
            x = act(x, f"pool{stage}_bn")
            width = (number(x.channels) or 0) // 2
            x = net.conv(x, f"pool{stage}_conv", width, 1, bias=False, padding="valid")
            x = net.pool(x, 2, 2, "valid", "Average")
    x = act(x, "bn")
    if classes is not None:
        net.dense(net.global_pool(x), "predictions", classes, activation="softmax")


def net_stem(net: Net) -> str:
    """Keras 2 calls the first convolution ``conv1/conv``, Keras 3 ``conv1_conv``."""
    shapes = net.index.shapes if net.index is not None else {}
    return "conv1/conv" if "conv1/conv/kernel" in shapes else "conv1_conv"
