"""find_layers against the layers of the Keras models that TensorFlow froze, and on small graphs of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import networkx as nx
import numpy as np
import pytest
import tensorflow as tf

from graphscope.graph import Graph, Layer, Model, Node, Tensor
from graphscope.infer.layers.find import find_layers
from graphscope.infer.shapes.forward import infer_shapes
from graphscope.match import collapse
from graphscope.read import load

MODELS = ["MobileNetV2"]
WIDER = [
    "ResNet50",
    "VGG16",
    "InceptionV3",
    "DenseNet121",
    "Xception",
    "EfficientNetB0",
    "EfficientNetV2B0",
    "MobileNetV3Small",
]
# What a graph cannot tell of a layer, or tells of something else.
UNTOLD = {"name", "trainable", "dtype", "momentum", "renorm", "synchronized", "seed"}


def frozen(model: Any, folder: Path) -> Model:
    """The model as TensorFlow freezes it, read back."""
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2,
    )

    call = tf.function(lambda *inputs: model(inputs[0], training=False))
    specs = [tf.TensorSpec(i.shape, i.dtype, name="x") for i in model.inputs]
    made = convert_variables_to_constants_v2(call.get_concrete_function(*specs))
    path = folder / "model.pb"
    path.write_bytes(made.graph.as_graph_def().SerializeToString())
    return load(str(path))


def plain(key: str, value: Any, rank: int) -> Any:
    """A config value in one form: tuples as lists, an axis counted from the end."""
    if isinstance(value, tuple | list):
        return [plain(key, each, rank) for each in value]
    if key == "axis" and isinstance(value, int):
        return value % rank - rank
    return value


def differences(layer: Layer, theirs: Any) -> dict[str, Any]:
    """What our layer says otherwise than Keras's own: class, config, weight shapes."""
    config = theirs.get_config()
    rank = len(theirs.output.shape)
    found: dict[str, Any] = {}
    if layer.op != type(theirs).__name__:
        found["class"] = (layer.op, type(theirs).__name__)
    for key in config.keys() & layer.attrs.keys() - UNTOLD:
        mine, own = (plain(key, v, rank) for v in (layer.attrs[key], config[key]))
        if mine != own:
            found[key] = (mine, own)
    shapes = [tuple(w.shape) for w in theirs.weights]
    if [use.shape for use in layer.weights.values()] != shapes:
        found["weights"] = (layer.weights, shapes)
    return found


def check_against_keras(name: str, folder: Path) -> None:
    keras.utils.clear_session()
    small = {"input_shape": (96, 96, 3), "classes": 10}
    theirs = getattr(keras.applications, name)(weights=None, **small)
    model = frozen(theirs, folder)
    specs = infer_shapes(model.graph, functions=model.functions)
    layers = find_layers(model.graph, model, specs)
    ours = {layer.name: layer for layer in layers}
    owners = [each for each in theirs.layers if each.weights]
    for each in owners:
        if type(each).__name__ == "Normalization":  # constants in the graph: arguments
            continue
        assert differences(ours.pop(each.name), each) == {}, each.name
    assert not [n for n, layer in ours.items() if layer.weights]
    rest = collapse(model.graph, layers)
    assert {rest.node(n).op for n in rest if not isinstance(rest.node(n), Layer)} <= {
        "Placeholder",
        "NoOp",
    }


@pytest.mark.parametrize("name", MODELS)
def test_layers_that_own_weights_equal_those_of_keras(
    name: str, tmp_path: Path
) -> None:
    check_against_keras(name, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", WIDER)
def test_more_models_of_keras(name: str, tmp_path: Path) -> None:
    check_against_keras(name, tmp_path)


def small(tmp_path: Path) -> Model:
    inputs = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, activation="relu", name="conv")(inputs)
    x = keras.layers.BatchNormalization(name="bn")(x)
    x = keras.layers.ReLU(name="act")(x)
    x = keras.layers.Flatten(name="flat")(x)
    outputs = keras.layers.Dense(5, activation="softmax", name="head")(x)
    return frozen(keras.Model(inputs, outputs), tmp_path)


@pytest.fixture
def model(tmp_path: Path) -> Model:
    keras.utils.clear_session()
    return small(tmp_path)


def layers_of(model: Model, **options: Any) -> tuple[Layer, ...]:
    specs = infer_shapes(model.graph, functions=model.functions)
    return find_layers(model.graph, model, specs, **options)


def test_layers_come_in_topological_order_with_their_names(model: Model) -> None:
    assert [layer.name for layer in layers_of(model)] == [
        "conv",
        "bn",
        "act",
        "flat",
        "head",
    ]


