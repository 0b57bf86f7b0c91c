"""Graph convolutions: Kipf & Welling (arXiv 1609.02907) in batches and on one graph, with dense adjacency; attention over neighbours."""

from __future__ import annotations

from typing import Any

import keras as k
import numpy as np
import tensorflow as tf
from keras import layers as L

from . import architecture
from .legacy import v1

NODES, FEATURES, HIDDEN, CLASSES = 12, 9, 6, 3


def glorot(name: str, *shape: int) -> Any:
    limit = np.sqrt(6.0 / sum(shape))
    start = tf.random.uniform(shape, minval=-limit, maxval=limit, dtype=tf.float32)
    return v1.Variable(start, name=name)


@architecture("GCN, dense", "tf1", layers={"Dense": 2}, lines=16, ops=2)
def dense(training: bool = False) -> Any:
    """The normalised adjacency as a fed matrix."""
    adjacency = v1.placeholder(tf.float32, [NODES, NODES], name="adj")
    features = v1.placeholder(tf.float32, [NODES, FEATURES], name="features")
    keep = v1.placeholder_with_default(1.0, [], name="keep_prob")
    with v1.variable_scope("gcn"):
        x = v1.nn.dropout(features, keep) if training else features
        x = tf.matmul(adjacency, tf.matmul(x, glorot("w0", FEATURES, HIDDEN)))
        x = tf.nn.relu(x)
        x = v1.nn.dropout(x, keep) if training else x
        x = tf.matmul(adjacency, tf.matmul(x, glorot("w1", HIDDEN, CLASSES)))
    if training:
        labels = v1.placeholder(tf.float32, [NODES, CLASSES], name="labels")
        mask = v1.placeholder(tf.float32, [NODES], name="mask")
        losses = tf.nn.softmax_cross_entropy_with_logits(logits=x, labels=labels)
        loss = tf.reduce_mean(losses * (mask / tf.reduce_mean(mask)))
        loss += 5e-4 * tf.nn.l2_loss(v1.trainable_variables()[0])
        v1.train.AdamOptimizer(0.01).minimize(loss)
    return x


def normalised(graph: np.ndarray) -> np.ndarray:
    """D^-1/2 (A + I) D^-1/2."""
    looped = graph + np.eye(len(graph))
    root = 1 / np.sqrt(looped.sum(1))
    return (looped * root[:, None] * root[None, :]).astype("float32")


@architecture("GCN, one graph", "tf1", layers={"Dense": 2}, lines=50, ops=3, share=0.3)
def one_graph() -> Any:
    """The adjacency is a constant of the graph: only features are fed."""
    drawn = np.random.default_rng(0).random((NODES, NODES)) < 0.3
    adjacency = tf.constant(normalised((drawn | drawn.T).astype("float32")), name="adj")
    features = v1.placeholder(tf.float32, [NODES, FEATURES], name="features")
    with v1.variable_scope("gcn"):
        x = tf.matmul(adjacency, tf.matmul(features, glorot("w0", FEATURES, HIDDEN)))
        x = tf.nn.relu(x + v1.get_variable("b0", [HIDDEN]))
        x = tf.matmul(adjacency, tf.matmul(x, glorot("w1", HIDDEN, CLASSES)))
        return tf.nn.softmax(x + v1.get_variable("b1", [CLASSES]))


class GCNConv(L.Layer):
    """Spektral's, in its mode for batches."""

    def __init__(self, channels: int, activation: str | None = None) -> None:
        super().__init__()
        self.channels = channels
        self.activation = k.activations.get(activation)

    def build(self, input_shape: Any) -> None:
        size = input_shape[0][-1]
        self.kernel = self.add_weight(shape=(size, self.channels), name="kernel")
        self.bias = self.add_weight(shape=(self.channels,), name="bias")

    def call(self, inputs: Any) -> Any:
        x, a = inputs
        out = tf.matmul(a, tf.matmul(x, self.kernel)) + self.bias
        return self.activation(out)


@architecture(
    "GCN, batches",
    "tf2",
    layers={"Dense": 3, "GlobalAveragePooling1D": 1},
    lines=30,
    ops=2,
    share=0.9,
)
def spektral() -> Any:
    """Graphs of any size in batches: each with its own adjacency."""
    x = k.Input((None, FEATURES), name="x")
    a = k.Input((None, None), name="a")
    h = GCNConv(HIDDEN, "relu")([L.Dropout(0.5)(x), a])
    h = GCNConv(HIDDEN, "relu")([L.Dropout(0.5)(h), a])
    h = L.GlobalAveragePooling1D()(h)
    return k.Model([x, a], L.Dense(CLASSES, activation="softmax")(h))


class Attention(L.Layer):
    """GAT (Veličković et al., arXiv 1710.10903): one head, dense adjacency."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels

    def build(self, input_shape: Any) -> None:
        size = input_shape[0][-1]
        self.kernel = self.add_weight(shape=(size, self.channels), name="kernel")
        self.own = self.add_weight(shape=(self.channels, 1), name="attn_self")
        self.other = self.add_weight(shape=(self.channels, 1), name="attn_neighs")

    def call(self, inputs: Any) -> Any:
        x, a = inputs
        features = tf.matmul(x, self.kernel)
        mine = tf.matmul(features, self.own)
        others = tf.transpose(tf.matmul(features, self.other), [0, 2, 1])
        scores = tf.nn.leaky_relu(mine + others, alpha=0.2)
        scores += -10e9 * (1.0 - a)
        return tf.matmul(tf.nn.softmax(scores), features)


@architecture("GAT", "tf2", layers={"Dense": 6}, lines=35, ops=4)
def attention() -> Any:
    """Two layers of attention over neighbours."""
    x = k.Input((NODES, FEATURES), name="x")
    a = k.Input((NODES, NODES), name="a")
    h = L.Activation("elu")(Attention(HIDDEN)([x, a]))
    return k.Model([x, a], Attention(CLASSES)([h, a]))
