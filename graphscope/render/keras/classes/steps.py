"""What works along steps and no layer of Keras does: a decoder that reads at each step what it attended to at the last, steps turned round, a batch as one sequence."""

from __future__ import annotations

DECODER = '''
@keras.saving.register_keras_serializable(package="recovered")
class AttentionDecoder(layers.Layer):
    """LSTM cells that read each word beside the last attention; they attend to a memory by products (Luong).

    Kernels are TensorFlow 1's: inputs above the state, gates in the order i, j, f, o.
    """

    def __init__(self, units, width, memory_width, cells, scaled=False, **kwargs):
        super().__init__(**kwargs)
        self.units, self.width, self.memory_width = units, width, memory_width
        self.cells, self.scaled = cells, scaled
        self.memory_kernel = self.add_weight(shape=(memory_width, units))
        self.kernels, self.biases = [], []
        for cell in range(cells):
            rows = 2 * units if cell else width + 2 * units
            self.kernels.append(self.add_weight(shape=(rows, 4 * units)))
            self.biases.append(self.add_weight(shape=(4 * units,)))
        self.attention_kernel = self.add_weight(shape=(units + memory_width, units))
        self.attention_g = self.add_weight(shape=()) if scaled else 1.0

    def call(self, sequence, memory, states):
        keys, steps = ops.matmul(memory, self.memory_kernel), ops.shape(sequence)[1]
        first = ops.split(states, 2 * self.cells, axis=-1)

        def attend(place, attended, attention, *ends):
            word = ops.take(sequence, place, axis=1)
            x, following = ops.concatenate([word, attention], -1), []
            for cell in range(self.cells):
                h, c = ends[2 * cell], ends[2 * cell + 1]
                joint = ops.concatenate([x, h], -1)
                gates = ops.matmul(joint, self.kernels[cell]) + self.biases[cell]
                i, j, f, o = ops.split(gates, 4, axis=-1)
                c = c * ops.sigmoid(f + 1.0) + ops.sigmoid(i) * ops.tanh(j)
                x = ops.tanh(c) * ops.sigmoid(o)
                following = [*following, x, c]
            scores = ops.einsum("bu,btu->bt", x, keys) * self.attention_g
            context = ops.einsum("bt,btm->bm", ops.softmax(scores), memory)
            joint = ops.concatenate([x, context], -1)
            attention = ops.matmul(joint, self.attention_kernel)
            here = ops.cast(ops.arange(steps) == place, attention.dtype)
            attended = attended + ops.einsum("t,bu->btu", here, attention)
            return (place + 1, attended, attention, *following)

        nothing = ops.zeros_like(first[0])
        places = ops.zeros_like(sequence[:, :, 0])
        start = (0, ops.einsum("bt,bu->btu", places, nothing), nothing, *first)
        return ops.while_loop(lambda place, *_: place < steps, attend, start)[1]

    def compute_output_spec(self, sequence, memory, states):
        shape = (*sequence.shape[:2], self.units)
        return keras.KerasTensor(shape, self.compute_dtype)

    def get_config(self):
        sizes = {"units": self.units, "width": self.width, "cells": self.cells}
        own = {**sizes, "memory_width": self.memory_width, "scaled": self.scaled}
        return {**super().get_config(), **own}
'''

REVERSED = '''
@keras.saving.register_keras_serializable(package="recovered")
class ReversedSteps(layers.Layer):
    """A sequence from its last step to its first."""

    def call(self, inputs):
        return ops.flip(inputs, axis=1)

    def compute_output_spec(self, inputs):
        return keras.KerasTensor(inputs.shape, inputs.dtype)
'''

EPISODE = '''
@keras.saving.register_keras_serializable(package="recovered")
class OneEpisode(layers.Layer):
    """Takes a batch for the steps of one sequence."""

    def call(self, inputs):
        return ops.expand_dims(inputs, 0)

    def compute_output_spec(self, inputs):
        return keras.KerasTensor((1, *inputs.shape), inputs.dtype)
'''
