"""FaceNet's Inception-ResNet v1. Source: davidsandberg/facenet's models/inception_resnet_v1.py and train_softmax.py."""

from __future__ import annotations

from ... import family
from ...notation.layers import Net
from ...notation.unknowns import Size, count, size
from .branches import Branches

_A = "Conv2d_0a_1x1"
_STEM = (
    "Conv2d_1a_3x3:32/2 Conv2d_2a_3x3:32! Conv2d_2b_3x3:64 max/2 "
    "Conv2d_3b_1x1:80! Conv2d_4a_3x3:192! Conv2d_4b_3x3:256/2"
)
_BLOCK35 = (
    "Conv2d_1x1:32",
    f"{_A}:32 Conv2d_0b_3x3:32",
    f"{_A}:32 Conv2d_0b_3x3:32 Conv2d_0c_3x3:32",
)
_BLOCK17 = ("Conv2d_1x1:128", f"{_A}:128 Conv2d_0b_1x7:128 Conv2d_0c_7x1:128")
_BLOCK8 = ("Conv2d_1x1:192", f"{_A}:192 Conv2d_0b_1x3:192 Conv2d_0c_3x1:192")
_6A = (
    "Conv2d_1a_3x3:384/2",
    f"{_A}:192 Conv2d_0b_3x3:192 Conv2d_1a_3x3:256/2",
    "max/2",
)
_7A = (
    f"{_A}:256 Conv2d_1a_3x3:384/2",
    f"{_A}:256 Conv2d_1a_3x3:256/2",
    f"{_A}:256 Conv2d_0b_3x3:256 Conv2d_1a_3x3:256/2",
    "max/2",
)


def _title(embedding: int | None, classes: int | None, **_: object) -> str:
    faces = f"{embedding} numbers a face" if embedding else ""
    people = f"{classes} people" if classes else ""
    return ", ".join(filter(None, [faces, people]))


@family(
    "FaceNet (Inception-ResNet v1)",
    "Repeat/block35_1/Conv2d_1x1/weights",
    "Repeat_1/block17_1/Conv2d_1x1/weights",
    "Bottleneck/weights",
    roles={"kernel": "weights", "bias": "biases"},
    variant=_title,
)
def facenet(
    net: Net,
    a: int = count("Repeat/block35_{}"),
    b: int = count("Repeat_1/block17_{}"),
    c: int = count("Repeat_2/block8_{}"),
    embedding: Size = size("Bottleneck/weights"),
    classes: Size = size("../Logits/weights"),
) -> None:
    net.need((a, b, c) == (5, 10, 5), f"{a}, {b} and {c} blocks: no published depth")
    write = Branches(net)
    x = write.repeat(
        write.chain(net.input(), _STEM), "Repeat/block35", a, _BLOCK35, 0.17
    )
    x = write.repeat(
        write.mixed(x, "Mixed_6a", _6A), "Repeat_1/block17", b, _BLOCK17, 0.1
    )
    x = write.repeat(
        write.mixed(x, "Mixed_7a", _7A), "Repeat_2/block8", c, _BLOCK8, 0.2
    )
    with net["Block8"]:
        x = net.global_pool(write.residual(x, _BLOCK8, 1.0))
    if embedding is None:
        return
    x = net.dense(x, "Bottleneck", embedding, bias=False)
    x = net.batch_norm(x, "Bottleneck/BatchNorm", 1e-3, scale=False)
    net.layer("UnitNormalization", "embeddings", (x,), {}, {}, embedding)
    if classes is not None:  # what it was trained with, beside the net
        net.dense(x, "../Logits", classes)
