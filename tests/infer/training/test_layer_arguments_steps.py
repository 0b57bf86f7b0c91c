"""What a train step says of its layers, where it is a function: a SavedModel whose signature trains."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

tf = pytest.importorskip("tensorflow")
import keras  # noqa: E402

from graphscope import analyse  # noqa: E402


def small(kit: Any) -> Any:
    """A net of one of the two Keras; each of its layers is taught something."""
    layers, penalty = kit.layers, kit.regularizers
    x = inputs = kit.Input((6, 6, 3))
    x = layers.Conv2D(
        4, 3, kernel_regularizer=penalty.L2(1e-3), bias_regularizer=penalty.L1(1e-4)
    )(x)
    x = layers.BatchNormalization(momentum=0.9)(x)
    x = layers.Flatten()(layers.ReLU()(x))
    x = layers.Dropout(0.3)(x)
    x = layers.Dense(5, kernel_regularizer=penalty.L1L2(l1=1e-4, l2=2e-3))(x)
    return kit.Model(inputs, x)


def step_of(kit: Any) -> Any:
    """A module whose ``step`` computes the loss with the model's own penalties, and trains."""
    model, optimizer = small(kit), kit.optimizers.SGD(0.1)
    optimizer.build(model.trainable_variables)
    module = tf.Module()
    if kit is keras:
        module.owned = [v.value for v in (*model.variables, *optimizer.variables)]
    else:
        module.model, module.optimizer = model, optimizer

    @tf.function(
        input_signature=[
            tf.TensorSpec((None, 6, 6, 3), tf.float32, name="x"),
            tf.TensorSpec((None,), tf.int32, name="y"),
        ]
    )
    def step(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            made = model(x, training=True)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, made)
            loss = tf.reduce_mean(losses) + tf.add_n(model.losses)
        found = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(found, model.trainable_variables))
        return {"loss": loss, "logits": made}

    module.step = step
    return module


@pytest.mark.parametrize("name", ["keras", "tf_keras"])
def test_a_train_step_teaches(name: str, tmp_path: Path) -> None:
    module = step_of(pytest.importorskip(name))
    signatures = {"serving_default": module.step}
    tf.saved_model.save(module, str(tmp_path / "saved"), signatures=signatures)
    found = {layer.op: layer for layer in analyse(str(tmp_path / "saved")).layers}
    conv, dense = found["Conv2D"].config, found["Dense"].config
    assert conv["kernel_regularizer"]["config"] == {"l2": 0.001}
    assert conv["bias_regularizer"]["config"] == {"l1": 0.0001}
    assert dense["kernel_regularizer"]["config"] == {"l1": 0.0001, "l2": 0.002}
    assert found["BatchNormalization"].config["momentum"] == 0.9
    assert found["Dropout"].config["rate"] == pytest.approx(0.3)


def test_near_miss_a_step_without_the_penalties(tmp_path: Path) -> None:
    model = small(keras)
    module = tf.Module()
    module.owned = [each.value for each in model.variables]
    spec = tf.TensorSpec((None, 6, 6, 3), tf.float32, name="x")
    module.call = tf.function(
        lambda x: model(x, training=False), input_signature=[spec]
    )
    signatures = {"serving_default": module.call}
    tf.saved_model.save(module, str(tmp_path / "saved"), signatures=signatures)
    layers = analyse(str(tmp_path / "saved")).layers
    assert not any("regularizer" in key for layer in layers for key in layer.config)
    assert "Dropout" not in {layer.op for layer in layers}
