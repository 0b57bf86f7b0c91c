"""Activations: TF1 arithmetic, TF2 ops, Keras layers."""

from __future__ import annotations

import keras as k
import numpy as np
import pytest
import tensorflow as tf

from .spelling import (
    NearMiss,
    Spelling,
    check_near_miss,
    check_spelling,
    image,
    keras,
    spell,
    weight,
)


def x() -> tf.Tensor:
    return image(None, 5, 12)


def activation(name: str):
    return keras(lambda: k.layers.Activation(name), None, 5, 12)


def leaky(t: tf.Tensor, slope: float = 0.2) -> tf.Tensor:
    return tf.maximum(slope * t, t)


def dcgan(t: tf.Tensor, second: float = 0.4) -> tf.Tensor:
    return 0.6 * t + second * tf.abs(t)


def prelu(t: tf.Tensor) -> tf.Tensor:
    return tf.nn.relu(t) + weight("alpha", 12) * (t - tf.abs(t)) * 0.5


def mtcnn_prelu(t: tf.Tensor) -> tf.Tensor:
    return tf.nn.relu(t) + tf.multiply(weight("alpha", 12), -tf.nn.relu(-t))


def folded_prelu(t: tf.Tensor) -> tf.Tensor:
    return tf.nn.relu(t) + weight("alpha", 12) * tf.nn.relu(-t)


def bert_gelu(t: tf.Tensor) -> tf.Tensor:
    return t * (0.5 * (1.0 + tf.math.erf(t / tf.sqrt(2.0))))


def gpt2_gelu(t: tf.Tensor, cubed: float = 0.044715) -> tf.Tensor:
    return 0.5 * t * (1 + tf.tanh(np.sqrt(2 / np.pi) * (t + cubed * tf.pow(t, 3))))


def cubed_gelu(t: tf.Tensor) -> tf.Tensor:
    factor = np.float32(np.sqrt(2 / np.pi))
    return 0.5 * t * (1 + tf.tanh(factor * (t + 0.044715 * (t * t * t))))


def softmax_of_both(axes: list[int], twice: bool = False) -> Any:
    z = x()
    total = tf.reduce_logsumexp(z, axis=axes, keepdims=True)
    return tf.exp(z - (2.0 * total if twice else total))


def written_softmax(t: tf.Tensor, factor: float = 1.0) -> tf.Tensor:
    e = tf.exp(t - tf.reduce_max(t, -1, keepdims=True))
    below = e if factor == 1.0 else factor * e
    return e / tf.reduce_sum(below, -1, keepdims=True)


def matrix_softmax(t: tf.Tensor) -> tf.Tensor:
    return tf.reshape(tf.nn.softmax(tf.reshape(t, [-1, 12])), tf.shape(t))


def written_selu(t: tf.Tensor, scale: float = 1.0507009873554805) -> tf.Tensor:
    return scale * tf.where(t >= 0.0, t, 1.6732632423543772 * tf.nn.elu(t))


def relu_like(**arguments):
    return keras(lambda: k.layers.ReLU(**arguments), None, 5, 12)


