"""SavedModels of both kinds: functions inlined, captured variables resolved, the signature's names kept."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from graphscope.freeze import freeze_model
from graphscope.read import load
from graphscope.verify import compare
from graphscope.verify.differences import difference

v1 = tf.compat.v1
GIVEN = np.random.default_rng(0).normal(size=(3, 4)).astype("f")


class Module(tf.Module):
    def __init__(self):
        super().__init__()
        self.layers = [
            tf.Variable(np.random.default_rng(i).normal(size=(4, 4)).astype("f"))
            for i in range(3)
        ]
        keys = tf.constant([1, 2, 3], tf.int64)
        init = tf.lookup.KeyValueTensorInitializer(keys, keys * 10)
        self.table = tf.lookup.StaticHashTable(init, -1)

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, "features")])
    def __call__(self, x):
        for layer in self.layers:
            x = self.step(x, layer)
        index = self.table.lookup(tf.argmax(x, 1) % 2 + 1)
        return {"scores": x, "index": index}

    @tf.function
    def step(self, x, layer):
        if tf.reduce_sum(x) > 1e6:
            return x
        for _ in tf.range(2):
            x = tf.tanh(tf.matmul(x, layer))
        return x


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("v2")
    module = Module()
    tf.saved_model.save(module, str(folder))
    found = module(tf.constant(GIVEN))
    return folder, {name: value.numpy() for name, value in found.items()}


def run(path, fetches, feeds, setup=()):
    message = v1.GraphDef.FromString(path.read_bytes())
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(message, name="")
        with v1.Session(graph=graph) as session:
            for name in setup:
                session.run(name)
            return session.run(fetches, feeds)


def test_version_2_with_loops_branches_and_a_table(saved, tmp_path):
    folder, expected = saved
    report = freeze_model(load(str(folder)), ["index", "scores"], tmp_path / "f.pb")
    assert report.inputs == ("features:0",) and report.outputs == (
        "index:0",
        "scores:0",
    )
    index, scores = run(
        tmp_path / "f.pb", report.outputs, {"features:0": GIVEN}, report.initialisers
    )
    assert difference(expected["scores"], scores)[1] < 1e-5
    np.testing.assert_array_equal(index, expected["index"])


def test_the_node_names_on_request(saved, tmp_path):
    model = load(str(saved[0]))
    signature = model.signatures["serving_default"]
    outputs = [signature.outputs["scores"]]
    report = freeze_model(model, outputs, tmp_path / "f.pb", signature_names=False)
    assert report.outputs == (str(outputs[0]),)


def test_version_2_is_verified_by_its_signature(saved, tmp_path):
    freeze_model(load(str(saved[0])), ["scores"], tmp_path / "f.pb")
    found = compare(saved[0], tmp_path / "f.pb")
    assert found.passed and found.max_rel < 1e-6 and len(found.outputs) == 1


def test_version_1_with_a_signature(tmp_path):
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [None, 4], name="Placeholder")
        w = v1.get_variable("w", [4, 2], use_resource=False)
        y = tf.nn.softmax(tf.matmul(x, w), name="Softmax_3")
        session.run(v1.global_variables_initializer())
        v1.saved_model.simple_save(
            session, str(tmp_path / "m"), {"images": x}, {"scores": y}
        )
        expected = session.run(y, {x: GIVEN})
    report = freeze_model(load(str(tmp_path / "m")), ["scores"], tmp_path / "f.pb")
    assert report.inputs == ("images:0",) and report.outputs == ("scores:0",)
    found = run(tmp_path / "f.pb", "scores:0", {"images:0": GIVEN})
    assert difference(expected, found)[1] < 1e-6
    assert compare(tmp_path / "m", tmp_path / "f.pb").passed
