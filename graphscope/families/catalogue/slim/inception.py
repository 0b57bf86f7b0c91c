"""Inception v1 of slim, and FaceNet's Inception-ResNet v1.

Sources: nets/inception_v1.py of tf_slim 1.1; davidsandberg/facenet's models/inception_resnet_v1.py.
"""

from __future__ import annotations

from ... import family
from ...notation.layers import Net, Pair
from ...notation.net import Handle
from ...notation.unknowns import Size, count, number, size

_ROLES = {"kernel": "weights", "bias": "biases"}
# 1x1; reduce, 3x3; reduce, 3x3; behind the pool
_MIXED = {
    "3b": (64, 96, 128, 16, 32, 32),
    "3c": (128, 128, 192, 32, 96, 64),
    "4b": (192, 96, 208, 16, 48, 64),
    "4c": (160, 112, 224, 24, 64, 64),
    "4d": (128, 128, 256, 24, 64, 64),
    "4e": (112, 144, 288, 32, 64, 64),
    "4f": (256, 160, 320, 32, 128, 128),
    "5b": (256, 160, 320, 32, 128, 128),
    "5c": (384, 192, 384, 48, 128, 128),
}
Conv = tuple[str, int, Pair]


def _conv(
    net: Net,
    x: Handle,
    name: str,
    filters: int,
    kernel: Pair,
    strides: int = 1,
    padding: str = "same",
) -> Handle:
    x = net.conv(x, name, filters, kernel, strides, padding, bias=False)
    x = net.batch_norm(x, f"{name}/BatchNorm", 1e-3, scale=False)
    return net.activation(x, "relu")


@family(
    "Inception v1 (slim)",
    "Mixed_3b/Branch_0/Conv2d_0a_1x1/weights",
    "Conv2d_2b_1x1/weights",
    roles=_ROLES,
)
def inception_v1(
    net: Net, classes: Size = size("Logits/Conv2d_0c_1x1/weights")
) -> None:
    x = net.pool(_conv(net, net.input(), "Conv2d_1a_7x7", 64, 7, 2), 3, 2)
    x = _conv(net, _conv(net, x, "Conv2d_2b_1x1", 64, 1), "Conv2d_2c_3x3", 192, 3)
    x = net.pool(x, 3, 2)
    for block, (one, low, three, low_2, three_2, pooled) in _MIXED.items():
        if block in ("4b", "5b"):
            x = net.pool(x, 3 if block == "4b" else 2, 2)
        # a slip of the original that every checkpoint has
        second = "Conv2d_0a_3x3" if block == "5b" else "Conv2d_0b_3x3"
        with net[f"Mixed_{block}"]:
            first = _conv(net, x, "Branch_0/Conv2d_0a_1x1", one, 1)
            y = _conv(net, x, "Branch_1/Conv2d_0a_1x1", low, 1)
            middle = _conv(net, y, "Branch_1/Conv2d_0b_3x3", three, 3)
            y = _conv(net, x, "Branch_2/Conv2d_0a_1x1", low_2, 1)
            third = _conv(net, y, f"Branch_2/{second}", three_2, 3)
            last = _conv(net, net.pool(x, 3, 1), "Branch_3/Conv2d_0b_1x1", pooled, 1)
            x = net.concatenate(first, middle, third, last)
    x = net.global_pool(x, keepdims=True)
    if classes is not None:
        net.flatten(net.conv(x, "Logits/Conv2d_0c_1x1", classes, 1), number(classes))


