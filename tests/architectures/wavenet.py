"""WaveNet (van den Oord et al., arXiv 1609.03499), as its best known ports spell it.

TF1: causal convolutions that fold time into the batch by hand. TF2: ``padding="causal"`` and a dilation rate.
"""

from __future__ import annotations

from typing import Any

import keras as k
import tensorflow as tf

from . import architecture
from .legacy import v1

L = k.layers

DILATIONS = (1, 2, 4, 1, 2, 4)
CHANNELS, GATED, SKIP, LEVELS = 4, 6, 8, 16


def time_to_batch(value: Any, dilation: int) -> Any:
    with tf.name_scope("time_to_batch"):
        shape = tf.shape(value)
        missing = dilation - 1 - (shape[1] + dilation - 1) % dilation
        padded = tf.pad(value, [[0, 0], [0, missing], [0, 0]])
        columns = tf.reshape(padded, [-1, dilation, shape[2]])
        rows = tf.transpose(columns, perm=[1, 0, 2])
        return tf.reshape(rows, [shape[0] * dilation, -1, shape[2]])


def batch_to_time(value: Any, dilation: int) -> Any:
    with tf.name_scope("batch_to_time"):
        shape = tf.shape(value)
        rows = tf.reshape(value, [dilation, -1, shape[2]])
        columns = tf.transpose(rows, perm=[1, 0, 2])
        return tf.reshape(columns, [v1.div(shape[0], dilation), -1, shape[2]])


def causal_conv(value: Any, kernel: Any, dilation: int) -> Any:
    with tf.name_scope("causal_conv"):
        width = tf.shape(kernel)[0]
        if dilation > 1:
            folded = time_to_batch(value, dilation)
            conv = tf.nn.conv1d(folded, kernel, stride=1, padding="VALID")
            restored = batch_to_time(conv, dilation)
        else:
            restored = tf.nn.conv1d(value, kernel, stride=1, padding="VALID")
        kept = tf.shape(value)[1] - (width - 1) * dilation
        return tf.slice(restored, [0, 0, 0], [-1, kept, -1])


def variable(name: str, *shape: int) -> Any:
    return v1.get_variable(name, shape)


def pointwise(x: Any, kernel: Any, bias: Any = None, name: str | None = None) -> Any:
    made = tf.nn.conv1d(x, kernel, stride=1, padding="SAME", name=name)
    return made if bias is None else made + bias


def dilation_layer(x: Any, dilation: int, output_width: Any, biases: bool) -> Any:
    """One gated unit: its contribution to the skip sum, and what the next one reads."""

    def bias(name: str, size: int) -> Any:
        return variable(name, size) if biases else None

    filtered = causal_conv(x, variable("filter", 2, CHANNELS, GATED), dilation)
    gate = causal_conv(x, variable("gate", 2, CHANNELS, GATED), dilation)
    if biases:
        filtered = tf.add(filtered, variable("filter_bias", GATED))
        gate = tf.add(gate, variable("gate_bias", GATED))
    out = tf.tanh(filtered) * tf.sigmoid(gate)
    dense = variable("dense", 1, GATED, CHANNELS)
    transformed = pointwise(out, dense, bias("dense_bias", CHANNELS), "dense")
    out = tf.slice(out, [0, tf.shape(out)[1] - output_width, 0], [-1, -1, -1])
    kernel = variable("skip", 1, GATED, SKIP)
    skip = pointwise(out, kernel, bias("skip_bias", SKIP), "skip")
    cut = tf.shape(x)[1] - tf.shape(transformed)[1]
    return skip, tf.slice(x, [0, cut, 0], [-1, -1, -1]) + transformed


def network(x: Any, biases: bool) -> Any:
    receptive = sum(DILATIONS) + 2
    output_width = tf.shape(x)[1] - receptive + 1
    with v1.variable_scope("causal_layer"):
        net = causal_conv(x, variable("filter", 2, LEVELS, CHANNELS), 1)
    skips = []
    with v1.variable_scope("dilated_stack"):
        for i, dilation in enumerate(DILATIONS):
            with v1.variable_scope(f"layer{i}"):
                skip, net = dilation_layer(net, dilation, output_width, biases)
                skips.append(skip)
    with v1.variable_scope("postprocessing"):
        net = tf.nn.relu(sum(skips))
        bias = variable("postprocess1_bias", SKIP) if biases else None
        net = pointwise(net, variable("postprocess1", 1, SKIP, SKIP), bias)
        bias = variable("postprocess2_bias", LEVELS) if biases else None
        last = variable("postprocess2", 1, SKIP, LEVELS)
        return pointwise(tf.nn.relu(net), last, bias)


