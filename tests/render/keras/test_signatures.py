"""SavedModels of several signatures with shared variables and loops: all come back, and the one that serves by itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import graphscope

RNG = np.random.default_rng(3)


def variable(*shape: int) -> tf.Variable:
    return tf.Variable((RNG.normal(size=shape) * 0.5).astype("float32"))


class Decoder(tf.Module):
    """Encodes a sequence, scores a state, decodes greedily; all of them share weights."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel, self.bias = variable(4, 4), variable(4)
        self.head, self.table = variable(4, 3), variable(7, 4)

    @tf.function(input_signature=[tf.TensorSpec((None, None, 4), name="x")])
    def encode(self, x):
        state = tf.zeros((tf.shape(x)[0], 4))
        steps = tf.shape(x)[1]
        array = tf.TensorArray(tf.float32, size=steps)
        for i in tf.range(steps):
            state = tf.tanh(x[:, i] @ self.kernel + state + self.bias)
            array = array.write(i, state)
        return {"state": state, "all": tf.transpose(array.stack(), (1, 0, 2))}

    @tf.function(input_signature=[tf.TensorSpec((None, 4), name="state")])
    def classify(self, state):
        return {"scores": tf.nn.softmax(state @ self.head)}

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.int32, name="ids")])
    def greedy(self, ids):
        state = tf.gather(self.table, ids)
        for _ in tf.range(3):
            state = tf.tanh(state @ self.kernel)
            scores = tf.matmul(state, self.table, transpose_b=True)
            ids = tf.cast(tf.argmax(scores, -1), tf.int32)
            state = state + tf.gather(self.table, ids)
        return {"ids": ids, "state": state}


@pytest.mark.parametrize(
    "names, count, served",
    [
        (["encode", "classify"], 3, 2),
        (["classify", "encode", "greedy"], 5, 1),
        (["greedy"], 2, 2),  # whose embedding takes the name of the call
    ],
)
def test_all_signatures_and_the_one_that_serves(
    names, count, served, tmp_path: Path
) -> None:
    decoder = Decoder()
    keys = ["serving_default", *names[1:]]
    signatures = {key: getattr(decoder, name) for key, name in zip(keys, names)}
    tf.saved_model.save(decoder, str(tmp_path / "model"), signatures=signatures)
    for signature, outputs in (("", count), ("serving_default", served)):
        found = graphscope.analyse(tmp_path / "model", signature=signature)
        found.write_keras(tmp_path / "keras")
        proof = found.prove(tmp_path / "keras")
        assert proof.passed, proof
        assert len(proof.outputs) == outputs
