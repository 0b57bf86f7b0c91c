"""``explain``: why formulas do or do not match, of ops and of layers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

tf = pytest.importorskip("tensorflow")

from graphscope.analysis.results import Analysis  # noqa: E402
from graphscope.errors import GraphError  # noqa: E402
from graphscope.read import load  # noqa: E402
from tests.patterns.attention.test_multi_head import replaced  # noqa: E402
from tests.patterns.attention.test_multi_head import (  # noqa: E402
    added,
    attention,
    by_einsum,
)


def analysed(build: Callable[[], Any], folder: Path) -> Analysis:
    with tf.Graph().as_default() as graph:
        build()
        definition = graph.as_graph_def()
    path = folder / "graph.pb"
    path.write_bytes(definition.SerializeToString())
    return Analysis(load(path), outputs=["result"])


def test_a_formula_over_layers_matches_at_its_last_layer(tmp_path: Path) -> None:
    found = analysed(attention, tmp_path)
    last = next(layer.output.node for layer in found.layers)
    for node in ("result", last, "Tensordot_3"):  # an op of the layer
        said = found.explain("MultiHeadAttention", node)
        assert said.startswith("MultiHeadAttention matches at"), said
        assert "query_dense = " in said and "value_dense = " in said


@pytest.mark.parametrize(
    ("build", "why"),
    [
        (lambda: attention(scale=lambda s: s * 0.3), "the scale is"),
        (lambda: attention(masked=replaced(-3.0)), "-3"),
        (lambda: attention(masked=tf.tanh), "met layers.Activation"),
        (lambda: attention(last="heads swapped"), ""),
    ],
)
def test_a_near_miss_is_told_in_words(
    build: Callable[[], Any], why: str, tmp_path: Path
) -> None:
    said = analysed(build, tmp_path).explain("MultiHeadAttention", "result")
    first, *failures = said.split("\n")
    assert first.startswith("MultiHeadAttention does not match at ")
    assert failures and why in said


def test_a_node_of_no_layer_is_refused(tmp_path: Path) -> None:
    found = analysed(lambda: attention(by_einsum), tmp_path)
    with pytest.raises(GraphError, match="nope"):
        found.explain("attention_of_heads", "nope")
    assert "Dense matches at" in found.explain("Dense", "result")


def test_inputs_of_one_batch_are_an_assumption(tmp_path: Path) -> None:
    assert not analysed(attention, tmp_path).guesses
    guess = "'x', 'mask' have one batch size, as the inputs of a Keras model do"
    assert guess in analysed(lambda: attention(masked=added), tmp_path).guesses
