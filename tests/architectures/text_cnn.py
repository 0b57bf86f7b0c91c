"""Convolutions over words and characters: Kim (arXiv 1408.5882) in Denny Britz's code, Zhang et al. (arXiv 1509.01626)."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from . import architecture
from .legacy import layers, v1

LENGTH, WORDS, WIDTH, FILTERS, CLASSES = 20, 30, 8, 6, 3


@architecture(
    "TextCNN",
    "tf1",
    layers={"Embedding": 1, "Conv2D": 3, "MaxPooling2D": 3, "Dropout": 1, "Dense": 1},
    lines=24,
    ops=2,
    random=1,
)
def text_cnn(training: bool = False) -> Any:
    """github.com/dennybritz/cnn-text-classification-tf, text_cnn.py."""
    input_x = v1.placeholder(tf.int32, [None, LENGTH], name="input_x")
    keep = v1.placeholder(tf.float32, name="dropout_keep_prob")
    with tf.name_scope("embedding"):
        table = v1.Variable(tf.random.uniform([WORDS, WIDTH], -1.0, 1.0), name="W")
        chars = tf.nn.embedding_lookup(table, input_x)
        expanded = tf.expand_dims(chars, -1)
    pooled_outputs, l2_loss = [], tf.constant(0.0)
    for size in (3, 4, 5):
        with tf.name_scope(f"conv-maxpool-{size}"):
            shape = [size, WIDTH, 1, FILTERS]
            w = v1.Variable(tf.random.truncated_normal(shape, stddev=0.1), name="W")
            b = v1.Variable(tf.constant(0.1, shape=[FILTERS]), name="b")
            conv = v1.nn.conv2d(expanded, w, [1, 1, 1, 1], "VALID", name="conv")
            h = tf.nn.relu(tf.nn.bias_add(conv, b), name="relu")
            window = [1, LENGTH - size + 1, 1, 1]
            pooled = v1.nn.max_pool(h, window, [1, 1, 1, 1], "VALID", name="pool")
            pooled_outputs.append(pooled)
    h_pool_flat = tf.reshape(tf.concat(pooled_outputs, 3), [-1, 3 * FILTERS])
    with tf.name_scope("dropout"):
        h_drop = v1.nn.dropout(h_pool_flat, keep)
    with tf.name_scope("output"):
        w = v1.get_variable("W", shape=[3 * FILTERS, CLASSES])
        b = v1.Variable(tf.constant(0.1, shape=[CLASSES]), name="b")
        l2_loss += tf.nn.l2_loss(w)
        l2_loss += tf.nn.l2_loss(b)
        scores = v1.nn.xw_plus_b(h_drop, w, b, name="scores")
        predictions = tf.argmax(scores, 1, name="predictions")
    if training:
        y = v1.placeholder(tf.float32, [None, CLASSES], name="input_y")
        losses = tf.nn.softmax_cross_entropy_with_logits(logits=scores, labels=y)
        loss = tf.reduce_mean(losses) + 0.5 * l2_loss
        step = v1.Variable(0, name="global_step", trainable=False)
        optimizer = v1.train.AdamOptimizer(1e-3)
        grads = optimizer.compute_gradients(loss)
        optimizer.apply_gradients(grads, global_step=step)
    return [scores, predictions]


@architecture(
    "character CNN",
    "tf1",
    layers={"Conv2D": 4, "MaxPooling2D": 2, "Dense": 3},
    lines=24,
    ops=4,
)
def char_cnn(training: bool = False) -> Any:
    """One-hot characters, tf.layers, as text-classification-models-tf has it."""
    size, filters, length = 12, 8, 64
    x = v1.placeholder(tf.int32, [None, length], name="x")
    is_training = v1.placeholder_with_default(False, [], name="is_training")
    kernel = v1.truncated_normal_initializer(stddev=0.05)
    x_one_hot = tf.expand_dims(tf.one_hot(x, size), 3)
    with tf.name_scope("conv-1"):
        y = layers.conv2d(
            x_one_hot,
            filters,
            [7, size],
            kernel_initializer=kernel,
            activation=tf.nn.relu,
        )
        y = layers.max_pooling2d(y, [3, 1], [3, 1])
        y = tf.transpose(y, [0, 1, 3, 2])
    with tf.name_scope("conv-2"):
        y = layers.conv2d(y, filters, [5, filters], activation=tf.nn.relu)
        y = layers.max_pooling2d(y, [3, 1], [3, 1])
        y = tf.transpose(y, [0, 1, 3, 2])
    for _ in range(2):
        y = layers.conv2d(y, filters, [2, filters], activation=tf.nn.relu)
        y = tf.transpose(y, [0, 1, 3, 2])
    y = tf.reshape(y, [-1, 2 * filters])
    for _ in range(2):
        y = layers.dense(y, 16, activation=tf.nn.relu)
        y = layers.dropout(y, 0.5, training=is_training)
    logits = layers.dense(y, CLASSES)
    if training:
        labels = v1.placeholder(tf.int32, [None])
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(
            logits=logits, labels=labels
        )
        v1.train.AdamOptimizer().minimize(tf.reduce_mean(losses))
    return logits
