"""Subclasses of Keras's layers that a source defines for itself, where a graph does a little more than Keras's own class."""

from __future__ import annotations

from ....graph import Layer
from .padded_texts import PADDED
from .steps import DECODER, EPISODE, REVERSED

_ATTENTION = '''
@keras.saving.register_keras_serializable(package="recovered")
class {name}(layers.MultiHeadAttention):
    """MultiHeadAttention{said}."""

    def call(self, query, value, key=None, attention_mask=None, training=None):
        query = self._query_dense(query){scale}
        key = self._key_dense(value if key is None else key)
        scores = ops.einsum("btnh,bsnh->bnts", query, key){hidden} + attention_mask
        weights = self._dropout_layer(ops.softmax(scores), training=training)
        context = ops.einsum("bnts,bsnh->btnh", weights, self._value_dense(value))
        return self._output_dense(context)
'''
_HIDDEN = """
        past = ops.tril(ops.ones_like(scores))
        scores = scores * past - {far!r} * (1.0 - past)"""

_POSITION = '''
@keras.saving.register_keras_serializable(package="recovered")
class PositionEmbedding(layers.Embedding):
    """Adds to each place of a sequence the vector that was learned for it."""

    def call(self, inputs):
        return inputs + self.embeddings[: ops.shape(inputs)[1]]

    def compute_output_shape(self, input_shape):
        return input_shape

    def compute_output_spec(self, inputs):
        return keras.KerasTensor(inputs.shape, dtype=self.compute_dtype)
'''

_SEQUENCE_MASK = '''
@keras.saving.register_keras_serializable(package="recovered")
class SequenceMask(layers.Layer):
    """True for as many steps of each row as the row is long."""

    def call(self, sequence, lengths):
        steps = ops.arange(ops.shape(sequence)[1], dtype=lengths.dtype)
        return steps < ops.expand_dims(lengths, 1)

    def compute_output_spec(self, sequence, lengths):
        return keras.KerasTensor(sequence.shape[:2], "bool")
'''

_REVERSE_SEQUENCE = '''
@keras.saving.register_keras_serializable(package="recovered")
class ReverseSequence(layers.Layer):
    """Turns each row round within its length; what lies beyond that stays."""

    def call(self, inputs, lengths):
        steps = ops.arange(ops.shape(inputs)[1], dtype=lengths.dtype)
        ends = ops.expand_dims(lengths, 1)
        order = ops.where(steps < ends, ends - 1 - steps, steps)
        for _ in inputs.shape[2:]:
            order = ops.expand_dims(order, -1)
        return ops.take_along_axis(inputs, order, axis=1)

    def compute_output_spec(self, inputs, lengths):
        return keras.KerasTensor(inputs.shape, inputs.dtype)
'''

_FIRST = '''
@keras.saving.register_keras_serializable(package="recovered")
class FirstToken(layers.Layer):
    """The vector of the first token of each row, which stands for the whole."""

    def call(self, inputs):
        return inputs[:, 0]

    def compute_output_spec(self, inputs):
        return keras.KerasTensor((inputs.shape[0], inputs.shape[-1]), inputs.dtype)
'''

_LOCAL_RESPONSE = '''
@keras.saving.register_keras_serializable(package="recovered")
class LocalResponseNormalization(layers.Layer):
    """Divides by a power of the sum of squares over neighbouring channels (AlexNet)."""

    def __init__(self, radius, bias, alpha, beta, axis=-1, **kwargs):
        super().__init__(**kwargs)
        self.radius, self.bias, self.alpha, self.beta = radius, bias, alpha, beta
        self.axis = axis

    def call(self, inputs):
        squares = ops.moveaxis(ops.square(inputs), self.axis, -1)
        channels = squares.shape[-1]
        borders = [(0, 0)] * (len(squares.shape) - 1) + [(self.radius, self.radius)]
        padded = ops.pad(squares, borders)
        total = squares
        for offset in range(2 * self.radius + 1):
            if offset != self.radius:
                total = total + padded[..., offset : offset + channels]
        total = ops.moveaxis(total, -1, self.axis)
        return inputs / (self.bias + self.alpha * total) ** self.beta

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        own = {"radius": self.radius, "bias": self.bias, "alpha": self.alpha}
        return {**super().get_config(), **own, "beta": self.beta, "axis": self.axis}
'''

_SPARSE_DROPOUT = '''
@keras.saving.register_keras_serializable(package="recovered")
class SparseDropout(layers.Dropout):
    """Drops some of the numbers that a sparse tensor of TensorFlow's holds."""

    def call(self, inputs, training=False):
        if not training:
            return inputs
        values = keras.random.dropout(inputs.values, self.rate, seed=self.seed_generator)
        return type(inputs)(inputs.indices, values, inputs.dense_shape)

    def compute_output_spec(self, inputs, training=False):
        return keras.KerasTensor(inputs.shape, inputs.dtype, sparse=True)
'''

_SOURCES = {
    "AttentionDecoder": DECODER,
    "FirstToken": _FIRST,
    "LocalResponseNormalization": _LOCAL_RESPONSE,
    "OneEpisode": EPISODE,
    "PositionEmbedding": _POSITION,
    "ReverseSequence": _REVERSE_SEQUENCE,
    "ReversedSteps": REVERSED,
    "SequenceMask": _SEQUENCE_MASK,
    "SparseDropout": _SPARSE_DROPOUT,
    **PADDED,
}


def subclass_of(layer: Layer, sparse: bool = False) -> tuple[str, str] | None:
    """The name and the source of the class that the layer needs; None where Keras has it.

    ``sparse``: the layer is called on a sparse tensor.
    """
    name = f"Sparse{layer.op}" if sparse and layer.op == "Dropout" else layer.op
    if layer.attrs.get("additive_mask") and "attention_mask" in layer.inputs:
        return _attention_class(layer) if name == "MultiHeadAttention" else None
    return (name, _SOURCES[name]) if name in _SOURCES else None


def _attention_class(layer: Layer) -> tuple[str, str]:
    """The class of attention whose mask holds numbers; of the past alone, or without a scale, where it is that too."""
    far, unscaled = layer.attrs.get("hidden"), layer.attrs.get("unscaled")
    remark = " whose mask holds numbers that are added to the scores, not truth values"
    kind, hidden = "Biased", ""
    if far is not None:
        remark = f" of the past alone,{remark}"
        kind, hidden = "CausalBiased", _HIDDEN.format(far=-float(far))
    if unscaled:
        remark += "; they are not scaled"
        kind = f"Unscaled{kind}"
    name = f"{kind}MultiHeadAttention"
    scale = "" if unscaled else " * self.key_dim**-0.5"
    return name, _ATTENTION.format(name=name, said=remark, scale=scale, hidden=hidden)