_STEM: tuple[tuple[str, int, int, int, str], ...] = (
    ("Conv2d_1a_3x3", 32, 3, 2, "valid"),
    ("Conv2d_2a_3x3", 32, 3, 1, "valid"),
    ("Conv2d_2b_3x3", 64, 3, 1, "same"),
    ("Conv2d_3b_1x1", 80, 1, 1, "valid"),
    ("Conv2d_4a_3x3", 192, 3, 1, "valid"),
    ("Conv2d_4b_3x3", 256, 3, 2, "valid"),
)
_BLOCKS: dict[str, tuple[tuple[Conv, ...], ...]] = {
    "block35": (
        (("Conv2d_1x1", 32, 1),),
        (("Conv2d_0a_1x1", 32, 1), ("Conv2d_0b_3x3", 32, 3)),
        (("Conv2d_0a_1x1", 32, 1), ("Conv2d_0b_3x3", 32, 3), ("Conv2d_0c_3x3", 32, 3)),
    ),
    "block17": (
        (("Conv2d_1x1", 128, 1),),
        (
            ("Conv2d_0a_1x1", 128, 1),
            ("Conv2d_0b_1x7", 128, (1, 7)),
            ("Conv2d_0c_7x1", 128, (7, 1)),
        ),
    ),
    "block8": (
        (("Conv2d_1x1", 192, 1),),
        (
            ("Conv2d_0a_1x1", 192, 1),
            ("Conv2d_0b_1x3", 192, (1, 3)),
            ("Conv2d_0c_3x1", 192, (3, 1)),
        ),
    ),
}
_REDUCTIONS: dict[str, tuple[tuple[Conv, ...], ...]] = {
    "Mixed_6a": (
        (("Conv2d_1a_3x3", 384, 3),),
        (
            ("Conv2d_0a_1x1", 192, 1),
            ("Conv2d_0b_3x3", 192, 3),
            ("Conv2d_1a_3x3", 256, 3),
        ),
    ),
    "Mixed_7a": (
        (("Conv2d_0a_1x1", 256, 1), ("Conv2d_1a_3x3", 384, 3)),
        (("Conv2d_0a_1x1", 256, 1), ("Conv2d_1a_3x3", 256, 3)),
        (
            ("Conv2d_0a_1x1", 256, 1),
            ("Conv2d_0b_3x3", 256, 3),
            ("Conv2d_1a_3x3", 256, 3),
        ),
    ),
}


def _branches(
    net: Net, x: Handle, branches: tuple[tuple[Conv, ...], ...], reduce: bool = False
) -> list[Handle]:
    ends = []
    for place, convs in enumerate(branches):
        y = x
        for name, filters, kernel in convs:
            last = reduce and name.startswith("Conv2d_1a")
            strides, padding = (2, "valid") if last else (1, "same")
            y = _conv(
                net, y, f"Branch_{place}/{name}", filters, kernel, strides, padding
            )
        ends.append(y)
    return ends


def _residual(net: Net, x: Handle, kind: str, scale: float) -> Handle:
    y = net.concatenate(*_branches(net, x, _BLOCKS[kind]))
    y = net.conv(y, "Conv2d_1x1", x.channels, 1)
    return net.add(x, net.rescale(y, scale) if scale != 1 else y)


@family(
    "FaceNet (Inception-ResNet v1)",
    "Repeat/block35_1/Conv2d_1x1/weights",
    "Repeat_1/block17_1/Conv2d_1x1/weights",
    "Bottleneck/weights",
    roles=_ROLES,
    variant=lambda a, b, c, embedding: (
        f"{embedding} numbers a face" if embedding else ""
    ),
)
def facenet(
    net: Net,
    a: int = count("Repeat/block35_{}"),
    b: int = count("Repeat_1/block17_{}"),
    c: int = count("Repeat_2/block8_{}"),
    embedding: Size = size("Bottleneck/weights"),
) -> None:
    net.need((a, b, c) == (5, 10, 5), f"{a}, {b} and {c} blocks: no published depth")
    x = net.input()
    for name, filters, kernel, strides, padding in _STEM:
        if name == "Conv2d_3b_1x1":
            x = net.pool(x, 3, 2, "valid")
        x = _conv(net, x, name, filters, kernel, strides, padding)
    for scope, kind, repeats, scale in (
        ("Repeat", "block35", a, 0.17),
        ("Mixed_6a", "", 1, 0.0),
        ("Repeat_1", "block17", b, 0.1),
        ("Mixed_7a", "", 1, 0.0),
        ("Repeat_2", "block8", c, 0.2),
    ):
        for place in range(1, repeats + 1):
            with net[f"{scope}/{kind}_{place}" if kind else scope]:
                if kind:
                    x = net.activation(_residual(net, x, kind, scale), "relu")
                else:
                    ends = _branches(net, x, _REDUCTIONS[scope], reduce=True)
                    x = net.concatenate(*ends, net.pool(x, 3, 2, "valid"))
    with net["Block8"]:
        x = net.global_pool(_residual(net, x, "block8", 1.0))
    if embedding is not None:
        x = net.dense(x, "Bottleneck", embedding, bias=False)
        x = net.batch_norm(x, "Bottleneck/BatchNorm", 1e-3, scale=False)
        net.layer("UnitNormalization", "embeddings", (x,), {}, {}, embedding)
