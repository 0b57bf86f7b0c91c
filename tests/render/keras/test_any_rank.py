"""A feed of which the file says no rank, where the graph needs none: what is written takes it in all of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")

import keras  # noqa: E402

from graphscope.analysis.results import Analysis  # noqa: E402
from graphscope.read import load  # noqa: E402
from graphscope.verify.run.keras_source import run_source  # noqa: E402

v1 = tf.compat.v1
ROW = np.float32([0.5, -2.0])
FREE: dict[str, Callable[[Any], Any]] = {
    "numbers": lambda x: tf.nn.relu(2.5 * x - 1.0),
    "row": lambda x: tf.nn.softmax(tf.tanh(x) - ROW),
    "examples": lambda x: tf.abs(tf.reshape(x, [tf.shape(x)[0], -1])),
    "one row": lambda x: tf.nn.relu(tf.reshape(x / ROW, [1, -1])),
}
BOUND: dict[str, Callable[[Any], Any]] = {
    "size": lambda x: x / tf.cast(tf.size(x), "float32"),
    "rank": lambda x: x * tf.cast(tf.rank(x), "float32"),
    "second size": lambda x: tf.reshape(x, [tf.shape(x)[1], -1]),
    "mean": lambda x: tf.reduce_mean(x, 1),
    "layers of one rank": lambda x: tf.abs(x) * ROW + ROW,
    "join": lambda x: tf.concat([x, x], 1),
}


def frozen(build: Callable[[Any], Any], folder: Path) -> tuple[Any, str]:
    with tf.Graph().as_default() as graph:
        build(v1.placeholder(tf.float32, None, "x"))
    path = folder / "frozen.pb"
    path.write_bytes(graph.as_graph_def().SerializeToString())
    output = f"{graph.get_operations()[-1].name}:0"
    return graph, output


@pytest.mark.parametrize("name", FREE)
def test_every_rank_is_taken(name: str, tmp_path: Path) -> None:
    graph, output = frozen(FREE[name], tmp_path)
    found = Analysis(load(str(tmp_path / "frozen.pb")), outputs=[output])
    report = found.write_keras(tmp_path / "keras")
    assert any("other ranks" in each for each in report.remarks)
    model = run_source(tmp_path / "keras")
    model.save(tmp_path / "model.keras")
    trust = {"OfAnyRank": type(model)}
    again = keras.saving.load_model(tmp_path / "model.keras", custom_objects=trust)
    rng = np.random.default_rng(5)
    for rank in (1, 2, 3, 4, 5):
        fed = rng.normal(size=(3, 2, 4, 3, 2)[5 - rank :]).astype("float32")
        with v1.Session(graph=graph) as session:
            want = session.run(output, {"x:0": fed})
        for made in (model, again):
            np.testing.assert_allclose(made(fed), want, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", BOUND)
def test_what_depends_on_the_rank_takes_one(name: str, tmp_path: Path) -> None:
    _, output = frozen(BOUND[name], tmp_path)
    found = Analysis(load(str(tmp_path / "frozen.pb")), outputs=[output])
    assert "OfAnyRank" not in found.write_keras(tmp_path / "keras").source.text
