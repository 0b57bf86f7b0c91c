"""``explain``: why formulas do or do not match, of ops and of layers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")
v1 = tf.compat.v1

from click.testing import CliRunner  # noqa: E402

from graphscope.analysis.documents import named_layers  # noqa: E402
from graphscope.analysis.results import Analysis  # noqa: E402
from graphscope.cli import cli  # noqa: E402
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


def test_layers_are_named_as_the_table_names_them(tmp_path: Path) -> None:
    """``explain MODEL LAYER`` and ``--at LAYER`` take each name that ``layers`` prints, whatever the pattern."""
    found = analysed(lambda: attention(by_einsum), tmp_path)
    named = dict(named_layers(found))
    assert named
    for name, layer in named.items():
        assert found.explain_layer(name).startswith(f"{name} is a layer {layer.op}")
        assert found.explain(layer.op, name).startswith(f"{layer.op} matches at")
        for other in {"Dense", "LSTM", "BatchNormalization"} - {layer.op}:
            said = found.explain(other, name).split("\n")
            assert "match at" in said[0] or "matches at" in said[0]
            assert all(len(line) < 300 for line in said)
    result = CliRunner().invoke(
        cli, ["explain", str(tmp_path / "graph.pb"), next(iter(named))]
    )
    assert result.exit_code == 0 and " is a layer " in result.output
    with pytest.raises(GraphError, match="graphscope layers MODEL"):
        found.explain_layer("nope")


def test_a_node_of_no_layer_is_refused(tmp_path: Path) -> None:
    found = analysed(lambda: attention(by_einsum), tmp_path)
    with pytest.raises(GraphError, match="nope"):
        found.explain("attention_of_heads", "nope")
    assert "Dense matches at" in found.explain("Dense", "result")


def test_inputs_of_one_batch_are_an_assumption(tmp_path: Path) -> None:
    assert not analysed(attention, tmp_path).guesses
    guess = "'x', 'mask' have one batch size, as the inputs of a Keras model do"
    assert guess in analysed(lambda: attention(masked=added), tmp_path).guesses


def dilated(back: int = 2) -> Any:
    kernel = tf.constant(np.ones((3, 3, 3, 4), np.float32))
    x = v1.placeholder(tf.float32, (None, 8, 8, 3), "x")
    split = tf.space_to_batch_nd(x, [2, 2], [[2, back], [2, back]])
    inner = tf.nn.conv2d(split, kernel, 1, "VALID")
    return tf.identity(tf.batch_to_space(inner, [2, 2], [[0, 0], [0, 0]]), "result")


def test_what_several_ops_spell_is_explained_at_the_last_of_them(
    tmp_path: Path,
) -> None:
    found = analysed(dilated, tmp_path)
    (layer,) = (each for each in found.layers if each.op == "Conv2D")
    assert layer.attrs["dilation_rate"] == (2, 2)
    last = layer.output.node
    assert last == "BatchToSpaceND" and "SpaceToBatchND" in layer.members
    assert found.explain("Conv2D", last).startswith("Conv2D matches at")
    assert found.explain("dilated_conv2d", last).startswith("dilated_conv2d matches")


def test_a_sandwich_that_is_none_is_told_in_words(tmp_path: Path) -> None:
    found = analysed(lambda: dilated(back=0), tmp_path)
    told = found.explain("Conv2D", "BatchToSpaceND")
    assert told.startswith("Conv2D does not match at 'BatchToSpaceND'")
    assert "dilated_conv2d does not match" in told
    assert "the paddings are those of neither padding='same' nor 'valid'" in told
    assert all(layer.attrs.get("dilation_rate") != (2, 2) for layer in found.layers)
