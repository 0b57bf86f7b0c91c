"""The branches of slim's Inception nets, written as tables.

A line is a branch, its words are what follows one another: ``Conv2d_0a_1x1:64`` a convolution of 64 channels whose name ends
in its kernel, ``/2`` behind it its strides, ``!`` no padding, ``=3x3`` before the colon the kernel where the name lies; ``avg`` and
``max`` a pooling of 3 x 3; ``a|b`` two side by side.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ...notation.layers import Net
from ...notation.net import Handle

_WORD = re.compile(r"(\w+?)(?:=(\d)x(\d))?:(\d+)(?:/(\d))?(!?)")
_POOL = re.compile(r"(avg|max)(?:/(\d))?(!?)")


@dataclass(frozen=True)
class Branches:
    """Writes branches into a net: ``multiplier`` narrows them, ``gamma`` says whether their norms scale."""

    net: Net
    multiplier: float = 1.0
    gamma: bool = False
    least: int = 16
    strided: str = "valid"

    def depth(self, filters: int) -> int:
        return max(int(filters * self.multiplier), self.least)

    def conv(
        self,
        x: Handle,
        name: str,
        filters: int,
        kernel: int | tuple[int, int],
        strides: int = 1,
        padding: str = "same",
    ) -> Handle:
        """A convolution, its norm and ReLU."""
        x = self.net.conv(x, name, filters, kernel, strides, padding, bias=False)
        return self.norm(x, name)

    def norm(self, x: Handle, name: str) -> Handle:
        x = self.net.batch_norm(x, f"{name}/BatchNorm", 1e-3, scale=self.gamma)
        return self.net.activation(x, "relu")

    def word(self, x: Handle, word: str) -> Handle:
        if "|" in word:
            return self.net.concatenate(*(self.word(x, w) for w in word.split("|")))
        pool = _POOL.fullmatch(word)
        if pool:
            kind, strides, bare = pool.groups()
            padding = self._padding(strides, bare)
            kind = "Average" if kind == "avg" else "Max"
            return self.net.pool(x, 3, int(strides or 1), padding, kind)
        match = _WORD.fullmatch(word)
        if match is None:
            raise ValueError(f"{word!r} is no word of a branch")
        name, rows, columns, filters, strides, bare = match.groups()
        if rows is None:
            rows, _, columns = name.rpartition("_")[2].partition("x")
        kernel = (int(rows), int(columns))
        padding = self._padding(strides, bare)
        wide = self.depth(int(filters))
        return self.conv(x, name, wide, kernel, int(strides or 1), padding)

    def _padding(self, strides: str | None, bare: str) -> str:
        return self.strided if strides else "valid" if bare else "same"

    def chain(self, x: Handle, line: str) -> Handle:
        for word in line.split():
            x = self.word(x, word)
        return x

    def branches(self, x: Handle, lines: Sequence[str]) -> Handle:
        """``Branch_0``, ``Branch_1``, ... joined."""
        ends = []
        for place, line in enumerate(lines):
            with self.net[f"Branch_{place}"]:
                ends.append(self.chain(x, line))
        return self.net.concatenate(*ends)

    def mixed(self, x: Handle, scope: str, lines: Sequence[str]) -> Handle:
        with self.net[scope]:
            return self.branches(x, lines)

    def residual(self, x: Handle, lines: Sequence[str], scale: float) -> Handle:
        """Branches brought back to the width that came in, and added."""
        y = self.net.conv(self.branches(x, lines), "Conv2d_1x1", x.channels, 1)
        return self.net.add(x, self.net.rescale(y, scale) if scale != 1 else y)

    def repeat(
        self, x: Handle, scope: str, times: int, lines: Sequence[str], scale: float
    ) -> Handle:
        """Residual blocks one after another, a ReLU behind each: ``SCOPE_1``, ``SCOPE_2``, ..."""
        for place in range(1, times + 1):
            with self.net[f"{scope}_{place}"]:
                x = self.net.activation(self.residual(x, lines, scale), "relu")
        return x
