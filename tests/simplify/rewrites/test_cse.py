"""Slices that are indices, and nodes that repeat others: what is merged, and what only looks alike."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from graphscope.graph import Layer, Model, Node, Tensor, WeightUse
from graphscope.simplify.rewrites.cse import index_slices, merge_equal
from graphscope.simplify.state import State
from tests.match.small import Made


def state_of(graph: Made, *outputs: str) -> State:
    return State(Model(graph), graph, outputs=tuple(map(Tensor, outputs)))


def sliced(
    begin: Any = (0, 1),
    end: Any = (0, 2),
    step: Any = (1, 1),
    axes: Any = (1,),
    squeezed: str = "Squeeze",
    **masks: int,
) -> Made:
    """``Squeeze(x[:, 1:2], [1])``, or what only looks like it."""
    graph = Made()
    x = graph.feed(shape=(None, 4))
    bounds = [
        graph.const(name, value, "int32")
        for name, value in (("begin", begin), ("end", end), ("step", step))
    ]
    masks = {"begin_mask": 1, "end_mask": 1, **masks}
    part = graph.put("StridedSlice", x, *bounds, name="part", **masks)
    graph.put(squeezed, part, name="y", squeeze_dims=axes)
    return graph


def ops_of(state: State) -> list[str]:
    return [state.graph.op(name) for name in state.graph]


def test_a_slice_of_one_entry_without_its_axis_is_an_index() -> None:
    state = index_slices(state_of(sliced(), "y"))
    assert "Squeeze" not in ops_of(state) and "part" not in state.graph
    assert state.graph.op("y") == "StridedSlice"
    assert state.graph.attrs("y")["shrink_axis_mask"] == 2
    assert state.graph.inputs("y")[0] == Tensor("x")


@pytest.mark.parametrize(
    "graph",
    [
        sliced(end=(0, 3)),  # two entries
        sliced(step=(1, -1)),
        sliced(begin=(0, -1), end=(0, 0)),  # the last one: its end is no number
        sliced(axes=(0,)),  # another axis than the one that is cut
        sliced(axes=(-1,)),
        sliced(axes=()),
        sliced(begin_mask=3),  # all up to 2
        sliced(end_mask=2),  # all from 1 on
        sliced(shrink_axis_mask=1),
        sliced(new_axis_mask=1),
        sliced(ellipsis_mask=1),
        sliced(squeezed="Identity"),
    ],
)
def test_what_only_looks_like_an_index_stays(graph: Made) -> None:
    state = state_of(graph, "y")
    assert index_slices(state) is state


def test_a_slice_that_is_read_elsewhere_or_is_an_output_stays() -> None:
    graph = sliced()
    graph.put("Relu", Tensor("part"), name="z")
    state = state_of(graph, "y", "z")
    assert index_slices(state) is state
    state = state_of(sliced(), "y", "part")
    assert index_slices(state) is state


def twice(op: str, *more: dict[str, Any], weights: Any = None) -> Made:
    """Two nodes of one op over the same input, and their sum."""
    graph = Made()
    x = graph.feed()
    for name, attrs in zip("ab", more or ({}, {}), strict=True):
        if weights is not None:
            layer = Layer(op, attrs, weights=weights, inputs={"x": x})
            graph.add(name, layer, [x])
        else:
            graph.put(op, x, name=name, **attrs)
    graph.put("Add", Tensor("a"), Tensor("b"), name="y")
    return graph


def is_merged(graph: Made, *outputs: str) -> bool:
    state = merge_equal(state_of(graph, "y", *outputs))
    if "b" in state.graph:
        return False
    assert set(state.graph.inputs("y")) == {Tensor("a")}
    return True


@pytest.mark.parametrize(
    ("graph", "merged"),
    [
        (twice("Neg"), True),
        (twice("Neg", {"_class": 1}, {"_class": 2}), True),  # what TensorFlow notes
        (twice("LeakyRelu", {"alpha": 0.1}, {"alpha": 0.1}), True),
        (twice("LeakyRelu", {"alpha": 0.1}, {"alpha": 0.2}), False),
        (twice("Shape"), True),
        (twice("RandomUniform"), False),  # drawn twice
        (twice("MyCustomOp"), False),
        (twice("Rescaling", {"scale": 2.0}, {"scale": 2.0}, weights={}), True),
        (twice("Rescaling", {"scale": 2.0}, {"scale": 3.0}, weights={}), False),
        (twice("Dense", {"units": 4}, {"units": 4}, weights={}), False),
        (twice("Rescaling", {}, {}, weights={"w": WeightUse("w", (4,))}), False),
    ],
)
def test_nodes_that_do_the_same_are_one(graph: Made, merged: bool) -> None:
    assert is_merged(graph) is merged


def test_an_output_keeps_its_node() -> None:
    assert not is_merged(twice("Neg"), "b")
    assert is_merged(twice("Neg"), "a")


def constants(a: Any, b: Any, *dtypes: str) -> Made:
    graph = Made()
    x = graph.feed()
    for name, value, dtype in zip("ab", (a, b), dtypes or ("float32",) * 2):
        graph.add(
            name, Node("Const", {"dtype": dtype, "value": np.array(value, dtype)})
        )
    graph.put("Sub", Tensor("a"), x, name="c")
    graph.put("Sub", Tensor("b"), x, name="d")
    graph.put("Add", Tensor("c"), Tensor("d"), name="y")
    return graph


@pytest.mark.parametrize(
    ("graph", "merged"),
    [
        (constants(1.0, 1.0), True),
        (constants(1.0, 2.0), False),
        (constants([1.0], 1.0), False),
        (constants(0, 0, "int32", "float32"), False),
        (constants(np.ones(64), np.ones(64)), True),
        (constants(np.ones(65), np.ones(65)), False),  # it may be a weight
    ],
)
def test_constants_of_one_value_are_one_and_so_is_what_reads_them(
    graph: Made, merged: bool
) -> None:
    state = merge_equal(state_of(graph, "y"))
    assert ("d" not in state.graph) is merged
    assert ("b" not in state.graph) is merged
