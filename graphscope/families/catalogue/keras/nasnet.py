"""NASNet-A, mobile and large. Source: keras/src/applications/nasnet.py (3.15)."""

from __future__ import annotations

from typing import NamedTuple

from ... import family
from ...notation.layers import Net, Pair
from ...notation.net import Handle
from ...notation.unknowns import Size, one_of, size


class _Member(NamedTuple):
    """A published member: its name, unit width, cells in a row, channels of the stem, the size of its images, what a reduction is handed."""

    name: str
    width: int
    cells: int
    stem: int
    side: int
    skips: bool


_MEMBERS = (
    _Member("mobile", 44, 4, 32, 224, False),
    _Member("large", 168, 6, 96, 331, True),
)


class _Place(NamedTuple):
    """A tensor and how many rows its images have."""

    x: Handle
    side: int


class _Cells:
    """The two cells of the search, each of the last two places."""

    def __init__(self, net: Net) -> None:
        self.net = net

    def norm(self, x: Handle, name: str) -> Handle:
        return self.net.batch_norm(x, name, 1e-3, momentum=0.9997)

    def relu(self, x: Handle) -> Handle:
        return self.net.activation(x, "relu")

    def pad(self, place: _Place, kernel: int) -> Handle:
        """``correct_pad``: what a strided convolution of that size needs."""
        before = kernel // 2 - (1 - place.side % 2)
        return self.net.pad(place.x, before, kernel // 2)

    def separable(
        self, place: _Place, filters: int, kernel: int, name: str, strides: int = 1
    ) -> Handle:
        x = self.relu(place.x)
        padding = "same"
        if strides == 2:
            x, padding = self.pad(_Place(x, place.side), kernel), "valid"
        first, second = f"separable_conv_1_{name}", f"separable_conv_2_{name}"
        x = self.net.separable(x, first, filters, kernel, strides, padding)
        x = self.relu(self.norm(x, f"separable_conv_1_bn_{name}"))
        x = self.net.separable(x, second, filters, kernel)
        return self.norm(x, f"separable_conv_2_bn_{name}")

    def adjusted(
        self, before: _Place | None, here: _Place, filters: int, name: str
    ) -> _Place:
        """The place before this one, brought to its size and width."""
        if before is None:
            return here
        net = self.net
        if before.side != here.side:
            x = self.relu(before.x)
            one = self.average(x, 1, 2, "valid")
            one = net.conv(one, f"adjust_conv_1_{name}", filters // 2, 1, bias=False)
            two = net.crop(net.pad(x, 0, 1), (1, 0), (1, 0))
            two = self.average(two, 1, 2, "valid")
            two = net.conv(two, f"adjust_conv_2_{name}", filters // 2, 1, bias=False)
            x = self.norm(net.concatenate(one, two), f"adjust_bn_{name}")
            return _Place(x, here.side)
        if before.x.channels != filters:
            x = self.relu(before.x)
            x = net.conv(x, f"adjust_conv_projection_{name}", filters, 1, bias=False)
            return _Place(self.norm(x, f"adjust_bn_{name}"), here.side)
        return before

    def average(
        self, x: Handle, kernel: Pair, strides: int = 1, padding: str = "same"
    ) -> Handle:
        return self.net.pool(x, kernel, strides, padding, "Average")

    def squeezed(self, here: _Place, filters: int, kind: str, name: str) -> _Place:
        x = self.net.conv(
            self.relu(here.x), f"{kind}_conv_1_{name}", filters, 1, bias=False
        )
        return _Place(self.norm(x, f"{kind}_bn_1_{name}"), here.side)

    def normal(
        self, here: _Place, before: _Place | None, filters: int, name: str
    ) -> _Place:
        p = self.adjusted(before, here, filters, name)
        h = self.squeezed(here, filters, "normal", name)
        add = self.net.add
        one = add(
            self.separable(h, filters, 5, f"normal_left1_{name}"),
            self.separable(p, filters, 3, f"normal_right1_{name}"),
        )
        two = add(
            self.separable(p, filters, 5, f"normal_left2_{name}"),
            self.separable(p, filters, 3, f"normal_right2_{name}"),
        )
        three = add(self.average(h.x, 3), p.x)
        four = add(self.average(p.x, 3), self.average(p.x, 3))
        five = add(self.separable(h, filters, 3, f"normal_left5_{name}"), h.x)
        x = self.net.concatenate(p.x, one, two, three, four, five)
        return _Place(x, here.side)

    def reduction(
        self, here: _Place, before: _Place | None, filters: int, name: str
    ) -> _Place:
        p = self.adjusted(before, here, filters, name)
        h = self.squeezed(here, filters, "reduction", name)
        padded, add = self.pad(h, 3), self.net.add
        one = add(
            self.separable(h, filters, 5, f"reduction_left1_{name}", 2),
            self.separable(p, filters, 7, f"reduction_right1_{name}", 2),
        )
        two = add(
            self.net.pool(padded, 3, 2, "valid"),
            self.separable(p, filters, 7, f"reduction_right2_{name}", 2),
        )
        three = add(
            self.average(padded, 3, 2, "valid"),
            self.separable(p, filters, 5, f"reduction_right3_{name}", 2),
        )
        four = add(two, self.average(one, 3))
        half = (here.side + 1) // 2
        five = add(
            self.separable(_Place(one, half), filters, 3, f"reduction_left4_{name}"),
            self.net.pool(padded, 3, 2, "valid"),
        )
        return _Place(self.net.concatenate(two, three, four, five), half)


@family(
    "NASNet-A",
    "stem_conv1/kernel",
    "normal_conv_1_0/kernel",
    "reduction_conv_1_stem_1/kernel",
    variant=lambda member, classes: member.name
    + (f", {classes} classes" if classes else ""),
)
def nasnet(
    net: Net,
    member: _Member = one_of(*_MEMBERS),
    classes: Size = size("predictions/kernel"),
) -> None:
    cells, width = _Cells(net), member.width
    x = net.conv(net.input(), "stem_conv1", member.stem, 3, 2, "valid", bias=False)
    here = _Place(cells.norm(x, "stem_bn1"), (member.side - 3) // 2 + 1)
    before: _Place | None = None
    for name, factor in (("stem_1", 4), ("stem_2", 2)):
        here, before = cells.reduction(here, before, width // factor, name), here
    for row in range(3):
        if row:
            name = f"reduce_{row * member.cells}"
            here, last = cells.reduction(here, before, width * 2**row, name), here
            before = before if member.skips else last
        for cell in range(member.cells):
            name = str(row * member.cells + cell + (row > 0))
            here, before = cells.normal(here, before, width * 2**row, name), here
    x = cells.relu(here.x)
    if classes is not None:
        net.dense(net.global_pool(x), "predictions", classes, activation="softmax")
