"""Ops that keep the rank of what they read: from a shape that they yield to what it says of that input's."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ... import ops
from ...graph import Node
from ...ops import spellings
from .reader_rules import Facts, Inputs, spec_at

Sizes = tuple[int | None, ...]
Back = Callable[[Node, Inputs, Facts, Sizes], Sizes]


def _same(node: Node, inputs: Inputs, facts: Facts, shape: Sizes) -> Sizes:
    return shape


def _ends(node: Node, inputs: Inputs, facts: Facts, shape: Sizes) -> Sizes:
    """Batch and channels stay, the places between them do not."""
    if str(ops.Call(node.op, node.attrs).get("data_format", "NHWC"))[1:2] == "C":
        return (*shape[:2], *(None,) * (len(shape) - 2))
    return (shape[0], *(None,) * (len(shape) - 2), shape[-1])


def _channels(node: Node, inputs: Inputs, facts: Facts, shape: Sizes) -> Sizes:
    """Space goes into the batch, or back: only what lies behind it stays."""
    block = spec_at(inputs, 1, facts).shape if node.op.endswith("ND") else (2,)
    moved = 1 + (block[0] or 0) if block else len(shape)
    return (*(None,) * moved, *shape[moved:])


def _bordered(node: Node, inputs: Inputs, facts: Facts, shape: Sizes) -> Sizes:
    """An axis that nothing is added to keeps its size."""
    pads = facts[inputs[1]].value if inputs[1] in facts else None
    if not isinstance(pads, np.ndarray) or pads.shape != (len(shape), 2):
        return (None,) * len(shape)
    return tuple(None if any(pad) else size for pad, size in zip(pads, shape))


def _open(node: Node, inputs: Inputs, facts: Facts, shape: Sizes) -> Sizes:
    return (None,) * len(shape)


def _joined(node: Node, inputs: Inputs, facts: Facts, shape: Sizes) -> Sizes:
    """All axes but the one along which it is joined or cut; into equal parts, that one is so many times as long."""
    at = {"Concat": 0, "Split": 0, "SplitV": 2}.get(node.op, len(inputs) - 1)
    axis = facts[inputs[at]].value if inputs[at] in facts else None
    if not isinstance(axis, np.ndarray) or not -len(shape) <= int(axis) < len(shape):
        return (None,) * len(shape)
    count = node.attrs.get("num_split") if node.op == "Split" else None
    over = int(axis) % len(shape)
    part = shape[over]
    whole = part * int(count) if part is not None and count else None
    return tuple(whole if i == over else size for i, size in enumerate(shape))


def _unturned(node: Node, inputs: Inputs, facts: Facts, shape: Sizes) -> Sizes:
    order = facts[inputs[1]].value if inputs[1] in facts else None
    if not isinstance(order, np.ndarray) or sorted(order) != list(range(len(shape))):
        return (None,) * len(shape)
    return tuple(shape[list(order).index(axis)] for axis in range(len(shape)))


JOINS = frozenset(spellings.CONCATS)
BACK: dict[str, Back] = {
    **dict.fromkeys(
        "Roll ReverseV2 Reverse ReverseSequence Cumsum Cumprod Softmax LogSoftmax BiasAdd LRN Cast CheckNumerics".split(),
        _same,
    ),
    **dict.fromkeys("MaxPool AvgPool MaxPool3D AvgPool3D".split(), _ends),
    **dict.fromkeys(
        "SpaceToBatchND BatchToSpaceND SpaceToBatch BatchToSpace".split(), _channels
    ),
    **dict.fromkeys("Pad PadV2 MirrorPad".split(), _bordered),
    **dict.fromkeys("Slice Tile".split(), _open),
    **dict.fromkeys((*spellings.CONCATS, *spellings.SPLITS), _joined),
    "Transpose": _unturned,
}
"""Ops that keep the rank of an input: what a shape that they yield says of it."""
