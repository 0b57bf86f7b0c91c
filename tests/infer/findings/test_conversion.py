"""Conversions that went wrong, as people make them with TensorFlow, each with a near miss."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from click.testing import CliRunner

from graphscope import load
from graphscope.cli import cli
from graphscope.infer.finding import Finding
from graphscope.infer.findings import diagnose

v1 = tf.compat.v1
ERRORS = ("weights-captured", "only-inputs", "only-weights", "values-elsewhere")


class Head(tf.Module):
    """One dense layer, whose function captures its two variables."""

    def __init__(self) -> None:
        self.kernel = tf.Variable(tf.ones([4, 3]), name="kernel")
        self.bias = tf.Variable(tf.zeros([3]), name="bias")

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, "images")])
    def __call__(self, images):
        return tf.nn.softmax(images @ self.kernel + self.bias)


def frozen(
    place: Path, *outputs: str, init=v1.glorot_uniform_initializer, steps: int = 0
) -> Path:
    """A small classifier, frozen at these outputs after so many steps of training."""
    with tf.Graph().as_default() as graph, v1.Session() as session:
        x = v1.placeholder(tf.float32, [None, 16], "x")
        labels = v1.placeholder(tf.float32, [None, 3], "labels")
        v1.disable_resource_variables()
        hidden = tf.nn.relu(
            tf.matmul(x, v1.get_variable("w1", [16, 8], initializer=init()))
            + v1.get_variable("b1", [8], initializer=v1.zeros_initializer())
        )
        logits = tf.add(
            tf.matmul(hidden, v1.get_variable("w2", [8, 3], initializer=init())),
            v1.get_variable("b2", [3], initializer=v1.zeros_initializer()),
            name="logits",
        )
        loss = tf.nn.softmax_cross_entropy_with_logits(labels, logits)
        train = v1.train.AdamOptimizer(0.1).minimize(loss)
        session.run(v1.global_variables_initializer())
        random = np.random.default_rng(0)
        for _ in range(steps):
            feeds = {
                x: random.normal(size=[8, 16]),
                labels: np.eye(3)[[0, 1, 2, 1] * 2],
            }
            session.run(train, feeds)
        message = v1.graph_util.convert_variables_to_constants(
            session, graph.as_graph_def(), list(outputs)
        )
    place.write_bytes(message.SerializeToString())
    return place


def found(path: Path) -> dict[str, Finding]:
    return {finding.id: finding for finding in diagnose(load(str(path)))}


def freeze(path: Path) -> tuple[int, str]:
    place = path.with_name("again.pb")
    result = CliRunner().invoke(cli, ["freeze", str(path), "-o", str(place)])
    assert not place.exists() or result.exit_code == 0
    return result.exit_code, f"{result.output}{result.exception}"


def test_a_frozen_model_is_none_of_them(tmp_path: Path) -> None:
    path = frozen(tmp_path / "model.pb", "logits", steps=9)
    assert not found(path)
    assert freeze(path)[0] == 0


def test_a_file_that_holds_only_the_label(tmp_path: Path) -> None:
    path = frozen(tmp_path / "model.pb", "labels")
    (finding,) = found(path).values()
    assert (finding.id, finding.severity) == ("only-inputs", "error")
    assert "'labels'" in finding.message and "named a label" in finding.message
    status, said = freeze(path)
    assert status == 1 and "named a label" in said


@pytest.mark.parametrize("output", ["w1", "w1/read"])
def test_a_file_that_ends_in_a_weight(tmp_path: Path, output: str) -> None:
    path = frozen(tmp_path / "model.pb", output)
    finding = found(path)["only-weights"]
    assert finding.severity == "error" and output in finding.nodes
    status, said = freeze(path)
    assert status == 1 and "named a weight" in said


def test_a_concrete_function_without_its_variables(tmp_path: Path) -> None:
    """The right call is printed, and makes of the function a file that computes the same."""
    head = Head()
    function = head.__call__.get_concrete_function()
    tf.io.write_graph(function.graph, str(tmp_path), "model.pb", as_text=False)
    finding = found(tmp_path / "model.pb")["weights-captured"]
    assert len(finding.nodes) == 2 and all(n in finding.message for n in finding.nodes)
    for command in ("freeze", "keras"):
        words = [command, str(tmp_path / "model.pb"), "-o", str(tmp_path / "out")]
        result = CliRunner().invoke(cli, words)
        assert result.exit_code == 1
        assert finding.nodes[0] in str(result.exception)
        assert not (tmp_path / "out").exists()
    code = finding.remedy.replace('"."', repr(str(tmp_path)))
    exec(code, {"tf": tf, "function": function})
    assert not set(ERRORS) & found(tmp_path / "frozen.pb").keys()
    x = np.random.default_rng(0).normal(size=[2, 4]).astype(np.float32)
    with tf.Graph().as_default(), v1.Session() as session:
        message = v1.GraphDef.FromString((tmp_path / "frozen.pb").read_bytes())
        (y,) = tf.import_graph_def(message, return_elements=["Identity:0"])
        got = session.run(y, {"import/images:0": x})
    np.testing.assert_allclose(got, head(x).numpy(), 1e-6)


def hollow(path: Path) -> Path:
    """The file with every constant's value dropped, as TensorFlow.js's first converter writes it."""
    message = v1.GraphDef.FromString(path.read_bytes())
    for node in message.node:
        if node.op == "Const":
            node.attr["value"].tensor.ClearField("tensor_content")
            node.attr["value"].tensor.ClearField("float_val")
    path.write_bytes(message.SerializeToString())
    return path


def test_constants_whose_values_were_written_apart(tmp_path: Path) -> None:
    path = hollow(frozen(tmp_path / "model.pb", "logits", steps=9))
    finding = found(path)["values-elsewhere"]
    assert "weights-all-zero" not in found(path)
    assert {"w1", "w2"} <= set(finding.nodes)
    assert freeze(path)[0] == 1


def test_the_first_graph_model_of_tensorflow_js(corpus: Path) -> None:
    path = "tensorflow+tfjs-converter/_history/44c974637e/demo/model/optimized_model.pb"
    assert "values-elsewhere" in found(corpus / path)


INITIALISERS: dict[str, Callable] = {
    "glorot": v1.glorot_uniform_initializer,
    "he": v1.keras.initializers.he_uniform,
    "lecun": v1.keras.initializers.lecun_uniform,
    "zeros": v1.zeros_initializer,
    "normal": v1.random_normal_initializer,
}


@pytest.mark.parametrize("name", INITIALISERS)
def test_a_graph_frozen_before_it_was_trained(tmp_path: Path, name: str) -> None:
    init = INITIALISERS[name]
    before = found(frozen(tmp_path / "model.pb", "logits", init=init))
    assert "before the first step" in before["weights-untrained"].message
    assert ("range" in before["weights-untrained"].message) is (
        name in ("glorot", "he", "lecun")
    )
    assert ("weights-all-zero" in before) is (name == "zeros")
    if name != "zeros":
        after = found(frozen(tmp_path / "model.pb", "logits", init=init, steps=9))
        assert not after
