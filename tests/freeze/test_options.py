"""What the options of a freeze do, on small graphs; numbers before and after are TensorFlow's."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from graphscope.errors import GraphError, GraphscopeError, MissingWeight, NotExpressible
from graphscope.freeze import freeze_model
from graphscope.graph import Extent, Graph, Model, Node, Tensor, Weights
from graphscope.read import load
from graphscope.verify.differences import difference

v1 = tf.compat.v1


class Memory(Weights):
    """Weights that are arrays already."""

    def __init__(self, arrays):
        self.arrays = arrays

    def __getitem__(self, name):
        return self.arrays[name]

    def __iter__(self):
        return iter(self.arrays)

    def __len__(self):
        return len(self.arrays)


def graph_def(path: Path):
    return v1.GraphDef.FromString(path.read_bytes())


def run(path: Path, fetch: str, feeds):
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(graph_def(path), name="")
        with v1.Session(graph=graph) as session:
            return session.run(fetch, feeds)


def weight(name, shape, **options):
    rng = np.random.default_rng(abs(hash(name)) % 1000)
    value = v1.constant_initializer(rng.normal(size=shape).astype("f"))
    return v1.get_variable(name, shape, initializer=value, **options)


def normalised(h, name, training=False):
    size = [h.shape[-1] or h.shape[1]]
    with v1.variable_scope(name):
        gamma, beta = weight("gamma", size), weight("beta", size)
        mean = weight("mean", size)
        variance = v1.get_variable("variance", size, initializer=v1.ones_initializer())
    return v1.nn.fused_batch_norm(
        h, gamma, beta, mean, variance, is_training=training, epsilon=1e-3
    )[0]


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """Convolutions of all kinds with batch normalisation behind each, saved; and what the network computes."""
    folder = tmp_path_factory.mktemp("network")
    v1.disable_control_flow_v2()
    with tf.Graph().as_default() as graph, v1.variable_scope("", use_resource=False):
        x = v1.placeholder(tf.float32, [None, 8, 8, 3], name="x")
        with tf.device("/device:GPU:0"):
            h = tf.nn.conv2d(x, weight("conv", [3, 3, 3, 16]), 1, "SAME")
        h = tf.nn.relu(normalised(tf.nn.bias_add(h, weight("bias", [16])), "bn1"))
        h = v1.nn.depthwise_conv2d(
            h, weight("deep", [3, 3, 16, 2]), [1, 1, 1, 1], "SAME"
        )
        h = tf.nn.relu(normalised(h, "bn2"))
        h = v1.nn.conv2d_transpose(
            h, weight("up", [2, 2, 12, 32]), [tf.shape(x)[0], 16, 16, 12], 2
        )
        h = tf.nn.relu(tf.nn.batch_normalization(
            h, weight("m", [12]), v1.get_variable("v", [12], initializer=v1.ones_initializer()),
            weight("b", [12]), weight("g", [12]), 1e-3,
        ))  # fmt: skip
        h = tf.matmul(tf.reduce_mean(h, [1, 2]), weight("dense", [12, 5])) * weight(
            "s", [5]
        )
        tf.nn.softmax(h, name="y")
        saver = v1.train.Saver()
        with v1.Session(config=v1.ConfigProto(allow_soft_placement=True)) as session:
            session.run(v1.global_variables_initializer())
            checkpoint = saver.save(session, str(folder / "net.ckpt"))
            given = np.random.default_rng(1).normal(size=(2, 8, 8, 3)).astype("f")
            expected = session.run("y:0", {x: given})
    del graph
    return checkpoint, given, expected


def ops(path):
    return [node.op for node in graph_def(path).node]


@pytest.mark.parametrize(
    "options, tolerance",
    [
        ({}, 1e-6),
        ({"as_is": True}, 1e-6),
        ({"fold_constants": True}, 1e-5),
        ({"fold_batch_norm": True}, 1e-5),
        ({"half": True}, 5e-2),
        ({"quantize": "int8"}, 2e-1),
        ({"producer": 24}, 1e-6),
        ({"producer": 27, "fold_batch_norm": True, "half": True}, 5e-2),
    ],
    ids=str,
)
def test_the_numbers_stay(network, tmp_path, options, tolerance):
    checkpoint, given, expected = network
    report = freeze_model(load(checkpoint), ["y"], tmp_path / "f.pb", **options)
    found = run(tmp_path / "f.pb", "y:0", {"x:0": given})
    assert difference(expected, found)[1] <= tolerance
    assert report.outputs == ("y:0",) and report.inputs == ("x:0",)


def test_batch_norm_is_folded_into_kernels_of_all_kinds(network, tmp_path):
    report = freeze_model(
        load(network[0]), ["y"], tmp_path / "f.pb", fold_batch_norm=True
    )
    kinds = ops(tmp_path / "f.pb")
    assert not [op for op in kinds if op.startswith("FusedBatchNorm")]
    assert "Mul" not in kinds and "Rsqrt" not in kinds
    assert any("folded" in change.what for change in report.changes)


def test_half_and_int8_are_smaller_and_say_their_error(network, tmp_path):
    sizes, model = {}, load(network[0])
    for name, options in {
        "full": {},
        "half": {"half": True},
        "int8": {"quantize": "int8"},
    }.items():
        report = freeze_model(model, ["y"], tmp_path / name, **options)
        weights = [
            node.attr["value"].tensor.tensor_content
            for node in graph_def(tmp_path / name).node
            if node.op == "Const"
        ]
        sizes[name] = sum(map(len, weights))
        if options:
            assert "largest value" in report.changes[-1].what
    assert sizes["half"] < 0.8 * sizes["full"] and sizes["int8"] < sizes["half"]
    with pytest.raises(GraphscopeError, match="not both"):
        freeze_model(model, ["y"], tmp_path / "x", half=True, quantize="int8")


def test_weights_that_do_not_fit_into_half_floats_stay(tmp_path):
    big = np.full((64, 64), 1e6, "f")
    freeze_model(matmul_model(big), ["y"], tmp_path / "f.pb", half=True)
    kept = [n for n in graph_def(tmp_path / "f.pb").node if n.op == "Const"]
    assert [n.attr["dtype"].type for n in kept] == [1]


@pytest.mark.parametrize("share", [0.0, 0.005, 0.5, 1.0])
def test_small_weights_become_half_floats_as_numpy_rounds_them(tmp_path, share):
    rng = np.random.default_rng(4)
    value = rng.standard_normal((96, 128), np.float32)
    tiny = rng.random(value.shape) < share
    quarters = rng.integers(-8192, 8192, value.shape) * np.float32(2.0**-26)  # ties
    value[tiny] = np.where(rng.random(value.shape) < 0.5, quarters, value * 1e-5)[tiny]
    freeze_model(matmul_model(value), ["y"], tmp_path / "f.pb", half=True)
    (written,) = (n for n in graph_def(tmp_path / "f.pb").node if n.op == "Const")
    content = written.attr["value"].tensor.tensor_content
    assert content == value.astype(np.float16).tobytes()


def matmul_model(value):
    graph = Graph()
    graph.add(
        "x", Node("Placeholder", {"dtype": "float32", "shape": (None, value.shape[0])})
    )
    attrs = {"dtype": "float32", "shape": value.shape}
    graph.add("net/w", Node("VariableV2", attrs))
    graph.add("y", Node("MatMul", {"T": "float32"}), [Tensor("x"), Tensor("net/w")])
    return Model(graph, "model.ckpt", weights=Memory({"net/w": value}))


def test_an_older_tensorflow_finds_only_what_it_knows(network, tmp_path):
    freeze_model(load(network[0]), ["y"], tmp_path / "f.pb", producer=24)
    message = graph_def(tmp_path / "f.pb")
    assert message.versions.producer == 24 and message.versions.min_consumer == 0
    kinds = {node.op for node in message.node}
    assert "FusedBatchNorm" in kinds
    assert not kinds & {
        "AddV2",
        "FusedBatchNormV2",
        "FusedBatchNormV3",
        "BatchMatMulV2",
    }
    known = {"explicit_paddings", "dilations", "grad_a", "grad_b", "half_pixel_centers"}
    assert not [a for node in message.node for a in node.attr if a in known]


def test_devices_go_unless_they_are_to_stay(network, tmp_path):
    freeze_model(load(network[0]), ["y"], tmp_path / "a.pb")
    freeze_model(load(network[0]), ["y"], tmp_path / "b.pb", keep_devices=True)
    assert not any(node.device for node in graph_def(tmp_path / "a.pb").node)
    assert any(node.device for node in graph_def(tmp_path / "b.pb").node)


def test_text_form_is_what_tensorflow_reads(network, tmp_path):
    from google.protobuf import text_format

    freeze_model(load(network[0]), ["y"], tmp_path / "f.pbtxt", text=True)
    freeze_model(load(network[0]), ["y"], tmp_path / "f.pb")
    text = text_format.Parse((tmp_path / "f.pbtxt").read_text(), v1.GraphDef())
    assert text == graph_def(tmp_path / "f.pb")


def test_inputs_are_cut_and_names_changed(network, tmp_path):
    checkpoint, given, expected = network
    report = freeze_model(
        load(checkpoint),
        ["y"],
        tmp_path / "f.pb",
        inputs=["Relu"],
        rename={"y": "probabilities", "Relu": "features"},
    )
    assert "features:0" in report.inputs and report.outputs == ("probabilities:0",)
    node = next(n for n in graph_def(tmp_path / "f.pb").node if n.name == "features")
    assert node.op == "Placeholder" and node.attr["dtype"].type == 1
    with pytest.raises(GraphError, match="cannot be renamed"):
        freeze_model(load(checkpoint), ["y"], tmp_path / "g.pb", rename={"y": "Relu"})


def test_a_frozen_graph_is_frozen_again(network, tmp_path):
    checkpoint, given, expected = network
    freeze_model(load(checkpoint), ["y"], tmp_path / "a.pb")
    report = freeze_model(load(tmp_path / "a.pb"), ["Relu_1"], tmp_path / "b.pb")
    assert report.nodes < len(ops(tmp_path / "a.pb"))
    before = run(tmp_path / "a.pb", "Relu_1:0", {"x:0": given})
    np.testing.assert_array_equal(
        run(tmp_path / "b.pb", "Relu_1:0", {"x:0": given}), before
    )


def test_wrap_function_runs_it_too(network, tmp_path):
    """The other three lines that tutorials show."""
    checkpoint, given, expected = network
    freeze_model(load(checkpoint), ["y"], tmp_path / "f.pb")
    message = graph_def(tmp_path / "f.pb")
    wrapped = v1.wrap_function(lambda: tf.import_graph_def(message, name=""), [])
    function = wrapped.prune(["x:0"], ["y:0"])
    found = function(tf.constant(given))[0].numpy()
    assert difference(expected, found)[1] < 1e-5


def test_an_unknown_output_names_the_nearest_and_writes_nothing(network, tmp_path):
    with pytest.raises(GraphError, match="nearest"):
        freeze_model(load(network[0]), ["import/Relu_9"], tmp_path / "f.pb")
    with pytest.raises(GraphError, match="no output"):
        freeze_model(load(network[0]), [], tmp_path / "f.pb")
    assert not list(tmp_path.iterdir())


def test_a_variable_without_a_value_names_the_nearest(tmp_path):
    model = matmul_model(np.ones((2, 3), "f"))
    lost = Model(model.graph, "m.ckpt", weights=Memory({"old/w": np.ones((2, 3), "f")}))
    with pytest.raises(MissingWeight, match="'net/w'.*nearest: 'old/w'"):
        freeze_model(lost, ["y"], tmp_path / "f.pb")
    with pytest.raises(MissingWeight, match="pass its checkpoint"):
        freeze_model(Model(model.graph, "m.meta"), ["y"], tmp_path / "f.pb")
    assert not list(tmp_path.iterdir())


def test_a_checkpoint_of_another_model_is_told(tmp_path):
    model = matmul_model(np.ones((2, 3), "f"))
    other = Model(
        model.graph, "m.ckpt", weights=Memory({"net/w": np.ones((2, 4), "f")})
    )
    with pytest.raises(GraphscopeError, match="not of one model"):
        freeze_model(other, ["y"], tmp_path / "f.pb")


def test_an_op_that_needs_a_variable_is_named(tmp_path):
    graph = Graph()
    graph.add("v", Node("VarHandleOp", {"dtype": "float32", "shape": (2,)}))
    graph.add("odd", Node("MyResourceOp", {}), [Tensor("v")])
    model = Model(graph, weights=Memory({"v": np.ones(2, "f")}))
    with pytest.raises(NotExpressible, match="MyResourceOp.*'odd'"):
        freeze_model(model, ["odd"], tmp_path / "f.pb")


def test_custom_ops_pass_through_untouched(tmp_path):
    graph = matmul_model(np.ones((2, 3), "f")).graph
    attrs = {"T": "float32", "window": (3, 3), "mode": "fast", "inner_shape": 7}
    graph.add("z", Node("MyCustomOp", attrs), [Tensor("y"), Tensor("x")])
    model = Model(graph, weights=Memory({"net/w": np.ones((2, 3), "f")}))
    freeze_model(model, ["z"], tmp_path / "f.pb")
    node = next(n for n in graph_def(tmp_path / "f.pb").node if n.name == "z")
    assert node.op == "MyCustomOp" and list(node.input) == ["y", "x"]
    assert list(node.attr["window"].list.i) == [3, 3] and node.attr["mode"].s == b"fast"


class Vast(Memory):
    """A weight of three gigabytes that nobody must read."""

    def __init__(self):
        super().__init__({"net/w": None})

    def spec(self, name):
        from graphscope.graph import TensorSpec

        return TensorSpec("float32", (1024, 786_432))

    def extents(self, name):
        return (Extent("/nowhere", 0, 4 * 1024 * 786_432),)


def test_more_than_two_gigabytes_are_refused_before_writing(tmp_path):
    graph = matmul_model(np.ones((1024, 1), "f")).graph
    attrs = {"dtype": "float32", "shape": (1024, 786_432)}
    graph.add_node("net/w", node=Node("VariableV2", attrs))
    with pytest.raises(GraphscopeError, match="3,221,2.*--half.*SavedModel"):
        freeze_model(Model(graph, weights=Vast()), ["y"], tmp_path / "f.pb")
    assert not list(tmp_path.iterdir())


def test_a_truncated_shard_leaves_nothing_behind(network, tmp_path):
    import shutil

    for path in Path(network[0]).parent.glob("net.ckpt*"):
        shutil.copy(path, tmp_path / path.name)
    model = load(str(tmp_path / "net.ckpt"))
    shard = next(tmp_path.glob("*.data-*"))
    os.truncate(shard, 600)
    with pytest.raises(GraphscopeError):
        freeze_model(model, ["y"], tmp_path / "f.pb")
    assert not list(tmp_path.glob("*f.pb*"))


def test_a_folder_that_is_not_there_and_a_full_disk(network, tmp_path, monkeypatch):
    with pytest.raises(GraphscopeError, match="no folder"):
        freeze_model(load(network[0]), ["y"], tmp_path / "none" / "f.pb")
    free = os.statvfs(tmp_path)
    monkeypatch.setattr("shutil.disk_usage", lambda path: type(free) and _Usage())
    with pytest.raises(GraphscopeError, match="are free on that disk"):
        freeze_model(load(network[0]), ["y"], tmp_path / "f.pb")


class _Usage:
    free = 10


def test_an_interrupt_leaves_nothing_behind(network, tmp_path, monkeypatch):
    def interrupted(*_):
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("graphscope.freeze.stream._copy", interrupted)
    (tmp_path / "f.pb").write_bytes(b"what was there before")
    # A shell's background job ignores SIGINT: python's own handler is what is tested.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            freeze_model(load(network[0]), ["y"], tmp_path / "f.pb")
    finally:
        signal.signal(signal.SIGINT, before)
    assert [p.name for p in tmp_path.iterdir()] == ["f.pb"]
    assert (tmp_path / "f.pb").read_bytes() == b"what was there before"


def test_weights_are_copied_not_read(network, tmp_path, monkeypatch):
    model = load(network[0])
    monkeypatch.setattr(
        type(model.weights), "__getitem__", lambda *_: pytest.fail("a weight was read")
    )
    freeze_model(model, ["y"], tmp_path / "f.pb")


def test_the_raw_weights_on_request_and_averages_only_where_there_are_some(tmp_path):
    arrays = {"net/w": np.ones((2, 3), "f")}
    arrays["net/w/ExponentialMovingAverage"] = 3 * arrays["net/w"]
    graph = matmul_model(arrays["net/w"]).graph
    feeds = {"x:0": np.ones((1, 2), "f")}
    for choice, expected in (("auto", 6), ("ema", 6), ("raw", 2)):
        model = Model(graph, weights=Memory(arrays))
        report = freeze_model(model, ["y"], tmp_path / "f.pb", weights=choice)
        assert report.weights == ("raw" if choice == "raw" else "ema")
        assert run(tmp_path / "f.pb", "y:0", feeds)[0, 0] == expected
    with pytest.raises(GraphscopeError, match="no exponential moving averages"):
        freeze_model(
            matmul_model(arrays["net/w"]), ["y"], tmp_path / "f.pb", weights="ema"
        )
    with pytest.raises(GraphscopeError, match="auto, raw, ema"):
        freeze_model(
            matmul_model(arrays["net/w"]), ["y"], tmp_path / "f.pb", weights="best"
        )


def test_the_report_counts_and_gives_reasons(network, tmp_path):
    model = load(network[0])
    roles = {name: "save" for name in model.graph if name.startswith("save/")}
    report = freeze_model(model, ["y"], tmp_path / "f.pb", roles=roles)
    assert report.dropped["save"] == len(roles)
    kept = {node.name for node in graph_def(tmp_path / "f.pb").node}
    assert sum(report.dropped.values()) == len(set(model.graph) - kept)
    assert report.nodes == len(kept) and report.constants == ops(
        tmp_path / "f.pb"
    ).count("Const")
    document = report.to_json()
    for key in ("path", "inputs", "outputs", "nodes", "constants", "bytes", "dropped"):
        assert key in document


@pytest.mark.parametrize("axis", [0, 1])
def test_weights_are_converted_piece_by_piece(tmp_path, axis, monkeypatch):
    """What is written is numpy's conversion of the whole, with a scale for each column, or for each row of a table."""
    monkeypatch.setattr("graphscope.wire.mapped.PIECE", 4096)
    value = np.random.default_rng(7).normal(size=(300, 50)).astype("f")
    for options, dtype in (({"half": True}, np.float16), ({"quantize": "int8"}, "i1")):
        freeze_model(reader(value, axis), ["y"], tmp_path / "f.pb", **options)
        stored = constants(tmp_path / "f.pb")
        if "half" in options:
            assert (stored[dtype] == value.astype(dtype)).all()
            continue
        scale = np.abs(value).max(1 - axis, keepdims=True) / np.float32(127)
        np.testing.assert_array_equal(stored["f4"], scale)
        assert np.abs(stored[dtype] * scale - value).max() <= scale.max() * 0.501


def reader(value, axis):
    """A table whose rows are gathered (axis 0), or a kernel (axis 1)."""
    if axis:
        return matmul_model(value)
    graph = Graph()
    graph.add("x", Node("Placeholder", {"dtype": "int32", "shape": (None,)}))
    attrs = {"dtype": "float32", "shape": value.shape}
    graph.add("net/w", Node("VariableV2", attrs))
    types = {"Tparams": "float32", "Tindices": "int32"}
    graph.add("y", Node("Gather", types), [Tensor("net/w"), Tensor("x")])
    return Model(graph, "model.ckpt", weights=Memory({"net/w": value}))


def constants(path):
    """The last constant of each dtype."""
    tensors = [
        tf.make_ndarray(n.attr["value"].tensor)
        for n in graph_def(path).node
        if n.op == "Const"
    ]
    return {each: t for t in tensors for each in (t.dtype.str[1:], t.dtype.type)}
