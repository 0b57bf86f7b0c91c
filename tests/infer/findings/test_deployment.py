"""Ops, attributes, pipelines, tables, devices, sizes, safety: each trap with a near miss."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from graphscope.graph import Graph, Model, Node, Tensor, TensorSpec
from graphscope.infer.findings import diagnose
from graphscope.infer.findings.registration import origin_of
from graphscope.read import load
from tests.infer.training.training_zoo import BUILDERS
from tests.infer.training.training_zoo import model_of as training_model
from tests.infer.traps import found, model_of, network


def chain(*ops: str, **attrs: object) -> Model:
    """A placeholder and ops after it; the attributes go to the last."""
    made = Graph()
    made.add("x", Node("Placeholder", {"dtype": "float32", "shape": (None, 4)}))
    before = "x"
    for index, op in enumerate(ops):
        last = index == len(ops) - 1
        made.add(f"n{index}", Node(op, attrs if last else {}), [Tensor(before)])
        before = f"n{index}"
    return Model(made, source="model.pb")


def test_an_op_that_nobody_registers_on_the_path() -> None:
    (finding,) = found(chain("Relu", "Resampler"), "op-not-registered")
    assert finding.severity == "error" and "contrib.resampler" in finding.message
    assert not found(chain("Relu", "Relu6"), "op-not-registered")


def test_an_unregistered_op_that_the_outputs_do_not_need() -> None:
    model = chain("Relu")
    model.graph.add("odd", Node("MyOwnOp"), [Tensor("x")])
    (finding,) = found(model, "op-not-registered", "n0")
    assert finding.severity == "info" and "custom" in finding.message


@pytest.mark.parametrize(
    "op, library",
    [
        ("Addons>ImageProjectiveTransformV2", "TensorFlow Addons"),
        ("SentencepieceOp", "TensorFlow Text"),
        ("RangeEncodeV2", "TensorFlow Compression"),
        ("_FusedConv2DLike", "Grappler"),
        ("MyOwnOp", ""),
    ],
)
def test_where_ops_come_from(op: str, library: str) -> None:
    assert library in origin_of(op) and bool(origin_of(op)) is bool(library)


def test_an_attribute_of_another_version() -> None:
    (finding,) = found(chain("Relu", T="float32", novel=True), "attribute-unknown")
    assert "'novel'" in finding.message
    model = chain("Relu", T="float32", _output_shapes=())
    assert not found(model, "attribute-unknown")


def with_shape(said: tuple[int | None, ...]) -> Model:
    made = Graph()
    made.add("x", Node("Placeholder", {"dtype": "float32", "shape": (2, 3)}))
    node = Node("Relu", {"T": "float32"}, (TensorSpec("", said),))
    made.add("y", node, [Tensor("x")])
    return Model(made, source="model.pb")


def test_output_shapes_that_our_inference_knows_better_are_no_finding() -> None:
    """TensorFlow imports many such graphs: what it refuses, it says itself."""
    assert not found(with_shape((2, 4)), "shape-contradiction")


def test_a_net_of_columns_takes_any_number_of_examples() -> None:
    def network(*shape: int | None) -> Model:
        made = Graph()
        made.add("x", Node("Placeholder", {"dtype": "float32", "shape": shape}))
        made.add(
            "w", Node("Const", {"dtype": "float32", "value": np.ones((4, 6), "f")})
        )
        made.add("y", Node("MatMul", {"T": "float32"}), [Tensor("w"), Tensor("x")])
        return Model(made, source="model.pb")

    assert not found(network(6, None), "fixed-batch-size")
    assert not found(network(6, 1), "fixed-batch-size")


def test_alike_findings_name_three_nodes() -> None:
    model = chain("Relu", T="float32", novel=True)
    for i in range(5):
        node = Node("Relu", {"T": "float32", "novel": True})
        model.graph.add(f"more{i}", node, [Tensor("n0")])
    (finding,) = found(model, "attribute-unknown")
    assert "and 3 more" in finding.message


def test_an_input_pipeline() -> None:
    model, _ = training_model(BUILDERS["queue_fed"])
    (finding,) = found(model, "input-pipeline")
    assert "shuffle_batch:0" in finding.message
    assert "--input shuffle_batch:0" in finding.remedy
    assert not found(model_of(network), "input-pipeline")


def test_a_python_function() -> None:
    def build(python: bool) -> None:
        x = tf.placeholder(tf.float32, [None, 4], name="x")
        y = tf.py_func(lambda v: v, [x], tf.float32) if python else tf.identity(x)
        tf.square(y)

    (finding,) = found(model_of(lambda: build(True)), "python-function")
    assert finding.severity == "error"
    assert not found(model_of(lambda: build(False)), "python-function")


def test_a_lookup_table() -> None:
    def build(table: bool) -> None:
        x = tf.placeholder(tf.string, [None], name="x")
        if table:
            made = tf.lookup.KeyValueTensorInitializer(
                ["a"], tf.constant([1], tf.int64)
            )
            tf.lookup.StaticHashTable(made, -1).lookup(x)
        else:
            tf.strings.to_hash_bucket_fast(x, 10)

    (finding,) = found(model_of(lambda: build(True)), "lookup-table")
    assert "LookupTableImportV2" in finding.message
    assert not found(model_of(lambda: build(False)), "lookup-table")


def test_state_that_freezing_loses() -> None:
    def build(kept: bool) -> None:
        x = tf.placeholder(tf.float32, [3], name="x")
        state = tf.get_variable("state", [3])
        after = tf.assign_add(state, x) if kept else state + x
        tf.square(after, name="y")

    (finding,) = found(model_of(lambda: build(True)), "state-written", "y")
    assert finding.node == "AssignAdd"
    assert not found(model_of(lambda: build(False)), "state-written", "y")


def test_references_through_control_flow() -> None:
    def build(reference: bool) -> None:
        flag = tf.placeholder(tf.bool, [], name="flag")
        x = tf.placeholder(tf.float32, [None, 3], name="x")
        w = tf.get_variable("w", [3, 3])
        raw = w._ref() if reference else w.read_value()
        on = tf.raw_ops.RefSwitch if reference else tf.raw_ops.Switch
        no, yes = on(data=raw, pred=flag)
        merged, _ = tf.raw_ops.Merge(inputs=[tf.identity(no), tf.identity(yes)])
        tf.matmul(x, merged, name="y")

    id = "reference-control-flow"
    assert found(model_of(lambda: build(True)), id, "y")
    assert not found(model_of(lambda: build(False)), id, "y")


@pytest.mark.parametrize(
    "device, told", [("/device:GPU:0", True), ("/device:CPU:0", False)]
)
def test_device_placement(device: str, told: bool) -> None:
    def build() -> None:
        with tf.device(device):
            network()

    assert bool(found(model_of(build), "device-placement")) is told


def test_several_devices_are_one_finding() -> None:
    def build() -> None:
        x = tf.placeholder(tf.float32, [None, 3], name="x")
        for gpu in range(4):
            with tf.device(f"/device:GPU:{gpu}"):
                x = tf.tanh(x)
        tf.identity(x, "y")

    (finding,) = found(model_of(build), "device-placement")
    assert "4 nodes" in finding.message and "1 more" in finding.message
    assert "allow_soft_placement" in finding.message


def test_a_batch_size_that_is_fixed() -> None:
    def build(size: int | None) -> None:
        x = tf.placeholder(tf.float32, [size, 3], name="x")
        tf.matmul(x, tf.get_variable("w", [3, 2]))

    (finding,) = found(model_of(lambda: build(8)), "fixed-batch-size")
    assert "exactly 8" in finding.message
    assert not found(model_of(lambda: build(None)), "fixed-batch-size")


def test_a_batch_that_is_split_in_equal_parts() -> None:
    def build(size: int | None) -> None:
        x = tf.placeholder(tf.float32, [size, 3], name="x")
        w = tf.get_variable("w", [3, 2])
        for part in tf.split(x, 4):
            tf.matmul(part, w)

    (finding,) = found(model_of(lambda: build(None)), "split-batch")
    assert "a multiple of 4 examples" in finding.message
    assert not found(model_of(lambda: build(8)), "split-batch")


def test_a_circle_before_a_split_comes_to_an_end() -> None:
    made = Graph()
    made.add("x", Node("Placeholder", {"dtype": "float32", "shape": (None, 8)}))
    made.add("axis", Node("Const", {"dtype": "int32", "value": np.int32(0)}))
    made.add("same", Node("Identity", {"T": "float32"}), [Tensor("same")])
    inputs = [Tensor("axis"), Tensor("same")]
    made.add("parts", Node("Split", {"T": "float32", "num_split": 2}), inputs)
    made.add(
        "y", Node("AddN", {"T": "float32", "N": 2}), [Tensor("parts"), Tensor("x")]
    )
    assert not found(Model(made, source="circle.pb"), "split-batch")


@pytest.mark.parametrize("layout, told", [("NCHW", True), ("NHWC", False)])
def test_channels_first(layout: str, told: bool) -> None:
    def build() -> None:
        shape = [None, 2, 8, 8] if layout == "NCHW" else [None, 8, 8, 2]
        x = tf.placeholder(tf.float32, shape, name="x")
        w = tf.get_variable("w", [3, 3, 2, 4])
        tf.nn.conv2d(x, w, [1, 1, 1, 1], "SAME", data_format=layout)

    assert bool(found(model_of(build), "channels-first")) is told


def test_quantisation_nodes() -> None:
    def build(fake: bool) -> None:
        x = tf.placeholder(tf.float32, [None, 3], name="x")
        tf.quantization.fake_quant_with_min_max_args(x) if fake else tf.nn.relu6(x)

    assert found(model_of(lambda: build(True)), "quantised")
    assert not found(model_of(lambda: build(False)), "quantised")


@pytest.mark.parametrize("rows, told", [(1 << 20, True), (1 << 16, False)])
def test_weights_over_two_gibibytes(rows: int, told: bool) -> None:
    made = Graph()
    made.add("x", Node("Placeholder", {"dtype": "int32", "shape": (None,)}))
    made.add("w", Node("VariableV2", {"dtype": "float32", "shape": (rows, 512)}))
    made.add("r", Node("Identity", {"T": "float32"}), [Tensor("w")])
    made.add("y", Node("Gather", {}), [Tensor("r"), Tensor("x")])
    assert bool(found(Model(made), "over-2-gib", "y")) is told


def test_one_number_that_stands_for_gigabytes_takes_no_room(tmp_path: Path) -> None:
    """A TensorProto of one value and a large shape: as TensorFlow stores ``tf.zeros``."""
    message = tf.GraphDef()
    message.node.add(name="x", op="Placeholder").attr["dtype"].type = 1
    kernel = message.node.add(name="w", op="Const")
    kernel.attr["dtype"].type = 1
    tensor = kernel.attr["value"].tensor
    tensor.dtype = 1
    for size in (1 << 15, 1 << 15):
        tensor.tensor_shape.dim.add(size=size)
    tensor.float_val.append(0.5)
    message.node.add(name="y", op="MatMul", input=["x", "w"]).attr["T"].type = 1
    (tmp_path / "g.pb").write_bytes(message.SerializeToString())
    assert not found(load(str(tmp_path / "g.pb")), "over-2-gib", "y")


def test_unsafe_ops_are_listed() -> None:
    model = chain("ReadFile", "Relu")
    (finding,) = found(model, "unsafe-files")
    assert "--trust" in finding.remedy and finding.node == "n0"
    assert not found(chain("Relu"), "unsafe-files")


def test_a_saver_is_unsafe_only_where_the_outputs_depend_on_it() -> None:
    model, known = training_model(BUILDERS["classifier"])
    assert not found(model, "unsafe-files", *known.best)
    assert found(model, "unsafe-files", "save/control_dependency")


def test_findings_come_worst_first_and_every_id_has_one_family(corpus) -> None:
    from graphscope.infer.finding import SEVERITIES
    from graphscope.read import load

    path = corpus / "tensorflow+text/tensorflow_text/python/ops/test_data"
    found_now = diagnose(load(str(path / "segmenter_hub_module")))
    ranks = [SEVERITIES.index(f.severity) for f in found_now]
    assert ranks == sorted(ranks, reverse=True)
    assert {f.id for f in found_now} >= {"op-not-registered", "lookup-table"}
