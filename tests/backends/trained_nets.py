"""Nets of kinds that tests/architectures has few of: recurrent, of keras.applications, preprocessing columns, mixed precision."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from ..architectures import Architecture


def sentiment() -> Any:
    """Words, both ways: the IMDB example of Keras, on a vocabulary of 50."""
    words = keras.Input((12,), dtype="int32")
    x = layers.Embedding(50, 8)(words)
    x = layers.Bidirectional(layers.LSTM(6, return_sequences=True))(x)
    x = layers.Bidirectional(layers.LSTM(4))(x)
    return keras.Model(words, layers.Dense(1, activation="sigmoid")(x))


def speech() -> Any:
    """Convolutions over time, then GRUs."""
    frames = keras.Input((20, 5))
    x = layers.Conv1D(8, 3, strides=2, padding="same")(frames)
    x = layers.BatchNormalization()(x)
    x = layers.ReLU()(x)
    x = layers.GRU(6, return_sequences=True)(x)
    x = layers.GRU(6, go_backwards=True)(x)
    return keras.Model(frames, layers.Dense(4, activation="softmax")(x))


def mobilenet() -> Any:
    return keras.applications.MobileNetV2(
        (32, 32, 3), alpha=0.35, weights=None, classes=5
    )


def densenet() -> Any:
    return keras.applications.DenseNet121(
        input_shape=(32, 32, 3), weights=None, classes=5
    )


def efficientnet() -> Any:
    return keras.applications.EfficientNetB0(
        input_shape=(32, 32, 3), weights=None, classes=5
    )


def columns() -> Any:
    """What took the place of feature columns: an age in buckets, an id looked up, an id as a vector of ones and zeros."""
    age, place, kind = (
        keras.Input((1,), name="age"),
        keras.Input((1,), dtype="int32", name="place"),
        keras.Input((1,), dtype="int32", name="kind"),
    )
    buckets = layers.Discretization([0.2, 0.5, 0.8], output_mode="one_hot")(age)
    known = layers.Flatten()(layers.Embedding(9, 4)(place))
    kinds = layers.CategoryEncoding(6, output_mode="one_hot")(kind)
    x = layers.Concatenate()([age, buckets, known, kinds])
    deep = layers.Dense(1)(layers.Dense(8, activation="relu")(x))
    wide = layers.Dense(1)(layers.Concatenate()([buckets, kinds]))
    chance = layers.Activation("sigmoid")(layers.Add()([deep, wide]))
    return keras.Model([age, place, kind], chance)


def mixed_precision() -> Any:
    """float16 within, float32 at both ends."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        pictures = keras.Input((16, 16, 3))
        x = layers.Conv2D(8, 3, padding="same", activation="relu")(pictures)
        x = layers.BatchNormalization()(x)
        x = layers.MaxPooling2D()(x)
        x = layers.Conv2D(12, 3, activation="relu")(x)
        x = layers.GlobalAveragePooling2D()(x)
        scores = layers.Dense(5, activation="softmax", dtype="float32")(x)
        return keras.Model(pictures, scores)
    finally:
        keras.config.set_dtype_policy(before)


BUILDERS = (
    sentiment,
    speech,
    mobilenet,
    densenet,
    efficientnet,
    columns,
    mixed_precision,
)
OTHERS = {f.__name__: Architecture(f.__name__, "tf2", f, {}, 0) for f in BUILDERS}
