"""Heads that compute the same, told in step or by numbering all that they need: both say the same."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from graphscope.graph import Graph, Node, Tensor
from graphscope.infer.outputs import twins
from graphscope.infer.training.roles import study_training


def towers() -> Graph:
    """Two towers over the halves of a batch; one of another constant, one of another depth, one of another weight."""
    graph = Graph()
    graph.add("x", Node("Placeholder", {"dtype": "float32", "shape": (None, 4)}))
    graph.add("axis", Node("Const", {"dtype": "int32", "value": np.array(0)}))
    halves = [Tensor("axis"), Tensor("x")]
    graph.add("split", Node("Split", {"num_split": 2}), halves)
    for name in ("w", "v"):
        graph.add(name, Node("VariableV2", {"dtype": "float32", "shape": (4, 4)}))
    rows = [("a", 0, "w", 2.0, 1), ("b", 1, "w", 2.0, 1), ("c", 1, "w", 3.0, 1)]
    rows += [("d", 0, "w", 2.0, 2), ("e", 0, "v", 2.0, 1)]
    for name, port, weight, factor, depth in rows:
        value = np.array(factor, np.float32)
        graph.add(f"{name}/c", Node("Const", {"dtype": "float32", "value": value}))
        last = Tensor("split", port)
        graph.add(f"{name}/m", Node("MatMul"), [last, Tensor(weight)])
        graph.add(f"{name}/s", Node("Mul"), [Tensor(f"{name}/m"), Tensor(f"{name}/c")])
        last = Tensor(f"{name}/s")
        for number in range(depth):
            graph.add(f"{name}/r{number}", Node("Relu"), [last])
            last = Tensor(f"{name}/r{number}")
        graph.add(name, Node("Identity"), [last])
    return graph


@pytest.mark.parametrize("pairs", [0, 3, 1 << 13])
def test_heads_are_twins_whose_ops_weights_and_constants_are_the_same(
    pairs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(twins, "_PAIRS", pairs)
    study = study_training(towers())
    index = {name: study.flow.index[name] for name in "abcde"}
    same = {
        (one, other)
        for one, other in itertools.combinations(index, 2)
        if twins.Twins(study, index.values()).same(index[one], index[other])
    }
    assert same == {("a", "b")}
