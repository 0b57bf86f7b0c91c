"""Shapes under several choices of the sizes that a graph leaves open: claims about sizes are tested, not derived.

Arithmetic on shapes is polynomials, quotients and remainders. What comes out the same for several unrelated choices of
the unknown sizes comes out the same for all (Schwartz 1980, Zippel 1979), and no symbolic algebra has to know how it was
spelled. Choices that the graph cannot take (a length that it cannot fold) leave their tensors unknown and prove nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from ... import ops
from ...graph import Graph, Shape, Tensor
from ...ops.values.facts import Fact

Facts = Mapping[Tensor, Fact]

# (first size, step to the next one, whether axes of the same number are as long in every feed): small enough to cross
# thresholds, large enough to leave room for windows, one of them a multiple of whatever is folded. None is 1: a size less 2
# would be -1 there, which TensorFlow takes for "all that is left".
_CHOICES = (
    (2, 0, True),
    (3, 2, False),
    (37, 1, True),
    (211, 13, False),
    (960, 64, True),
)


def probe(
    graph: Graph, facts: Facts, infer: Callable[[Mapping[str, Shape]], Facts]
) -> tuple[Facts, ...]:
    """What is known of every tensor, once for each choice; ``facts`` alone where no feed leaves a size open.

    ``infer(shapes)`` gives the facts where feeds have these shapes; ``facts`` are those without. A feed of
    unknown rank stays unknown.
    """
    feeds = _open_feeds(graph, facts)
    if not feeds:
        return (facts,)
    return tuple(infer(_chosen(feeds, *choice)) for choice in _CHOICES)


def _open_feeds(graph: Graph, facts: Facts) -> dict[str, tuple[int | None, ...]]:
    """The feeds of known rank with a size that is not known."""
    feeds = {}
    for name, data in graph._node.items():
        if "feed" in ops.traits(data["node"].op) and Tensor(name) in facts:
            shape = facts[Tensor(name)].spec.shape
            if shape is not None and None in shape:
                feeds[name] = shape
    return feeds


def _chosen(
    feeds: Mapping[str, Sequence[int | None]], first: int, step: int, shared: bool
) -> dict[str, Shape]:
    """A size for each that is open: its own, or one for each axis number."""
    chosen: dict[str, Shape] = {}
    count = 0
    for name, shape in feeds.items():
        sizes = []
        for axis, size in enumerate(shape):
            if size is None:
                size = first + step * (axis if shared else count)
                count += 1
            sizes.append(size)
        chosen[name] = tuple(sizes)
    return chosen
