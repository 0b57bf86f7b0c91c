"""The model class of a graph that takes its inputs in other ranks, too, than the one that it is built with."""

from __future__ import annotations

from dataclasses import replace

from ..program.program import Program

_NAME = "OfAnyRank"
_CLASS = '''
@keras.saving.register_keras_serializable(package="recovered")
class OfAnyRank(keras.Model):
    """Takes its inputs in other ranks than it was built with, too: the file does not say theirs."""

    input_spec = None

    def call(self, inputs, training=None, mask=None):
        fed = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
        if all(len(x.shape) == len(y.shape) for x, y in zip(fed, self.inputs)):
            return super().call(inputs, training=training, mask=mask)
        ends = [keras.Input(batch_shape=(None,) * len(x.shape), dtype=x.dtype) for x in fed]
        results = self.outputs if len(self.outputs) > 1 else self.outputs[0]
        same = keras.Model(self.inputs, results)
        return keras.models.clone_model(same, ends, clone_function=lambda layer: layer)(fed)
'''
_REMARK = "the file says no rank: other ranks than these are taken, too"


_LAYERS = (
    *("Activation", "Add", "Average", "Dense", "ELU", "Flatten", "LeakyReLU"),
    *("Maximum", "Minimum", "Multiply", "ReLU", "Rescaling", "Softmax", "Subtract"),
)
_TAKE_ANY = frozenset(
    (*(f"layers.{name}" for name in _LAYERS), "Bias", "Scale", "Weight")
)
"""Layers that are made for no rank: none has an ``InputSpec(ndim=...)``, as BatchNormalization and EinsumDense do."""


def of_any_rank(program: Program) -> Program:
    """The program of a model that takes any rank; as it was where a layer of it takes one alone."""
    makers = {step.constructor for step in program.steps if step.constructor}
    if makers - _TAKE_ANY or program.models or program.parts:
        return program
    return replace(
        program,
        model_class=_NAME,
        classes={**program.classes, _NAME: _CLASS},
        remarks=(*program.remarks, _REMARK),
    )
