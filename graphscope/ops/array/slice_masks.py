"""The masks of StridedSlice: what its subscript says of each axis beside begin, end and step (``array_ops.cc`` of TensorFlow)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class SliceMasks(NamedTuple):
    """One bit a part of the subscript in each: where it begins or ends openly, is an ellipsis, adds an axis, or takes one entry and drops the axis."""

    begin: int = 0
    end: int = 0
    ellipsis: int = 0
    new_axis: int = 0
    shrink_axis: int = 0

    @classmethod
    def of(cls, attrs: Mapping[str, object]) -> SliceMasks:
        """Those of a node; an absent one is 0."""
        return cls(*(int(attrs.get(f"{key}_mask") or 0) for key in cls._fields))  # type: ignore[call-overload]

    @classmethod
    def of_entry(cls, axis: int) -> SliceMasks:
        """Those of ``x[:, i]``: one entry along an axis, and all along those before it."""
        before = (1 << axis) - 1
        return cls(before, before, shrink_axis=1 << axis)

    @property
    def attrs(self) -> dict[str, int]:
        """As a node has them."""
        return {f"{key}_mask": mask for key, mask in self._asdict().items()}

    @property
    def keeps_axes(self) -> bool:
        """Whether each part of the subscript is an axis of what comes in, and none is dropped."""
        return not (self.ellipsis or self.new_axis or self.shrink_axis)

    def is_whole(self, axis: int) -> bool:
        """Whether an axis is open at both ends; of its step nothing is said."""
        return bool(self.begin & self.end & 1 << axis)

    def takes_entry(self, axis: int, count: int) -> bool:
        """Whether one entry is taken along an axis, and all along the others that ``count`` parts name: ``x[:, i]``."""
        others = all(self.is_whole(each) for each in range(count) if each != axis)
        plain = not self.ellipsis and not self.new_axis
        return plain and others and self.shrink_axis == 1 << axis

    def takes_columns(self, count: int, rank: int) -> bool:
        """Whether ``count`` parts leave each axis but the last of ``rank`` whole: ``x[..., a:b]``, ``x[:, a:b]``."""
        if self.new_axis or self.shrink_axis:
            return False
        if self.ellipsis:
            return self.ellipsis == 1 and count == 2
        return count == rank and all(map(self.is_whole, range(count - 1)))

    def bounds(self, axis: int, begin: int, end: int, size: int) -> tuple[int, int]:
        """The first entry along an axis of known size, and the one after the last, for steps of 1."""
        first = 0 if self.begin >> axis & 1 else begin
        last = size if self.end >> axis & 1 else end
        first, last = (each + size if each < 0 else each for each in (first, last))
        return first, min(last, size)