SPELLINGS = [
    spell("relu", "relu", lambda: tf.nn.relu(x()), op="Activation", activation="relu"),
    spell("maximum of zero", "relu", lambda: tf.maximum(0.0, x())),
    spell("relu6", "relu6", lambda: tf.nn.relu6(x()), max_value=6.0),
    spell("clip of relu", "relu_capped", relu_like(max_value=5.0), max_value=5.0),
    spell(
        "keras slope and cap",
        "relu_capped_with_slope",
        relu_like(max_value=5.0, negative_slope=0.1),
        max_value=5.0,
        negative_slope=0.1,
    ),
    spell(
        "minimum",
        "relu_capped",
        lambda: tf.minimum(tf.nn.relu(x()), 20.0),
        max_value=20.0,
    ),
    spell(
        "keras slope",
        "leaky_relu",
        keras(lambda: k.layers.LeakyReLU(0.3), None, 5, 12),
        negative_slope=0.3,
    ),
    spell(
        "leaky maximum",
        "leaky_relu_written_out",
        lambda: leaky(x()),
        negative_slope=0.2,
    ),
    spell(
        "relu with a slope",
        "leaky_relu_written_out",
        lambda: (lambda t: tf.nn.relu(t) - 0.1 * tf.nn.relu(-t))(x()),
        negative_slope=0.1,
    ),
    spell(
        "leaky where below",
        "leaky_relu_written_out",
        lambda: (lambda t: tf.where(t < 0.0, 0.1 * t, t))(x()),
        negative_slope=0.1,
    ),
    spell(
        "leaky minimum",
        "leaky_relu_written_out",
        lambda: (lambda t: tf.maximum(t, 0.0) + 0.1 * tf.minimum(t, 0.0))(x()),
        negative_slope=0.1,
    ),
    spell("half of x and abs", "relu", lambda: (lambda t: 0.5 * (t + tf.abs(t)))(x())),
    spell(
        "maximum of zeros",
        "relu",
        lambda: (lambda t: tf.maximum(t, tf.zeros_like(t)))(x()),
    ),
    spell(
        "relu where",
        "relu",
        lambda: (lambda t: tf.where(t > 0.0, t, tf.zeros_like(t)))(x()),
    ),
    spell(
        "thresholded",
        "relu_above",
        lambda: (lambda t: t * tf.cast(t > 0.5, tf.float32))(x()),
        threshold=0.5,
    ),
    spell("DCGAN's", "leaky_relu_from_abs", lambda: dcgan(x()), negative_slope=0.2),
    spell("prelu from abs", "prelu", lambda: prelu(x()), "alpha", shared_axes=[1]),
    spell("MTCNN's prelu", "prelu", lambda: mtcnn_prelu(x()), "alpha"),
    spell(
        "prelu of folded slopes", "prelu_negated", lambda: folded_prelu(x()), "alpha"
    ),
    spell(
        "keras prelu",
        "prelu",
        keras(lambda: k.layers.PReLU(shared_axes=[1]), None, 5, 12),
        "alpha",
        shared_axes=[1],
    ),
    spell("elu", "elu", activation("elu"), activation="elu"),
    spell(
        "elu from exp",
        "elu",
        lambda: (lambda t: tf.where(t > 0.0, t, tf.exp(t) - 1.0))(x()),
    ),
    spell(
        "ONNX's elu",
        "elu",
        lambda: (lambda t: tf.maximum(t, 0.0) + tf.minimum(tf.math.expm1(t), 0.0))(x()),
    ),
    spell(
        "elu with alpha from exp",
        "elu_scaled",
        lambda: (lambda t: tf.where(t > 0.0, t, 0.5 * (tf.exp(t) - 1.0)))(x()),
        alpha=0.5,
    ),
    spell("sigmoid by tanh", "sigmoid", lambda: 0.5 * (1.0 + tf.tanh(0.5 * x()))),
    spell(
        "softplus that does not overflow",
        "softplus",
        lambda: (lambda t: tf.nn.relu(t) + tf.math.log1p(tf.exp(-tf.abs(t))))(x()),
    ),
    spell(
        "elu with alpha",
        "elu_scaled",
        lambda: (lambda t: tf.where(t > 0.0, tf.nn.elu(t), 0.5 * tf.nn.elu(t)))(x()),
        op="ELU",
        alpha=0.5,
    ),
    spell("selu", "selu", activation("selu")),
    spell("selu of the paper", "selu", lambda: written_selu(x())),
    spell("sigmoid", "sigmoid", activation("sigmoid")),
    spell("logistic", "sigmoid", lambda: 1.0 / (1.0 + tf.exp(-x()))),
    spell("tanh", "tanh", activation("tanh")),
    spell("softplus", "softplus", activation("softplus")),
    spell("softplus written out", "softplus", lambda: tf.math.log(1.0 + tf.exp(x()))),
    spell("softsign", "softsign", activation("softsign")),
    spell("exponential", "exponential", activation("exponential")),
    spell("log_sigmoid", "log_sigmoid", activation("log_sigmoid")),
    spell("keras silu", "silu", activation("silu"), activation="silu"),
    spell("swish", "silu", lambda: (lambda t: t * tf.sigmoid(t))(x())),
    spell("hard_sigmoid", "hard_sigmoid", activation("hard_sigmoid")),
    spell(
        "MobileNetV3's hard sigmoid",
        "hard_sigmoid",
        lambda: tf.nn.relu6(x() + 3.0) * 0.16667,
    ),
    spell("hard_silu", "hard_silu", activation("hard_silu")),
    spell(
        "hard swish of the paper",
        "hard_silu",
        lambda: (lambda t: t * tf.nn.relu6(t + np.float32(3)) * np.float32(1 / 6))(x()),
    ),
    spell("hard_tanh", "hard_tanh", activation("hard_tanh")),
    spell("mish", "mish", activation("mish")),
    spell("gelu", "gelu", lambda: tf.nn.gelu(x(), approximate=False)),
    spell("BERT's gelu", "gelu", lambda: bert_gelu(x())),
    spell("keras gelu", "gelu", activation("gelu")),
    spell(
        "tanh gelu",
        "gelu_tanh",
        lambda: tf.nn.gelu(x(), approximate=True),
        approximate=True,
    ),
    spell("GPT-2's gelu", "gelu_tanh", lambda: gpt2_gelu(x())),
    spell("gelu with a product for the cube", "gelu_tanh", lambda: cubed_gelu(x())),
    spell("log_softmax", "log_softmax", activation("log_softmax")),
    spell("softmax", "softmax", activation("softmax")),
    spell("softmax moved", "softmax_shifted", lambda: tf.nn.softmax(x() + 1e-9)),
    spell("softmax of a matrix", "softmax_of_matrix", lambda: matrix_softmax(x())),
    spell(
        "softmax written out",
        "softmax_written_out",
        lambda: written_softmax(x()),
        axis=-1,
    ),
    spell(
        "softmax over another axis",
        "softmax_over_axis",
        lambda: tf.nn.softmax(x(), axis=1),
        axis=1,
    ),
    spell(
        "softmax over two axes, as Keras writes it",
        "softmax_by_logarithm",
        lambda: softmax_of_both([1, 2]),
        axis=(1, 2),
    ),
]


