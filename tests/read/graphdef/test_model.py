"""MetaGraphDefs: versions, collections, own op definitions; and graphs that TensorFlow refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from graphscope.graph import Tensor
from graphscope.read import load
from graphscope.read.graphdef.model import own_defaults
from graphscope.wire import messages as proto


def meta_of(build, tmp_path: Path, edit=None) -> Path:
    """A ``.meta`` of what ``build`` builds, edited as a message before it is written."""
    import tensorflow as tf

    v1 = tf.compat.v1
    with tf.Graph().as_default() as graph:
        build(tf)
        message = v1.train.export_meta_graph(graph=graph)
    if edit:
        edit(message)
    path = tmp_path / "g.meta"
    path.write_bytes(message.SerializeToString())
    return path


def small(tf) -> None:
    v1 = tf.compat.v1
    x = v1.placeholder(tf.float32, [None, 4], name="x")
    w = v1.get_variable("w", [4, 2], trainable=True)
    v1.get_variable("frozen", [3], trainable=False)
    v1.train.create_global_step()
    y = tf.matmul(x, w, name="y")
    v1.losses.add_loss(tf.reduce_sum(y, name="sum"))
    v1.add_to_collection("train_op", y.op)
    v1.add_to_collection("numbers", 7)
    v1.cond(tf.constant(True), lambda: y, lambda: y * 2, name="c")


def test_collections_are_decoded(tmp_path: Path) -> None:
    import tensorflow as tf

    tf.compat.v1.disable_control_flow_v2()
    try:
        model = load(meta_of(small, tmp_path))
    finally:
        tf.compat.v1.enable_control_flow_v2()
    found = model.collections
    names = [each["variable_name"] for each in found["variables"]]
    assert names == ["w:0", "frozen:0", "global_step:0"]
    assert found["variables"][0]["initializer_name"] == "w/Assign"
    assert [each["variable_name"] for each in found["trainable_variables"]] == ["w:0"]
    assert found["losses"] == ("sum:0",) and found["train_op"] == ("y",)
    assert found["numbers"] == (7,)
    contexts = {each["context_name"] for each in found["cond_context"]}
    assert contexts == {"c/cond_text", "c/cond_text_1"}
    assert found["cond_context"][0]["pred_name"] == "c/pred_id:0"
    roles = {v.name: (v.role, v.trainable) for v in model.variables}
    assert roles["w"] == ("weight", True) and roles["frozen"] == ("weight", False)
    assert roles["global_step"][0] == "step counter"
    assert model.producer.startswith("TensorFlow 2.")
    assert model.versions["producer"] > 1000


def test_text_and_binary_meta_graphs_are_the_same(tmp_path: Path) -> None:
    import tensorflow as tf
    from google.protobuf import text_format

    path = meta_of(small, tmp_path)
    message = tf.compat.v1.MetaGraphDef.FromString(path.read_bytes())
    text = tmp_path / "g.pbtxt"
    text.write_text(text_format.MessageToString(message))
    binary, written = load(path), load(text)
    assert list(binary.graph.edges(data=True)) == list(written.graph.edges(data=True))
    assert binary.collections == written.collections
    assert binary.variables == written.variables


def test_defaults_of_the_files_own_ops(tmp_path: Path) -> None:
    """An op that stock TensorFlow lacks: the op list of the file says what an attribute is when left out."""

    def edit(message) -> None:
        op = message.meta_info_def.stripped_op_list.op.add(name="MyResample")
        op.attr.add(name="mode", type="string").default_value.s = b"cubic"
        message.graph_def.node.add(name="mine", op="MyResample", input=["x"])

    model = load(meta_of(small, tmp_path, edit))
    attrs = model.graph.attrs("mine")
    assert (
        attrs["mode"] == "cubic"
        and "mode" in attrs
        and dict(attrs) == {"mode": "cubic"}
    )
    assert "mode" not in model.graph.node("mine").attrs.raw
    assert "transpose_a" in model.graph.attrs("y")


def refused(path: Path) -> str:
    """What TensorFlow says when it imports the graph."""
    import tensorflow as tf

    message = tf.compat.v1.MetaGraphDef.FromString(path.read_bytes())
    refusals = (ValueError, tf.errors.OpError)
    with tf.Graph().as_default(), pytest.raises(refusals) as error:
        tf.graph_util.import_graph_def(message.graph_def, name="")
    return str(error.value)


def test_tensorflow_refuses_inconsistent_output_shapes(tmp_path: Path) -> None:
    def edit(message) -> None:
        for node in message.graph_def.node:
            if node.name == "y":
                shape = node.attr["_output_shapes"].list.shape[0]
                shape.dim[1].size = 5

    path = meta_of(small, tmp_path, edit)
    text = refused(path)
    assert "_output_shapes" in text or "shape" in text.lower()
    assert load(path).graph.node("y").outputs[0].shape == (None, 5)


def test_tensorflow_refuses_an_unregistered_op(tmp_path: Path) -> None:
    def edit(message) -> None:
        message.graph_def.node.add(name="r", op="Resampler", input=["x", "x"])

    path = meta_of(small, tmp_path, edit)
    assert "Resampler" in refused(path)
    assert load(path).graph.op("r") == "Resampler"


def test_tensorflow_refuses_an_attribute_that_went_away(tmp_path: Path) -> None:
    def edit(message) -> None:
        for node in message.graph_def.node:
            if node.name == "w":
                del node.attr["dtype"]

    path = meta_of(small, tmp_path, edit)
    assert "dtype" in refused(path)
    assert "dtype" not in load(path).graph.attrs("w")


def test_tensorflow_refuses_a_later_producer(tmp_path: Path) -> None:
    def edit(message) -> None:
        message.graph_def.versions.min_consumer = 1 << 20

    path = meta_of(small, tmp_path, edit)
    assert "min consumer" in refused(path).lower() or "version" in refused(path).lower()
    assert load(path).versions["min_consumer"] == 1 << 20


def test_session_bundle_signatures(corpus: Path) -> None:
    folder = (
        corpus / "benoitsteiner+tensorflow-opencl/tensorflow/contrib/session_bundle"
    )
    model = load(folder / "testdata/half_plus_two/00000123/export.meta")
    signature = model.signatures["serving_default"]
    assert signature.inputs == {"x": Tensor("x")}
    assert signature.outputs == {"y": Tensor("y")}


def test_what_is_no_model_is_described(corpus: Path, tmp_path: Path) -> None:
    from graphscope.errors import FormatError, UnknownFormat

    name = "h2oai+deepwater/_history/67d9288195/tensorflow/src/main/resources/vgg_32x32x3_10.meta"
    with pytest.raises(UnknownFormat, match="JSON document about a model.*'inputs'"):
        load(corpus / name)
    path = tmp_path / "m.pb"
    for data, said in (
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
        (b"<!DOCTYPE html>", "web page"),
        (b"\x80\x04\x95", "never unpickles"),
        (b"hello there", "text that begins 'hello there'"),
    ):
        path.write_bytes(data)
        with pytest.raises(UnknownFormat, match=said) as error:
            load(path)
        assert "tried" in str(error.value) and "GraphDef" in str(error.value)
    path.write_bytes(b"")
    with pytest.raises(FormatError, match="empty"):
        load(path)
    (tmp_path / "model.ckpt-100.index").write_bytes(b"x")
    with pytest.raises(FormatError, match="no such.*model.ckpt-100.index"):
        load(tmp_path / "model.ckpt-10.indx")


def test_an_op_whose_default_is_a_tensor() -> None:
    """``ImageSummary``'s ``bad_color`` is an array: such a file could not be opened at all."""
    ops = proto.MetaGraphDef().meta_info_def.stripped_op_list
    op = ops.op.add(name="ImageSummary")
    value = op.attr.add(name="bad_color").default_value
    value.tensor.dtype = 4
    value.tensor.tensor_shape.dim.add(size=4)
    value.tensor.int_val.extend([255, 0, 0, 255])
    assert own_defaults(ops) == {}
    value.tensor.int_val[1] = 7
    assert list(own_defaults(ops)["ImageSummary"]["bad_color"]) == [255, 7, 0, 255]
