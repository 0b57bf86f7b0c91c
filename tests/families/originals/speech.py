"""Nets that hear and speak, after their authors' files: ibab/tensorflow-wavenet (MIT), mozilla/DeepSpeech (MPL 2.0)."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tests.families.originals import image, original

v1 = tf.compat.v1
scope = v1.variable_scope


def _causal(x: Any, kernel: Any, dilation: int) -> Any:
    """ops.causal_conv: time folded into the batch; as long as the input less what the kernel needs."""
    return tf.nn.convolution(x, kernel, padding="VALID", dilations=[dilation])


def _variable(name: str, *shape: int) -> Any:
    return v1.get_variable(name, list(shape))


def _wavenet(biased: bool, cycle: int, layers: int) -> tuple[list[Any], list[Any]]:
    x = image(24, 10)
    dilations = [2 ** (place % cycle) for place in range(layers)]
    width = 24 - (sum(dilations) + 1)
    skips = []
    with scope("wavenet"):
        with scope("causal_layer"):
            y = _causal(x, _variable("filter", 2, 10, 4), 1)
        for place, dilation in enumerate(dilations):
            with scope(f"dilated_stack/layer{place}"):
                filtered = _causal(y, _variable("filter", 2, 4, 6), dilation)
                gate = _causal(y, _variable("gate", 2, 4, 6), dilation)
                dense, skip = _variable("dense", 1, 6, 4), _variable("skip", 1, 6, 5)
                if biased:
                    filtered += _variable("Variable", 6)
                    gate += _variable("Variable_1", 6)
                out = tf.tanh(filtered) * tf.sigmoid(gate)
                transformed = tf.nn.conv1d(out, dense, 1, "SAME")
                cut = out[:, tf.shape(out)[1] - width :]
                contribution = tf.nn.conv1d(cut, skip, 1, "SAME")
                if biased:
                    transformed += _variable("Variable_2", 4)
                    contribution += _variable("Variable_3", 5)
                skips.append(contribution)
                y = y[:, tf.shape(y)[1] - tf.shape(transformed)[1] :] + transformed
        with scope("postprocessing"):
            first, second = (
                _variable("postprocess1", 1, 5, 5),
                _variable("postprocess2", 1, 5, 10),
            )
            z = tf.nn.conv1d(tf.nn.relu(sum(skips)), first, 1, "SAME")
            z = z + _variable("Variable", 5) if biased else z
            z = tf.nn.conv1d(tf.nn.relu(z), second, 1, "SAME")
            z = z + _variable("Variable_1", 10) if biased else z
    return [x], [z, y]  # nobody reads what the last layer hands on


@original("WaveNet, 5 layers, 4 channels, 6 gated, 5 skipped, 10 levels", cycle=3)
def wavenet() -> tuple[list[Any], list[Any]]:
    return _wavenet(False, 3, 5)


@original("WaveNet, 3 layers, 4 channels, 6 gated, 5 skipped, 10 levels")
def wavenet_biased() -> tuple[list[Any], list[Any]]:
    return _wavenet(True, 10, 3)


def lstm(x: Any, kernel: Any, bias: Any, forget: float, back: bool = False) -> Any:
    """BasicLSTMCell or LSTMCell over all steps of (batch, steps, inputs)."""
    units = kernel.shape[1] // 4
    h = c = tf.zeros([tf.shape(x)[0], units])
    steps = {}
    order = range(x.shape[1])
    for step in reversed(order) if back else order:
        gates = tf.matmul(tf.concat([x[:, step], h], 1), kernel) + bias
        i, j, f, o = tf.split(gates, 4, 1)
        c = c * tf.sigmoid(f + forget) + tf.sigmoid(i) * tf.tanh(j)
        h = tf.tanh(c) * tf.sigmoid(o)
        steps[step] = h
    return tf.stack([steps[step] for step in order], 1)


def _dense(x: Any, name: str, units: int, clip: bool = True) -> Any:
    with scope(name):
        b = v1.get_variable("bias", [units])
        w = v1.get_variable("weights", [x.shape[-1], units])
    y = tf.einsum("bti,io->bto", x, w) + b
    return tf.minimum(tf.nn.relu(y), 20.0) if clip else y


@original("Deep Speech (Mozilla), 12 features a step, 8 units, 7 characters")
def deep_speech() -> tuple[list[Any], list[Any]]:
    """create_model of 0.6 to 0.9, batches first."""
    x = image(6, 12)
    y = _dense(_dense(_dense(x, "layer_1", 8), "layer_2", 8), "layer_3", 10)
    with scope("cudnn_lstm/rnn/multi_rnn_cell/cell_0/cudnn_compatible_lstm_cell"):
        kernel = v1.get_variable("kernel", [20, 40])
        y = lstm(y, kernel, v1.get_variable("bias", [40]), 0.0)
    return [x], [_dense(_dense(y, "layer_5", 8), "layer_6", 7, clip=False)]


@original("Deep Speech 0.1 (Mozilla), 12 features a step, 8 units, 7 characters")
def deep_speech_0_1() -> tuple[list[Any], list[Any]]:
    """BiRNN, batches first."""
    y = x = image(6, 12)

    def dense(y: Any, place: int, units: int) -> Any:
        b = v1.get_variable(f"b{place}", [units])
        w = v1.get_variable(f"h{place}", [y.shape[-1], units])
        return tf.einsum("bti,io->bto", y, w) + b

    for place, units in ((1, 8), (2, 8), (3, 12)):
        y = tf.minimum(tf.nn.relu(dense(y, place, units)), 20.0)
    halves = []
    for way in ("fw", "bw"):
        with scope(f"bidirectional_rnn/{way}/basic_lstm_cell"):
            kernel = v1.get_variable("kernel", [18, 24])
            bias = v1.get_variable("bias", [24])
            halves.append(lstm(y, kernel, bias, 1.0, way == "bw"))
    y = tf.minimum(tf.nn.relu(dense(tf.concat(halves, 2), 5, 9)), 20.0)
    return [x], [dense(y, 6, 7)]
