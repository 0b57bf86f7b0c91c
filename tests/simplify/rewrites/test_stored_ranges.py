"""Quantisation-aware training: what is frozen and recovered has the numbers of the author's own evaluation graph."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from tensorflow.python.training import moving_averages

from graphscope.analysis import analyse
from graphscope.freeze import freeze_model
from graphscope.read import load
from graphscope.simplify.rewrites.stored_ranges import read_stored_ranges
from graphscope.verify.reference.forms import trains


@pytest.fixture(autouse=True)
def _variables_as_before() -> Iterator[None]:
    enabled = tf.resource_variables_enabled()
    yield
    (tf.enable_resource_variables if enabled else tf.disable_resource_variables)()


RNG = np.random.default_rng(3)
IMAGES = RNG.normal(size=(4, 6, 6, 3)).astype("f")


def _range(name: str, low: float, high: float, size: tuple[int, ...] = ()):
    return tuple(
        tf.get_variable(
            f"{name}/{end}", initializer=np.full(size, v, "f"), trainable=False
        )
        for end, v in (("min", low), ("max", high))
    )


def _network(per_channel: bool, training: bool):
    """As tf.contrib.quantize rewrites it: weights' ranges assigned, activations' ranges moved by each run."""
    x = tf.placeholder(tf.float32, [None, 6, 6, 3], "x")
    w = tf.get_variable("conv/weights", [3, 3, 3, 4])
    ends = _range("conv/quant", -0.3, 0.3, (4,) if per_channel else ())
    if training:
        axes = [0, 1, 2] if per_channel else None
        ends = (
            tf.assign(ends[0], tf.minimum(tf.reduce_min(w, axes), 0.0)),
            tf.assign(ends[1], tf.maximum(tf.reduce_max(w, axes), 0.0)),
        )
    quantise = (
        tf.quantization.fake_quant_with_min_max_vars_per_channel
        if per_channel
        else tf.quantization.fake_quant_with_min_max_vars
    )
    w = quantise(w, *ends, narrow_range=True)
    h = tf.nn.relu(tf.nn.conv2d(x, w, [1, 1, 1, 1], "SAME"))
    ends = _range("act", -1.0, 1.2)
    if training:
        seen = tf.reduce_min(h), tf.reduce_max(h)
        ends = tuple(
            moving_averages.assign_moving_average(v, new, 0.9)
            for v, new in zip(ends, seen)
        )
    h = tf.quantization.fake_quant_with_min_max_vars(h, *ends)
    return tf.reduce_mean(h, [1, 2], name="out")


def _save(path: Path, per_channel: bool, resource: bool) -> np.ndarray:
    """A training graph's checkpoint, and what the evaluation graph makes of its values."""
    (tf.enable_resource_variables if resource else tf.disable_resource_variables)()
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(1)
        out = _network(per_channel, training=True)
        tf.train.AdamOptimizer().minimize(tf.reduce_mean(out))
        session.run(tf.global_variables_initializer())
        tf.train.Saver().save(session, str(path))
    with tf.Graph().as_default(), tf.Session() as session:
        out = _network(per_channel, training=False)
        tf.train.Saver().restore(session, str(path))
        return session.run(out, {"x:0": IMAGES})


@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.parametrize("resource", [False, True])
def test_the_stored_ranges_stand(
    tmp_path: Path, per_channel: bool, resource: bool
) -> None:
    expected = _save(tmp_path / "qat", per_channel, resource)
    model = load(str(tmp_path / "qat"))
    report = freeze_model(model, ["out"], tmp_path / "frozen.pb")
    assert [c.what for c in report.changes][:2] == [
        "quantises with its stored range conv/quant/min to conv/quant/max",
        "quantises with its stored range act/min to act/max",
    ]
    definition = tf.GraphDef()
    definition.ParseFromString((tmp_path / "frozen.pb").read_bytes())
    with tf.Graph().as_default(), tf.Session() as session:
        tf.import_graph_def(definition, name="")
        assert (session.run("out:0", {"x:0": IMAGES}) == expected).all()
    assert "range that it quantises with" in trains(model, ["out:0"])
    types = {layer.op for layer in analyse(model, outputs=["out"]).layers}
    assert "Conv2D" in types and not any(t.startswith("Assign") for t in types)


def test_a_graph_at_rest_is_left_as_it_is(tmp_path: Path) -> None:
    with tf.Graph().as_default() as graph:
        _network(False, training=False)
        (tmp_path / "rest.pb").write_bytes(graph.as_graph_def().SerializeToString())
    graph = load(str(tmp_path / "rest.pb")).graph
    assert read_stored_ranges(graph) == (graph, {})
