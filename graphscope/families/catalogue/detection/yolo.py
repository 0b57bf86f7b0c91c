"""YOLO v3, with and without spatial pyramid pooling.

Sources: mystic123/tensorflow-yolo-v3, yolo_v3.py; wizyoung/YOLOv3_TensorFlow, model.py, which scales images before the net.
"""

from __future__ import annotations

from ... import family
from ...notation.layers import Net
from ...notation.net import Handle
from ...notation.unknowns import Size, Width, has, one_of, size

_ANCHORS, _OF_A_BOX = 3, 5  # boxes a place; centre, size and confidence of one
_REPEATS = (1, 2, 8, 8, 4)
_SCOPES = (("darknet-53", "yolo-v3"), ("darknet53_body", "yolov3_head"))


def _conv(net: Net, x: Handle, filters: int, kernel: int, strides: int = 1) -> Handle:
    if strides > 1:
        x = net.pad(x, (kernel - 1) // 2, kernel // 2)
    padding = "valid" if strides > 1 else "same"
    name = net.auto("Conv")
    x = net.conv(x, name, filters, kernel, strides, padding, bias=False)
    return net.leaky_relu(
        net.batch_norm(x, f"{name}/BatchNorm", 1e-5, momentum=0.9), 0.1
    )


def _darknet(net: Net, x: Handle, unit: int) -> list[Handle]:
    """Darknet-53: what its five stages give."""
    x, ends = _conv(net, x, unit, 3), []
    for stage, repeats in enumerate(_REPEATS):
        width = unit * 2**stage
        x = _conv(net, x, 2 * width, 3, 2)
        for _ in range(repeats):
            x = net.add(_conv(net, _conv(net, x, width, 1), 2 * width, 3), x)
        ends.append(x)
    return ends


def _pyramid(net: Net, x: Handle) -> Handle:
    return net.concatenate(*(net.pool(x, side, 1) for side in (13, 9, 5)), x)


def _head(
    net: Net, x: Handle, width: int, values: Size, pyramid: bool = False
) -> Handle:
    """Five convolutions, and from them the boxes of one scale; gives what the next scale begins with."""
    x = _conv(net, _conv(net, _conv(net, x, width, 1), 2 * width, 3), width, 1)
    if pyramid:
        x = _conv(net, _pyramid(net, x), width, 1)
    x = _conv(net, _conv(net, x, 2 * width, 3), width, 1)
    y = _conv(net, x, 2 * width, 3)
    net.conv(y, net.auto("Conv"), _ANCHORS * values if values else None, 1)
    return x


@family(
    "YOLO v3",
    "darknet-53/Conv_51/weights",
    "yolo-v3/Conv_22/weights",
    "darknet-53/Conv/BatchNorm/gamma",
    "darknet53_body/Conv_51/weights",
    "yolov3_head/Conv_22/weights",
    roles={"kernel": "weights", "bias": "biases"},
    variant=lambda scopes, pyramid, width, values: f"{values - _OF_A_BOX} classes"
    + (", spatial pyramid" if pyramid else "")
    + (f", width {width} (published: 32)" if width != 32 else ""),
)
def yolo_v3(
    net: Net,
    scopes: tuple[str, str] = one_of(*_SCOPES),
    pyramid: bool = has("yolo-v3/Conv_23/weights"),
    width: Size = size(),
    values: Size = size(),
) -> None:
    """Three maps; images come as 0 to 255 (as 0 to 1 where the scope is ``darknet53_body``)."""
    net.note("the three maps are given as they are: their boxes are not decoded")
    body, head = scopes
    x = net.input()
    unit = net.stored_size(f"{body}/Conv/weights", -1) or 0
    with net[body]:
        x = net.rescale(x, 1 / 255) if scopes == _SCOPES[0] else x
        *_, small, middle, large = _darknet(net, x, unit)
    if isinstance(width, Width):
        width.meets(unit)
    net.counters.clear()
    with net[head]:
        x = _head(net, large, 16 * unit, values, pyramid)
        for skip, factor in ((middle, 8), (small, 4)):
            x = net.upsample(_conv(net, x, factor * unit, 1), 2)
            x = _head(net, net.concatenate(x, skip), factor * unit, values)
