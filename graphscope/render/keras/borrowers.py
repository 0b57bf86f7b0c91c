"""A layer that computes with weights which another layer holds -> the same in ``keras.ops``."""

from __future__ import annotations

from collections.abc import Mapping

from .literals import literal
from .program import Step

_CONVOLUTIONS = {
    "Conv1D": "conv",
    "Conv2D": "conv",
    "Conv3D": "conv",
    "Conv1DTranspose": "conv_transpose",
    "Conv2DTranspose": "conv_transpose",
    "Conv3DTranspose": "conv_transpose",
    "DepthwiseConv1D": "depthwise_conv",
    "DepthwiseConv2D": "depthwise_conv",
}
_WITH = ("strides", "padding", "output_padding", "data_format", "dilation_rate")
_ACTIVATIONS = frozenset(
    "elu gelu hard_sigmoid leaky_relu relu relu6 selu sigmoid silu softmax softplus softsign tanh".split()
)


def borrower_text(step: Step, weights: Mapping[str, str]) -> str | None:
    """What the layer computes, given the texts of its weights; None where ``keras.ops`` has no short word for it."""
    name = step.constructor.removeprefix("layers.")
    text = None
    if name == "Dense":
        text = f"ops.matmul({step.text}, {weights['kernel']})"
    elif name == "EinsumDense":
        equation = literal(step.arguments["equation"])
        text = f"ops.einsum({equation}, {step.text}, {weights['kernel']})"
    elif name == "Embedding":
        text = f"ops.take({weights['embeddings']}, {step.text}, axis=0)"
    elif name in _CONVOLUTIONS:
        given = [
            f"{k}={literal(step.arguments[k])}" for k in _WITH if k in step.arguments
        ]
        said = ", ".join([step.text, weights["kernel"], *given])
        text = f"ops.{_CONVOLUTIONS[name]}({said})"
    return None if text is None else finished_text(step, text, weights.get("bias"))


def finished_text(step: Step, text: str, bias: str | None) -> str | None:
    """A linear map with the bias and the activation of the layer that it is."""
    if bias is not None:
        if step.arguments.get("data_format") == "channels_first":
            return None
        text = f"{text} + {bias}"
    activation = step.arguments.get("activation")
    if activation is None:
        return text
    return f"ops.{activation}({text})" if activation in _ACTIVATIONS else None
