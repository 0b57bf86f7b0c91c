"""Attention without heads: what Keras 2 and 3 and the tutorials write is found and computes the same, near misses are not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import tf_keras

from graphscope.analysis.results import Analysis, analyse
from tests.patterns.attention.test_multi_head import analysed, dense, layers_of
from tests.patterns.spelling import NearMiss, Spelling, spell
from tests.recovery import freeze_model

v1 = tf.compat.v1
LENGTH, KEYS, WIDTH = 5, 7, 6


# -- Keras's layers ---------------------------------------------------------------------------
def called(framework: Any, kind: str, masks: str = "", **config: Any) -> Any:
    """A model of one layer; ``masks`` names what its call is given besides."""
    query = framework.Input((LENGTH, WIDTH), name="query")
    value = framework.Input((KEYS, WIDTH), name="value")
    inputs, given = [query, value], [None, None]
    for at, (name, size) in enumerate((("query", LENGTH), ("value", KEYS))):
        if name in masks:
            given[at] = framework.Input((size,), dtype="bool", name=f"{name}_mask")
            inputs.append(given[at])
    call: dict[str, Any] = {"mask": given} if given != [None, None] else {}
    if "causal" in masks:
        call["use_causal_mask"] = True
    layer = getattr(framework.layers, kind)(**config)
    model = framework.Model(inputs, layer([query, value], **call))
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(size=w.shape) for w in model.get_weights()])
    return model


CASES = [
    ("Attention", "", {}),
    ("Attention", "query value", {"use_scale": True}),
    ("Attention", "value causal", {"dropout": 0.3}),
    ("Attention", "causal", {"score_mode": "concat", "use_scale": True}),
    ("Attention", "value", {"score_mode": "concat"}),
    ("AdditiveAttention", "query value causal", {}),
    ("AdditiveAttention", "causal", {"use_scale": False}),
]


@pytest.mark.parametrize("kind, masks, config", CASES)
@pytest.mark.parametrize("form", ["keras", "tf_keras", "saved"])
def test_keras_s_layer_comes_back(
    kind: str, masks: str, config: dict[str, Any], form: str, tmp_path: Path
) -> None:
    model = called(keras if form == "keras" else tf_keras, kind, masks, **config)
    if form == "saved":
        model.save(tmp_path / "saved", save_format="tf")
        found = analyse(tmp_path / "saved")
    else:
        _, outputs = freeze_model(model, tmp_path / "frozen.pb")
        found = analyse(tmp_path / "frozen.pb", outputs=[str(t) for t in outputs])
    (layer,) = layers_of(found).values()
    assert layer.op == kind
    for name, value in config.items():
        assert name == "dropout" or layer.config[name] == value
    assert layer.config["use_causal_mask"] is ("causal" in masks)
    for name in ("query", "value"):
        assert (f"{name}_mask" in layer.inputs) is (name in masks)
    source = found.write_keras(tmp_path / "keras").source.text
    assert "ops." not in source
    proof = found.prove(tmp_path / "keras")
    assert proof.passed and proof.max_rel < 1e-5


def headed(masks: str = "") -> Any:
    query = tf_keras.Input((LENGTH, WIDTH))
    mask = tf_keras.Input((LENGTH, LENGTH), dtype="bool")
    call = {"use_causal_mask": True} if masks else {"attention_mask": mask}
    made = tf_keras.layers.MultiHeadAttention(2, 3)(query, query, **call)
    return tf_keras.Model([query] if masks else [query, mask], made)


@pytest.mark.parametrize("masks", ["", "causal"])
def test_keras_2_s_heads_come_back(masks: str, tmp_path: Path) -> None:
    """Keras 2 adds (mask - 1) * 1e9 to the scores, in which nothing is left of them: Keras 3 replaces them."""
    headed(masks).save(tmp_path / "saved", save_format="tf")
    found = analyse(tmp_path / "saved")
    (layer,) = layers_of(found).values()
    assert layer.op == "MultiHeadAttention" and not layer.config["additive_mask"]
    assert "ops." not in found.write_keras(tmp_path / "keras").source.text
    assert found.prove(tmp_path / "keras").passed


# -- near misses ------------------------------------------------------------------------------
def written(
    axis: int = -1,
    far: float = 1e9,
    sign: bool = True,
    past: int = 1,
) -> Any:
    """Additive attention with its masks, and one thing in it changed."""
    query = v1.placeholder(tf.float32, [None, LENGTH, WIDTH], "query")
    value = v1.placeholder(tf.float32, [None, LENGTH, WIDTH], "value")
    pairs = tf.expand_dims(query, 2) + tf.expand_dims(value, 1)
    scores = tf.reduce_sum(tf.tanh(pairs), axis=-1)
    places = tf.range(LENGTH)
    seen = past * places[:, None] >= past * places
    hidden = tf.logical_not(seen) if sign else tf.identity(seen)
    scores = tf.where(hidden[None], scores - far, scores)
    return tf.identity(tf.matmul(tf.nn.softmax(scores, axis), value), "result")


def concatenated(total: int = -1) -> Any:
    """Attention(score_mode="concat"), its one learned number a constant."""
    query = v1.placeholder(tf.float32, [None, LENGTH, LENGTH], "query")
    pairs = tf.expand_dims(query, 2) + tf.expand_dims(query, 1)
    scores = 0.7 * tf.reduce_sum(tf.tanh(pairs), axis=total)
    return tf.identity(tf.matmul(tf.nn.softmax(scores), query), "result")


NAME, CONCAT = "attention_additive", "attention_concat"
SPELLINGS = [
    spell("Bahdanau's", NAME, written, use_causal_mask=True, use_scale=False),
    spell("one number", CONCAT, concatenated, score_mode="concat", use_scale=False),
]
NEAR_MISSES = [
    NearMiss("softmax over queries", NAME, lambda: written(axis=1)),
    NearMiss("not far", NAME, lambda: written(far=2.0)),
    NearMiss("the past is hidden", NAME, lambda: written(sign=False)),
    NearMiss("the future is seen", NAME, lambda: written(past=-1)),
    NearMiss("summed over keys", CONCAT, lambda: concatenated(2)),
]


@pytest.mark.parametrize("spelling", SPELLINGS, ids=str)
def test_a_spelling_is_found_and_computes_the_same(
    spelling: Spelling, tmp_path: Path
) -> None:
    found = analysed(spelling.build, tmp_path)
    config = layers_of(found)[spelling.pattern].config
    assert {key: config[key] for key in spelling.config} == spelling.config
    found.write_keras(tmp_path / "keras")
    assert found.prove(tmp_path / "keras").passed


@pytest.mark.parametrize("miss", NEAR_MISSES, ids=str)
def test_a_near_miss_is_not_found_and_computes_the_same(
    miss: NearMiss, tmp_path: Path
) -> None:
    found = analysed(miss.build, tmp_path)
    assert miss.pattern not in layers_of(found)
    found.write_keras(tmp_path / "keras")
    assert found.prove(tmp_path / "keras").passed


# -- the tutorials ----------------------------------------------------------------------------
def encoded() -> tuple[Any, Any]:
    states = v1.placeholder(tf.float32, [None, KEYS, WIDTH], "states")
    return states, v1.placeholder(tf.float32, [None, 8], "hidden")


def bahdanau() -> Any:
    """TensorFlow's tutorial of translation, without its loop: two Dense layers, a tanh, a Dense layer of one."""
    states, hidden = encoded()
    mixed = dense(states, 4, "W1") + dense(tf.expand_dims(hidden, 1), 4, "W2")
    weights = tf.nn.softmax(dense(tf.nn.tanh(mixed), 1, "V"), axis=1)
    return tf.identity(tf.reduce_sum(weights * states, axis=1), "result")