def near(name: str, pattern: str, build) -> NearMiss:
    return NearMiss(name, pattern, build)


def other() -> tf.Tensor:
    return image(None, 5, 12, name="y")


NEAR_MISSES = [
    near(
        "above another",
        "relu_above",
        lambda: x() * tf.cast(other() > 0.5, tf.float32),
    ),
    near("maximum of one", "relu", lambda: tf.maximum(1.0, x())),
    near(
        "negative slope of another",
        "relu_capped_with_slope",
        lambda: tf.clip_by_value(tf.nn.relu(x()), 0.0, 5.0)
        - 0.1 * tf.nn.relu(-other()),
    ),
    near("capped below zero", "relu_capped", lambda: tf.minimum(tf.nn.relu(x()), -1.0)),
    near("relu of 6 is not capped", "relu6", lambda: tf.minimum(tf.nn.relu(x()), 6.0)),
    near("slope above one", "leaky_relu_written_out", lambda: leaky(x(), 1.5)),
    near(
        "two inputs", "leaky_relu_written_out", lambda: tf.maximum(0.2 * other(), x())
    ),
    near("halves that do not add up", "leaky_relu_from_abs", lambda: dcgan(x(), 0.5)),
    near("leaky of another", "leaky_relu", lambda: tf.maximum(0.2 * x(), other())),
    near(
        "prelu of two inputs",
        "prelu",
        lambda: tf.nn.relu(x()) - weight("a", 12) * tf.nn.relu(-other()),
    ),
    near(
        "folded prelu of two inputs",
        "prelu_negated",
        lambda: tf.nn.relu(x()) + weight("a", 12) * tf.nn.relu(-other()),
    ),
    near(
        "elu of the wrong side",
        "elu_scaled",
        lambda: (lambda t: tf.where(t < 0.0, tf.nn.elu(t), 0.5 * tf.nn.elu(t)))(x()),
    ),
    near("elu where the scale", "elu", lambda: tf.exp(x()) - 1.0),
    near("selu with another scale", "selu", lambda: written_selu(x(), 1.1)),
    near("logistic of 2", "sigmoid", lambda: 1.0 / (2.0 + tf.exp(-x()))),
    near("tan", "tanh", lambda: tf.tan(x())),
    near("log of 2", "softplus", lambda: tf.math.log(2.0 + tf.exp(x()))),
    near("softsign of two", "softsign", lambda: x() / (1.0 + tf.abs(other()))),
    near("power of two", "exponential", lambda: tf.pow(2.0, x())),
    near("softplus unsigned", "log_sigmoid", lambda: -tf.nn.softplus(x())),
    near("swish with beta", "silu", lambda: (lambda t: t * tf.sigmoid(1.7 * t))(x())),
    near("gate", "silu", lambda: x() * tf.sigmoid(other())),
    near(
        "Keras 2's slope",
        "hard_sigmoid",
        lambda: tf.clip_by_value(0.2 * x() + 0.5, 0.0, 1.0),
    ),
    near("hard gate", "hard_silu", lambda: other() * tf.nn.relu6(x() + 3.0) / 6.0),
    near("clipped at 2", "hard_tanh", lambda: tf.clip_by_value(x(), -1.0, 2.0)),
    near("mish of two", "mish", lambda: x() * tf.tanh(tf.nn.softplus(other()))),
    near(
        "gelu of 0.3",
        "gelu",
        lambda: (lambda t: 0.3 * t * (1 + tf.math.erf(t / np.float32(2**0.5))))(x()),
    ),
    near(
        "gelu of two",
        "gelu",
        lambda: 0.5 * x() * (1 + tf.math.erf(other() / np.float32(2**0.5))),
    ),
    near("another cube", "gelu_tanh", lambda: gpt2_gelu(x(), 0.05)),
    near(
        "softmax of rows that are cut",
        "softmax_of_matrix",
        lambda: tf.reshape(tf.nn.softmax(tf.reshape(x(), [-1, 6])), [-1, 5, 12]),
    ),
    near(
        "sums of twice as much",
        "softmax_written_out",
        lambda: written_softmax(x(), 2.0),
    ),
    near(
        "moved and not back",
        "softmax_over_axis",
        lambda: tf.nn.softmax(tf.transpose(x(), [0, 2, 1])),
    ),
    near(
        "less twice the logarithm",
        "softmax_by_logarithm",
        lambda: softmax_of_both([1, 2], twice=True),
    ),
    near(
        "softmax moved by a vector",
        "softmax_shifted",
        lambda: tf.nn.softmax(x() + tf.range(12.0)),
    ),
    near("softmax by hand", "softmax", lambda: written_softmax(x())),
    near("log of softmax", "log_softmax", lambda: tf.math.log(tf.nn.softmax(x()))),
]


@pytest.mark.parametrize("spelling", SPELLINGS, ids=str)
def test_a_spelling_is_found_and_sound(spelling: Spelling) -> None:
    check_spelling(spelling)


@pytest.mark.parametrize("miss", NEAR_MISSES, ids=str)
def test_a_near_miss_is_not_found(miss: NearMiss) -> None:
    check_near_miss(miss)
