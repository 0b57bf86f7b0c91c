"""Inception v3 and Inception-ResNet v2 as Keras has them: layers named by counters in the order in which they are parts.

Sources: keras/src/applications/inception_v3.py and inception_resnet_v2.py (3.15).
"""

from __future__ import annotations

from ... import family
from ...notation.layers import Net, Pair
from ...notation.net import Handle
from ...notation.unknowns import Size, size

Branch = tuple[tuple[int, Pair], ...]
_DOUBLE: Branch = ((64, 1), (96, 3), (96, 3))


class _Inception:
    """The net with what its blocks are made of."""

    def __init__(self, net: Net) -> None:
        self.net = net

    def conv(
        self,
        x: Handle,
        filters: int,
        kernel: Pair,
        strides: int = 1,
        padding: str = "same",
    ) -> Handle:
        net = self.net
        x = net.conv(
            x, net.auto("conv2d"), filters, kernel, strides, padding, bias=False
        )
        x = net.batch_norm(x, net.auto("batch_normalization"), 1e-3, scale=False)
        return net.activation(x, "relu")

    def branch(
        self, x: Handle, *convs: tuple[int, Pair], reduce: bool = False
    ) -> Handle:
        """Convolutions one after the other; with ``reduce`` the last one halves the size."""
        for place, (filters, kernel) in enumerate(convs, 1):
            last = reduce and place == len(convs)
            x = self.conv(
                x, filters, kernel, 2 if last else 1, "valid" if last else "same"
            )
        return x

    def stem(self) -> Handle:
        x = self.conv(self.net.input(), 32, 3, 2, "valid")
        x = self.conv(self.conv(x, 32, 3, padding="valid"), 64, 3)
        x = self.net.pool(x, 3, 2, "valid")
        x = self.conv(self.conv(x, 80, 1, padding="valid"), 192, 3, padding="valid")
        return self.net.pool(x, 3, 2, "valid")

    def mixed(self, x: Handle, *branches: Branch, pooled: int) -> Handle:
        """Branches side by side, and one behind an average of 3 x 3."""
        ends = [self.branch(x, *each) for each in branches]
        average = self.net.pool(x, 3, 1, "same", "Average")
        return self.net.concatenate(*ends, self.conv(average, pooled, 1))

    def reduction(self, x: Handle, *branches: Branch) -> Handle:
        ends = [self.branch(x, *each, reduce=True) for each in branches]
        return self.net.concatenate(*ends, self.net.pool(x, 3, 2, "valid"))

    def top(self, x: Handle, classes: Size) -> None:
        if classes is not None:
            pooled = self.net.global_pool(x)
            self.net.dense(pooled, "predictions", classes, activation="softmax")


def _double_seven(width: int) -> tuple[Branch, Branch]:
    """The factored 7 x 7 and twice that."""
    once: Branch = ((width, 1), (width, (1, 7)), (192, (7, 1)))
    steps: Branch = ((width, 1), (width, (7, 1)), (width, (1, 7)), (width, (7, 1)))
    return once, (*steps, (192, (1, 7)))


@family(
    "Inception v3", "conv2d/kernel", "conv2d_93/kernel", "batch_normalization_93/beta"
)
def inception_v3(net: Net, classes: Size = size("predictions/kernel")) -> None:
    parts = _Inception(net)
    x = parts.stem()
    for pooled in (32, 64, 64):
        x = parts.mixed(x, ((64, 1),), ((48, 1), (64, 5)), _DOUBLE, pooled=pooled)
    x = parts.reduction(x, ((384, 3),), _DOUBLE)
    for width in (128, 160, 160, 192):
        x = parts.mixed(x, ((192, 1),), *_double_seven(width), pooled=192)
    x = parts.reduction(
        x, ((192, 1), (320, 3)), ((192, 1), (192, (1, 7)), (192, (7, 1)), (192, 3))
    )
    for _ in range(2):
        first = parts.conv(x, 320, 1)
        y = parts.conv(x, 384, 1)
        second = net.concatenate(parts.conv(y, 384, (1, 3)), parts.conv(y, 384, (3, 1)))
        y = parts.branch(x, (448, 1), (384, 3))
        third = net.concatenate(parts.conv(y, 384, (1, 3)), parts.conv(y, 384, (3, 1)))
        average = net.pool(x, 3, 1, "same", "Average")
        x = net.concatenate(first, second, third, parts.conv(average, 192, 1))
    parts.top(x, classes)


_BLOCKS: dict[str, tuple[Branch, ...]] = {
    "block35": (((32, 1),), ((32, 1), (32, 3)), ((32, 1), (48, 3), (64, 3))),
    "block17": (((192, 1),), ((128, 1), (160, (1, 7)), (192, (7, 1)))),
    "block8": (((192, 1),), ((192, 1), (224, (1, 3)), (256, (3, 1)))),
}


@family(
    "Inception-ResNet v2",
    "block35_1_conv/kernel",
    "block8_10_conv/kernel",
    "conv_7b/kernel",
)
def inception_resnet_v2(net: Net, classes: Size = size("predictions/kernel")) -> None:
    parts = _Inception(net)

    def residuals(x: Handle, kind: str, repeats: int, scale: float) -> Handle:
        for place in range(1, repeats + 1):
            ends = [parts.branch(x, *each) for each in _BLOCKS[kind]]
            y = net.concatenate(*ends)
            y = net.conv(y, f"{kind}_{place}_conv", x.channels, 1)
            is_end = kind == "block8" and place == repeats
            x = net.add(x, y if is_end else net.rescale(y, scale))
            x = x if is_end else net.activation(x, "relu")
        return x

    x = parts.stem()
    x = parts.mixed(x, ((96, 1),), ((48, 1), (64, 5)), _DOUBLE, pooled=64)
    x = residuals(x, "block35", 10, 0.17)
    x = parts.reduction(x, ((384, 3),), ((256, 1), (256, 3), (384, 3)))
    x = residuals(x, "block17", 20, 0.1)
    x = parts.reduction(
        x, ((256, 1), (384, 3)), ((256, 1), (288, 3)), ((256, 1), (288, 3), (320, 3))
    )
    x = residuals(x, "block8", 10, 0.2)
    x = net.conv(x, "conv_7b", 1536, 1, bias=False)
    x = net.activation(net.batch_norm(x, "conv_7b_bn", 1e-3, scale=False), "relu")
    parts.top(x, classes)
