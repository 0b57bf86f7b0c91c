"""MobileNet v3, large and small. Sources: keras/src/applications/mobilenet_v3.py (3.15), and of tf_keras 2 for its names."""

from __future__ import annotations

from typing import NamedTuple

from ... import family
from ...notation.layers import Net
from ...notation.net import Handle
from ...notation.unknowns import Size, has, number, one_of, size
from .mobilenet import divisible

ALPHAS = (1.0, 0.75, 0.5, 0.35, 0.25, 1.25, 1.5)


class Unit(NamedTuple):
    """An inverted residual: expansion, channels, kernel, strides, whether it squeezes, and its activation."""

    expansion: float
    filters: int
    kernel: int
    strides: int
    squeezes: bool
    activation: str = "hard_swish"


class Member(NamedTuple):
    """A published member: its name, the width before its head, its units."""

    name: str
    head: int
    units: tuple[Unit, ...]


MEMBERS = (
    Member(
        "large",
        1280,
        (
            Unit(1, 16, 3, 1, False, "relu"),
            Unit(4, 24, 3, 2, False, "relu"),
            Unit(3, 24, 3, 1, False, "relu"),
            *(Unit(3, 40, 5, s, True, "relu") for s in (2, 1, 1)),
            Unit(6, 80, 3, 2, False),
            Unit(2.5, 80, 3, 1, False),
            *((Unit(2.3, 80, 3, 1, False),) * 2),
            *((Unit(6, 112, 3, 1, True),) * 2),
            *(Unit(6, 160, 5, s, True) for s in (2, 1, 1)),
        ),
    ),
    Member(
        "small",
        1024,
        (
            Unit(1, 16, 3, 2, True, "relu"),
            Unit(72 / 16, 24, 3, 2, False, "relu"),
            Unit(88 / 24, 24, 3, 1, False, "relu"),
            Unit(4, 40, 5, 2, True),
            *((Unit(6, 40, 5, 1, True),) * 2),
            *((Unit(3, 48, 5, 1, True),) * 2),
            *(Unit(6, 96, 5, s, True) for s in (2, 1, 1)),
        ),
    ),
)


class _Writer:
    """The parts of the net, named as Keras 3 or as Keras 2 names them."""

    def __init__(self, net: Net, keras_2: bool, minimal: bool) -> None:
        self.net, self.keras_2, self.minimal = net, keras_2, minimal

    def norm(self, x: Handle, name: str, activation: str = "") -> Handle:
        norm = f"{name}/BatchNorm" if self.keras_2 else f"{name}_bn"
        x = self.net.batch_norm(x, norm, 1e-3, momentum=0.999)
        return self.act(x, activation) if activation else x

    def act(self, x: Handle, activation: str) -> Handle:
        return self.net.activation(x, "relu" if self.minimal else activation)

    def conv(self, x: Handle, name: str, filters: int, activation: str = "") -> Handle:
        return self.norm(
            self.net.conv(x, name, filters, 1, bias=False), name, activation
        )

    def squeeze(self, x: Handle, name: str) -> Handle:
        width = number(x.channels) or 0
        scope = f"{name}squeeze_excite" + ("/Conv" if self.keras_2 else "_conv")
        y = self.net.global_pool(x, keepdims=True)
        y = self.net.conv(y, scope, divisible(width / 4), 1, activation="relu")
        y = self.net.conv(y, f"{scope}_1", width, 1, activation="hard_sigmoid")
        return self.net.multiply(x, y)

    def unit(self, x: Handle, place: int, unit: Unit, filters: int) -> Handle:
        end = "/" if self.keras_2 else "_"
        name = f"expanded_conv_{place}{end}" if place else f"expanded_conv{end}"
        y, before = x, number(x.channels) or 0
        if place:
            wide = divisible(before * unit.expansion)
            y = self.conv(y, f"{name}expand", wide, unit.activation)
        kernel = 3 if self.minimal else unit.kernel
        if unit.strides > 1:
            y = self.net.pad(y, kernel // 2 - 1, kernel // 2)
        padding = "valid" if unit.strides > 1 else "same"
        y = self.net.depthwise(y, f"{name}depthwise", kernel, unit.strides, padding)
        y = self.norm(y, f"{name}depthwise", unit.activation)
        if unit.squeezes and not self.minimal:
            y = self.squeeze(y, name)
        y = self.conv(y, f"{name}project", filters)
        return self.net.add(x, y) if unit.strides == 1 and before == filters else y


@family(
    "MobileNet v3",
    "conv_bn/gamma",
    "Conv/BatchNorm/gamma",
    "expanded_conv_1_expand/kernel",
    "expanded_conv_1/expand/kernel",
    roles={"depthwise_kernel": ("depthwise_kernel", "kernel")},
    variant=lambda member, alpha, minimal, keras_2, classes: f"{member.name}"
    + (" minimalistic" if minimal else "")
    + f", alpha {alpha:g}"
    + (f", {classes} classes" if classes else ""),
)
def mobilenet_v3(
    net: Net,
    member: Member = one_of(*MEMBERS),
    alpha: float = one_of(*ALPHAS),
    minimal: bool = one_of(False, True),
    keras_2: bool = has("Conv/kernel"),
    classes: Size = size("logits/kernel", "Logits/kernel"),
) -> None:
    write = _Writer(net, keras_2, minimal)
    first, last, head, logits = (
        ("Conv", "Conv_1", "Conv_2", "Logits")
        if keras_2
        else ("conv", "conv_1", "conv_2", "logits")
    )
    x = net.rescale(net.input(), 1 / 127.5, -1.0)
    x = write.norm(net.conv(x, first, 16, 3, 2, bias=False), first, "hard_swish")
    for place, unit in enumerate(member.units):
        x = write.unit(x, place, unit, divisible(unit.filters * alpha))
    wide = divisible((number(x.channels) or 0) * 6)
    x = write.conv(x, last, wide, "hard_swish")
    if classes is not None:
        width = divisible(member.head * alpha) if alpha > 1 else member.head
        x = net.conv(net.global_pool(x, keepdims=True), head, width, 1)
        x = net.conv(write.act(x, "hard_swish"), logits, classes, 1)
        net.activation(net.flatten(x, number(classes)), "softmax")
