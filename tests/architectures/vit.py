"""ViT (Dosovitskiy et al., 2020): as in Keras's code examples, and with the projections of Hugging Face."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf
from keras import layers

from . import architecture

PATCH, SIDE, WIDTH, HEADS, DEPTH = 4, 16, 12, 3, 3
COUNT = (SIDE // PATCH) ** 2


class Positions(layers.Layer):
    """A learned vector for each patch, looked up."""

    def __init__(self) -> None:
        super().__init__()
        self.table = layers.Embedding(COUNT, WIDTH)

    def call(self, x: Any) -> Any:
        return x + self.table(keras.ops.expand_dims(keras.ops.arange(COUNT), 0))


@architecture(
    "ViT",
    "tf2",
    layers={
        "Conv2D": 1,
        "PositionEmbedding": 1,
        "LayerNormalization": 2 * DEPTH + 1,
        "MultiHeadAttention": DEPTH,
        "Dense": 2 * DEPTH + 1,
    },
    lines=45,
)
def example() -> Any:
    """A functional model: patches by a convolution, blocks that normalize first, a mean over the patches."""
    inputs = keras.Input((SIDE, SIDE, 3))
    x = layers.Conv2D(WIDTH, PATCH, PATCH)(inputs)
    x = Positions()(layers.Reshape((COUNT, WIDTH))(x))
    for _ in range(DEPTH):
        y = layers.LayerNormalization(epsilon=1e-6)(x)
        y = layers.MultiHeadAttention(HEADS, WIDTH // HEADS, dropout=0.1)(y, y)
        x = layers.Add()([x, y])
        y = layers.LayerNormalization(epsilon=1e-6)(x)
        y = layers.Dense(2 * WIDTH, activation="gelu")(y)
        y = layers.Dropout(0.1)(layers.Dense(WIDTH)(y))
        x = layers.Add()([x, y])
    x = layers.LayerNormalization(epsilon=1e-6)(x)
    x = layers.GlobalAveragePooling1D()(x)
    return keras.Model(inputs, layers.Dense(5, activation="softmax")(x))


class Attention(tf.Module):
    """Query, key and value each a matrix of its own, heads by reshape and transpose."""

    def __init__(self, rng: tf.random.Generator) -> None:
        super().__init__()
        self.parts = [Dense(rng, WIDTH, WIDTH) for _ in range(4)]

    def heads(self, x: tf.Tensor) -> tf.Tensor:
        split = tf.reshape(x, (tf.shape(x)[0], -1, HEADS, WIDTH // HEADS))
        return tf.transpose(split, (0, 2, 1, 3))

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        q, k, v = (self.heads(part(x)) for part in self.parts[:3])
        scores = tf.matmul(q, k, transpose_b=True)
        scores = tf.divide(scores, tf.math.sqrt(tf.cast(WIDTH // HEADS, scores.dtype)))
        found = tf.matmul(tf.nn.softmax(scores + 1e-9, axis=-1), v)
        found = tf.transpose(found, (0, 2, 1, 3))
        return self.parts[3](tf.reshape(found, (tf.shape(x)[0], -1, WIDTH)))


class Dense(tf.Module):
    def __init__(self, rng: tf.random.Generator, rows: int, units: int) -> None:
        super().__init__()
        self.kernel = tf.Variable(rng.normal((rows, units), stddev=rows**-0.5))
        self.bias = tf.Variable(rng.normal((units,), stddev=0.1))

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        return tf.tensordot(x, self.kernel, 1) + self.bias


class Norm(tf.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gamma = tf.Variable(tf.ones(WIDTH))
        self.beta = tf.Variable(tf.zeros(WIDTH))

    def __call__(self, x: tf.Tensor) -> tf.Tensor:
        mean, variance = tf.nn.moments(x, [-1], keepdims=True)
        return tf.nn.batch_normalization(
            x, mean, variance, self.beta, self.gamma, 1e-12
        )


class Vit(tf.Module):
    """A token of its own stands before the patches; it alone is classified."""

    def __init__(self) -> None:
        super().__init__()
        rng = tf.random.Generator.from_seed(1)
        self.patches = tf.Variable(rng.normal((PATCH, PATCH, 3, WIDTH), stddev=0.1))
        self.token = tf.Variable(rng.normal((1, 1, WIDTH)))
        self.positions = tf.Variable(rng.normal((1, COUNT + 1, WIDTH)))
        self.blocks = [
            (
                Norm(),
                Attention(rng),
                Norm(),
                Dense(rng, WIDTH, 24),
                Dense(rng, 24, WIDTH),
            )
            for _ in range(DEPTH)
        ]
        self.norm, self.head = Norm(), Dense(rng, WIDTH, 5)

    def __call__(self, images: tf.Tensor) -> tf.Tensor:
        x = tf.nn.conv2d(images, self.patches, PATCH, "VALID")
        x = tf.reshape(x, (tf.shape(x)[0], COUNT, WIDTH))
        token = tf.repeat(self.token, tf.shape(images)[0], axis=0)
        x = tf.concat([token, x], axis=1) + self.positions
        for before, attention, after, wide, narrow in self.blocks:
            x = attention(before(x)) + x
            x = narrow(tf.nn.gelu(wide(after(x)))) + x
        return self.head(self.norm(x)[:, 0])


@architecture(
    "ViT, by hand",
    "tf2",
    layers={
        "Conv2D": 1,
        "PositionEmbedding": 1,
        "LayerNormalization": 2 * DEPTH + 1,
        "MultiHeadAttention": DEPTH,
        "Dense": 2 * DEPTH + 1,
    },
    lines=75,
    ops=6,  # the token
    share=0.99,
)
def by_hand() -> Any:
    return Vit(), [tf.TensorSpec((None, SIDE, SIDE, 3), tf.float32, name="images")]
