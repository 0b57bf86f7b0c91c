"""Sizes of inputs that tell more than usual ones do.

At some a tensor is as wide as what is added along another of its axes is long: there a bias on the wrong axis broadcasts as well as
on its own, and Keras itself may take one for the other (render/keras/lower/channel_biases.py). And what is pooled over many steps may
be the same for all inputs: among 32 words of a vocabulary of 4 each occurs, so that their maximum never changes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from ...graph import Graph
from ...ops import spellings
from ...simplify.rewrites.layouts import stored_shape
from .draw import Port, Round

MOST_ROUNDS = 2
LARGEST = 256  # a width that is drawn
LENGTHS = (3, 7, 1, 160)  # far from those that are drawn first
SUMS = frozenset({*spellings.SUMS, "BiasAdd"})


def size_rounds(
    graph: Graph | None, ports: Mapping[str, Port], is_constant: Callable[[], bool]
) -> Iterator[Round]:
    """A round for each of the commonest counts, then for other lengths while an output is constant; none where no input has an axis,
    beyond the first, of open size.
    """
    if all(p.shape is not None and None not in p.shape[1:] for p in ports.values()):
        return
    counts = Counter(_counts(graph) if graph is not None else ())
    for count, _ in counts.most_common(MOST_ROUNDS):
        yield Round(2, 1.0, (count,))
    for length in LENGTHS:
        if not is_constant():
            return
        yield Round(4, 1.0, (length,))


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
