"""What a mode chooses between a dropout's rate and none: the layer has the rate of training."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow")

import tensorflow as tf  # noqa: E402

from graphscope.analysis.results import Analysis  # noqa: E402
from graphscope.graph import Graph, Node, Tensor  # noqa: E402
from graphscope.graph.edit import put  # noqa: E402
from graphscope.read import load  # noqa: E402
from graphscope.simplify.rewrites.dropout import keep_rates  # noqa: E402

v1 = tf.compat.v1
Kept = Callable[[Any], Any]


def rates(kept: Kept, folder: Path) -> list[float]:
    """The rates of the Dropout layers of a small net that is fed its data alone."""
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float32, [None, 4], "x")
        mode = v1.placeholder(tf.bool, [], "is_training")
        dropped = v1.nn.dropout(x, keep_prob=kept(mode))
        tf.nn.softmax(dropped @ tf.ones([4, 3]), name="y")
    (folder / "net.pb").write_bytes(graph.as_graph_def().SerializeToString())
    analysis = Analysis(load(str(folder / "net.pb")), outputs=["y"])
    program = analysis.write_keras(folder / "out").source.program
    assert [each.name for each in program.inputs] == ["x"]
    calls = [s for s in program.steps if s.constructor == "layers.Dropout"]
    return [each.arguments["rate"] for each in calls]


@pytest.mark.parametrize(
    "kept",
    [
        lambda mode: v1.where(mode, 0.7, 1.0),
        lambda mode: v1.where(tf.logical_not(mode), 1.0, 0.7),
        lambda mode: 1 - v1.where(mode, 0.3, 0.0),
    ],
)
def test_the_rate_is_that_of_training(kept: Kept, tmp_path: Path) -> None:
    assert rates(kept, tmp_path) == pytest.approx([0.3])


def test_a_rate_that_holds_in_use_too_is_what_the_mode_says(tmp_path: Path) -> None:
    assert rates(lambda mode: v1.where(mode, 0.5, 0.9), tmp_path) == pytest.approx(
        [0.1]
    )


def test_a_predicate_that_negates_itself_is_no_mode() -> None:
    """In a circle; whoever follows it comes to an end."""
    graph = Graph()
    for name in ("one", "other"):
        graph.add(name, Node("Const", {"dtype": "float32", "value": np.float32(0.5)}))
    graph.add("not", Node("LogicalNot"))
    put(graph, "not", graph.node("not"), [Tensor("not")])
    sides = [Tensor("not"), Tensor("one"), Tensor("other")]
    graph.add("keep", Node("Select", {"T": "float32"}), sides)
    assert keep_rates(graph, {"is_training": False}) is graph