def luong() -> Any:
    """The general score: queries meet what a Dense layer makes of the states."""
    states, hidden = encoded()
    query = tf.expand_dims(hidden, 1)
    scores = tf.matmul(query, dense(states, 8, "W", bias=False), transpose_b=True)
    context = tf.squeeze(tf.matmul(tf.nn.softmax(scores), states), 1)
    joined = tf.concat([context, hidden], 1)
    kernel = v1.get_variable("mixed", [WIDTH + 8, 9])
    return tf.identity(tf.tanh(tf.matmul(joined, kernel)), "result")


def of_layers(found: Analysis) -> list[str]:
    return sorted(layer.op for layer in found.layers)


def test_bahdanau_s_attention_is_dense_layers_and_a_softmax(tmp_path: Path) -> None:
    found = analysed(bahdanau, tmp_path)
    assert (
        of_layers(found) == "Activation Add Dense Dense Dense Multiply Softmax".split()
    )
    found.write_keras(tmp_path / "keras")
    assert found.prove(tmp_path / "keras").passed


def test_luong_s_attention_is_a_dense_layer_and_attention(tmp_path: Path) -> None:
    found = analysed(luong, tmp_path)
    assert of_layers(found) == "Attention Concatenate Dense Dense".split()
    found.write_keras(tmp_path / "keras")
    assert found.prove(tmp_path / "keras").passed
