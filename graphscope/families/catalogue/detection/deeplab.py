"""DeepLab v3 on MobileNet v2. Source: tensorflow/models' research/deeplab, model.py and core/feature_extractor.py."""

from __future__ import annotations

from ....graph import WeightUse
from ... import family
from ...notation.layers import Net
from ...notation.net import Handle
from ...notation.unknowns import Size, free, number, one_of, size
from ..keras.mobilenet import ALPHAS
from ..slim.mobilenet import ROLES, body_v2

_EPSILON = 1e-5


def _finish(net: Net, x: Handle, name: str) -> Handle:
    return net.activation(net.batch_norm(x, f"{name}/BatchNorm", _EPSILON), "relu")


def _conv(net: Net, x: Handle, name: str, filters: Size) -> Handle:
    return _finish(net, net.conv(x, name, filters, 1, bias=False), name)


def _joined(net: Net, parts: tuple[Handle, Handle], name: str, filters: Size) -> Handle:
    """A 1 x 1 convolution of two maps side by side, of which the first is one place for all: a sum of two convolutions."""
    widths = [number(part.channels) or 0 for part in parts]
    kernel = net.weight(
        net.path("Conv2D", name, "kernel"), (1, 1, sum(widths), filters)
    )
    begin, ends = 0, []
    for part, width in zip(parts, widths, strict=True):
        shape = (1, 1, width, kernel.shape[-1])
        steps = (("slice", (2, begin, begin + width)),)
        use = WeightUse(kernel.node, shape, steps)
        config = {"filters": shape[-1], "kernel_size": (1, 1), "use_bias": False}
        ends.append(
            net.layer("Conv2D", name, (part,), config, {"kernel": use}, filters)
        )
        begin += width
    return net.add(ends[1], ends[0])


@family(
    "DeepLab v3 (MobileNet v2)",
    "image_pooling/weights",
    "logits/semantic/weights",
    roles=ROLES,
    variant=lambda alpha, classes, **_: f"alpha {alpha:g}, {classes} classes",
)
def deeplab_mobilenet_v2(
    net: Net,
    alpha: float = one_of(*ALPHAS),
    output_stride: int = free(16),
    width: Size = size(),
    classes: Size = size(),
) -> None:
    """Scores of each class, one for ``output_stride`` x ``output_stride`` pixels; pixels come as 0 to 255."""
    net.note("the scores are given as they are: not resized to the image")
    x = net.rescale(net.input(3), 2 / 255, -1.0)
    with net["MobilenetV2"]:
        x, _ = body_v2(net, x, alpha, output_stride)
    whole = _conv(net, net.global_pool(x, keepdims=True), "image_pooling", width)
    name = "concat_projection"
    x = _joined(net, (whole, _conv(net, x, "aspp0", width)), name, width)
    net.conv(_finish(net, x, name), "logits/semantic", classes, 1)
