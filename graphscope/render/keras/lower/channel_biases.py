"""A bias that Keras may add along the last axis, where it belongs to another one -> a layer that adds it where it belongs.

On TensorFlow Keras adds by ``ops.add``, which takes what squeezes to a vector for one number a *last* axis wherever the
sizes agree (keras/src/backend/tensorflow/numpy.py, ``add``): of a ``channels_first`` convolution on pictures as wide as it
has filters, of an EinsumDense whose bias ends in an axis of one.
"""

from __future__ import annotations

from dataclasses import replace

from ....graph import Layer, Tensor
from ..operands.bias_and_scale import BIAS_CLASS
from ..operands.context import Context
from ..program.names import layer_name
from ..program.program import Step, hole


def may_stray(lowering: Context, node: str, layer: Layer) -> bool:
    """Whether the bias is longer than one and not along the last axis, and another axis of the result may be as long."""
    bias = layer.weights.get("bias")
    if layer.op == "EinsumDense":
        return bias is not None and bias.shape[-1:] == (1,) and max(bias.shape) > 1
    if layer.attrs.get("data_format") != "channels_first" or bias is None:
        return False
    shape, count = lowering.spec(Tensor(node)).shape, bias.shape[-1]
    known = shape[-1] if shape else None
    return "LSTM" not in layer.op and count > 1 and known in (None, count)


def without_bias(layer: Layer) -> Layer:
    """The layer that only convolves; what is done with the result is left to ``bias_steps``."""
    left = {k: v for k, v in layer.attrs.items() if k not in _AFTER}
    weights = {k: v for k, v in layer.weights.items() if k != "bias"}
    without = {} if layer.op == "EinsumDense" else {"use_bias": False}
    return replace(layer, attrs={**left, **without}, weights=weights)


def bias_steps(lowering: Context, node: str, layer: Layer, conv: Step) -> list[Step]:
    """``Conv2D(8, 3, activation="relu")(x) -> Activation("relu")(Bias((8, 1, 1))(Conv2D(8, 3, use_bias=False)(x)))``."""
    use, activation = layer.weights["bias"], layer.attrs.get("activation", "linear")
    shape = use.shape
    if len(shape) == 1:
        shape = (*shape, *(1,) * (len(layer.weights[_kernel(layer)].shape) - 2))
    lowering.classes["Bias"] = BIAS_CLASS
    arguments = {"shape": shape} | {
        k: conv.arguments[k] for k in _KEPT & {*conv.arguments}
    }
    bias = Step(
        node,
        hole(0),
        (Tensor(conv.node),),
        "Bias",
        "Bias",
        arguments,
        lowering.names.unique(f"{layer_name(node)}_bias"),
        weights={
            "bias": replace(use, shape=shape, steps=(*use.steps, ("reshape", shape)))
        },
        stored=("bias",),
        is_named=conv.is_named,
    )
    if activation in ("linear", None):
        return [bias]
    bias = replace(bias, node=f"{node}/bias")
    name = lowering.names.unique(f"{layer_name(node)}_{activation}")
    config = {"activation": activation} | {
        k: v for k, v in arguments.items() if k == "dtype"
    }
    inputs = (Tensor(bias.node),)
    last = Step(node, hole(0), inputs, "layers.Activation", "Activation", config, name)
    return [bias, replace(last, is_named=False)]


_KEPT = frozenset({"dtype", "trainable"})
_AFTER = frozenset({"activation", "bias_axes"})


def _kernel(layer: Layer) -> str:
    return next(name for name in layer.weights if name.endswith("kernel"))
