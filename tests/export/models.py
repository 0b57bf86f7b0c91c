"""Small models of every kind that an export starts from; one TensorFlow build serves many checks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf

v1 = tf.compat.v1


def values(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype("f")


class Module(tf.Module):
    """Two signatures, variables above and below the size that leaves the graph, a condition, a loop and a lookup table."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel = tf.Variable(values(4, 80) / 4)
        self.back = tf.Variable(values(80, 4, seed=1) / 4)
        self.bias = tf.Variable(values(4, seed=2))
        keys = tf.constant([0, 1, 2, 3], tf.int64)
        filling = tf.lookup.KeyValueTensorInitializer(keys, keys * 10)
        self.table = tf.lookup.StaticHashTable(filling, -1)

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, "features")])
    def score(self, features):
        x = features
        for _ in tf.range(2):
            x = tf.tanh(x @ self.kernel) @ self.back + self.bias
        if tf.reduce_sum(features) > 0.0:
            x = x * 2.0
        return {"scores": x, "index": self.table.lookup(tf.argmax(x, 1))}

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, "features")])
    def embed(self, features):
        return {"vector": features @ self.kernel}


def save_module(folder: Path) -> Path:
    module = Module()
    signatures = {"serving_default": module.score, "embed": module.embed}
    tf.saved_model.save(module, str(folder), signatures=signatures)
    return folder


def save_checkpoint(folder: Path) -> Path:
    """A TensorFlow 1 training checkpoint: batch norm behind a switch, dropout, slots of an optimizer."""
    v1.disable_control_flow_v2()
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [None, 8, 8, 3], name="images")
        training = v1.placeholder_with_default(False, [], name="is_training")
        labels = v1.placeholder(tf.int64, [None], name="labels")
        kernel = v1.get_variable("conv/kernel", [3, 3, 3, 16], use_resource=False)
        y = tf.nn.conv2d(x, kernel, 2, "SAME")
        scale = v1.get_variable("bn/gamma", initializer=1 + values(16) / 9)
        offset = v1.get_variable("bn/beta", initializer=values(16, seed=1) / 9)
        mean = v1.get_variable("bn/mean", initializer=values(16) / 9, trainable=False)
        spread = v1.get_variable(
            "bn/var", initializer=np.ones(16, "f"), trainable=False
        )

        def by_batch():
            y_, m, v = v1.nn.fused_batch_norm(y, scale, offset)
            moves = [v1.assign_sub(mean, (mean - m) * 0.1)]
            moves.append(v1.assign_sub(spread, (spread - v) * 0.1))
            with tf.control_dependencies(moves):
                return tf.identity(y_)

        def by_moving():
            return v1.nn.fused_batch_norm(
                y, scale, offset, mean, spread, is_training=False
            )[0]

        y = tf.nn.relu(v1.cond(training, by_batch, by_moving))
        y = tf.reshape(y, [-1, 256])
        dense = v1.get_variable("dense/kernel", [256, 5], use_resource=False)
        logits = tf.identity(y @ dense, name="logits")
        tf.nn.softmax(logits, name="probabilities")
        loss = tf.reduce_mean(
            tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
        )
        v1.train.AdamOptimizer().minimize(loss)
        session.run(v1.global_variables_initializer())
        path = v1.train.Saver().save(session, str(folder / "model.ckpt"), 7)
    v1.enable_control_flow_v2()
    return Path(path)


def freeze_to(path: Path, build) -> Path:
    """A GraphDef of what ``build`` makes in the default graph."""
    v1.disable_control_flow_v2()
    with tf.Graph().as_default() as graph:
        build()
    v1.enable_control_flow_v2()
    path.write_bytes(graph.as_graph_def().SerializeToString())
    return path
