"""Two models run and compared: equal ones, different ones, unsafe ones, and what cannot be run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from graphscope.errors import GraphscopeError, UnsafeModel
from graphscope.freeze import freeze_model
from graphscope.read import load
from graphscope.verify import compare

v1 = tf.compat.v1


def write(path: Path, build) -> Path:
    with tf.Graph().as_default() as graph:
        build()
    path.write_bytes(graph.as_graph_def().SerializeToString())
    return path


def network(scale: float = 1.0, noise: bool = False, names=("x", "y")):
    def build():
        x = v1.placeholder(tf.float32, [None, 4], name=names[0])
        w = np.arange(12, dtype="f").reshape(4, 3)
        h = tf.nn.relu(tf.matmul(x, w, name="first"), name="hidden")
        h = tf.multiply(h, scale, name="second")
        h = h + tf.random.normal(tf.shape(h)) if noise else h
        tf.nn.tanh(h * 1e-2, name=names[1])

    return build


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    v1.disable_control_flow_v2()
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [None, 4], name="x")
        keep = v1.placeholder(tf.float32, [], name="keep_prob")
        mode = v1.placeholder(tf.bool, [], name="is_training")
        labels = v1.placeholder(tf.int64, [None], name="labels")
        w = v1.get_variable("w", [4, 3], use_resource=False)
        mean = v1.get_variable("mean", [3], use_resource=False, trainable=False)
        h = tf.matmul(x, w)

        def batch():
            with tf.control_dependencies([v1.assign(mean, tf.reduce_mean(h, 0))]):
                return tf.reduce_mean(h, 0)

        h = h - v1.cond(mode, batch, lambda: tf.identity(mean))
        h = tf.identity(v1.nn.dropout(h, rate=1 - keep), name="logits")
        tf.nn.softmax(h, name="y")
        loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=h)
        v1.train.AdamOptimizer().minimize(tf.reduce_mean(loss))
        session.run(v1.global_variables_initializer())
        return v1.train.Saver().save(session, str(folder / "m.ckpt"))


def test_a_checkpoint_and_its_frozen_graph_in_evaluation_mode(checkpoint, tmp_path):
    freeze_model(load(checkpoint), ["y"], tmp_path / "f.pb")
    found = compare(checkpoint, tmp_path / "f.pb")
    assert found.passed and found.max_rel < 1e-5 and not found.remarks
    row = found.outputs[0]
    assert row["a"] == row["b"] == "y:0" and row["passed"]
    assert found.to_json()["passed"] is True


def test_equal_graphs_with_other_names_are_paired_by_order(tmp_path):
    a = write(tmp_path / "a.pb", network())
    b = write(tmp_path / "b.pb", network(names=("images", "scores")))
    found = compare(a, b)
    assert found.passed and found.outputs[0]["b"] == "scores:0"


def test_graphs_that_differ_say_where_they_part(tmp_path):
    a, b = write(tmp_path / "a.pb", network()), write(tmp_path / "b.pb", network(1.01))
    found = compare(a, b)
    assert not found.passed and found.max_rel > 1e-4
    assert found.parts_at == "second" and "second" in found.remarks[-1]


def test_outputs_asked_for_by_name(tmp_path):
    a, b = write(tmp_path / "a.pb", network()), write(tmp_path / "b.pb", network(1.01))
    assert compare(a, b, outputs=["hidden"]).passed


def test_what_is_drawn_at_random_is_the_same_in_both(tmp_path):
    path = write(tmp_path / "a.pb", network(noise=True))
    other = write(tmp_path / "b.pb", network(1.01, noise=True))
    found = compare(path, path)
    assert found.passed and "the same in both" in found.remarks[0]
    assert not compare(path, other).passed


def test_what_is_drawn_where_nothing_can_be_fed_is_not_compared(tmp_path):
    def build():
        x = v1.placeholder(tf.float32, [None, 4], name="x")
        drawn = tf.function(lambda: tf.random.normal([4]))()
        tf.add(x, drawn, name="y")

    path = write(tmp_path / "a.pb", build)
    found = compare(path, path)
    assert not found.passed and "drawn at random" in found.remarks[0]
    assert found.outputs[0]["random"]


def test_the_same_seed_gives_the_same_numbers(tmp_path):
    a, b = write(tmp_path / "a.pb", network()), write(tmp_path / "b.pb", network(1.01))
    assert compare(a, b, seed=3).max_abs == compare(a, b, seed=3).max_abs
    assert compare(a, b, seed=3).max_abs != compare(a, b, seed=4).max_abs


def test_a_keras_model_against_its_frozen_graph(tmp_path):
    import keras

    inputs = keras.Input((4,), name="x")
    hidden = keras.layers.Dense(3, "relu", name="hidden")(inputs)
    model = keras.Model(inputs, keras.layers.Dropout(0.5)(hidden))
    model.save(tmp_path / "m.keras")
    kernel, bias = (weight.numpy() for weight in model.weights)

    def build():
        x = v1.placeholder(tf.float32, [None, 4], name="x")
        tf.nn.relu(tf.matmul(x, kernel) + bias, name="y")

    frozen = write(tmp_path / "f.pb", build)
    assert compare(frozen, model).passed
    assert compare(tmp_path / "m.keras", frozen).passed


def test_a_model_that_writes_files_is_not_run_unasked(tmp_path):
    target = tmp_path / "written"

    def build():
        x = v1.placeholder(tf.float32, [None], name="x")
        with tf.control_dependencies([tf.io.write_file(str(target), "pwned")]):
            tf.identity(x, name="y")

    path = write(tmp_path / "a.pb", build)
    with pytest.raises(UnsafeModel, match="WriteFile.*--trust"):
        compare(path, path)
    assert not target.exists()
    assert compare(path, path, trust=True).passed and target.exists()


def test_a_saver_that_does_more_than_restore_is_not_run_unasked(checkpoint, tmp_path):
    import shutil

    for path in Path(checkpoint).parent.glob("m.ckpt*"):
        shutil.copy(path, tmp_path / path.name)
    meta = v1.MetaGraphDef.FromString((tmp_path / "m.ckpt.meta").read_bytes())
    for name, value in (("evil/name", str(tmp_path / "pwned")), ("evil/text", "x")):
        node = meta.graph_def.node.add(name=name, op="Const")
        node.attr["dtype"].type = 7
        node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(value))
    meta.graph_def.node.add(
        name="evil", op="WriteFile", input=["evil/name", "evil/text"]
    )
    restore = next(
        n for n in meta.graph_def.node if n.name == meta.saver_def.restore_op_name
    )
    restore.input.append("^evil")
    (tmp_path / "m.ckpt.meta").write_bytes(meta.SerializeToString())
    freeze_model(load(checkpoint), ["y"], tmp_path / "f.pb")
    with pytest.raises(UnsafeModel, match="WriteFile"):
        compare(tmp_path / "m.ckpt", tmp_path / "f.pb")
    assert not (tmp_path / "pwned").exists()


def test_where_tensorflow_cannot_load_the_original_it_says_what_was_run(
    checkpoint, tmp_path
):
    """A .meta without a saver: its graph is run with the variables as graphscope reads them."""
    import shutil

    for path in Path(checkpoint).parent.glob("m.ckpt*"):
        shutil.copy(path, tmp_path / path.name)
    meta = v1.MetaGraphDef.FromString((tmp_path / "m.ckpt.meta").read_bytes())
    meta.ClearField("saver_def")
    (tmp_path / "m.ckpt.meta").write_bytes(meta.SerializeToString())
    freeze_model(load(tmp_path / "m.ckpt"), ["y"], tmp_path / "f.pb")
    found = compare(tmp_path / "m.ckpt", tmp_path / "f.pb", outputs=["y"])
    assert found.passed
    assert not found.remarks or "as graphscope reads them" in found.remarks[0]


def test_a_graph_of_custom_ops_is_one_clear_error(tmp_path):
    message = v1.GraphDef()
    message.node.add(name="y", op="NobodyKnowsThis")
    (tmp_path / "a.pb").write_bytes(message.SerializeToString())
    with pytest.raises(GraphscopeError, match="NobodyKnowsThis"):
        compare(tmp_path / "a.pb", tmp_path / "a.pb")


def test_inputs_of_unknown_sizes_are_tried_until_one_fits(tmp_path):
    def build():
        x = v1.placeholder(tf.float32, [None, None], name="x")
        tf.matmul(x, np.ones((224, 2), "f"), name="y")

    path = write(tmp_path / "a.pb", build)
    assert compare(path, path).passed
    assert compare(path, path, shapes={"x": (5, 224)}).outputs[0]["shape"] == [5, 2]
    with pytest.raises(GraphscopeError, match="cannot be run"):
        compare(path, path, shapes={"x": (5, 223)})


def test_every_run_has_other_shapes_where_the_graph_takes_them(tmp_path):
    def build():
        x = v1.placeholder(tf.float32, [None, None, None, 3], name="x")
        tf.reduce_mean(x, 3, name="y")

    path = write(tmp_path / "a.pb", build)
    drawn = [run["x:0"] for run in compare(path, path).drawn]
    assert len({shape[0] for shape in drawn}) == 3
    assert len({shape[1] for shape in drawn}) == 3
    assert any(shape[1] != shape[2] for shape in drawn)


def test_a_batch_that_the_graph_insists_on_is_kept(tmp_path):
    def build():
        x = v1.placeholder(tf.float32, [None, 4], name="x")
        tf.multiply(tf.reshape(x, [2, 2, 2]), 2.0, name="y")

    path = write(tmp_path / "a.pb", build)
    found = compare(path, path)
    assert found.passed and all(run["x:0"] == [2, 4] for run in found.drawn)


def test_a_size_that_must_be_positive_is(tmp_path):
    def build():
        x = v1.placeholder(tf.float32, [None, 8, 8, 3], name="x")
        ratio = v1.placeholder(tf.float32, [], name="ratio")
        side = tf.cast(8.0 * ratio, tf.int32)
        tf.image.resize(x, tf.stack([side, side]), name="y")

    path = write(tmp_path / "a.pb", build)
    assert compare(path, path, outputs=["y/ResizeBilinear"]).passed


def test_a_difference_that_the_graph_makes_itself_is_rounding(tmp_path):
    """A sum that nearly cancels: its digits are those of rounding."""

    def build(order):
        def inner():
            x = v1.placeholder(tf.float32, [None, 64], name="x")
            big = tf.reduce_sum(tf.gather(x, order, axis=1) * 1e3 + 777.0, 1)
            tf.subtract(big, tf.reduce_sum(x * 1e3, 1) + 64 * 777.0 - 3.0, name="y")

        return inner

    a = write(tmp_path / "a.pb", build(np.arange(64)))
    b = write(tmp_path / "b.pb", build(np.random.default_rng(0).permutation(64)))
    found = compare(a, b)
    assert found.max_rel > 1e-4 and found.passed
    assert "is rounding" in found.remarks[-1] and found.outputs[0]["rounding"] > 0


def test_a_run_that_does_not_end_is_given_up(tmp_path, monkeypatch):
    def build():
        x = v1.placeholder(tf.float32, [None], name="x")
        tf.while_loop(
            lambda i: tf.reduce_sum(i * 0.0) < 1.0, lambda i: [i + 1.0], [x], name="y"
        )

    monkeypatch.setattr("graphscope.verify.run.runner.LONGEST", 1)
    v1.disable_control_flow_v2()
    path = write(tmp_path / "a.pb", build)
    with pytest.raises(GraphscopeError, match="no answer within 1 s"):
        compare(path, path, outputs=["y/Exit"])


def test_what_one_takes_and_the_other_refuses_is_a_difference(tmp_path):
    def build(size):
        def inner():
            x = v1.placeholder(tf.float32, [None, None], name="x")
            x = tf.reshape(x, [-1, size]) if size else x
            tf.reduce_mean(x, name="y")

        return inner

    a, b = write(tmp_path / "a.pb", build(0)), write(tmp_path / "b.pb", build(9))
    assert compare(a, b, shapes={"x": (None, 9)}).passed
    found = compare(a, b, shapes={"x": (9, None)})
    assert found.passed
    with pytest.raises(GraphscopeError, match="cannot be run"):
        compare(a, b)


def test_numbers_that_are_nowhere_finite_prove_nothing(tmp_path):
    def build(value):
        def inner():
            x = v1.placeholder(tf.float32, [None, 4], name="x")
            tf.math.log(-tf.abs(x) - value, name="y")

        return inner

    a, b = write(tmp_path / "a.pb", build(1.0)), write(tmp_path / "b.pb", build(2.0))
    found = compare(a, b)
    assert not found.passed and "prove nothing" in found.remarks[-1]


def test_numbers_that_are_finite_for_other_inputs_are_compared_there(tmp_path):
    def build(value):
        def inner():
            x = v1.placeholder(tf.float32, [None, 4], name="x")
            tf.math.log(0.05 - tf.abs(x) * value, name="y")

        return inner

    a, b = write(tmp_path / "a.pb", build(1.0)), write(tmp_path / "b.pb", build(1.1))
    assert compare(a, a).passed and not compare(a, b).passed


def test_a_softmax_that_saturates_gets_smaller_inputs(tmp_path):
    def build(bias):
        def inner():
            x = v1.placeholder(tf.float32, [None, 4], name="x")
            w = 3e2 * np.random.default_rng(0).normal(size=(4, 3))
            tf.nn.softmax(tf.matmul(x, w.astype("f")) + bias, name="y")

        return inner

    a = write(tmp_path / "a.pb", build(np.float32([0, 0, 0])))
    b = write(tmp_path / "b.pb", build(np.float32([0, 0, 0.01])))
    assert compare(a, a).passed and not compare(a, a).remarks
    assert not compare(a, b).passed


def test_outputs_that_are_zero_or_one_throughout_prove_little(tmp_path):
    def build():
        x = v1.placeholder(tf.float32, [None, 4], name="x")
        tf.sign(tf.abs(x), name="y")

    path = write(tmp_path / "a.pb", build)
    assert "prove little" in compare(path, path).remarks[0]


def test_the_graph_is_run_as_it_stands(tmp_path):
    """No op is fused: Grappler's hard swish, say, takes any constant near 1/6 for 1/6."""
    from graphscope.verify.run.opening import open_runner

    def build():
        x = v1.placeholder(tf.float32, [1, 8, 8, 3], name="x")
        h = tf.nn.conv2d(x, np.ones((3, 3, 3, 4), "f"), 1, "SAME")
        tf.nn.relu(tf.nn.bias_add(h, np.ones(4, "f")), name="y")

    session = open_runner(write(tmp_path / "g.pb", build)).session
    told, options = v1.RunMetadata(), v1.RunOptions(output_partition_graphs=True)
    feeds = {"x:0": np.ones((1, 8, 8, 3), "f")}
    session.run("y:0", feeds, options=options, run_metadata=told)
    ran = {node.op for graph in told.partition_graphs for node in graph.node}
    assert "Relu" in ran and not any("Fused" in op for op in ran)


