"""Speech without recurrence: the speech commands tutorial with its front end, Jasper and QuartzNet, Deep Speech's dense layers."""

from __future__ import annotations

from typing import Any

import keras as k
import numpy as np
import tensorflow as tf
from keras import layers as L
from tensorflow.python.ops import gen_audio_ops

from . import architecture
from .legacy import v1

RATE, LABELS = 800, 4


@architecture(
    "speech commands",
    "tf1",
    layers={"Conv2D": 2, "Dense": 1},
    lines=60,
    ops=8,
    not_portable=frozenset({"spectrogram", "Mfcc"}),
)
def commands(training: bool = False) -> Any:
    """tensorflow/examples/speech_commands: freeze.py's graph behind its decoder, models.py's ``conv``."""
    wav = v1.placeholder(tf.float32, [RATE, 1], name="decoded_sample_data")
    spectrogram = gen_audio_ops.audio_spectrogram(
        wav, window_size=96, stride=48, magnitude_squared=True, name="spectrogram"
    )
    mfcc = gen_audio_ops.mfcc(
        spectrogram, RATE, upper_frequency_limit=380, dct_coefficient_count=10
    )
    frequency, time = 10, (RATE - 96) // 48 + 1
    x = tf.reshape(mfcc, [-1, time * frequency])
    x = tf.reshape(x, [-1, time, frequency, 1])
    for i, (rows, columns, inputs, filters) in enumerate([(5, 3, 1, 4), (3, 3, 4, 4)]):
        w = v1.get_variable(f"w{i}", [rows, columns, inputs, filters])
        b = v1.get_variable(f"b{i}", [filters], initializer=v1.zeros_initializer)
        x = tf.nn.relu(v1.nn.conv2d(x, w, [1, 1, 1, 1], "SAME") + b)
        if training:
            x = v1.nn.dropout(x, rate=0.5)
        if not i:
            x = v1.nn.max_pool2d(x, [1, 2, 2, 1], [1, 2, 2, 1], "SAME")
    shape = x.get_shape()
    count = int(shape[2] * shape[1] * shape[3])
    x = tf.reshape(x, [-1, count])
    x = tf.matmul(x, v1.get_variable("final_fc_weights", [count, LABELS]))
    x = x + v1.get_variable("final_fc_bias", [LABELS])
    if training:
        truth = v1.placeholder(tf.int64, [None], name="groundtruth_input")
        loss = v1.losses.sparse_softmax_cross_entropy(labels=truth, logits=x)
        v1.train.GradientDescentOptimizer(0.01).minimize(loss)
    return tf.nn.softmax(x, name="labels_softmax")


class LogMel(tf.Module):
    """The log-mel front end of tf.signal's guide before a small net."""

    def __init__(self) -> None:
        super().__init__()
        self.mel = tf.signal.linear_to_mel_weight_matrix(10, 33, RATE, 40.0, 380.0)
        self.net = k.Sequential(
            [
                k.Input((None, 10)),
                L.Conv1D(8, 3, padding="same", use_bias=False),
                L.BatchNormalization(),
                L.ReLU(),
                L.GlobalAveragePooling1D(),
                L.Dense(LABELS),
            ]
        )

    def __call__(self, waveform: Any) -> Any:
        stft = tf.signal.stft(waveform, 64, 32, fft_length=64)
        spectrogram = tf.abs(stft)
        mel = tf.tensordot(spectrogram, self.mel, 1)
        mel.set_shape(spectrogram.shape[:-1].concatenate(self.mel.shape[-1:]))
        return self.net(tf.math.log(mel + 1e-6), training=False)


@architecture(
    "log-mel net",
    "tf2",
    layers={"Conv1D": 1, "BatchNormalization": 1, "Dense": 2},
    lines=66,
    ops=6,
    share=0.8,
    not_portable=frozenset({"rfft", "Abs"}),
    only=("pb",),
)
def log_mel() -> Any:
    return LogMel(), [tf.TensorSpec([None, RATE], tf.float32, name="waveform")]


def jasper_block(x: Any, filters: int, kernel: int, separable: bool) -> Any:
    """NeMo's, ported: two sub-blocks, a projected residual, ReLU and dropout."""
    convolution = L.SeparableConv1D if separable else L.Conv1D
    residual = L.BatchNormalization()(L.Conv1D(filters, 1, use_bias=False)(x))
    for repeat in range(2):
        x = convolution(filters, kernel, padding="same", use_bias=False)(x)
        x = L.BatchNormalization()(x)
        if not repeat:
            x = L.Dropout(0.2)(L.ReLU()(x))
    return L.Dropout(0.2)(L.ReLU()(L.Add()([x, residual])))


def _jasper(separable: bool) -> Any:
    x = inputs = k.Input((None, 8), name="features")
    x = L.Conv1D(6, 11, strides=2, padding="same", use_bias=False)(x)
    x = L.ReLU()(L.BatchNormalization()(x))
    for filters, kernel in ((6, 5), (8, 7), (8, 9)):
        x = jasper_block(x, filters, kernel, separable)
    x = L.Conv1D(8, 3, dilation_rate=2, padding="same", use_bias=False)(x)
    x = L.ReLU()(L.BatchNormalization()(x))
    return k.Model(inputs, L.Conv1D(29, 1, activation="log_softmax")(x))


@architecture("Jasper", "tf2", layers={"Conv1D": 12, "Add": 3}, lines=60)
def jasper() -> Any:
    """Li et al., arXiv 1904.03288."""
    return _jasper(separable=False)


@architecture("QuartzNet", "tf2", layers={"SeparableConv1D": 6, "Conv1D": 6}, lines=60)
def quartznet() -> Any:
    """Kriman et al., arXiv 1910.10261."""
    return _jasper(separable=True)


@architecture(
    "Deep Speech, dense part",
    "tf1",
    layers={"Dense": 4},
    lines=40,
    ops=10,
)
def deep_speech(training: bool = False) -> Any:
    """Mozilla's: clipped ReLU, time-major rows, feature windows by a convolution with an identity kernel."""
    inputs, context, hidden = 5, 2, 8
    width = 2 * context + 1
    batch_x = v1.placeholder(tf.float32, [2, None, inputs], name="input_node")
    eye = np.eye(width * inputs).reshape(width, inputs, width * inputs)
    x = v1.nn.conv1d(batch_x, tf.constant(eye, tf.float32), 1, "SAME")
    x = tf.reshape(x, [2, -1, width, inputs])
    x = tf.transpose(x, [1, 0, 2, 3])
    x = tf.reshape(x, [-1, width * inputs])
    size = width * inputs
    for i in range(1, 4):
        b = v1.get_variable(f"layer_{i}/bias", [hidden])
        h = v1.get_variable(f"layer_{i}/weights", [size, hidden])
        x = tf.minimum(tf.nn.relu(tf.add(tf.matmul(x, h), b)), 20.0)
        if training:
            x = v1.nn.dropout(x, rate=0.05)
        size = hidden
    b = v1.get_variable("layer_6/bias", [6])
    x = tf.add(tf.matmul(x, v1.get_variable("layer_6/weights", [hidden, 6])), b)
    logits = tf.reshape(x, [-1, 2, 6], name="raw_logits")
    if training:
        loss = tf.reduce_mean(
            tf.square(logits - v1.placeholder(tf.float32, [None, 2, 6]))
        )
        v1.train.AdamOptimizer(1e-3).minimize(loss)
    return tf.nn.softmax(logits, name="logits")
