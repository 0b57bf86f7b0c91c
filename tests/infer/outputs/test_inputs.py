"""Inputs: data, labels, switches with the value that inference needs, file names, pipelines and where to cut them."""

from __future__ import annotations

import pytest
import tensorflow.compat.v1 as tf

from graphscope.infer.outputs.answer import INPUT_KINDS, Candidate
from graphscope.infer.outputs.find import find_outputs
from tests.infer.training.training_graphs import data, dense, finish, known, train
from tests.infer.training.training_zoo import BUILDERS, build_model, model_of


def inputs_of(build) -> dict[str, Candidate]:
    model, _ = build_model(build)
    return {str(c.tensor): c for c in find_outputs(model).inputs}


@pytest.mark.parametrize("name", BUILDERS)
def test_labels_and_switches(name: str) -> None:
    model, known_ = model_of(BUILDERS[name])
    found = find_outputs(model).inputs
    labels = {str(c.tensor) for c in found if c.kind == "label"}
    assert labels == {n if ":" in n else n + ":0" for n in known_.labels}
    switches = {c.tensor.node: c.value for c in found if c.kind == "mode switch"}
    assert switches == known_.switches
    assert all(c.kind in INPUT_KINDS and c.evidence for c in found)


def test_data_comes_first() -> None:
    model, _ = model_of(BUILDERS["classifier"])
    found = find_outputs(model).inputs
    assert found[0].kind == "data" and found[0].spec.shape == (None, 20)
    assert found[0].spec.dtype == "float32"


def test_file_names_of_the_saver() -> None:
    found = inputs_of(BUILDERS["classifier"])
    assert found["save/filename:0"].kind == "file name"
    assert found["save/Const:0"].kind == "file name"


def test_a_placeholder_that_nothing_reads() -> None:
    def build():
        data(None, name="left_over")
        return known([dense(data(None, 3, name="x"), 2).op.name])

    found = inputs_of(build)
    assert found["left_over:0"].kind == "not needed"
    assert found["x:0"].kind == "data"


def test_a_fed_learning_rate_is_a_setting() -> None:
    def build():
        x, y = data(None, 3, name="x"), data(None, 1, name="y")
        rate = tf.placeholder(tf.float32, [], name="rate")
        out = dense(x, 1)
        train(tf.losses.mean_squared_error(y, out), tf.train.AdamOptimizer(rate))
        finish()
        return known([out.op.name])

    assert inputs_of(build)["rate:0"].kind == "setting"


def test_where_to_cut_a_pipeline() -> None:
    found = inputs_of(BUILDERS["queue_fed"])
    image, label = found["shuffle_batch:0"], found["shuffle_batch:1"]
    assert image.kind == "data" and label.kind == "label"
    assert "feed a placeholder of float32" in " ".join(map(str, image.evidence))


def test_where_to_cut_an_iterator() -> None:
    found = inputs_of(BUILDERS["iterator_fed_with_moving_averages"])
    assert found["IteratorGetNext:0"].kind == "data"
    assert found["IteratorGetNext:1"].kind == "label"
    assert found["IteratorGetNext:0"].spec.dtype == "float32"


@pytest.mark.parametrize(
    "name, value", [("is_training", False), ("inference", True), ("flag", None)]
)
def test_a_switch_between_look_alikes_goes_by_its_name(name: str, value: bool) -> None:
    def build(rate: float = 0.1):
        flag = tf.placeholder(tf.bool, [], name=name)
        x = data(None, 3, name="x")
        x = tf.nn.dropout(x, rate=rate) if rate else x
        return known([tf.cond(flag, lambda: dense(x, 2), lambda: dense(x, 2)).op.name])

    found = inputs_of(build)[f"{name}:0"]
    assert found.kind == ("data" if value is None else "mode switch")
    assert found.value is value
    at_rest = inputs_of(lambda: build(rate=0.0))[f"{name}:0"]
    assert at_rest.kind == "data"  # nothing of training near it: its name alone is none


@pytest.mark.parametrize("name", ["phase", "flag"])
def test_a_switch_of_an_if_is_told_by_its_branches(name: str) -> None:
    def build():
        flag = tf.placeholder_with_default(False, [], name=name)
        x = data(None, 3, name="x")
        tf.enable_control_flow_v2()
        try:
            h = tf.cond(flag, lambda: tf.nn.dropout(x, rate=0.5), lambda: x + 0.0)
        finally:
            tf.disable_control_flow_v2()
        return known([dense(h, 2).op.name])

    found = inputs_of(build)[f"{name}:0"]
    assert found.kind == "mode switch" and found.value is False


def test_the_only_input_is_no_switch_though_it_is_a_boolean() -> None:
    def build():
        flag = tf.placeholder(tf.bool, [], name="is_training")
        return known([tf.where(flag, 1.0, 2.0).op.name])

    found = inputs_of(build)["is_training:0"]
    assert found.kind == "data" and found.value is None


@pytest.mark.parametrize("inverted", [False, True])
def test_a_switch_is_set_by_what_it_switches(inverted: bool) -> None:
    """The branch with dropout is the one that trains, whatever the placeholder is called."""

    def build():
        flag = tf.placeholder(tf.bool, [], name="flag")
        x = data(None, 3, name="x")
        trains = tf.logical_not(flag) if inverted else flag
        h = tf.cond(trains, lambda: tf.nn.dropout(x, rate=0.5), lambda: x)
        return known([dense(tf.reshape(h, [-1, 3]), 2).op.name])

    tf.disable_control_flow_v2()
    try:
        found = inputs_of(build)["flag:0"]
    finally:
        tf.enable_control_flow_v2()
    assert found.kind == "mode switch" and found.value is inverted


def test_a_mask_that_is_fed_is_data() -> None:
    def build():
        x, mask = data(None, 3, name="x"), data(None, 3, name="m", dtype=tf.bool)
        return known([tf.where(mask, dense(x, 3), tf.zeros_like(x)).op.name])

    assert inputs_of(build)["m:0"].kind in ("data", "not needed")


def test_signatures_name_the_inputs(corpus) -> None:
    from graphscope.read import load

    path = "onnx+tensorflow-onnx/tests/models/regression/saved_model"
    first = find_outputs(load(str(corpus / path))).inputs[0]
    assert first.tensor.node == "X" and first.score == 1
    assert "signature" in str(first.evidence[0])
