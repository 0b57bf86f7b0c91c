"""A feed of no known rank -> the shapes that its graph admits, the likeliest first.

TensorFlow's own shape functions say which ranks contradict nothing: to run one that does may end the process (a convolution of a vector does).
What the readers imply of the sizes is inferred anew for each of these ranks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...graph import Model, Shape
from ...infer.shapes.backward import implied_shapes
from ...infer.shapes.forward import infer_facts
from ..import_tensorflow import import_tensorflow

RANKS = (2, 4, 3, 1, 0, 5)  # by how often a feed has them
LARGEST = 1 << 28  # bytes of a graph that is copied to be asked
ODD = 7919  # a size that no array has
MOST_SIZES = 24  # that are tried of an axis
Sizes = tuple[int | None, ...]


def admitted_shapes(graph: object, model: Model, feed: str) -> tuple[Shape, ...]:
    """Of a placeholder ``feed`` of a TensorFlow ``graph`` and of the ``model`` that it was read as; empty where none is."""
    facts = infer_facts(model.graph, functions=model.functions)
    implied = implied_shapes(model.graph, facts).get(feed)
    likely = implied.shape if implied is not None else None
    checker, sizes = _Checker(graph, feed), _sizes(model)
    if implied is not None and likely is not None and not implied.is_guess:
        return (checker.closed(likely, sizes),)
    ranks = [rank for rank in RANKS if checker.admits((None,) * rank)]
    shapes = [checker.closed(_with_sizes(model, feed, rank), sizes) for rank in ranks]
    is_likely = likely is not None and len(likely) in ranks
    return (likely, *shapes) if is_likely else tuple(shapes)


class _Checker:
    """Asks TensorFlow whether a graph can be with a feed of some shape."""

    def __init__(self, graph: Any, feed: str) -> None:
        self.tf = import_tensorflow()
        self.message, self.feed = graph.as_graph_def(), feed
        self.dtype = graph.get_tensor_by_name(f"{feed}:0").dtype
        self.is_large = self.message.ByteSize() > LARGEST

    def admits(self, shape: Sizes) -> bool:
        """True of a graph that is too large to be asked."""
        if self.is_large:
            return True
        with self.tf.Graph().as_default():
            fed = self.tf.compat.v1.placeholder(self.dtype, shape)
            names = {f"{self.feed}:0": fed}
            try:
                self.tf.import_graph_def(self.message, names, name="admitted")
            except (ValueError, self.tf.errors.OpError):
                return False
        return True

    def closed(self, shape: Sizes, sizes: Sequence[int]) -> Sizes:
        """The shape with a size for each axis that not any size will do for: one that the graph's own arrays have."""
        for axis in reversed(range(len(shape))):
            before, after = shape[:axis], shape[axis + 1 :]
            if shape[axis] is None and not self.admits((*before, ODD, *after)):
                fits = (n for n in sizes if self.admits((*before, n, *after)))
                shape = (*before, next(fits, None), *after)
        return shape


def _sizes(model: Model) -> list[int]:
    """Sizes of the graph's constants, the commonest first."""
    constants = (model.graph.attrs(name) for name in model.graph.by_op("Const"))
    shapes = (np.shape(attrs["value"]) for attrs in constants if "value" in attrs)
    counts = Counter(size for shape in shapes for size in shape if size > 1)
    return [size for size, _ in counts.most_common(MOST_SIZES)]


def _with_sizes(model: Model, feed: str, rank: int) -> Sizes:
    """The shape of that rank with the sizes that its readers imply."""
    open_: Sizes = (None,) * rank
    shapes_given = {feed: open_}
    facts = infer_facts(model.graph, functions=model.functions, given=shapes_given)
    implied = implied_shapes(model.graph, facts).get(feed)
    return implied.shape if implied is not None and implied.shape else open_
