"""Trains the demo's model as programs of 2017 did, and leaves a checkpoint and its ``.meta``.

    python -m graphscope.cli.demo.train FOLDER

The graph has the traps that such graphs have: the placeholder for the labels is called ``output``, batch
normalisation hangs on an ``is_training`` placeholder, dropout on ``keep_prob``, and the prediction is no sink.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import tensorflow.compat.v1 as tf  # noqa: E402

from .digits import draw_digits  # noqa: E402

STEPS, BATCH = 400, 64


def _convolution(x: Any, filters: int, name: str, training: object) -> Any:
    with tf.variable_scope(name):
        shape = [3, 3, int(x.shape[-1]), filters]
        kernel = tf.get_variable("weights", shape, initializer=_normal(shape))
        x = tf.nn.conv2d(x, kernel, [1, 1, 1, 1], "SAME", name="conv")
        x = tf.nn.relu(_batch_norm(x, training), name="relu")
        return tf.nn.max_pool(x, [1, 2, 2, 1], [1, 2, 2, 1], "VALID", name="pool")


def _normal(shape: list[int]) -> Any:
    fan_in = 1
    for size in shape[:-1]:
        fan_in *= size
    return tf.truncated_normal_initializer(stddev=(2 / fan_in) ** 0.5, seed=1)


def _batch_norm(x: Any, training: object) -> Any:
    """Batch normalisation as it was written by hand: a cond chooses the statistics."""
    with tf.variable_scope("bn"):
        size = [int(x.shape[-1])]
        gamma = tf.get_variable("gamma", size, initializer=tf.ones_initializer())
        beta = tf.get_variable("beta", size, initializer=tf.zeros_initializer())
        zeros, ones = tf.zeros_initializer(), tf.ones_initializer()
        mean = tf.get_variable("moving_mean", size, initializer=zeros, trainable=False)
        variance = tf.get_variable(
            "moving_variance", size, initializer=ones, trainable=False
        )
        batch_mean, batch_variance = tf.nn.moments(x, [0, 1, 2])
        for moving, batch in ((mean, batch_mean), (variance, batch_variance)):
            step = tf.assign_sub(moving, (moving - batch) * 0.1)
            tf.add_to_collection(tf.GraphKeys.UPDATE_OPS, step)
        used = tf.cond(
            training, lambda: [batch_mean, batch_variance], lambda: [mean, variance]
        )
        return tf.nn.batch_normalization(x, used[0], used[1], beta, gamma, 1e-3)


def _dense(x: Any, units: int, name: str) -> Any:
    with tf.variable_scope(name):
        shape = [int(x.shape[-1]), units]
        kernel = tf.get_variable("weights", shape, initializer=_normal(shape))
        bias = tf.get_variable("biases", [units], initializer=tf.zeros_initializer())
        return tf.nn.bias_add(tf.matmul(x, kernel), bias, name="logits")


def build() -> dict[str, Any]:
    """The training graph in the default graph; what a training loop needs of it, by name."""
    images = tf.placeholder(tf.float32, [None, 28, 28, 1], name="images")
    labels = tf.placeholder(tf.int64, [None], name="output")
    keep_prob = tf.placeholder(tf.float32, [], name="keep_prob")
    training = tf.placeholder(tf.bool, [], name="is_training")
    x = _convolution(images, 16, "conv1", training)
    x = _convolution(x, 32, "conv2", training)
    x = tf.reshape(x, [-1, 7 * 7 * 32], name="flat")
    x = tf.nn.relu(_dense(x, 64, "fc1"), name="fc1/relu")
    x = tf.nn.dropout(x, rate=1 - keep_prob, name="dropout")
    logits = _dense(x, 10, "fc2")
    probabilities = tf.nn.softmax(logits, name="probabilities")
    loss = tf.reduce_mean(
        tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits),
        name="loss",
    )
    hits = tf.equal(tf.argmax(probabilities, 1), labels)
    accuracy = tf.reduce_mean(tf.cast(hits, tf.float32), name="accuracy")
    tf.summary.scalar("loss", loss)
    tf.summary.scalar("accuracy", accuracy)
    step = tf.train.get_or_create_global_step()
    with tf.control_dependencies(tf.get_collection(tf.GraphKeys.UPDATE_OPS)):
        train = tf.train.AdamOptimizer(2e-3).minimize(loss, global_step=step)
    summaries = tf.summary.merge_all()
    feeds = {
        "images": images,
        "labels": labels,
        "keep": keep_prob,
        "training": training,
    }
    return {
        **feeds,
        "train": train,
        "accuracy": accuracy,
        "summaries": summaries,
        "step": step,
    }


def train(folder: Path) -> float:
    """Train for some seconds, save ``model.ckpt-N``; the accuracy on digits it has not seen."""
    tf.disable_v2_behavior()
    tf.set_random_seed(1)
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(1)
        nodes = build()
        saver = tf.train.Saver()
        session.run(tf.global_variables_initializer())
        for step in range(STEPS):
            images, labels = draw_digits(BATCH, seed=step)
            feeds = {nodes["images"]: images, nodes["labels"]: labels}
            feeds |= {nodes["keep"]: 0.7, nodes["training"]: True}
            session.run([nodes["train"], nodes["summaries"]], feeds)
        images, labels = draw_digits(500, seed=STEPS)
        feeds = {nodes["images"]: images, nodes["labels"]: labels}
        feeds |= {nodes["keep"]: 1.0, nodes["training"]: False}
        accuracy = float(session.run(nodes["accuracy"], feeds))
        saver.save(session, str(folder / "model.ckpt"), global_step=nodes["step"])
    return accuracy


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    sys.stdout.write(f"{train(target):.3f}\n")
