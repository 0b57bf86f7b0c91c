"""The text form as people see it (that it reads back exactly is in tests/read/test_textform.py)."""

from __future__ import annotations

import numpy as np

from graphscope.graph import Graph, Node, Tensor, TensorSpec
from graphscope.read.text.grammar import graph_from_text
from graphscope.render import Drawing
from graphscope.render.text import array_text, render_text, to_text

from .drawn import hostile_graph, layer_graph, op_graph


def test_expected_text() -> None:
    specs = {Tensor("fc/Relu"): TensorSpec("float32", (None, 3))}
    lines = to_text(op_graph(), specs).splitlines()
    assert lines == [
        "# graphscope graph 1",
        "x = Placeholder(dtype=float32)",
        "fc/kernel = Const(dtype=float32, value=f32[4,3]{"
        + ",".join(["0.0"] * 12)
        + "})",
        "fc/bias = VariableV2(dtype=float32, shape=[3])",
        "fc/bias/read = Identity(fc/bias)",
        "fc/MatMul = MatMul(x, fc/kernel)",
        "fc/add = BiasAdd(fc/MatMul, fc/bias/read)",
        "fc/Relu: f32[?,3] = Relu(fc/add)",
    ]


def test_layers_say_what_they_hold() -> None:
    graph, specs = layer_graph()
    text = render_text(Drawing(graph, specs, level="layer"))
    assert (
        'conv1: f32[?,28,28,8] = Conv2D(images, filters=8, kernel_size=[3,3], padding="same")'
        "  # kernel conv1/kernel[3,3,3,8], bias conv1/bias[8]\n"
    ) in text
    assert list(graph_from_text(text)) == list(graph)


def test_arrays() -> None:
    assert array_text(np.float32(0.1) * np.ones(3, np.float32)) == "f32[3]{0.1,0.1,0.1}"
    assert array_text(np.broadcast_to(np.int32(7), (9, 9))) == "i32[9,9]{7*}"
    assert array_text(np.array([b"\xff\n"], object)) == 'string[1]{"\\u00ff\\n"}'
    long = array_text(np.arange(99))
    assert long.startswith("i64[99]#") and long == array_text(np.arange(99))
    assert long != array_text(np.arange(1, 100))


def test_hostile_names_cannot_add_a_line() -> None:
    for as_layers in (False, True):
        graph = hostile_graph(as_layers)
        assert to_text(graph).isascii()
        assert len(to_text(graph).splitlines()) == 1 + len(graph)


def test_an_output_of_every_port() -> None:
    graph = Graph()
    graph.add("s", Node("Split"))
    specs = {Tensor("s", i): TensorSpec("int32", (i,)) for i in range(3)}
    assert "s: i32[0], i32[1], i32[2] = Split()" in to_text(graph, specs)