def test_an_output_that_is_the_same_for_every_input_proves_nothing(tmp_path):
    def build():
        x = v1.placeholder(tf.float32, [None, 4], name="x")
        tf.nn.relu(-tf.abs(x) - 1.0, name="y")

    path = write(tmp_path / "a.pb", build)
    found = compare(path, path)
    assert found.verdict == "not proven" and not found.passed
    assert found.outputs[0]["constant"] and "every input" in found.account()


def test_a_model_without_inputs_is_compared_all_the_same(tmp_path):
    path = write(tmp_path / "a.pb", lambda: tf.add(tf.range(3), 1, name="y"))
    assert compare(path, path).verdict == "equal"


def test_the_class_behind_dropout_that_is_fed_as_1_is_compared(tmp_path):
    def build():
        x = v1.placeholder(tf.float32, [None, 4], name="x")
        keep = v1.placeholder(tf.float32, [], name="keep_prob")
        kernel = np.random.default_rng(0).normal(size=(4, 5)).astype("f")
        h = tf.matmul(v1.nn.dropout(x, keep_prob=keep), kernel)
        tf.argmax(h, 1, name="y")

    path = write(tmp_path / "a.pb", build)
    found = compare(path, path)
    assert found.verdict == "equal" and not found.outputs[0].get("random")
    assert "keep_prob:0 = 1.0" in found.account()


def test_the_account_says_what_was_compared_on_what(tmp_path):
    a, b = write(tmp_path / "a.pb", network()), write(tmp_path / "b.pb", network(1.01))
    assert "compared: y:0" in compare(a, a).account()
    assert compare(a, b).verdict == "different"
    assert compare(a, b).to_json()["verdict"] == "different"
