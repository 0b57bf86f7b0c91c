"""A derivative by an input -> a small layer that differentiates the part of the model before it, on every backend."""

from __future__ import annotations

from ....errors import NotExpressible
from ....graph import Tensor
from ..operands.context import Context
from ..program.program import Step, hole

GRADIENT = "Gradient"
"""The op that ``simplify/derivatives`` makes: of ``y`` and ``x``, the derivative of the sum of ``y`` by ``x``."""

_CLASS = '''
@keras.saving.register_keras_serializable(package="recovered")
class Gradient(layers.Wrapper):
    """The derivative, by its first input, of the sum of what a model yields.

    Called on the model's inputs and on what it yields: so the layers that it shares with the model around it come first.
    """

    def __init__(self, layer, **kwargs):
        super().__init__(layer, autocast=False, **kwargs)

    def call(self, inputs):
        x, *rest = inputs[:-1]
        if keras.config.backend() == "tensorflow":
            import tensorflow

            with tensorflow.GradientTape() as tape:
                tape.watch(x)
                y = self.layer([x, *rest])
            return tape.gradient(y, x)
        if keras.config.backend() == "jax":
            import jax

            return jax.grad(lambda x: ops.sum(self.layer([x, *rest])))(x)
        import torch

        with torch.enable_grad():
            x = x if x.requires_grad else x.detach().requires_grad_()
            y = ops.sum(self.layer([x, *rest]))
            return torch.autograd.grad(y, x, create_graph=True)[0]

    def compute_output_spec(self, inputs):
        return keras.KerasTensor(inputs[0].shape, inputs[0].dtype)
'''


def derivative_step(lowering: Context, node: str) -> Step:
    """``Gradient(keras.Model([x, ...], y))([x, ..., y])``; raises NotExpressible where ``x`` is no input of the model."""
    of, by = (lowering.operand(tensor) for tensor in lowering.arguments(node))
    if not isinstance(of, Tensor) or by not in lowering.inputs:
        raise NotExpressible(
            f"{node!r} is a derivative by {by}, which is no input of the model: name no --input, or an --output before it"
        )
    lowering.classes[GRADIENT] = _CLASS
    rest = [tensor for tensor in lowering.inputs if tensor != by]
    given = ", ".join(hole(number) for number in range(1, 2 + len(rest)))
    model = f"keras.Model([{given}], {hole(0)})"
    text = f"{GRADIENT}({model})([{given}, {hole(0)}])"
    return Step(node, text, (of, by, *rest))
