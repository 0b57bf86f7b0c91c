"""MobileNet v1, v2 and v3 of slim. Sources: tensorflow/models' research/slim/nets, mobilenet_v1.py and mobilenet/{mobilenet_v2,mobilenet_v3,conv_blocks}.py."""

from __future__ import annotations

from ... import family
from ...notation.layers import Net
from ...notation.net import Handle
from ...notation.unknowns import Size, count, number, one_of, size
from ..keras.mobilenet import ALPHAS, BLOCKS, UNITS, divisible
from ..keras.mobilenet_v3 import ALPHAS as ALPHAS_V3
from ..keras.mobilenet_v3 import MEMBERS, Member, Unit

ROLES = {
    "kernel": "weights",
    "bias": "biases",
    "depthwise_kernel": "depthwise_weights",
}
_LOGITS = "Logits/Conv2d_1c_1x1"


def _norm(net: Net, x: Handle, name: str, activation: str = "") -> Handle:
    x = net.batch_norm(x, f"{name}/BatchNorm", 1e-3)
    if activation == "relu6":
        return net.relu6(x)
    return net.activation(x, activation) if activation else x


def conv(
    net: Net,
    x: Handle,
    name: str,
    filters: Size,
    kernel: int = 1,
    strides: int = 1,
    activation: str = "relu6",
) -> Handle:
    """A convolution, its norm and its activation."""
    x = net.conv(x, name, filters, kernel, strides, bias=False)
    return _norm(net, x, name, activation)


def logits(net: Net, x: Handle, classes: Size) -> None:
    """All places averaged, and a convolution of them."""
    if classes is not None:
        x = net.conv(net.global_pool(x, keepdims=True), _LOGITS, classes, 1)
        net.flatten(x, number(classes))


def _title(alpha: float, classes: int | None = None, **_: object) -> str:
    width = f"alpha {alpha:g}"
    return f"{width}, {classes} classes" if classes else width


def body_v1(net: Net, x: Handle, width: Size) -> tuple[Handle, dict[int, Handle]]:
    """The thirteen blocks of v1, and what each gives."""
    x = conv(net, x, "Conv2d_0", width, 3, 2)
    unit, ends = number(width) or 0, {}
    for place, (strides, factor) in enumerate(BLOCKS, 1):
        name = f"Conv2d_{place}_depthwise"
        x = _norm(net, net.depthwise(x, name, 3, strides), name, "relu6")
        x = conv(net, x, f"Conv2d_{place}_pointwise", factor * unit)
        ends[place] = x
    return x, ends


@family(
    "MobileNet v1 (slim)",
    "Conv2d_0/weights",
    "Conv2d_1_pointwise/weights",
    "Conv2d_1_depthwise/depthwise_weights",
    roles=ROLES,
    variant=lambda blocks, width, classes: _title(width / 32, classes),
)
def mobilenet_v1_slim(
    net: Net,
    blocks: int = count("Conv2d_{}_depthwise"),
    width: Size = size(),
    classes: Size = size(f"{_LOGITS}/weights"),
) -> None:
    net.need(blocks == len(BLOCKS), f"{blocks} blocks: no published depth")
    x, _ = body_v1(net, net.input(), width)
    logits(net, x, classes)


def _unit_v2(
    net: Net, x: Handle, expansion: int, filters: int, strides: int, dilation: int
) -> tuple[Handle, Handle]:
    """An inverted residual: wide, depthwise, narrow; and its wide beginning."""
    before, y = number(x.channels) or 0, x
    if expansion > 1:
        y = conv(net, y, "expand", divisible(before * expansion))
    wide = y
    y = net.depthwise(y, "depthwise", 3, strides, dilation=dilation)
    y = _norm(net, y, "depthwise", "relu6")
    y = conv(net, y, "project", filters, activation="")
    return net.add(y, x) if strides == 1 and before == filters else y, wide


