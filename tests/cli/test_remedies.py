"""Every remedy that is printed, run on the case that shows its finding: through the command line, then in TensorFlow."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from click.testing import CliRunner

from graphscope import load
from graphscope.cli import cli
from graphscope.infer.findings import diagnose

v1 = tf.compat.v1
RANDOM = np.random.default_rng(7)
X = RANDOM.normal(size=[5, 4]).astype(np.float32)
Feeds = Mapping[str, Any]
Arrays = list[np.ndarray]


def invoked(*words: str) -> str:
    result = CliRunner().invoke(cli, list(words))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def finding(id: str, path: str, *words: str) -> dict[str, Any]:
    """What doctor says of that id, with its remedy."""
    listed = json.loads(invoked("doctor", path, "--json", *words))["findings"]
    (one,) = [each for each in listed if each["id"] == id]
    return one


def run_remedy(remedy: str) -> None:
    for line in remedy.splitlines():
        program, *words = shlex.split(line, comments=True)
        assert program == "graphscope"
        invoked(*words)


def computed(path: str, feeds: Feeds, *outputs: str) -> Arrays:
    """What a frozen graph computes."""
    with tf.Graph().as_default() as graph, v1.Session(graph=graph) as session:
        message = v1.GraphDef.FromString(Path(path).read_bytes())
        tf.import_graph_def(message, name="")
        for node in message.node:
            if node.op == "LookupTableImportV2":
                session.run(node.name)
        fed = {graph.get_tensor_by_name(f"{n}:0"): v for n, v in feeds.items()}
        return [np.asarray(session.run(f"{name}:0", fed)) for name in outputs]


def kernel(rows: int = 4, columns: int = 3, name: str = "w") -> tf.Tensor:
    init = tf.constant_initializer(RANDOM.normal(size=[rows, columns]))
    return v1.get_variable(name, [rows, columns], initializer=init, use_resource=False)


def inputs(*shape: int | None) -> tf.Tensor:
    return v1.placeholder(tf.float32, shape or [None, 4], name="x")


def saved(build: Callable[[], Feeds], fetch: str = "y", steps: str = "") -> Arrays:
    """Build, train by ``steps``, save as model.ckpt; what ``fetch`` is."""
    with tf.Graph().as_default(), v1.Session() as session:
        feeds = {f"{name}:0": value for name, value in build().items()}
        for start in v1.global_variables():
            session.run(start.initializer)
        session.run(v1.tables_initializer())
        for _ in range(3 if steps else 0):
            session.run(steps, feeds)
        if v1.global_variables():
            v1.train.Saver().save(session, "model.ckpt")
        message = v1.get_default_graph().as_graph_def()
        Path("graph.pb").write_bytes(message.SerializeToString())
        return [session.run(f"{fetch}:0", feeds)] if fetch else []


@pytest.fixture(autouse=True)
def _there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


# what the frozen graph that a remedy makes must compute, fed ``feeds``, is what the graph as it was built did


def fused(training: bool, mean_value: float = 1.0) -> Feeds:
    random = np.random.default_rng(3)
    x = v1.placeholder(tf.float32, [None, 2, 2, 4], name="x")
    gamma, beta = (
        v1.get_variable(name, initializer=random.normal(size=4).astype(np.float32))
        for name in ("gamma", "beta")
    )
    mean, variance = (
        v1.get_variable(name, [4], initializer=init, trainable=False)
        for name, init in (
            ("moving_mean", v1.constant_initializer(mean_value)),
            ("moving_variance", v1.ones_initializer()),
        )
    )
    if not training:
        y, *_ = v1.nn.fused_batch_norm(
            x, gamma, beta, mean, variance, is_training=False
        )
    else:
        y, m, v = v1.nn.fused_batch_norm(x, gamma, beta, is_training=True)
        for each, new in ((mean, m), (variance, v)):
            moved = each.assign_sub((each - new) * 0.01)
            v1.add_to_collection(v1.GraphKeys.UPDATE_OPS, moved)
    tf.identity(y, name="y")
    return {"x": random.normal(size=[3, 2, 2, 4]).astype(np.float32)}


def mode_fed() -> Feeds:
    x, training = inputs(), v1.placeholder(tf.bool, [], name="training")
    kept = v1.cond(training, lambda: tf.nn.dropout(x, rate=0.5), lambda: tf.identity(x))
    tf.matmul(kept, kernel(), name="y")
    return {"x": X, "training": False}


def dropout_fed() -> Feeds:
    keep = v1.placeholder(tf.float32, [], name="keep")
    tf.matmul(tf.nn.dropout(inputs(), rate=1 - keep), kernel(), name="y")
    return {"x": X, "keep": 1.0}


def on_device() -> Feeds:
    with tf.device("/device:GPU:0"):
        tf.matmul(inputs(), kernel(), name="y")
    return {"x": X}


def by_reference() -> Feeds:
    flag, x = v1.placeholder_with_default(True, [], name="flag"), inputs()
    no, yes = tf.raw_ops.RefSwitch(data=kernel()._ref(), pred=flag)
    merged, _ = tf.raw_ops.Merge(inputs=[tf.identity(no), tf.identity(yes)])
    tf.matmul(x, merged, name="y")
    return {"x": X}


SAME: dict[str, Callable[[], Feeds]] = {
    "mode-fed": mode_fed,
    "dropout-fed": dropout_fed,
    "reference-control-flow": by_reference,
}


@pytest.mark.parametrize("id", SAME)
def test_a_frozen_graph_computes_the_same(id: str) -> None:
    (expected,) = saved(SAME[id])
    run_remedy(finding(id, "model.ckpt", "--output", "y")["remedy"])
    (got,) = computed("frozen.pb", {"x": X}, "y")
    np.testing.assert_allclose(got, expected, 1e-5)


def test_a_device_is_left_out() -> None:
    with v1.Graph().as_default():
        on_device()
        Path("graph.pb").write_bytes(
            v1.get_default_graph().as_graph_def().SerializeToString()
        )
        with v1.Session(config=v1.ConfigProto(allow_soft_placement=True)) as session:
            session.run(v1.global_variables_initializer())
            v1.train.Saver().save(session, "model.ckpt")
            expected = session.run("y:0", {"x:0": X})
    run_remedy(finding("device-placement", "model.ckpt")["remedy"])
    np.testing.assert_allclose(computed("frozen.pb", {"x": X}, "y")[0], expected, 1e-5)


def test_batch_normalization_gets_the_moving_statistics() -> None:
    feeds: dict[str, Any] = {}
    saved(lambda: feeds.update(fused(True)) or feeds)
    run_remedy(finding("batch-norm-in-training-mode", "model.ckpt")["remedy"])
    with tf.Graph().as_default(), v1.Session() as session:
        fused(False)
        v1.train.Saver().restore(session, "model.ckpt")
        expected = session.run("y:0", {"x:0": feeds["x"]})
    np.testing.assert_allclose(computed("frozen.pb", feeds, "y")[0], expected, 1e-4)


def test_dropout_that_is_always_on_is_removed() -> None:
    def build() -> Feeds:
        tf.matmul(tf.nn.dropout(inputs(), rate=0.5), kernel(), name="y")
        return {"x": X}

    saved(build)
    run_remedy(finding("dropout-active", "model.ckpt")["remedy"])
    with tf.Graph().as_default(), v1.Session() as session:
        w = kernel()
        v1.train.Saver([w]).restore(session, "model.ckpt")
        expected = X @ session.run(w)
    np.testing.assert_allclose(computed("frozen.pb", {"x": X}, "y")[0], expected, 1e-5)


def test_a_pipeline_becomes_an_input() -> None:
    def build() -> Feeds:
        queue = v1.FIFOQueue(9, [tf.float32], shapes=[[5, 4]])
        v1.train.add_queue_runner(v1.train.QueueRunner(queue, [queue.enqueue([X])]))
        tf.matmul(queue.dequeue(name="batch"), kernel(), name="y")
        return {}

    saved(build, "")
    run_remedy(finding("input-pipeline", "model.ckpt")["remedy"])
    graph = v1.GraphDef.FromString(Path("frozen.pb").read_bytes())
    (feed,) = [n.name for n in graph.node if n.op == "Placeholder"]
    got, w = computed("frozen.pb", {feed: X}, "y", "w")
    np.testing.assert_allclose(got, X @ w, 1e-5)


def test_both_sides_of_a_python_function() -> None:
    def build() -> Feeds:
        before = tf.matmul(inputs(), kernel(name="first"), name="before")
        (middle,) = v1.py_func(lambda v: [np.sort(v)], [before], [tf.float32])
        middle.set_shape([None, 3])
        tf.matmul(middle, kernel(3, 2, "second"), name="y")
        return {"x": X}

    (expected,) = saved(build)
    remedy = finding("python-function", "model.ckpt")["remedy"]
    assert len(remedy.splitlines()) == 2
    run_remedy(remedy)
    (middle,) = computed("before.pb", {"x": X}, "before")
    (got,) = computed("frozen.pb", {"PyFunc": np.sort(middle)}, "y")
    np.testing.assert_allclose(got, expected, 1e-5)


def test_a_decoder_is_cut_away() -> None:
    def build() -> Feeds:
        text = v1.placeholder(tf.string, [None], name="text")
        numbers = tf.io.decode_raw(text, tf.float32, name="numbers")
        tf.matmul(tf.reshape(numbers, [-1, 4]), kernel(), name="y")
        return {"text": [row.tobytes() for row in X]}

    (expected,) = saved(build)
    run_remedy(finding("decoder", "model.ckpt")["remedy"])
    np.testing.assert_allclose(
        computed("frozen.pb", {"numbers": X}, "y")[0], expected, 1e-5
    )


def mystery(attribute: bool) -> Arrays:
    """A frozen graph with an op, or an attribute, that no TensorFlow knows."""
    with tf.Graph().as_default(), v1.Session() as session:
        w = RANDOM.normal(size=[4, 3]).astype(np.float32)
        middle = tf.tanh(tf.matmul(inputs(), w, name="before"), name="middle")
        tf.matmul(middle, w[:3], name="y")
        graph = v1.get_default_graph().as_graph_def()
        for node in graph.node:
            if node.name == "middle" and attribute:
                node.attr["novel"].i = 1
            elif node.name == "middle":
                node.op = "Mystery"
        Path("model.pb").write_bytes(graph.SerializeToString())
        return session.run(["middle:0", "y:0"], {"x:0": X})


def test_both_sides_of_an_op_that_is_not_registered() -> None:
    middle, expected = mystery(attribute=False)
    remedy = finding("op-not-registered", "model.pb")["remedy"]
    assert len(remedy.splitlines()) == 2
    run_remedy(remedy)
    np.testing.assert_allclose(
        np.tanh(computed("before.pb", {"x": X}, "before")[0]), middle, 1e-5
    )
    np.testing.assert_allclose(
        computed("frozen.pb", {"middle": middle}, "y")[0], expected, 1e-5
    )


def test_an_attribute_that_tensorflow_does_not_know_is_dropped() -> None:
    _, expected = mystery(attribute=True)
    one = finding("attribute-unknown", "model.pb")
    assert "2.21 ignores it" in one["message"]
    np.testing.assert_allclose(computed("model.pb", {"x": X}, "y")[0], expected, 1e-5)
    run_remedy(one["remedy"])
    assert b"novel" not in Path("frozen.pb").read_bytes()
    np.testing.assert_allclose(computed("frozen.pb", {"x": X}, "y")[0], expected, 1e-5)


def classifier() -> Feeds:
    labels = v1.placeholder(tf.float32, [None, 3], name="labels")
    logits = tf.matmul(inputs(), kernel(), name="y")
    losses = tf.nn.softmax_cross_entropy_with_logits(labels, logits)
    loss = tf.reduce_mean(losses, name="loss")
    v1.train.AdamOptimizer(name="Train").minimize(loss)
    return {"x": X, "labels": np.eye(3, dtype=np.float32)[[0, 1, 2, 0, 1]]}


@pytest.mark.parametrize(
    "wanted, id",
    [
        ("labels", "output-is-placeholder"),
        ("w", "output-is-weight"),
        ("loss", "output-is-loss"),
        ("Train", "output-is-optimizer"),
    ],
)
def test_the_right_output_is_frozen(wanted: str, id: str) -> None:
    (expected,) = saved(classifier)
    run_remedy(finding(id, "model.ckpt", "--output", wanted)["remedy"])
    np.testing.assert_allclose(computed("frozen.pb", {"x": X}, "y")[0], expected, 1e-5)


def test_a_graph_without_weights_takes_the_checkpoint_that_is_named() -> None:
    (expected,) = saved(classifier)
    remedy = finding("no-weights", "graph.pb")["remedy"]
    run_remedy(remedy.replace("PREFIX", "model.ckpt"))
    np.testing.assert_allclose(computed("frozen.pb", {"x": X}, "y")[0], expected, 1e-5)


def test_a_name_that_is_nowhere_brings_the_right_one() -> None:
    (expected,) = saved(classifier)
    listed = diagnose(load("model.ckpt"), outputs=["import/y"])
    (one,) = [each for each in listed if each.id == "output-missing"]
    run_remedy(one.remedy)
    np.testing.assert_allclose(computed("frozen.pb", {"x": X}, "y")[0], expected, 1e-5)


@pytest.mark.parametrize("ours, theirs", [("", "tower"), ("tower", ""), ("a", "b")])
def test_variables_under_another_prefix_are_read(ours: str, theirs: str) -> None:
    """Where one side has a scope around all that the other has, the names are matched and there is nothing to find."""

    def build(scope: str) -> Feeds:
        with v1.variable_scope(scope):
            hidden = tf.matmul(inputs(), kernel(4, 3, "w"))
            tf.matmul(hidden, kernel(3, 2, "v"), name="y")
        return {f"{scope}/x" if scope else "x": X}

    def stored() -> Feeds:
        return build(theirs)

    (expected,) = saved(stored, f"{theirs}/y" if theirs else "y")
    with tf.Graph().as_default() as graph:
        build(ours)
        Path("other.pb").write_bytes(graph.as_graph_def().SerializeToString())
        here = ["other.pb", "--checkpoint", "model.ckpt"]
        scope = f"{ours}/" if ours else ""
        if not ours or not theirs:
            invoked("freeze", *here, "-o", "frozen.pb")
            (got,) = computed("frozen.pb", {f"{scope}x": X}, f"{scope}y")
        else:
            code = finding("prefix-differs", *here)["remedy"]
            exec(code, {"tf": v1, "CHECKPOINT": "model.ckpt"})
            with v1.Session() as session:
                session.run(v1.global_variables_initializer())
                got = session.run(f"{scope}y:0", {f"{scope}x:0": X})
    np.testing.assert_allclose(got, expected, 1e-5)


def test_moving_averages_are_frozen() -> None:
    def build() -> Feeds:
        feeds = classifier()
        average = v1.train.ExponentialMovingAverage(0.5, zero_debias=False)
        with tf.control_dependencies(
            [v1.get_default_graph().get_operation_by_name("Train")]
        ):
            v1.group(average.apply(v1.trainable_variables()), name="step")
        return feeds

    saved(build, steps="step")
    run_remedy(finding("moving-averages-stored", "model.ckpt")["remedy"])
    average = tf.train.load_variable("model.ckpt", "w/ExponentialMovingAverage")
    assert not np.array_equal(average, tf.train.load_variable("model.ckpt", "w"))
    np.testing.assert_allclose(
        computed("frozen.pb", {"x": X}, "y")[0], X @ average, 1e-5
    )


def test_a_node_that_is_missing_is_fed() -> None:
    middle, expected = mystery(attribute=False)
    graph = v1.GraphDef.FromString(Path("model.pb").read_bytes())
    kept = v1.GraphDef(node=[n for n in graph.node if n.name != "middle"])
    Path("model.pb").write_bytes(kept.SerializeToString())
    run_remedy(finding("nodes-missing", "model.pb", "--output", "y")["remedy"])
    np.testing.assert_allclose(
        computed("frozen.pb", {"middle": middle}, "y")[0], expected, 1e-5
    )


def test_a_lookup_table_is_filled() -> None:
    def build() -> Feeds:
        words = v1.placeholder(tf.string, [None], name="words")
        rows = tf.lookup.KeyValueTensorInitializer(
            ["a", "b"], tf.constant([1, 2], tf.int64)
        )
        table = tf.lookup.StaticHashTable(rows, 0)
        tf.gather(kernel(), table.lookup(words), name="y")
        return {"words": ["b", "c", "a"]}

    (expected,) = saved(build)
    remedy = finding("lookup-table", "model.ckpt")["remedy"]
    run_remedy(remedy)
    got = computed("frozen.pb", {"words": np.array(["b", "c", "a"], object)}, "y")[0]
    np.testing.assert_allclose(got, expected, 1e-5)


def test_candidates_are_listed_where_no_output_is_clear() -> None:
    with tf.Graph().as_default() as graph:
        kernel()
        v1.train.Saver()
        Path("model.pb").write_bytes(graph.as_graph_def().SerializeToString())
    run_remedy(finding("output-unclear", "model.pb")["remedy"])


def test_a_model_of_two_gibibytes_goes_into_a_folder() -> None:
    """The same command as is printed for a large one, whose weights do not fit into one .pb."""
    from graphscope.infer.findings import deployment

    (expected,) = saved(classifier)
    limit, deployment.LIMIT = deployment.LIMIT, 8
    try:
        remedy = finding("over-2-gib", "model.ckpt")["remedy"]
    finally:
        deployment.LIMIT = limit
    run_remedy(remedy)
    model = tf.saved_model.load("DIR").signatures["serving_default"]
    (got,) = model(tf.constant(X)).values()
    np.testing.assert_allclose(got, expected, 1e-5)


def test_statistics_move_by_the_line_that_is_printed() -> None:
    with tf.Graph().as_default(), v1.Session() as session:
        feeds = {f"{name}:0": value for name, value in fused(True, 0.0).items()}
        loss = tf.reduce_mean(v1.get_default_graph().get_tensor_by_name("y:0"))
        train_op = v1.train.GradientDescentOptimizer(0.1).minimize(loss)
        session.run(v1.global_variables_initializer())
        session.run(train_op, feeds)
        saver = v1.train.Saver()
        saver.save(session, "model.ckpt")
        names: dict[str, Any] = {"tf": v1, "train_op": train_op}
        exec(finding("batch-norm-never-updated", "model.ckpt")["remedy"], names)
        session.run(names["train_op"], feeds)
        saver.save(session, "moved.ckpt")
    assert tf.train.load_variable("moved.ckpt", "moving_mean").any()