def mu_law_encode(audio: Any) -> Any:
    mu = tf.cast(LEVELS - 1, tf.float32)
    loud = tf.minimum(tf.abs(audio), 1.0)
    magnitude = tf.math.log1p(mu * loud) / tf.math.log1p(mu)
    return tf.cast((tf.sign(audio) * magnitude + 1) / 2 * mu + 0.5, tf.int32)


CONVOLUTIONS = 4 * len(DILATIONS) + 2  # nothing reads the residual of the last unit


@architecture("WaveNet", "tf1", layers={"Conv1D": CONVOLUTIONS}, lines=75, ops=10)
def logits_of_audio(training: bool = False) -> Any:
    """From samples: mu-law, one-hot, the stack; the logits of each next sample."""
    audio = v1.placeholder(tf.float32, [2, 40], name="audio")
    with v1.variable_scope("wavenet"):
        codes = mu_law_encode(audio)
        encoded = tf.one_hot(codes, depth=LEVELS, dtype=tf.float32)
        encoded = tf.reshape(encoded, [2, -1, LEVELS])
        logits = network(encoded, biases=True)
    if training:
        flat = tf.reshape(logits, [-1, LEVELS])
        wanted = tf.reshape(encoded[:, sum(DILATIONS) + 1 :], [-1, LEVELS])
        losses = v1.nn.softmax_cross_entropy_with_logits(logits=flat, labels=wanted)
        v1.train.AdamOptimizer(1e-3, epsilon=1e-4).minimize(tf.reduce_mean(losses))
    return logits


@architecture("WaveNet, any length", "tf1", layers={"Conv1D": CONVOLUTIONS}, lines=70)
def logits_of_any_length() -> Any:
    """On encoded samples of any length in batches of any size, without biases."""
    with v1.variable_scope("wavenet"):
        samples = v1.placeholder(tf.float32, [None, None, LEVELS], name="samples")
        return network(samples, biases=False)


@architecture(
    "WaveNet, generating", "tf1", layers={"Conv1D": CONVOLUTIONS}, lines=75, ops=8
)
def next_sample() -> Any:
    """The distribution of the next sample of one waveform."""
    waveform = v1.placeholder(tf.int32, [40], name="waveform")
    with v1.variable_scope("wavenet"):
        encoded = tf.one_hot(waveform, depth=LEVELS, dtype=tf.float32)
        net = network(tf.reshape(encoded, [1, -1, LEVELS]), biases=True)
        out = tf.cast(tf.reshape(net, [-1, LEVELS]), tf.float64)
        proba = tf.cast(tf.nn.softmax(out), tf.float32)
        last = tf.slice(proba, [tf.shape(proba)[0] - 1, 0], [1, LEVELS])
        return tf.reshape(last, [-1])


@architecture("WaveNet", "tf2", layers={"Conv1D": CONVOLUTIONS}, lines=60)
def keras_wavenet() -> Any:
    """Causal dilated Conv1D layers, as Keras has them."""
    x = inputs = k.Input((None, 1))
    x = L.Conv1D(CHANNELS, 2, padding="causal", name="causal_conv")(x)
    skips = []
    for i, dilation in enumerate(DILATIONS):
        arguments = {"padding": "causal", "dilation_rate": dilation}
        filtered = L.Conv1D(GATED, 2, **arguments, activation="tanh")(x)
        gate = L.Conv1D(GATED, 2, **arguments, activation="sigmoid")(x)
        out = L.Multiply()([filtered, gate])
        skips.append(L.Conv1D(SKIP, 1, name=f"skip_{i}")(out))
        x = L.Add()([x, L.Conv1D(CHANNELS, 1, name=f"residual_{i}")(out)])
    x = L.ReLU()(L.Add()(skips))
    x = L.ReLU()(L.Conv1D(SKIP, 1)(x))
    return k.Model(inputs, L.Conv1D(LEVELS, 1, activation="softmax")(x))


@architecture("TCN", "tf2", layers={"Conv1D": 7, "Dense": 1}, lines=30, ops=1)
def temporal_convolutions() -> Any:
    """TCN (Bai et al., arXiv 1803.01271): two causal convolutions a block, spatial dropout, a shortcut."""
    x = inputs = k.Input((32, 3))
    for dilation in (1, 2, 4):
        y = x
        for _ in range(2):
            y = L.Conv1D(6, 3, dilation_rate=dilation, padding="causal")(y)
            y = L.LayerNormalization()(y)
            y = L.SpatialDropout1D(0.1)(L.Activation("relu")(y))
        x = x if x.shape[-1] == 6 else L.Conv1D(6, 1, padding="same")(x)
        x = L.Activation("relu")(L.Add()([x, y]))
    return k.Model(inputs, L.Dense(2)(L.Lambda(lambda t: t[:, -1, :])(x)))
