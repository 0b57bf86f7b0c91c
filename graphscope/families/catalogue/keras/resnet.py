"""ResNet v1 and v2 as Keras has them. Source: keras/src/applications/resnet.py (3.15)."""

from __future__ import annotations

from ... import family
from ...notation.layers import Net
from ...notation.net import Handle
from ...notation.unknowns import Size, one_of, size

_UNITS = ((3, 4, 6, 3), (3, 4, 23, 3), (3, 8, 36, 3))  # 50, 101 and 152 layers
_EPSILON = 1.001e-5


def _title(units: tuple[int, ...], classes: int | None) -> str:
    layers = f"{3 * sum(units) + 2} layers"
    return f"{layers}, {classes} classes" if classes else layers


def _top(net: Net, x: Handle, classes: Size) -> None:
    if classes is not None:
        net.dense(net.global_pool(x), "predictions", classes, activation="softmax")


@family(
    "ResNet v1",
    "conv1_bn/gamma",
    "conv2_block1_1_conv/kernel",
    "conv5_block1_0_bn/gamma",
    variant=_title,
)
def resnet_v1(
    net: Net,
    units: tuple[int, ...] = one_of(*_UNITS),
    classes: Size = size("predictions/kernel"),
) -> None:
    def norm(x: Handle, name: str) -> Handle:
        return net.batch_norm(x, f"{name}_bn", _EPSILON)

    def conv(
        x: Handle, name: str, filters: int, kernel: int = 1, strides: int = 1
    ) -> Handle:
        padding = "same" if kernel > 1 else "valid"
        x = net.conv(x, f"{name}_conv", filters, kernel, strides, padding)
        return net.activation(norm(x, name), "relu")

    x = net.conv(net.pad(net.input(), 3, 3), "conv1_conv", 64, 7, 2, "valid")
    x = net.pad(net.activation(norm(x, "conv1"), "relu"), 1, 1)
    x = net.pool(x, 3, 2, "valid")
    for stage, repeats in enumerate(units):
        width = 64 * 2**stage
        for unit in range(repeats):
            name = f"conv{stage + 2}_block{unit + 1}"
            strides = 2 if stage and unit == 0 else 1
            shortcut = x
            if unit == 0:
                shortcut = net.conv(x, f"{name}_0_conv", 4 * width, 1, strides, "valid")
                shortcut = norm(shortcut, f"{name}_0")
            y = conv(x, f"{name}_1", width, 1, strides)
            y = conv(y, f"{name}_2", width, 3)
            y = net.conv(y, f"{name}_3_conv", 4 * width, 1, padding="valid")
            x = net.activation(net.add(shortcut, norm(y, f"{name}_3")), "relu")
    _top(net, x, classes)


@family(
    "ResNet v2",
    "post_bn/gamma",
    "conv2_block1_preact_bn/gamma",
    "conv5_block1_preact_bn/gamma",
    variant=_title,
)
def resnet_v2(
    net: Net,
    units: tuple[int, ...] = one_of(*_UNITS),
    classes: Size = size("predictions/kernel"),
) -> None:
    def act(x: Handle, name: str) -> Handle:
        return net.activation(net.batch_norm(x, f"{name}_bn", _EPSILON), "relu")

    x = net.conv(net.pad(net.input(), 3, 3), "conv1_conv", 64, 7, 2, "valid")
    x = net.pool(net.pad(x, 1, 1), 3, 2, "valid")
    for stage, repeats in enumerate(units):
        width = 64 * 2**stage
        for unit in range(repeats):
            name = f"conv{stage + 2}_block{unit + 1}"
            strides = 2 if unit == repeats - 1 and stage < len(units) - 1 else 1
            before = act(x, f"{name}_preact")
            shortcut = net.pool(x, 1, strides, "valid") if strides > 1 else x
            if unit == 0:
                shortcut = net.conv(
                    before, f"{name}_0_conv", 4 * width, 1, strides, "valid"
                )
            y = net.conv(
                before, f"{name}_1_conv", width, 1, bias=False, padding="valid"
            )
            y = net.pad(act(y, f"{name}_1"), 1, 1)
            y = net.conv(y, f"{name}_2_conv", width, 3, strides, "valid", bias=False)
            y = net.conv(
                act(y, f"{name}_2"), f"{name}_3_conv", 4 * width, 1, padding="valid"
            )
            x = net.add(shortcut, y)
    _top(net, act(x, "post"), classes)
