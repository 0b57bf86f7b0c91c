"""Feeds of unknown shape: what their readers imply."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from graphscope.graph import Graph, Node, Tensor
from graphscope.infer.shapes.backward import implied_shapes
from graphscope.infer.shapes.forward import infer_facts, infer_shapes


def node(graph: Graph, name: str, op: str, *inputs: str, **attrs: Any) -> None:
    graph.add(name, Node(op, attrs), [Tensor.parse(text) for text in inputs])


def fed(shape: Any = None) -> Graph:
    """A feed, and behind it a scaling that keeps its shape."""
    graph = Graph()
    node(graph, "x", "Placeholder", dtype="float32", shape=shape)
    node(graph, "half", "Const", dtype="float32", value=np.array(0.5, "float32"))
    node(graph, "scaled", "Mul", "x", "half", T="float32")
    return graph


def kernel(graph: Graph, *shape: int) -> None:
    node(graph, "k", "Const", dtype="float32", value=np.zeros(shape, "float32"))


def test_a_product_tells_the_features() -> None:
    graph = fed()
    kernel(graph, 784, 10)
    node(graph, "y", "MatMul", "scaled", "k", T="float32")
    found = implied_shapes(graph, infer_facts(graph))["x"]
    assert found.shape == (None, 784) and not found.is_guess
    assert found.evidence == "y (MatMul) reads it"


@pytest.mark.parametrize(
    "form, wanted", [("NHWC", (None, None, None, 3)), ("NCHW", (None, 3, None, None))]
)
def test_a_convolution_tells_rank_and_channels(form: str, wanted: Any) -> None:
    graph = fed()
    kernel(graph, 3, 3, 3, 8)
    strides = {"strides": (1, 1, 1, 1), "padding": "SAME", "data_format": form}
    node(graph, "y", "Conv2D", "scaled", "k", T="float32", **strides)
    assert implied_shapes(graph, infer_facts(graph))["x"].shape == wanted


def test_a_reshape_lets_guess_a_row() -> None:
    graph = fed()
    sizes = np.array([-1, 28, 28, 1], "int32")
    node(graph, "sizes", "Const", dtype="int32", value=sizes)
    node(graph, "y", "Reshape", "scaled", "sizes", T="float32", Tshape="int32")
    found = implied_shapes(graph, infer_facts(graph))["x"]
    assert found.shape == (None, 784) and found.is_guess
    specs = infer_shapes(graph, given={"x": found.shape})
    assert specs[Tensor("scaled")].shape == (None, 784)


def test_the_certain_comes_before_the_guess() -> None:
    graph = fed()
    node(graph, "sizes", "Const", dtype="int32", value=np.array([-1, 12], "int32"))
    node(graph, "flat", "Reshape", "x", "sizes", T="float32", Tshape="int32")
    kernel(graph, 3, 3, 3, 8)
    strides = {"strides": (1, 1, 1, 1), "padding": "SAME"}
    node(graph, "y", "Conv2D", "x", "k", T="float32", **strides)
    found = implied_shapes(graph, infer_facts(graph))["x"]
    assert found.shape == (None, None, None, 3) and not found.is_guess


def test_what_is_known_already_is_left_alone() -> None:
    graph = fed((None, 784))
    kernel(graph, 784, 10)
    node(graph, "y", "MatMul", "scaled", "k", T="float32")
    assert implied_shapes(graph, infer_facts(graph)) == {}


def test_a_reader_that_contradicts_is_not_believed() -> None:
    graph = fed((None, None, None, 1))
    kernel(graph, 3, 3, 3, 8)
    strides = {"strides": (1, 1, 1, 1), "padding": "SAME"}
    node(graph, "y", "Conv2D", "x", "k", T="float32", **strides)
    assert implied_shapes(graph, infer_facts(graph)) == {}


@pytest.mark.parametrize("op, shape", [("ParseExample", (None,)), ("DecodeJpeg", ())])
def test_what_reads_records_and_files_says_how_many(op: str, shape: Any) -> None:
    graph = Graph()
    node(graph, "x", "Placeholder", dtype="string", shape=None)
    node(graph, "y", op, "x")
    assert implied_shapes(graph, infer_facts(graph))["x"].shape == shape


def test_a_product_over_an_unknown_rank_tells_the_features() -> None:
    """What ``tf.matmul`` writes where a placeholder has no shape at all: one matrix is a guess, its features are not."""
    graph = fed()
    kernel(graph, 4, 3)
    node(graph, "y", "BatchMatMulV2", "scaled", "k", T="float32")
    found = implied_shapes(graph, infer_facts(graph))["x"]
    assert found.shape == (None, 4) and found.is_guess
    graph = fed((None, 5, None))
    kernel(graph, 4, 3)
    node(graph, "y", "BatchMatMulV2", "scaled", "k", T="float32", adj_y=True)
    found = implied_shapes(graph, infer_facts(graph))["x"]
    assert found.shape == (None, 5, 3) and not found.is_guess
