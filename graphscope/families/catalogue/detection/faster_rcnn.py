"""Faster R-CNN (arXiv 1506.01497) on ResNet v1 of the detection API. Sources: tensorflow/models' research/object_detection: models/faster_rcnn_resnet_v1_feature_extractor.py, predictors/heads/{box,class}_head.py; meta_architectures/faster_rcnn_meta_arch.py in excerpts."""

from __future__ import annotations

from ... import family
from ...notation.layers import Net
from ...notation.net import Handle
from ...notation.unknowns import Size, number, one_of, size
from ..slim.resnet import blocks_v1, unit_v1

_MEAN = (123.68, 116.779, 103.939)
_UNITS = {50: (3, 4, 6), 101: (3, 4, 23), 152: (3, 8, 36)}  # of the first three blocks
_LAST = 3  # units of the fourth
_FIRST = "FirstStageFeatureExtractor"
_NORM = ("beta", "gamma", "moving_mean", "moving_variance")


def _idle_block(net: Net, width: int) -> None:
    """The first stage's own fourth block, which is stored and read by nothing."""
    inner, wide = 8 * width, 32 * width
    for unit in range(1, _LAST + 1):
        begin = wide if unit > 1 else wide // 2
        shapes = {
            "conv1": (1, 1, begin, inner),
            "conv2": (3, 3, inner, inner),
            "conv3": (1, 1, inner, wide),
        }
        if unit == 1:
            shapes["shortcut"] = (1, 1, begin, wide)
        for name, shape in shapes.items():
            scope = f"block4/unit_{unit}/bottleneck_v1/{name}"
            net.weight(net.path("", f"{scope}/weights", ""), shape)
            for role in _NORM:
                path = net.path("", f"{scope}/BatchNorm/{role}", "")
                net.weight(path, (shape[-1],))
    net.note(f"{_FIRST}'s block4 is kept beside the net: nothing reads it")


def _proposals(net: Net, x: Handle, depth: Size) -> None:
    """Where something may lie, and whether something does, for every place of a map."""
    x = net.relu6(net.conv(x, "Conv", depth, 3))
    for name in ("BoxEncodingPredictor", "ClassPredictor"):
        net.conv(x, f"FirstStageBoxPredictor/{name}", None, 1)


def _second_stage(net: Net, scope: str, width: int, classes: Size) -> None:
    """Boxes and classes, of what is cut from the map."""
    x = net.input(16 * width)
    with net[f"SecondStageFeatureExtractor/{scope}"]:
        for unit in range(1, _LAST + 1):
            x = unit_v1(net, x, f"block4/unit_{unit}", 8 * width, 1)
    x = net.global_pool(x)
    net.dense(x, "SecondStageBoxPredictor/BoxEncodingPredictor", None)
    net.dense(x, "SecondStageBoxPredictor/ClassPredictor", classes)


@family(
    "Faster R-CNN (ResNet v1)",
    *(f"{_FIRST}/resnet_v1_{depth}/conv1/weights" for depth in _UNITS),
    "FirstStageBoxPredictor/ClassPredictor/weights",
    "SecondStageBoxPredictor/ClassPredictor/weights",
    roles={"kernel": "weights", "bias": "biases"},
    variant=lambda layers, classes, width, **_: f"{layers} layers"
    + (f", {classes - 1} classes" if classes else ", proposals alone")
    + (f", width {width} (published: 64)" if width != 64 else ""),
)
def faster_rcnn(
    net: Net,
    layers: int = one_of(*_UNITS),
    width: Size = size(),
    depth: Size = size(),
    classes: Size = size("SecondStageBoxPredictor/ClassPredictor/weights"),
) -> None:
    """Maps of an image (0 to 255); boxes and classes of what is cut from the map, 14 by 14, and pooled to 7 by 7."""
    net.note("inputs: the image, what is cut from the map; boxes are not decoded")
    scope = f"resnet_v1_{layers}"
    config = {"axis": -1, "mean": _MEAN, "variance": (1.0, 1.0, 1.0)}
    x = net.layer("Normalization", "means", (net.input(3),), config, {}, 3)
    with net[f"{_FIRST}/{scope}"]:
        x = blocks_v1(net, x, _UNITS[layers], width)
        _idle_block(net, number(width) or 1)
    _proposals(net, x, depth)
    if classes is not None:
        _second_stage(net, scope, number(width) or 1, classes)
