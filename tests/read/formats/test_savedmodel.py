"""SavedModels of both generations: values, signatures, assets, tags, text form, odd names."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import numpy as np
import pytest

from graphscope.errors import FormatError
from graphscope.graph import Tensor
from graphscope.read import load


def save_v2(folder: Path) -> dict:
    """A module with a nested list of variables and a table of assets; values by object path."""
    import tensorflow as tf

    class Dense(tf.Module):
        def __init__(self, units: int) -> None:
            super().__init__()
            self.kernel = tf.Variable(tf.random.normal([3, units]), name="kernel")
            self.bias = tf.Variable(tf.random.normal([units]), name="kernel")  # same

    class Net(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.blocks = [Dense(3), Dense(3)]
            words = folder.parent / "words.txt"
            words.write_text("a\nb\n")
            self.asset = tf.saved_model.Asset(str(words))
            self.table = tf.lookup.StaticHashTable(
                tf.lookup.TextFileInitializer(
                    self.asset, tf.string, tf.lookup.TextFileIndex.WHOLE_LINE,
                    tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER,
                ), -1,
            )  # fmt: skip

        @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32, name="x")])
        def __call__(self, x):
            for block in self.blocks:
                x = tf.nn.relu(x @ block.kernel + block.bias)
            return {"y": x, "n": self.table.lookup(tf.constant(["a"]))}

    net = Net()
    tf.saved_model.save(net, str(folder), signatures=net.__call__)
    return {
        f"blocks/{n}/{name}": getattr(block, name).numpy()
        for n, block in enumerate(net.blocks)
        for name in ("kernel", "bias")
    }


def test_v2_resource_nodes_find_their_values(tmp_path: Path) -> None:
    """All four variables bear the same name: only wiring or the objects can tell them apart."""
    values = save_v2(tmp_path / "m")
    model = load(tmp_path / "m")
    assert model.format == "SavedModel v2"
    assert model.producer.startswith("TensorFlow 2.")
    handles = [n for n in model.graph.by_op("VarHandleOp") if n.startswith("kernel")]
    assert len(handles) == 4 and set(handles) <= set(model.keys)
    by_path = {v.name: v.path for v in model.variables}
    for node in handles:
        path = by_path[model.keys[node]]
        assert np.array_equal(model.value(node), values[path]), path
    assert {by_path[model.keys[node]] for node in handles} == set(values)


def test_v2_signature_functions_and_assets(tmp_path: Path) -> None:
    save_v2(tmp_path / "m")
    model = load(tmp_path / "m")
    signature = model.signatures["serving_default"]
    assert set(signature.outputs) == {"y", "n"}
    x = signature.inputs["x"]
    assert signature.specs[x].shape == (None, 3)
    assert model.graph.op(x.node) == "Placeholder"
    assert set(model.assets.values()) == {"words.txt"}
    assert any("call" in name for name in model.functions)


@pytest.mark.parametrize("wrapped", ["renamed", "text", "gzip"])
def test_the_bytes_tell_not_the_name(wrapped: str, tmp_path: Path) -> None:
    import tensorflow as tf
    from google.protobuf import text_format
    from tensorflow.core.protobuf import saved_model_pb2

    assert tf.__version__
    save_v2(tmp_path / "m")
    path = tmp_path / "m" / "saved_model.pb"
    data = path.read_bytes()
    if wrapped == "renamed":
        path = path.rename(path.with_name("frozen_graph.dat"))
    elif wrapped == "text":
        path.unlink()
        path = path.with_name("saved_model.pbtxt")
        message = saved_model_pb2.SavedModel.FromString(data)
        path.write_text(text_format.MessageToString(message))
    else:
        path.write_bytes(gzip.compress(data))
    model = load(path)
    assert model.format == "SavedModel v2"
    assert len(model.weights) == 5 and len(model.keys) >= 4


def test_without_its_variables(tmp_path: Path) -> None:
    save_v2(tmp_path / "m")
    shutil.rmtree(tmp_path / "m" / "variables")
    model = load(tmp_path / "m")
    assert not len(model.weights) and len(model.graph)
    assert any("variables" in remark for remark in model.remarks)


def save_v1(folder: Path) -> None:
    import tensorflow as tf

    v1 = tf.compat.v1
    builder = v1.saved_model.Builder(str(folder))
    for number, tags in enumerate([["train"], ["serve"], ["serve", "gpu"]]):
        with tf.Graph().as_default(), v1.Session() as session:
            x = v1.placeholder(tf.float32, [None, 2], name="x")
            y = tf.multiply(v1.get_variable("w", [2]), x, name=f"y{number}")
            session.run(v1.global_variables_initializer())
            info = v1.saved_model.build_tensor_info
            signature = v1.saved_model.build_signature_def(
                {"in": info(x)}, {"out": info(y)}, "predict"
            )
            if number:
                builder.add_meta_graph(tags, {"f": signature})
            else:
                builder.add_meta_graph_and_variables(session, tags, {"f": signature})
    builder.save()


def test_v1_tags(tmp_path: Path) -> None:
    save_v1(tmp_path / "m")
    model = load(tmp_path / "m")
    assert model.format == "SavedModel v1"
    assert model.signatures["f"].outputs == {"out": Tensor("y1")}
    assert any("3 meta graphs" in remark for remark in model.remarks)
    other = load(tmp_path / "m", tags=("gpu", "serve"))
    assert other.signatures["f"].outputs == {"out": Tensor("y2")}
    assert other.value("w").shape == (2,)
    with pytest.raises(FormatError, match="tags nope; there are train; serve"):
        load(tmp_path / "m", tags=("nope",))


def test_every_variable_of_the_corpus_is_the_one_that_tensorflow_loads(
    corpus: Path,
) -> None:
    import tensorflow as tf

    folder = corpus / "spotify+basic-pitch/basic_pitch/saved_models/icassp_2022/nmp"
    loaded = tf.saved_model.load(str(folder))
    model = load(folder)
    expected = {v.name.removesuffix(":0"): v.numpy() for v in loaded.variables}
    shared = {
        model.graph.attrs(n)["shared_name"]: n for n in model.graph.by_op("VarHandleOp")
    }
    held = set(expected) & set(shared)
    assert len(held) > 20
    for name in held:
        assert np.array_equal(model.value(shared[name]), expected[name]), name


def test_trainable_comes_from_the_saved_objects(corpus: Path) -> None:
    folder = "spotify+basic-pitch/basic_pitch/saved_models/icassp_2022/nmp"
    variables = load(corpus / folder).variables
    told = {
        v.role: {w.trainable for w in variables if w.role == v.role} for v in variables
    }
    assert told["weight"] == {True} and told["batch statistics"] == {False}
