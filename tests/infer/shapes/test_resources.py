"""What is known of lists and arrays, in graphs that say it wrongly."""

from __future__ import annotations

import numpy as np
import pytest

from graphscope.graph import Graph, Node, Tensor
from graphscope.infer.shapes.forward import infer_shapes


@pytest.mark.parametrize(
    "said", [np.array([b"a", b"b"], object), np.array([True]), np.array([1.5])]
)
def test_an_element_shape_that_is_no_shape(said: np.ndarray) -> None:
    """Damaged: the constant of another node ended up there. Nothing is then known of the list."""
    graph = Graph()
    graph.add("said", Node("Const", {"dtype": "int32", "value": said}), ())
    count = Node("Const", {"dtype": "int32", "value": np.array(3, np.int32)})
    graph.add("count", count, ())
    attrs = {"element_dtype": "float32", "shape_type": "int32"}
    inputs = [Tensor("said"), Tensor("count")]
    graph.add("list", Node("TensorListReserve", attrs), inputs)
    attrs = {"element_dtype": "float32"}
    graph.add("read", Node("TensorListStack", attrs), [Tensor("list"), Tensor("said")])
    assert infer_shapes(graph)[Tensor("read")].shape in (None, (3,), (None,))
