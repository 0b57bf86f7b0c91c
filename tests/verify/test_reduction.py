"""The price of a smaller file, measured by running both."""

from __future__ import annotations

import numpy as np
import pytest

from graphscope.freeze import freeze_model
from graphscope.graph import Graph, Model, Node, Tensor
from graphscope.verify import measure_reduction


@pytest.mark.parametrize(
    "options, least, most",
    [({"half": True}, 1e-6, 1e-3), ({"quantize": "int8"}, 1e-4, 5e-2)],
    ids=str,
)
def test_the_error_is_that_of_the_reduction(tmp_path, options, least, most):
    value = np.random.default_rng(0).normal(size=(64, 32)).astype("f")
    graph = Graph()
    graph.add("x", Node("Placeholder", {"dtype": "float32", "shape": (None, 64)}))
    graph.add("w", Node("Const", {"dtype": "float32", "value": value}))
    graph.add("y", Node("MatMul", {"T": "float32"}, ()), [Tensor("x"), Tensor("w")])
    model = Model(graph)
    freeze_model(model, ["y"], tmp_path / "small.pb", **options)
    found = measure_reduction(model, ["y"], tmp_path / "small.pb", **options)
    assert found.passed and least < found.max_rel < most
