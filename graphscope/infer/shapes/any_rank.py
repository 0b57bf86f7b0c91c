"""Whether a graph computes the same of its feeds in every rank that they may have."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ... import ops
from ...graph import Graph, Tensor
from ...ops.values.facts import Fact

Facts = Mapping[Tensor, Fact]
_LAST_AXIS = frozenset({"Softmax", "LogSoftmax"})


def takes_any_rank(graph: Graph, facts: Facts) -> bool:
    """True where a feed has no known rank, and nothing that is made of it before its rank is fixed depends on one.

    ``facts`` are those of ``infer_facts``, without what is guessed of feeds. A rank is fixed by a Reshape to a vector of known length; until
    then there may be what works element by element or along the last axis, and the number of examples may be asked for.
    """
    open_ = [name for name in graph if _is_open(Tensor(name), facts)]
    feeds = [name for name in open_ if "feed" in ops.traits(graph.op(name))]
    readers = {reader for name in open_ for reader, _ in graph.consumers(name, 0)}
    return bool(feeds) and all(_is_free(graph, name, facts) for name in readers)


def _is_open(tensor: Tensor, facts: Facts) -> bool:
    return tensor in facts and facts[tensor].spec.shape is None


def _is_free(graph: Graph, name: str, facts: Facts) -> bool:
    op, inputs = graph.op(name), graph.inputs(name)
    traits = ops.traits(op)
    if traits & {"elementwise", "pass-through"} or op in _LAST_AXIS:
        return True
    if op == "BiasAdd":
        return graph.attrs(name).get("data_format") in (None, "NHWC")
    if op == "Reshape":
        return _is_open(inputs[0], facts) and not _is_open(Tensor(name), facts)
    if op == "Shape":
        asked = [reader for reader, _ in graph.consumers(name, 0)]
        return all(_takes_examples(graph, reader, facts) for reader in asked)
    return False


def _takes_examples(graph: Graph, name: str, facts: Facts) -> bool:
    """Whether of a shape the first size alone is read."""
    if graph.op(name) != "StridedSlice":
        return False
    ends = [facts[t].value if t in facts else None for t in graph.inputs(name)[1:3]]
    bounds = [each.tolist() for each in ends if isinstance(each, np.ndarray)]
    attrs = graph.attrs(name)
    masks = attrs.get("begin_mask", 0) or attrs.get("end_mask", 0)
    return bounds == [[0], [1]] and not masks
