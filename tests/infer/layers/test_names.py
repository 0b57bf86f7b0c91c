"""Layers -> names: scopes where there are some, types in order where there are none."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphscope.graph import Layer, Tensor, WeightUse
from graphscope.infer.layers.find import find_layers
from graphscope.infer.layers.names import layer_names
from graphscope.infer.shapes.forward import infer_shapes
from graphscope.read import load
from tests.recovery import freeze


def layer(op: str, *members: str, weights: tuple[str, ...] = ()) -> Layer:
    uses = {str(i): WeightUse(name, ()) for i, name in enumerate(weights)}
    return Layer(
        op, members=frozenset(members), output=Tensor(members[-1]), weights=uses
    )


def names(
    *rows: tuple[str, ...], weights: dict[int, tuple[str, ...]] = {}
) -> list[str]:
    return layer_names(
        [layer(*row, weights=weights.get(i, ())) for i, row in enumerate(rows)]
    )


def test_the_deepest_common_scope_names_a_layer() -> None:
    assert names(
        ("Conv2D", "net/conv1/Conv2D", "net/conv1/BiasAdd"),
        ("Dense", "net/fc/MatMul", "net/fc/BiasAdd"),
    ) == ["conv1", "fc"]


def test_layers_without_scopes_are_named_by_type_in_order() -> None:
    rows = [("Conv2D", "a", "b"), ("ReLU", "c"), ("Conv2D", "d", "e")]
    assert names(*rows) == ["conv2d", "re_lu", "conv2d_1"]
    assert names(("MaxPooling2D", "a1"), ("LSTM", "b1", "b2")) == [
        "max_pooling2d",
        "lstm",
    ]


def test_a_node_that_a_person_named_names_its_layer() -> None:
    assert names(("MaxPooling2D", "pool1"), ("Softmax", "probabilities")) == [
        "pool1",
        "probabilities",
    ]
    assert names(("MaxPooling2D", "MaxPool_3"), ("Add", "add_1")) == [
        "max_pooling2d",
        "add",
    ]


def test_scopes_that_library_functions_open_are_stripped() -> None:
    assert names(
        ("BatchNormalization", "m/bn/batchnorm/mul", "m/bn/batchnorm/add_1"),
        ("Dropout", "m/drop/dropout/Mul", "m/drop/dropout/Mul_1"),
    ) == ["bn", "drop"]


def test_keras_3_suffixes_are_stripped_where_all_siblings_have_one() -> None:
    top = "functional_1"
    assert names(
        ("Dense", f"{top}/dense_1/MatMul", f"{top}/dense_1/BiasAdd"),
        ("Dense", f"{top}/dense_1_2/MatMul", f"{top}/dense_1_2/BiasAdd"),
        ("Dense", f"{top}/out_1/MatMul", f"{top}/out_1/BiasAdd"),
    ) == ["dense", "dense_1", "out"]


def test_numbered_scopes_of_a_tf1_program_stay() -> None:
    rows = [("Conv2D", f"net_1/conv_{i}/Conv2D", f"net_1/conv_{i}/add") for i in "123"]
    assert names(*rows) == ["conv_1", "conv_2", "conv_3"]
    assert names(("Dense", "dense/x", "dense/y"), ("Dense", "dense_1/x", "dense_1/y"))


def test_outer_scopes_are_kept_only_when_needed() -> None:
    rows = [
        (
            "Conv2D",
            f"net/block{i}/unit_{j}/conv1/Conv2D",
            f"net/block{i}/unit_{j}/conv1/b",
        )
        for i in (1, 2)
        for j in (1, 2)
    ]
    assert names(*rows, ("Dense", "net/logits/MatMul", "net/logits/b")) == [
        "block1_unit_1_conv1",
        "block1_unit_2_conv1",
        "block2_unit_1_conv1",
        "block2_unit_2_conv1",
        "logits",
    ]


def test_the_layer_with_weights_bears_the_name_of_a_shared_scope() -> None:
    found = names(
        ("Conv2D", "net/c1/Conv2D", "net/c1/add"),
        ("ReLU", "net/c1/Relu"),
        ("Conv2D", "net/c2/Conv2D", "net/c2/add"),
        ("ReLU", "net/c2/Relu"),
        weights={0: ("net/c1/w",), 2: ("net/c2/w",)},
    )
    assert found == ["c1", "c1_Relu", "c2", "c2_Relu"]


def test_the_calls_of_a_shared_layer_are_told_apart() -> None:
    kernel = ("m_1/tower_1/d_1/Cast/ReadVariableOp/resource",)
    found = names(
        ("Dense", "m_1/tower_1/d_1/MatMul", "m_1/tower_1/d_1/BiasAdd"),
        ("Dense", "m_1/tower_3/d_1/MatMul", "m_1/tower_3/d_1/BiasAdd"),
        weights={0: kernel, 1: kernel},
    )
    assert len(set(found)) == 2 and found[0] == "d"


parts = st.text("aZ_/1 .:\\é\x00'\"-", min_size=1, max_size=12)
rows = st.lists(
    st.tuples(st.sampled_from(["Conv2D", "Add", "?!", ""]), st.sets(parts, min_size=1)),
    max_size=12,
)


@given(rows)
def test_names_are_unique_valid_and_stable(rows: list[tuple[str, set[str]]]) -> None:
    layers = [layer(op, *sorted(members)) for op, members in rows]
    found = layer_names(layers)
    assert len(set(found)) == len(layers)
    assert all(re.fullmatch("[A-Za-z0-9][A-Za-z0-9_.-]*", name) for name in found)
    assert found == layer_names(layers)


def test_a_name_of_a_megabyte_is_cut() -> None:
    scope = "x" * 1_000_000
    (found,) = names(("Dense", f"{scope}/MatMul", f"{scope}/BiasAdd"))
    assert len(found) <= 100


def recovered_names(model: Any, path: Path) -> list[str]:
    """The names of the layers found in a model that TensorFlow froze, those of activations aside."""
    import tensorflow as tf

    specs = [tf.TensorSpec(i.shape, i.dtype, i.name) for i in model.inputs]
    function = model if len(specs) == 1 else lambda *x: model(list(x))
    freeze(lambda *x: function(*x), specs, path)
    found = load(path)
    layers = find_layers(found.graph, found, infer_shapes(found.graph))
    return [layer.name for layer in layers]


def test_names_of_a_sequential_model(tmp_path: Path) -> None:
    import keras
    from keras import layers

    keras.backend.clear_session()
    model = keras.Sequential(
        [
            keras.Input((12, 12, 3)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.Conv2D(4, 3, name="my_conv"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(5, activation="relu"),
            layers.Dense(3, activation="softmax"),
        ]
    )
    names = recovered_names(model, tmp_path / "m.pb")
    assert names == [layer.name for layer in model.layers]


def test_names_of_branches_that_join(tmp_path: Path) -> None:
    import keras
    from keras import layers

    keras.backend.clear_session()
    x = keras.Input((8, 8, 3), name="image")
    stem = layers.Conv2D(4, 3, padding="same", name="stem")(x)
    left = layers.Conv2D(4, 1)(stem)
    right = layers.Conv2D(4, 3, padding="same")(layers.AveragePooling2D(1)(stem))
    joined = layers.Concatenate(name="block_1_concat")([left, right])
    y = layers.Dense(2, name="head_1")(layers.GlobalAveragePooling2D()(joined))
    model = keras.Model(x, y)
    names = set(recovered_names(model, tmp_path / "m.pb"))
    wanted = {layer.name for layer in model.layers if layer.weights}
    assert wanted | {"block_1_concat", "global_average_pooling2d"} <= names


def test_names_of_a_keras_2_model(tmp_path: Path) -> None:
    tf_keras = pytest.importorskip("tf_keras")
    tf_keras.backend.clear_session()
    model = tf_keras.Sequential(
        [
            tf_keras.layers.Conv2D(4, 3, input_shape=(12, 12, 3), name="first"),
            tf_keras.layers.BatchNormalization(name="bn_1"),
            tf_keras.layers.Flatten(),
            tf_keras.layers.Dense(5),
            tf_keras.layers.Dense(3),
        ]
    )
    names = recovered_names(model, tmp_path / "m.pb")
    assert names == ["first", "bn_1", "flatten", "dense", "dense_1"]
