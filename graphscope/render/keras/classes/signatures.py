"""What Keras's layer constructors take, by default, and what each layer owns: Keras is not imported to know it.

One line a class: the arguments that a recovered layer may need, with Keras's defaults, then its weights in the order
in which Keras stores them (``path/weight`` where a layer inside the layer owns it), then ``as`` the name of the
Python class where Keras exports it under another. From Keras 3.15; a test holds every line against Keras.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

_CLASSES = """
Activation(activation)
AdaptiveAveragePooling1D(output_size, data_format=None)
AdaptiveAveragePooling2D(output_size, data_format=None)
AdaptiveAveragePooling3D(output_size, data_format=None)
AdaptiveMaxPooling1D(output_size, data_format=None)
AdaptiveMaxPooling2D(output_size, data_format=None)
AdaptiveMaxPooling3D(output_size, data_format=None)
Add()
AdditiveAttention(use_scale=True, dropout=0.0) scale
AlphaDropout(rate, noise_shape=None, seed=None)
Attention(use_scale=False, score_mode='dot', dropout=0.0, seed=None) scale concat_score_weight
Average()
AveragePooling1D(pool_size, strides=None, padding='valid', data_format=None)
AveragePooling2D(pool_size, strides=None, padding='valid', data_format=None)
AveragePooling3D(pool_size, strides=None, padding='valid', data_format=None)
BatchNormalization(axis=-1, momentum=0.99, epsilon=0.001, center=True, scale=True, beta_regularizer=None, gamma_regularizer=None) gamma beta moving_mean moving_variance
Bidirectional(layer, merge_mode='concat') forward_layer/cell/kernel forward_layer/cell/recurrent_kernel forward_layer/cell/bias backward_layer/cell/kernel backward_layer/cell/recurrent_kernel backward_layer/cell/bias
CenterCrop(height, width, data_format=None)
Concatenate(axis=-1)
Conv1D(filters, kernel_size, strides=1, padding='valid', data_format=None, dilation_rate=1, groups=1, activation=None, use_bias=True, kernel_regularizer=None, bias_regularizer=None) kernel bias
Conv1DTranspose(filters, kernel_size, strides=1, padding='valid', output_padding=None, data_format=None, dilation_rate=1, activation=None, use_bias=True, kernel_regularizer=None, bias_regularizer=None) kernel bias
Conv2D(filters, kernel_size, strides=(1, 1), padding='valid', data_format=None, dilation_rate=(1, 1), groups=1, activation=None, use_bias=True, kernel_regularizer=None, bias_regularizer=None) kernel bias
Conv2DTranspose(filters, kernel_size, strides=(1, 1), padding='valid', output_padding=None, data_format=None, dilation_rate=(1, 1), activation=None, use_bias=True, kernel_regularizer=None, bias_regularizer=None) kernel bias
Conv3D(filters, kernel_size, strides=(1, 1, 1), padding='valid', data_format=None, dilation_rate=(1, 1, 1), groups=1, activation=None, use_bias=True, kernel_regularizer=None, bias_regularizer=None) kernel bias
Conv3DTranspose(filters, kernel_size, strides=(1, 1, 1), padding='valid', data_format=None, output_padding=None, dilation_rate=(1, 1, 1), activation=None, use_bias=True, kernel_regularizer=None, bias_regularizer=None) kernel bias
ConvLSTM1D(filters, kernel_size, strides=1, padding='valid', data_format=None, dilation_rate=1, activation='tanh', recurrent_activation='sigmoid', use_bias=True, unit_forget_bias=True, kernel_regularizer=None, recurrent_regularizer=None, bias_regularizer=None, dropout=0.0, recurrent_dropout=0.0, seed=None, return_sequences=False, return_state=False, go_backwards=False, stateful=False) cell/kernel cell/recurrent_kernel cell/bias
ConvLSTM2D(filters, kernel_size, strides=1, padding='valid', data_format=None, dilation_rate=1, activation='tanh', recurrent_activation='sigmoid', use_bias=True, unit_forget_bias=True, kernel_regularizer=None, recurrent_regularizer=None, bias_regularizer=None, dropout=0.0, recurrent_dropout=0.0, seed=None, return_sequences=False, return_state=False, go_backwards=False, stateful=False) cell/kernel cell/recurrent_kernel cell/bias
ConvLSTM3D(filters, kernel_size, strides=1, padding='valid', data_format=None, dilation_rate=1, activation='tanh', recurrent_activation='sigmoid', use_bias=True, unit_forget_bias=True, kernel_regularizer=None, recurrent_regularizer=None, bias_regularizer=None, dropout=0.0, recurrent_dropout=0.0, seed=None, return_sequences=False, return_state=False, go_backwards=False, stateful=False) cell/kernel cell/recurrent_kernel cell/bias
Cropping1D(cropping=(1, 1))
Cropping2D(cropping=((0, 0), (0, 0)), data_format=None)
Cropping3D(cropping=((1, 1), (1, 1), (1, 1)), data_format=None)
Dense(units, activation=None, use_bias=True, kernel_regularizer=None, bias_regularizer=None) kernel bias
DepthwiseConv1D(kernel_size, strides=1, padding='valid', depth_multiplier=1, data_format=None, dilation_rate=1, activation=None, use_bias=True, depthwise_regularizer=None, bias_regularizer=None) kernel bias
DepthwiseConv2D(kernel_size, strides=(1, 1), padding='valid', depth_multiplier=1, data_format=None, dilation_rate=(1, 1), activation=None, use_bias=True, depthwise_regularizer=None, bias_regularizer=None) kernel bias
Dot(axes, normalize=False)
Dropout(rate, noise_shape=None, seed=None)
ELU(alpha=1.0)
EinsumDense(equation, output_shape, activation=None, bias_axes=None, kernel_regularizer=None, bias_regularizer=None) kernel bias
Embedding(input_dim, output_dim, embeddings_regularizer=None, mask_zero=False) embeddings
Flatten(data_format=None)
GRU(units, activation='tanh', recurrent_activation='sigmoid', use_bias=True, kernel_regularizer=None, recurrent_regularizer=None, bias_regularizer=None, dropout=0.0, recurrent_dropout=0.0, seed=None, return_sequences=False, return_state=False, go_backwards=False, stateful=False, unroll=False, reset_after=True) cell/kernel cell/recurrent_kernel cell/bias
GaussianDropout(rate, seed=None)
GaussianNoise(stddev, seed=None)
GlobalAveragePooling1D(data_format=None, keepdims=False)
GlobalAveragePooling2D(data_format=None, keepdims=False)
GlobalAveragePooling3D(data_format=None, keepdims=False)
GlobalMaxPooling1D(data_format=None, keepdims=False)
GlobalMaxPooling2D(data_format=None, keepdims=False)
GlobalMaxPooling3D(data_format=None, keepdims=False)
GroupNormalization(groups=32, axis=-1, epsilon=0.001, center=True, scale=True, beta_regularizer=None, gamma_regularizer=None) gamma beta
GroupQueryAttention(head_dim, num_query_heads, num_key_value_heads, dropout=0.0, use_bias=True, sliding_window=None, kernel_regularizer=None, bias_regularizer=None, seed=None) _query_dense/kernel _query_dense/bias _key_dense/kernel _key_dense/bias _value_dense/kernel _value_dense/bias _output_dense/kernel _output_dense/bias  as GroupedQueryAttention
Identity()
LSTM(units, activation='tanh', recurrent_activation='sigmoid', use_bias=True, unit_forget_bias=True, kernel_regularizer=None, recurrent_regularizer=None, bias_regularizer=None, dropout=0.0, recurrent_dropout=0.0, seed=None, return_sequences=False, return_state=False, go_backwards=False, stateful=False, unroll=False) cell/kernel cell/recurrent_kernel cell/bias
LayerNormalization(axis=-1, epsilon=0.001, center=True, scale=True, beta_regularizer=None, gamma_regularizer=None) gamma beta
LeakyReLU(negative_slope=0.3)
MaxNumBoundingBoxes(max_number, fill_value=-1)
MaxPooling1D(pool_size=2, strides=None, padding='valid', data_format=None)
MaxPooling2D(pool_size=(2, 2), strides=None, padding='valid', data_format=None)
MaxPooling3D(pool_size=(2, 2, 2), strides=None, padding='valid', data_format=None)
Maximum()
Minimum()
MultiHeadAttention(num_heads, key_dim, value_dim=None, dropout=0.0, use_bias=True, output_shape=None, attention_axes=None, sliding_window=None, kernel_regularizer=None, bias_regularizer=None, seed=None) query_dense/kernel query_dense/bias key_dense/kernel key_dense/bias value_dense/kernel value_dense/bias output_dense/kernel output_dense/bias
Multiply()
Normalization(axis=-1, mean=None, variance=None, invert=False) mean variance count
PReLU(alpha_regularizer=None, shared_axes=None) alpha
Permute(dims)
RMSNormalization(axis=-1, epsilon=1e-06) scale
RNN(cell, return_sequences=False, return_state=False, go_backwards=False, stateful=False, unroll=False, zero_output_for_mask=False)
ReLU(max_value=None, negative_slope=0.0, threshold=0.0)
RepeatVector(n)
Rescaling(scale, offset=0.0)
Reshape(target_shape)
Resizing(height, width, interpolation='bilinear', crop_to_aspect_ratio=False, pad_to_aspect_ratio=False, fill_mode='constant', fill_value=0.0, antialias=False, data_format=None)
SeparableConv1D(filters, kernel_size, strides=1, padding='valid', data_format=None, dilation_rate=1, depth_multiplier=1, activation=None, use_bias=True, depthwise_regularizer=None, pointwise_regularizer=None, bias_regularizer=None) depthwise_kernel pointwise_kernel bias
SeparableConv2D(filters, kernel_size, strides=(1, 1), padding='valid', data_format=None, dilation_rate=(1, 1), depth_multiplier=1, activation=None, use_bias=True, depthwise_regularizer=None, pointwise_regularizer=None, bias_regularizer=None) depthwise_kernel pointwise_kernel bias
SimpleRNN(units, activation='tanh', use_bias=True, kernel_regularizer=None, recurrent_regularizer=None, bias_regularizer=None, dropout=0.0, recurrent_dropout=0.0, return_sequences=False, return_state=False, go_backwards=False, stateful=False, unroll=False, seed=None) cell/kernel cell/recurrent_kernel cell/bias
ReversibleEmbedding(input_dim, output_dim, tie_weights=True, embeddings_regularizer=None, mask_zero=False) embeddings
Softmax(axis=-1)
SpatialDropout1D(rate, seed=None)
SpatialDropout2D(rate, data_format=None, seed=None)
SpatialDropout3D(rate, data_format=None, seed=None)
Subtract()
UnitNormalization(axis=-1)
UpSampling1D(size=2)
UpSampling2D(size=(2, 2), data_format=None, interpolation='nearest')
UpSampling3D(size=(2, 2, 2), data_format=None)
ZeroPadding1D(padding=1, data_format=None)
ZeroPadding2D(padding=(1, 1), data_format=None)
ZeroPadding3D(padding=((1, 1), (1, 1), (1, 1)), data_format=None)
"""

REQUIRED = object()
"""What stands for the default of an argument that has none."""

MERGES = frozenset(
    "Add Average Concatenate Dot Maximum Minimum Multiply Subtract".split()
)
"""The classes that are called with one list of tensors."""


@dataclass(frozen=True)
class Signature:
    """One Keras class: ``arguments`` name to default (or REQUIRED), ``weights`` in the order they are stored in."""

    name: str
    class_name: str
    arguments: Mapping[str, Any]
    weights: tuple[str, ...]


@cache
def signatures() -> Mapping[str, Signature]:
    """Every class of the table, by the name under which ``keras.layers`` exports it."""
    parsed = (_signature(line) for line in _CLASSES.strip().splitlines())
    return {signature.name: signature for signature in parsed}


def signature_of(constructor: str) -> Signature | None:
    """The signature of a constructor as a source writes it; that of its Keras class for a subclass of it."""
    name = constructor.removeprefix("layers.")
    for prefix in ("Shared", "Biased", "Position"):
        name = name.removeprefix(prefix)
    return signatures().get(name)


def _signature(line: str) -> Signature:
    constructor, _, rest = line.partition(") ")
    weights, _, class_name = f"{rest} ".partition(" as ")
    name, _, arguments = constructor.removesuffix(")").partition("(")
    parsed = ast.parse(f"def f({arguments}): 0").body[0].args  # type: ignore[attr-defined]
    names = [each.arg for each in parsed.args]
    defaults = [ast.literal_eval(each) for each in parsed.defaults]
    padded = [REQUIRED] * (len(names) - len(defaults)) + defaults
    known = dict(zip(names, padded, strict=True))
    return Signature(name, class_name.strip() or name, known, tuple(weights.split()))


def snake_case(class_name: str) -> str:
    """The name that Keras gives the first layer of a class (``keras.src.utils.naming.to_snake_case``).

    >>> snake_case("Conv2D"), snake_case("PReLU"), snake_case("BatchNormalization")
    ('conv2d', 'p_re_lu', 'batch_normalization')
    """
    name = re.sub(r"\W+", "", class_name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()
