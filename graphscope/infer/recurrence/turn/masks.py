"""Which steps of a row count: what a turn keeps or writes by a selection, or by a product with ones and zeros."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

from ....graph import Tensor
from ....match import View
from .loops import LoopReader, Reading, mask_lengths

SELECTS = frozenset({"Select"})
_SHAPING = frozenset("ExpandDims Reshape Tile BroadcastTo Squeeze LogicalNot".split())


@dataclass(frozen=True)
class Mask:
    """Which steps of a row count: those below its length, or those that a sequence of truths says, whose time is this axis."""

    lengths: Tensor | None = None
    sequence: Tensor | None = None
    axis: int = 0


class MaskReader:
    """Sees through the masks of one turn; ``readings`` are the sequences that it reads."""

    def __init__(
        self, view: View, reader: LoopReader, readings: Mapping[Tensor, Reading]
    ) -> None:
        self.view, self.reader, self.readings = view, reader, readings

    def peeled(self, tensor: Tensor) -> tuple[Tensor, Tensor, Mask] | None:
        """What a selection yields of the steps that count and of those that do not."""
        source, _ = self.view.producer(tensor)
        if self.view.ops[source.node] == "Add":
            return self._mixed(self.view.inputs[source.node])
        if self.view.ops[source.node] not in SELECTS:
            return None
        condition, yes, no = self.view.inputs[source.node]
        truths = self._mask(condition)
        if truths is None:
            return None
        mask, inside = truths
        return (yes, no, mask) if inside else (no, yes, mask)

    def _mixed(self, sums: Sequence[Tensor]) -> tuple[Tensor, Tensor, Mask] | None:
        """The same of ``m * a + (1 - m) * b``, where m is a sequence of truths as numbers."""
        view = self.view
        products = [view.producer(each)[0].node for each in sums]
        if len(products) != 2 or any(view.ops[name] != "Mul" for name in products):
            return None
        for one, other in (products, products[::-1]):
            for inside, value in permutations(view.inputs[one]):
                mask = self._number_mask(inside)
                for rest, outside in permutations(view.inputs[other]):
                    if mask is not None and self._rest_mask(rest) == mask:
                        return value, outside, mask
        return None

    def _rest_mask(self, tensor: Tensor) -> Mask | None:
        """The mask that a tensor of ones and zeros is one less."""
        view = self.view
        source, _ = view.producer(tensor)
        inputs = view.inputs[source.node]
        if view.ops[source.node] != "Sub" or view.scalar(inputs[0]) != 1:
            return None
        return self._number_mask(inputs[1])

    def _number_mask(self, tensor: Tensor) -> Mask | None:
        """The mask that a tensor of ones and zeros is."""
        view = self.view
        source, _ = view.producer(tensor)
        while self._only_reshapes(source):
            source, _ = view.producer(view.inputs[source.node][0])
        reading = self.readings.get(source)
        if reading is None or reading.axis:
            return None
        return self._truths(reading.sequence)

    def _only_reshapes(self, tensor: Tensor) -> bool:
        op = self.view.ops[tensor.node]
        return op in _SHAPING - {"LogicalNot"} or self._widens(tensor)

    def _widens(self, tensor: Tensor) -> bool:
        """Whether a StridedSlice only adds an axis: ``m[:, None]``."""
        attrs = self.view.attrs[tensor.node]
        if self.view.ops[tensor.node] != "StridedSlice":
            return False
        masks = [int(attrs.get(f"{k}_mask") or 0) for k in ("begin", "end", "new_axis")]
        return masks[0] & 1 == masks[1] & 1 == 1 and masks[2] == 2

    def _truths(self, sequence: Tensor) -> Mask | None:
        """The truths that a sequence of numbers was made of, past an exchange of its two axes."""
        view, axis = self.view, 0
        source, _ = view.producer(sequence)
        while view.ops[source.node] in ("Cast", "Transpose"):
            before, _ = view.producer(view.inputs[source.node][0])
            axis ^= view.ops[source.node] == "Transpose"
            source = before
            spec = view.specs.get(source)
            if spec is not None and spec.dtype == "bool" and len(spec.shape or ()) == 2:
                return Mask(sequence=source, axis=axis)
        return None

    def _mask(self, condition: Tensor) -> tuple[Mask, bool] | None:
        lengths = mask_lengths(self.view, self.reader, condition)
        if lengths is not None:
            return Mask(lengths=self.view.producer(lengths[0])[0]), lengths[1]
        inside = True
        source, _ = self.view.producer(condition)
        while self.view.ops[source.node] in _SHAPING:
            inside ^= self.view.ops[source.node] == "LogicalNot"
            source, _ = self.view.producer(self.view.inputs[source.node][0])
        reading = self.readings.get(source)
        if reading is None or reading.axis:
            return None
        spec = self.view.specs.get(reading.sequence)
        if spec is None or spec.dtype != "bool":
            return None
        return Mask(sequence=self.view.producer(reading.sequence)[0]), inside
