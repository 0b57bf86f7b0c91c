"""The sizes of tensors inside a portable loop: Python's numbers and tuples of them, which compiled loops ask for as shapes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ....graph import Node
from ....ops.array.slice_masks import SliceMasks
from .ops import Text

SHAPED = {  # op -> the input that is a shape, and what Keras calls it
    "Fill": (0, "ops.full({0}, {1}, {dtype})"),
    "Reshape": (1, "ops.reshape({0}, {1})"),
    "BroadcastTo": (1, "ops.broadcast_to({0}, {1})"),
    "Tile": (1, "ops.tile({0}, {1})"),
}


def shape_text(x: str) -> Text:
    """The shape of a variable."""
    return Text(f"ops.shape({x})", free=True, size=True)


def part_text(shape: Text, index: Sequence[np.ndarray | None], node: Node) -> Text:
    """One size of a shape; raises LookupError where the op takes more than one."""
    begin = index[0]
    if begin is None or begin.size != 1 or not shape.text.startswith("ops.shape("):
        raise LookupError(node.op)
    if SliceMasks.of(node.attrs) != SliceMasks(shrink_axis=1):
        raise LookupError(node.op)
    return Text(f"{shape.text}[{int(begin.reshape(())[()])}]", free=True, size=True)


def packed_text(parts: Sequence[Text]) -> Text:
    """Sizes side by side as a tuple; raises LookupError where one is computed by an op."""
    if not all(part.size or part.literal for part in parts):
        raise LookupError("a size that is a tensor")
    comma = "," * (len(parts) == 1)
    text = f"({', '.join(part.text for part in parts)}{comma})"
    return Text(text, free=True, size=True)


def shaped_text(node: Node, given: Sequence[Text], dtype: str) -> Text:
    """What an op makes in a shape."""
    slot, form = SHAPED[node.op]
    if not given[slot].text.startswith(("(", "ops.shape(")):
        raise LookupError(node.op)
    return Text(form.format(*(each.text for each in given), dtype=f'"{dtype}"'))
