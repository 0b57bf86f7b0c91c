"""One variable in two layers: the second borrows it from the first, so that training keeps them tied.

An Embedding whose table is a Dense kernel too is a ReversibleEmbedding called in reverse. Any other layer that lends a
weight becomes a small subclass of its Keras class that also yields the weight; the borrower computes with that in
``keras.ops``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ....graph import Tensor, WeightUse
from ..classes.own_layers import lender_class
from ..program.literals import literal
from ..program.program import Step, hole
from .context import Context
from .loans import Loan

_TURNED = (("transpose", (1, 0)),)
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


def tied(lowering: Context, step: Step, loans: Mapping[str, Loan]) -> Step | None:
    """The step with what it borrows; None where it cannot be said."""
    reverse = _reversed(lowering, step, loans)
    if reverse is not None:
        return reverse
    texts: dict[str, str] = {}
    tensors = list(step.inputs)
    for name, use in step.weights.items():
        loan = loans.get(name)
        turn = _turn(loan.use, use) if loan is not None else "{}"
        if turn is None:
            return None
        texts[name] = turn.format(hole(len(texts) + len(step.inputs)))
    text = _borrower_text(step, texts)
    if text is None:
        return None
    for name, use in step.weights.items():
        loan = loans.get(name)
        tensors.append(
            yielded(lowering, loan)
            if loan is not None
            else lowering.hold(f"{step.node}/{name}", use, f"{step.name}_{name}")
        )
    return Step(step.node, text, tuple(tensors))


def _reversed(lowering: Context, step: Step, loans: Mapping[str, Loan]) -> Step | None:
    """A Dense layer over an Embedding's table, as ReversibleEmbedding's call in reverse."""
    loan = loans.get("kernel")
    if loan is None or step.constructor != "layers.Dense" or len(loans) > 1:
        return None
    lender = lowering.steps[loan.owner]
    is_embedding = lender.class_name in ("Embedding", "ReversibleEmbedding")
    if not is_embedding or loan.use.steps or step.weights["kernel"].steps != _TURNED:
        return None
    lender = replace(
        lender,
        constructor="layers.ReversibleEmbedding",
        class_name="ReversibleEmbedding",
    )
    _lend(lowering, lender)
    call = replace(
        lowering.steps[loan.owner],
        node=step.node,
        text=f"{step.text}, reverse=True",
        inputs=step.inputs,
    )
    bias = hole(1) if "bias" in step.weights else None
    text = _finished_text(step, hole(0), bias)
    if text == hole(0) or text is None:
        return call if text else None
    call = replace(call, node=f"{step.node}/projection")
    lowering.put(call)
    tensors = [Tensor(call.node)]
    if bias:
        use = step.weights["bias"]
        tensors.append(lowering.hold(f"{step.node}/bias", use, f"{step.name}_bias"))
    return Step(step.node, text, tuple(tensors))


def yielded(lowering: Context, loan: Loan) -> Tensor:
    """The weight as a tensor: of a layer that holds nothing else itself, else as one more call of the lender."""
    lender = lowering.steps[loan.owner]
    if lender.constructor == "Weight":
        return Tensor(loan.owner)
    node = f"{loan.owner}/{loan.name}"
    if node not in lowering.steps:
        base = lender.class_name.removeprefix("Shared")
        name, source = lender_class(base, lowering.lent.setdefault(base, []), loan.name)
        lowering.classes[name] = source
        _lend(lowering, replace(lender, constructor=name, class_name=name))
        text = f"{hole(0)}, weight={literal(loan.name)}"
        call = replace(lowering.steps[loan.owner], node=node, text=text)
        lowering.put(replace(call, inputs=lender.inputs[:1]))
    return Tensor(node)


def _lend(lowering: Context, lender: Step) -> None:
    """The lender as a layer object with a name of its own, which others call too."""
    for node, step in lowering.steps.items():
        if (step.layer or node) == lender.node:
            lowering.steps[node] = replace(
                step,
                constructor=lender.constructor,
                class_name=lender.class_name,
                layer=lender.node,
            )


def _turn(lent: WeightUse, own: WeightUse) -> str | None:
    """What makes the borrower's layout of the lender's; None where no transposition does."""
    if lent.steps == own.steps:
        return "{}"
    axes = [_axes(use) for use in (lent, own)]
    if axes[0] is None or axes[1] is None or len(axes[0]) != len(axes[1]):
        return None
    whole = tuple(int(axis) for axis in np.argsort(axes[0])[list(axes[1])])
    if whole == tuple(range(len(whole))):
        return "{}"
    if whole == tuple(reversed(range(len(whole)))):
        return "ops.transpose({})"
    return f"ops.transpose({{}}, {literal(whole)})"


def _axes(use: WeightUse) -> tuple[int, ...] | None:
    """The permutation that leads from the stored array to the layer's; None where there is more to it."""
    axes = tuple(range(len(use.shape)))
    for name, argument in use.steps:
        if name != "transpose":
            return None
        axes = tuple(axes[axis] for axis in argument)
    return axes


def _borrower_text(step: Step, weights: Mapping[str, str]) -> str | None:
    """What the layer computes, arguments the texts of its weights; None where ``keras.ops`` has no short word for it."""
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
        arguments = [
            f"{k}={literal(step.arguments[k])}" for k in _WITH if k in step.arguments
        ]
        operands = ", ".join([step.text, weights["kernel"], *arguments])
        text = f"ops.{_CONVOLUTIONS[name]}({operands})"
    return None if text is None else _finished_text(step, text, weights.get("bias"))


def _finished_text(step: Step, text: str, bias: str | None) -> str | None:
    """A linear map with the bias and the activation of the layer that it is."""
    if bias is not None:
        if step.arguments.get("data_format") == "channels_first":
            return None
        text = f"{text} + {bias}"
    activation = step.arguments.get("activation")
    if activation is None:
        return text
    return f"ops.{activation}({text})" if activation in _ACTIVATIONS else None
