"""The graph's variables find their checkpoint values through the graph's own restore ops."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from graphscope.errors import MissingWeight
from graphscope.read import load


def trained(folder: Path, resource: bool = False, saver: dict | None = None) -> dict:
    """A small TF1 graph with a partitioned variable, saved; the values by variable name."""
    import tensorflow as tf

    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        with v1.variable_scope("net", use_resource=resource):
            x = v1.placeholder(tf.float32, [None, 4], name="x")
            w = v1.get_variable("w", [4, 3])
            b = v1.get_variable("b", [3])
            parts = v1.get_variable(
                "table", [6, 3], partitioner=v1.fixed_size_partitioner(3)
            )
            y = tf.matmul(x, w) + b + tf.reduce_sum(tf.convert_to_tensor(parts))
            v1.train.AdamOptimizer().minimize(tf.reduce_sum(y**2))
        session.run(v1.global_variables_initializer())
        keep = v1.train.Saver({"other/w": w, "other/b": b} if saver else None)
        keep.save(session, str(folder / "m.ckpt"), global_step=3)
        return {v.op.name: session.run(v) for v in v1.global_variables()}


@pytest.mark.parametrize("resource", [False, True])
def test_every_variable_has_its_own_value(resource: bool, tmp_path: Path) -> None:
    values = trained(tmp_path, resource)
    model = load(tmp_path / "m.ckpt-3")
    variables = set(model.graph.by_op("VariableV2", "VarHandleOp"))
    assert variables == set(values) == set(model.keys)
    for name, value in values.items():
        assert model.has_value(name)
        assert np.array_equal(model.value(name), value), name
    assert model.keys["net/table/part_1"] == "net/table 6 3 2,2:-"
    assert model.format == "TensorFlow checkpoint V2 with MetaGraph"


@pytest.mark.parametrize("resource", [False, True])
def test_renamed_on_saving(resource: bool, tmp_path: Path) -> None:
    values = trained(tmp_path, resource, {"renamed": True})
    model = load(tmp_path / "m.ckpt-3.meta")
    assert model.keys["net/w"] == "other/w"
    assert np.array_equal(model.value("net/w"), values["net/w"])
    with pytest.raises(MissingWeight, match="net/net/w/Adam"):
        model.value("net/net/w/Adam")


def test_roles_come_from_what_the_graph_does(tmp_path: Path) -> None:
    trained(tmp_path)
    roles = {v.name: (v.role, v.of) for v in load(tmp_path / "m.ckpt-3").variables}
    assert roles["net/w"] == ("weight", "")
    assert roles["net/net/w/Adam"] == ("optimizer slot", "net/w")
    assert roles["net/net/w/Adam_1"] == ("optimizer slot", "net/w")
    assert roles["net/beta1_power"] == ("optimizer slot", "")
    assert roles["net/table"] == ("weight", "")
    slots = [r for r in roles.values() if r == ("optimizer slot", "net/table")]
    assert len(slots) == 6  # two for each of three parts


def test_a_graph_without_restore_ops_is_joined_by_name(tmp_path: Path) -> None:
    import tensorflow as tf

    values = trained(tmp_path)
    v1 = tf.compat.v1
    meta = v1.MetaGraphDef.FromString((tmp_path / "m.ckpt-3.meta").read_bytes())
    bare = v1.graph_util.remove_training_nodes(meta.graph_def)
    kept = v1.graph_util.extract_sub_graph(bare, ["net/add_1"])
    (tmp_path / "elsewhere").mkdir()
    path = tmp_path / "elsewhere" / "g.pb"
    path.write_bytes(kept.SerializeToString())
    for model in (
        load(path, checkpoint=tmp_path / "m.ckpt-3"),
        load(tmp_path / "m.ckpt-3", graph=path),
    ):
        assert np.array_equal(model.value("net/w"), values["net/w"])
        assert len(model.graph) == len(kept.node)
    assert not load(path).keys


def test_values_equal_tensorflows_restore_in_the_corpus(corpus: Path) -> None:
    import tensorflow as tf

    v1 = tf.compat.v1
    names = [
        "dotnet+machinelearning-testdata/Microsoft.ML.TensorFlow.TestModels/cifar_model/model.ckpt",
        "WilsonCWu+open_spiel/save/checkpoint--1",
        "onnx+tensorflow-onnx/tests/models/regression/checkpoint/model",
    ]
    for name in names:
        prefix = str(corpus / name)
        with tf.Graph().as_default(), v1.Session() as session:
            v1.train.import_meta_graph(prefix + ".meta").restore(session, prefix)
            expected = {v.op.name: session.run(v) for v in v1.global_variables()}
        model = load(prefix)
        assert expected
        for variable, value in expected.items():
            assert np.array_equal(model.value(variable), value), variable


@pytest.mark.parametrize("moved", ["added", "taken away"])
def test_a_scope_that_moved_since(moved: str, tmp_path: Path) -> None:
    """The graph was built under another scope than the checkpoint: names differ by one prefix."""
    import tensorflow as tf

    from tests.read.checkpoint.test_bundle import save

    v1 = tf.compat.v1
    outer = {"added": "model/", "taken away": ""}[moved]
    with tf.Graph().as_default() as graph:
        for name in ("a/w", "b/w"):
            v1.get_variable(outer + name, [2, 3], use_resource=True)
        v1.get_variable(outer + "c/w", [7], use_resource=True)
    path = tmp_path / "g.pb"
    path.write_bytes(graph.as_graph_def().SerializeToString())
    other = {"added": "", "taken away": "module/net/"}[moved]
    values = {f"{other}{n}/w": tf.random.normal([2, 3]) for n in "abc"}
    model = load(path, checkpoint=save(tmp_path / "m", values))
    assert {n: model.keys.get(outer + f"{n}/w") for n in "abc"} == {
        "a": f"{other}a/w",
        "b": f"{other}b/w",
        "c": None,  # of another shape
    }
