"""Checkpoints that hold Keras's own config: the whole model without a graph."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from graphscope.graph import Layer, Tensor
from graphscope.read import load


def test_a_checkpoint_with_kerass_config_is_the_whole_model(corpus: Path) -> None:
    model = load(corpus / "MADscientist314+tensorflow_basecaller/training_10")
    assert model.layered and not model.inferred
    assert [model.graph.op(n) for n in model.graph] == ["InputLayer"] + ["Dense"] * 4
    assert model.graph.inputs("dense_7") == (Tensor("dense_6"),)
    assert model.signatures["call"].outputs == {"dense_7": Tensor("dense_7")}
    x = np.random.default_rng(0).random((2, 26))
    for name in ("dense_4", "dense_5", "dense_6", "dense_7"):
        layer = model.graph.node(name)
        assert isinstance(layer, Layer)
        kernel, bias = (layer.weights[w].array(model) for w in ("kernel", "bias"))
        x = x @ kernel + bias
    assert x.shape == (2, 256)


def test_a_config_of_no_use_leaves_the_names(tmp_path: Path) -> None:
    import tensorflow as tf

    from graphscope.read.checkpoint.object_graph import GRAPH_KEY
    from graphscope.wire.messages import TrackableObjectGraph
    from tests.read.checkpoint.test_bundle import save

    graph = TrackableObjectGraph()
    root = graph.nodes.add()
    key = "/.ATTRIBUTES/OBJECT_CONFIG_JSON"
    root.attributes.add(name="OBJECT_CONFIG_JSON", checkpoint_key=key)
    root.children.add(node_id=1, local_name="d")
    root.children.add(node_id=99, local_name="gone")
    layer = graph.nodes.add()
    layer.children.add(node_id=2, local_name="kernel")
    layer.children.add(node_id=0, local_name="back")
    kernel = "d/kernel/.ATTRIBUTES/VARIABLE_VALUE"
    graph.nodes.add().attributes.add(name="VARIABLE_VALUE", checkpoint_key=kernel)
    for config in ("{", "[]", '{"class_name": "Mine", "config": {}}', "[" * 10_000):
        tensors = {
            GRAPH_KEY: tf.constant(graph.SerializeToString()),
            key: tf.constant(config),
            kernel: tf.zeros([3, 5]),
        }
        model = load(save(tmp_path / "m", tensors))
        assert model.inferred and model.graph.op("d") == "Dense"
        assert {v.path for v in model.variables} >= {"d/kernel"}
