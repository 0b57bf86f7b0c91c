"""Tiling, collapsing and explaining."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from graphscope.errors import GraphError
from graphscope.graph import Graph, Layer, Model, Node, Tensor
from graphscope.infer.layers.find import find_layers
from graphscope.match import (
    Input,
    Term,
    View,
    Weight,
    collapse,
    explain,
    layer,
    op,
    tile,
)
from graphscope.patterns import layers as all_patterns

from .small import Made


@layer("Short")
def short(x: Input, kernel: Weight) -> Term:
    return op.MatMul(x, kernel)


@layer("Long")
def long(x: Input, kernel: Weight, bias: Weight) -> Term:
    return op.MatMul(x, kernel) + bias


@layer("Act")
def act(x: Input) -> Term:
    return op.Relu(x)


def dense() -> Made:
    graph = Made()
    product = graph.put(
        "MatMul", graph.feed(), graph.const("w", np.ones((4, 3))), name="mm"
    )
    biased = graph.put("BiasAdd", product, graph.const("b", np.ones(3)), name="add")
    graph.put("Relu", biased, name="relu")
    return graph


def classes(graph: Graph, patterns: Any, keep: Any = ()) -> list[str]:
    return [t.pattern.op for t in tile(View(graph), patterns, keep)]


def test_the_larger_tile_wins_whatever_the_order() -> None:
    assert classes(dense(), [short, long, act]) == ["Long", "Act"]
    assert classes(dense(), [act, long, short]) == ["Long", "Act"]


def test_a_value_that_escapes_rejects_the_tile() -> None:
    graph = dense()
    graph.put("Tanh", Tensor("mm"), name="outside")
    assert classes(graph, [short, long, act]) == ["Short", "Act"]


def test_reading_only_the_shape_is_no_escape() -> None:
    graph = dense()
    graph.put("Shape", Tensor("mm"), name="shape")
    assert classes(graph, [short, long, act]) == ["Long", "Act"]


def test_a_kept_node_is_not_hidden() -> None:
    assert classes(dense(), [short, long], {"mm"}) == ["Short"]


def test_the_dead_end_of_a_custom_gradient_is_no_escape() -> None:
    graph = dense()
    product = Tensor("mm")
    graph.put("IdentityN", Tensor("add"), product, name="both")
    graph.put("Tanh", Tensor("both", 0), name="after")
    assert "Long" in classes(graph, [short, long])
    graph.put("Tanh", Tensor("both", 1), name="second")
    assert "Long" not in classes(graph, [short, long])


def test_collapse_bypasses_identities_and_drops_what_only_layers_read() -> None:
    graph = dense()
    graph.put("Identity", Tensor("relu"), name="i")
    graph.put("CustomOp", Tensor("i"), name="custom")
    found = find_layers(graph, Model(graph), fuse_activations=False)
    up = collapse(graph, found)
    kinds = [up.node(n).op for n in up]
    assert kinds == ["Placeholder", "Dense", "Activation", "CustomOp"]
    assert up.graph["tensors"][Tensor("i")] == up.inputs("custom")[0]


def test_an_identity_that_is_kept_stays() -> None:
    graph = dense()
    graph.put("Identity", Tensor("relu"), name="logits")
    found = find_layers(graph, Model(graph))
    assert "logits" in collapse(graph, found, ["logits"])
    up = collapse(graph, found)
    assert "logits" not in up
    assert up.graph["tensors"][Tensor("logits")] == Tensor(found[-1].name)


def test_a_hidden_value_that_is_read_all_the_same_is_computed_again() -> None:
    graph = dense()
    graph.put("Shape", Tensor("mm"), name="shape")
    graph.put("CustomOp", Tensor("shape"), name="custom")
    found = find_layers(graph, Model(graph))
    assert [each.op for each in found][:1] == ["Dense"]
    up = collapse(graph, found)
    assert up.inputs("shape") == (Tensor("mm"),)
    assert up.node("mm").op == "MatMul"


def test_a_layer_s_name_is_free_for_it() -> None:
    graph = Made()
    graph.feed("scores")
    graph.put("Relu", Tensor("scores"), name="r")
    named = Layer(
        "Activation",
        inputs={"x": Tensor("scores")},
        output=Tensor("r"),
        members=frozenset({"r"}),
        name="scores",
    )
    up = collapse(graph, [named])
    assert sorted(up) == ["scores", "scores_op1"]
    assert up.inputs("scores") == (Tensor("scores_op1"),)


def test_explain_says_where_a_formula_and_the_graph_part() -> None:
    graph = Made()
    product = graph.put(
        "MatMul",
        graph.feed(),
        graph.const("w", np.ones((4, 3))),
        name="mm",
        transpose_a=True,
    )
    graph.put("BiasAdd", product, graph.const("b", np.ones(3)), name="add")
    told = explain(graph, all_patterns(), "Dense", "add")
    assert not told.matched
    assert "transpose_a is True, not False" in str(told)
    assert "'mm'" in str(told)


def test_explain_names_what_an_escape_is_read_by() -> None:
    graph = dense()
    graph.put("Tanh", Tensor("mm"), name="outside")
    assert "read by 'outside'" in str(explain(graph, all_patterns(), "dense", "add"))


def test_explain_shows_the_bindings_of_a_match() -> None:
    told = explain(dense(), all_patterns(), "dense", "add")
    assert told.matched
    assert "kernel = w" in str(told)


def test_explain_knows_the_names_that_are_near() -> None:
    with pytest.raises(GraphError, match="nearest: 'dense'|nearest"):
        explain(dense(), all_patterns(), "dens", "add")
    with pytest.raises(GraphError, match="no node 'ad'"):
        explain(dense(), all_patterns(), "dense", "ad")


def test_nothing_is_fed_and_nothing_breaks() -> None:
    graph = Made()
    graph.put("Relu", graph.const("c", np.ones(4)))
    assert find_layers(graph, Model(graph)) == ()


def test_an_unknown_op_is_no_obstacle() -> None:
    graph = Made()
    graph.add("odd", Node("MyOp", {"anything": 1}), [graph.feed()])
    graph.put("Relu", Tensor("odd"))
    (found,) = find_layers(graph, Model(graph))
    assert found.inputs == {"x": Tensor("odd")}


def test_hostile_attributes_are_no_obstacle() -> None:
    graph = Made()
    bad = {"strides": (1,), "padding": "ODD", "data_format": "", "dilations": None}
    kernel = graph.const("k", np.ones((1, 1, 4, 4)))
    graph.put("Conv2D", graph.feed(shape=None), kernel, **bad)
    graph.put("Transpose", Tensor("x"), graph.const("p", [9, 9], "int32"))
    graph.put("Reshape", Tensor("x"), graph.const("s", [], "int32"))
    graph.put("Squeeze", Tensor("x"), squeeze_dims=(7,))
    graph.put("Mean", Tensor("x"), graph.const("a", [], "int32"), keep_dims=True)
    graph.put("Pad", Tensor("x"), graph.const("pads", [1, 2], "int32"))
    graph.put("StridedSlice", Tensor("x"))
    graph.put("ConcatV2")
    collapse(graph, find_layers(graph, Model(graph)))
