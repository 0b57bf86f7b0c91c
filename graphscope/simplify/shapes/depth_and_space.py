"""Channels that become pixels, and pixels that become channels, by two reshapes around a transposition -> the op that does it.

``tf.nn.depth_to_space`` is spelled out so where somebody wrote it for a backend without it: Keras's own example of ESPCN.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...graph import Graph, Node, Tensor
from ...graph.edit import duplicate, put
from ...ops.values.facts import Fact
from ..prune import prune
from ..state import Facts, State

Whole = tuple[int, ...]
_TURN = [0, 1, 3, 2, 4, 5]
_LEAST = 2  # choices of open sizes under which the claim must have been seen to hold


class _Sandwich(NamedTuple):
    """``last`` is the second reshape, ``x`` what the first one reads, ``cells`` the six axes between them."""

    last: str
    x: Tensor
    cells: Tensor

    def shapes(self, facts: Facts) -> tuple[Whole, Whole, Whole] | None:
        """Those of what goes in, of the cells, and of what comes out; None where a size is open."""
        tensors = (self.x, self.cells, Tensor(self.last))
        x, cells, image = (_whole(facts.get(tensor)) for tensor in tensors)
        if x is None or cells is None or image is None or len(cells) != 6:
            return None
        return x, cells, image


def join_depth_and_space(state: State) -> State:
    """Reshapes around a transposition -> DepthToSpace or SpaceToDepth, where they do the same.

    ``Reshape(Transpose(Reshape(x, [b, h, w, n, n, c]), [0, 1, 3, 2, 4, 5]), [b, h * n, w * n, c]) -> DepthToSpace(x, n)``.
    """
    graph = state.graph
    joined = {
        each: node
        for name in graph.by_op("Transpose")
        if (each := _sandwich(graph, name))
        and (node := _meaning(each, (state.facts, *state.probes)))
    }
    if not joined:
        return state
    copy = duplicate(graph)
    for each, node in joined.items():
        kind = {"T": graph.attrs(each.last).get("T", "float32")}
        put(copy, each.last, Node(node.op, {**kind, **node.attrs}), [each.x])
    return state.become(prune(copy, state.outputs) if state.outputs else copy)


def _sandwich(graph: Graph, name: str) -> _Sandwich | None:
    """The transposition of six axes that but one reshape reads, and what it stands between."""
    inputs, readers = graph.inputs(name), graph.consumers(name)
    if len(inputs) != 2 or len(readers) != 1 or graph.op(inputs[0].node) != "Reshape":
        return None
    value = graph.attrs(inputs[1].node).get("value")
    ((last, slot),) = readers
    if not isinstance(value, np.ndarray) or value.tolist() != _TURN:
        return None
    if graph.op(last) != "Reshape" or slot != 0:
        return None
    return _Sandwich(last, graph.inputs(inputs[0].node)[0], inputs[0])


def _meaning(each: _Sandwich, facts: tuple[Facts, ...]) -> Node | None:
    """The op that does the same whatever the open sizes are."""
    certain = each.shapes(facts[0])
    probed = [shapes for choice in facts[1:] if (shapes := each.shapes(choice))]
    known = [certain] if certain else probed
    if len(known) < (1 if certain else _LEAST):
        return None
    for op, block_of in (("DepthToSpace", _spread), ("SpaceToDepth", _gathered)):
        blocks = {block_of(*shapes) for shapes in known}
        if len(blocks) == 1 and (block := blocks.pop()) > 1:
            return Node(op, {"block_size": block, "data_format": "NHWC"})
    return None


def _spread(x: Whole, cells: Whole, image: Whole) -> int:
    """How wide the square is that the channels of each pixel become: ``cells`` is ``[b, h, w, n, n, c]``; 0 where none is."""
    batch, height, width, block, across, depth = cells
    before = (batch, height, width, block * block * depth)
    after = (batch, height * block, width * block, depth)
    return block if block == across and (x, image) == (before, after) else 0


def _gathered(x: Whole, cells: Whole, image: Whole) -> int:
    """How wide the square of pixels is that becomes the channels of one: ``cells`` is ``[b, h, n, w, n, c]``; 0 where none does."""
    batch, height, block, width, across, depth = cells
    before = (batch, height * block, width * block, depth)
    after = (batch, height, width, block * block * depth)
    return block if block == across and (x, image) == (before, after) else 0


def _whole(fact: Fact | None) -> Whole | None:
    """The shape of a tensor where all its sizes are known."""
    shape = fact.spec.shape if fact else None
    known = tuple(size for size in shape or () if size is not None)
    return None if shape is None or len(known) < len(shape) else known
