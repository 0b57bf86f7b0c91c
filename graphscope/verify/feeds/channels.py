"""Sizes of inputs at which a tensor is as wide as what is added along another of its axes is long.

There a bias on the wrong axis broadcasts as well as on its own, and Keras itself may take one for the other
(render/keras/lower/channel_biases.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from ...graph import Graph
from ...ops import spellings
from ...simplify.rewrites.layouts import stored_shape
from .draw import Port, Round

MOST_ROUNDS = 2
LARGEST = 256  # a width that is drawn
SUMS = frozenset({*spellings.SUMS, "BiasAdd"})


def channel_rounds(graph: Graph, ports: Mapping[str, Port]) -> Iterator[Round]:
    """A round for each of the commonest counts; none where no input has an axis, beyond the first, of open size."""
    if all(p.shape is not None and None not in p.shape[1:] for p in ports.values()):
        return
    counts = Counter(_counts(graph))
    for count, _ in counts.most_common(MOST_ROUNDS):
        yield Round(2, 1.0, (count,))


def _counts(graph: Graph) -> Iterator[int]:
    """How long each vector is that is added along an axis which is not the last."""
    for op in SUMS:
        for name in graph.by_op(op):
            is_first = str(graph.attrs(name).get("data_format", "")) == "NCHW"
            for tensor in graph.inputs(name):
                shape = stored_shape(graph, tensor) or ()
                long = [size for size in shape if size > 1]
                is_column = is_first and len(shape) == 1 or shape[-1:] == (1,)
                if len(long) == 1 and is_column and long[0] <= LARGEST:
                    yield long[0]