def test_an_activation_is_written_into_the_layer_that_it_was_written_with(
    model: Model,
) -> None:
    conv, _, act, _, head = layers_of(model)
    assert conv.attrs["activation"] == "relu"
    assert act.op == "Activation"
    assert head.attrs["activation"] == "softmax"


def test_activations_stay_apart_when_asked(model: Model) -> None:
    found = layers_of(model, fuse_activations=False)
    assert [layer.op for layer in found].count("Activation") == 3
    assert found[0].attrs["activation"] == "linear"


def test_what_must_stay_visible_is_not_hidden_in_a_layer(model: Model) -> None:
    hidden = next(n for n in model.graph if model.graph.op(n) == "Conv2D")
    found = layers_of(model, keep=[Tensor(hidden)])
    outputs = {layer.output.node for layer in found}
    inside = {n for layer in found for n in layer.members} - outputs
    assert hidden not in inside


def test_it_works_without_any_shapes(model: Model) -> None:
    bare = Graph()
    for name in model.graph:
        node = model.graph.node(name)
        bare.add(name, Node(node.op, node.attrs), model.graph.inputs(name))
    classes = [layer.op for layer in find_layers(bare, model)]
    assert {"Conv2D", "BatchNormalization", "Dense"} <= set(classes)


def test_the_layer_graph_means_what_the_op_graph_meant(model: Model) -> None:
    layers = layers_of(model)
    up = collapse(model.graph, layers)
    assert nx.is_directed_acyclic_graph(up)
    for layer in layers:
        assert up.node(layer.name) is layer
        assert up.graph["tensors"][layer.output] == Tensor(layer.name)
    assert up.inputs("head") == (Tensor("flat"),)


def test_weights_are_in_keras_s_layout(model: Model) -> None:
    conv = layers_of(model)[0]
    assert conv.weights["kernel"].array(model).shape == (3, 3, 3, 4)
    assert conv.weights["bias"].array(model).shape == (4,)


def chain(length: int) -> tuple[Graph, Model]:
    graph = Graph()
    graph.add("x", Node("Placeholder", {"dtype": "float32", "shape": (None, 4)}))
    graph.add("w", Node("Const", {"dtype": "float32", "value": np.ones((4, 4), "f")}))
    before = "x"
    for i in range(length):
        graph.add(
            f"m{i}", Node("MatMul", {"T": "float32"}), [Tensor(before), Tensor("w")]
        )
        graph.add(f"i{i}", Node("Identity", {"T": "float32"}), [Tensor(f"m{i}")])
        before = f"i{i}"
    return graph, Model(graph)


def test_a_very_deep_graph_does_not_recurse() -> None:
    graph, model = chain(5_000)
    assert len(find_layers(graph, model)) == 5_000


def test_a_cycle_is_no_reason_to_fail() -> None:
    graph = Graph()
    graph.add("x", Node("Placeholder", {"dtype": "float32", "shape": (None, 4)}))
    graph.add("merge", Node("Merge", {"T": "float32"}), [Tensor("x"), Tensor("next")])
    graph.add("relu", Node("Relu", {"T": "float32"}), [Tensor("merge")])
    graph.add("next", Node("NextIteration", {"T": "float32"}), [Tensor("relu")])
    (layer,) = find_layers(graph, Model(graph))
    assert layer.op == "Activation"
    assert "merge" in collapse(graph, [layer])


def test_identities_in_a_circle_end() -> None:
    graph = Graph()
    graph.add("a", Node("Identity", {"T": "float32"}), [Tensor("b")])
    graph.add("b", Node("Identity", {"T": "float32"}), [Tensor("a")])
    graph.add("r", Node("Relu", {"T": "float32"}), [Tensor("a")])
    find_layers(graph, Model(graph))
    collapse(graph, [])


def test_explicit_paddings_become_a_layer_of_their_own() -> None:
    graph = Graph()
    graph.add("x", Node("Placeholder", {"dtype": "float32", "shape": (None, 8, 8, 3)}))
    kernel = np.ones((3, 3, 3, 4), "f")
    graph.add("k", Node("Const", {"dtype": "float32", "value": kernel}))
    attrs = {"T": "float32", "strides": (1, 1, 1, 1), "padding": "EXPLICIT"}
    attrs["explicit_paddings"] = (0, 0, 1, 0, 2, 1, 0, 0)
    graph.add("conv", Node("Conv2D", attrs), [Tensor("x"), Tensor("k")])
    before, conv = find_layers(graph, Model(graph))
    assert (before.op, before.attrs["padding"]) == ("ZeroPadding2D", ((1, 0), (2, 1)))
    assert conv.attrs["padding"] == "valid"
    up = collapse(graph, [before, conv])
    assert up.inputs(conv.name) == (Tensor(before.name),)
    assert up.inputs(before.name) == (Tensor("x"),)
