"""SSD on MobileNet v1 and v2 of the detection API. Sources: tensorflow/models' research/object_detection: models/ssd_mobilenet_v{1,2}_feature_extractor.py, models/feature_map_generators.py, predictors/convolutional_box_predictor.py."""

from __future__ import annotations

from ... import family
from ...notation.layers import Net
from ...notation.net import Handle
from ...notation.unknowns import Size, number, one_of, size
from ..keras.mobilenet import ALPHAS
from ..slim.mobilenet import ROLES, body_v1, body_v2, conv

_EXTRA = (512, 256, 256, 128)  # the widths of the maps behind the backbone
_BOX = 4  # numbers of a box
_NARROW = sorted({max(int(256 * alpha), 16) for alpha in ALPHAS})


def _extra(net: Net, x: Handle, base: str, alpha: float) -> list[Handle]:
    """Smaller and smaller maps, each a narrow and a wide convolution after the last."""
    maps = []
    for place, width in enumerate(_EXTRA, 2):
        narrow, wide = (max(int(w * alpha), 16) for w in (width / 2, width))
        x = conv(net, x, f"{base}_1_Conv2d_{place}_1x1_{narrow}", narrow)
        x = conv(net, x, f"{base}_2_Conv2d_{place}_3x3_s2_{wide}", wide, 3, 2)
        maps.append(x)
    return maps


def _boxes(net: Net, x: Handle, place: int, classes: Size) -> None:
    """Where boxes lie and what is in them, for every place of a map."""
    scope = f"../../BoxPredictor_{place}"
    for name, of_one in (("BoxEncodingPredictor", _BOX), ("ClassPredictor", classes)):
        kernel = net.stored_size(f"{scope}/{name}/weights", 0) or 1
        boxes = (
            net.stored_size(f"{scope}/BoxEncodingPredictor/weights", -1) or 0
        ) // _BOX
        net.conv(x, f"{scope}/{name}", of_one * boxes if of_one else None, kernel)


def _title(alpha: float, classes: int | None, **_: object) -> str:
    return f"alpha {alpha:g}, {(classes or 1) - 1} classes"


_NOTE = "the maps are given as they are: their boxes are not decoded"


@family(
    "SSD MobileNet v1",
    *(f"Conv2d_13_pointwise_1_Conv2d_2_1x1_{width}/weights" for width in _NARROW),
    "Conv2d_13_pointwise_2_Conv2d_2_3x3_s2_512/weights",
    roles=ROLES,
    variant=lambda width, classes: _title((width or 0) / 32, classes),
)
def ssd_mobilenet_v1(net: Net, width: Size = size(), classes: Size = size()) -> None:
    """Twelve maps: where boxes lie and what is in them, on six scales; pixels come as -1 to 1."""
    net.note(_NOTE)
    x, ends = body_v1(net, net.input(), width)
    maps = [
        ends[11],
        x,
        *_extra(net, x, "Conv2d_13_pointwise", (number(width) or 0) / 32),
    ]
    for place, each in enumerate(maps):
        _boxes(net, each, place, classes)


@family(
    "SSD MobileNet v2",
    *(f"layer_19_1_Conv2d_2_1x1_{width}/weights" for width in _NARROW),
    "layer_19_2_Conv2d_2_3x3_s2_512/weights",
    roles=ROLES,
    variant=_title,
)
def ssd_mobilenet_v2(
    net: Net,
    alpha: float = one_of(*ALPHAS),
    last: Size = size(),
    classes: Size = size(),
) -> None:
    """The same on MobileNet v2: the first map is the wide middle of its fourteenth unit."""
    net.note(_NOTE)
    x, middles = body_v2(net, net.input(), alpha)
    x = conv(net, x, "Conv_1", last)
    maps = [middles[13], x, *_extra(net, x, "layer_19", alpha)]
    for place, each in enumerate(maps):
        _boxes(net, each, place, classes)