def body_v2(
    net: Net, x: Handle, alpha: float, most: int = 32
) -> tuple[Handle, dict[int, Handle]]:
    """The seventeen units of v2, and the wide beginning of each.

    Once ``most`` places of the image are one, dilation stands for strides.
    """
    x = conv(net, x, "Conv", divisible(32 * alpha), 3, 2)
    place, total, rate, wide = 0, 2, 1, {}
    for expansion, filters, repeats, first in UNITS:
        for repeat in range(repeats):
            strides = 1 if repeat else first
            dilation = 1
            if total == most:
                strides, dilation, rate = 1, rate, rate * strides
            total *= strides
            with net[f"expanded_conv_{place}" if place else "expanded_conv"]:
                width = divisible(filters * alpha)
                x, wide[place] = _unit_v2(net, x, expansion, width, strides, dilation)
            place += 1
    return x, wide


@family(
    "MobileNet v2 (slim)",
    "expanded_conv/depthwise/depthwise_weights",
    "expanded_conv_16/project/weights",
    "expanded_conv_1/expand/BatchNorm/gamma",
    roles=ROLES,
    variant=_title,
)
def mobilenet_v2_slim(
    net: Net,
    alpha: float = one_of(*ALPHAS),
    last: Size = size(),
    classes: Size = size(f"{_LOGITS}/weights"),
) -> None:
    x, _ = body_v2(net, net.input(), alpha)
    x = conv(net, x, "Conv_1", last)
    widths = (1280, divisible(1280 * alpha))
    net.need(number(last) in widths, f"Conv_1 is {last} wide, not one of {widths}")
    logits(net, x, classes)


def _squeezed(net: Net, x: Handle) -> Handle:
    """Squeeze and excite: a factor for each channel, from all places of all channels."""
    width = number(x.channels) or 0
    y = net.global_pool(x, keepdims=True)
    y = net.conv(y, "squeeze_excite/Conv", divisible(width / 4), 1, activation="relu")
    y = net.conv(y, "squeeze_excite/Conv_1", width, 1, activation="hard_sigmoid")
    return net.multiply(x, y)


def _unit_v3(net: Net, x: Handle, unit: Unit, filters: int, minimal: bool) -> Handle:
    before, y = number(x.channels) or 0, x
    activation = "relu" if minimal else unit.activation
    wide = divisible(before * unit.expansion)
    if wide > before:
        y = conv(net, y, "expand", wide, activation=activation)
    kernel = 3 if minimal else unit.kernel
    y = net.depthwise(y, "depthwise", kernel, unit.strides)
    y = _norm(net, y, "depthwise", activation)
    if unit.squeezes and not minimal:
        y = _squeezed(net, y)
    y = conv(net, y, "project", filters, activation="")
    return net.add(y, x) if unit.strides == 1 and before == filters else y


@family(
    "MobileNet v3 (slim)",
    "expanded_conv/squeeze_excite/Conv/weights",
    "expanded_conv_3/squeeze_excite/Conv/weights",
    "expanded_conv_10/project/weights",
    "Conv_2/weights",
    roles=ROLES,
    variant=lambda member, alpha, minimal, last, classes: member.name
    + (" minimalistic, " if minimal else ", ")
    + _title(alpha, classes),
)
def mobilenet_v3_slim(
    net: Net,
    member: Member = one_of(*MEMBERS),
    alpha: float = one_of(*ALPHAS_V3),
    minimal: bool = one_of(False, True),
    last: Size = size("Conv_2/weights"),
    classes: Size = size(f"{_LOGITS}/weights"),
) -> None:
    act = "relu" if minimal else "hard_swish"
    x = conv(net, net.input(), "Conv", divisible(16 * alpha), 3, 2, act)
    for place, unit in enumerate(member.units):
        with net[f"expanded_conv_{place}" if place else "expanded_conv"]:
            wide = divisible(unit.filters * alpha)
            x = _unit_v3(net, x, unit, wide, minimal)
    x = conv(
        net,
        x,
        "Conv_1",
        divisible(6 * member.units[-1].filters * alpha),
        activation=act,
    )
    if last is None:
        return
    x = net.conv(net.global_pool(x, keepdims=True), "Conv_2", last, 1, activation=act)
    widths = (member.head, divisible(member.head * alpha))
    net.need(number(last) in widths, f"Conv_2 is {last} wide, not one of {widths}")
    if classes is not None:
        net.flatten(net.conv(x, _LOGITS, classes, 1), number(classes))
