"""Layers of Transformers that Keras has not: the sinusoids of places, and what keeps attention off the padding of texts."""

from __future__ import annotations

_TIMING = '''
@keras.saving.register_keras_serializable(package="recovered")
class TimingSignal(layers.Layer):
    """Adds sines, then cosines, of the place in a sequence, of wavelengths from 2 pi to 10,000 times that."""

    def call(self, inputs):
        half = inputs.shape[-1] // 2
        steps = ops.arange(ops.shape(inputs)[1], dtype="float32")
        rates = ops.exp(ops.arange(half, dtype="float32") * -(9.210340371976184 / max(half - 1, 1)))
        angles = ops.expand_dims(steps, 1) * rates
        signal = ops.concatenate([ops.sin(angles), ops.cos(angles)], axis=1)
        return inputs + ops.pad(signal, [(0, 0), (0, inputs.shape[-1] % 2)])

    def compute_output_spec(self, inputs):
        return keras.KerasTensor(inputs.shape, inputs.dtype)
'''

_CLEARED = '''
@keras.saving.register_keras_serializable(package="recovered")
class ClearPadding(layers.Layer):
    """Zeros where the token is 0, which pads a text."""

    def call(self, inputs, tokens):
        return inputs * ops.expand_dims(ops.cast(tokens != 0, inputs.dtype), -1)

    def compute_output_spec(self, inputs, tokens):
        return keras.KerasTensor(inputs.shape, inputs.dtype)
'''

_BIAS = '''
@keras.saving.register_keras_serializable(package="recovered")
class PaddingBias(layers.Layer):
    """What is added to the scores of attention: -1e9 where the token is 0, which pads a text."""

    def call(self, tokens):
        return ops.cast(tokens == 0, "float32")[:, None, None] * -1e9

    def compute_output_spec(self, tokens):
        return keras.KerasTensor((tokens.shape[0], 1, 1, tokens.shape[1]), "float32")
'''

_RELATIVE = '''
@keras.saving.register_keras_serializable(package="recovered")
class RelativeBias(layers.Embedding):
    """What T5 adds to the scores of attention: a number for each head and for how far apart two places are."""

    def __init__(self, input_dim, output_dim, both_ways=True, **kwargs):
        super().__init__(input_dim, output_dim, **kwargs)
        self.both_ways = both_ways

    def call(self, inputs):
        steps = ops.arange(ops.shape(inputs)[1], dtype="int32")
        ahead = ops.expand_dims(steps, 0) - ops.expand_dims(steps, 1)
        buckets = self.input_dim // 2 if self.both_ways else self.input_dim
        first = buckets * ops.cast(ahead > 0, "int32") if self.both_ways else 0
        far = ops.abs(ahead) if self.both_ways else ops.maximum(-ahead, 0)
        exact = buckets // 2
        ratio = ops.cast(ops.maximum(far, 1), "float32") / exact
        wide = ops.log(ratio) / ops.log(128.0 / exact) * (buckets - exact)
        wide = ops.minimum(exact + ops.cast(wide, "int32"), buckets - 1)
        bias = super().call(first + ops.where(far < exact, far, wide))
        bias = ops.expand_dims(ops.transpose(bias, (2, 0, 1)), 0)
        return bias if self.both_ways else bias - 1e9 * ops.cast(ahead > 0, "float32")

    def compute_output_spec(self, inputs):
        shape = (1, self.output_dim, inputs.shape[1], inputs.shape[1])
        return keras.KerasTensor(shape, "float32")

    def get_config(self):
        return {**super().get_config(), "both_ways": self.both_ways}
'''

PADDED = {
    "ClearPadding": _CLEARED,
    "PaddingBias": _BIAS,
    "RelativeBias": _RELATIVE,
    "TimingSignal": _TIMING,
}
