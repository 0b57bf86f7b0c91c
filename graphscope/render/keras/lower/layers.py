"""A recovered layer -> a call of its Keras class; of an earlier layer object where both are the same layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from ....graph import Layer, Tensor, WeightUse
from ....ops.constants import is_computed, is_written
from ..classes.config import written_arguments
from ..classes.signatures import signatures
from ..classes.subclasses import subclass_of
from ..operands.attention import constructor_config
from ..operands.call_texts import call_text, is_recurrent, stored_order
from ..operands.context import Context
from ..operands.tied_weights import tied
from ..program.literals import Code, literal
from ..program.names import class_identifier, is_default_name, layer_name
from ..program.program import Step, hole
from .channel_biases import bias_steps, may_stray, without_bias

_KERNELS = ("kernel", "embeddings")
_MOST = 1_000_000  # numbers of a kernel that are looked at
_MERGES = frozenset("Add Average Maximum Minimum Multiply Subtract".split())
_FLOATS = frozenset({"float16", "float64", "bfloat16"})


def layer_step(lowering: Context, node: str, layer: Layer) -> Step:
    if not may_stray(lowering, node, layer):
        return shared(lowering, _step(lowering, node, layer))
    step = _step(lowering, node, without_bias(layer))
    conv = shared(lowering, replace(step, node=f"{node}/convolution"))
    lowering.put(conv)
    *before, last = bias_steps(lowering, node, layer, conv)
    for each in before:
        lowering.put(shared(lowering, each))
    return shared(lowering, last)


def _step(lowering: Context, node: str, layer: Layer) -> Step:
    operands = lowering.arguments(node)
    known = [lowering.operand(tensor) for tensor in operands]
    tensors = tuple(tensor for tensor in known if isinstance(tensor, Tensor))
    is_led = known and (layer.op not in _MERGES or isinstance(known[0], Tensor))
    if known and not (tensors and is_led):  # Keras can follow nothing else
        known = [lowering.operand(tensor, literals=False) for tensor in operands]
        tensors = tuple(tensor for tensor in known if isinstance(tensor, Tensor))
    if layer.attrs.get("approximate"):  # which no Activation layer can be told
        text = f"ops.{layer.attrs['activation']}({hole(0)}, approximate=True)"
        return Step(node, text, tensors)
    shape = lowering.spec(operands[0]).shape if operands else None
    rank = None if shape is None else len(shape)
    arguments = written_arguments(
        layer.op.removeprefix("Position"), constructor_config(layer), rank
    )
    if layer.op == "Bidirectional":
        arguments = two_directions(arguments)
    dtype = lowering.spec(Tensor(node)).dtype
    if dtype in _FLOATS:
        arguments["dtype"] = dtype
    if tensors and shape is not None:
        tensors = (with_width(lowering, node, layer, tensors[0], shape), *tensors[1:])
    weights = dict(layer.weights)
    if layer.op == "Normalization" and weights:  # how many examples it has seen
        weights.setdefault("count", WeightUse("", (), (), np.zeros((), "int32")))
    if _is_computed(lowering, weights):
        arguments["trainable"] = False
    return Step(
        node,
        call_text(layer, known),
        tensors,
        *constructor_and_class(lowering, node, layer),
        arguments,
        lowering.names.unique(layer_name(node)),
        weights=weights,
        stored=stored_order(layer.op, weights),
        is_named=not is_default_name(layer_name(node), layer.output.node),
        ports=max(1, len(layer.outputs)) if is_recurrent(layer) else 1,
    )


def _is_computed(lowering: Context, weights: Mapping[str, WeightUse]) -> bool:
    """Whether a layer's kernel or table is a constant that somebody computed, and so is nothing for training to change.

    Its bias may be of one number, where training starts. What was a variable before the graph was frozen is a weight; in
    a graph that holds variables no constant is.
    """
    kernels = [weights[name] for name in _KERNELS if name in weights]
    if len(kernels) != 1 or weights.keys() - {*_KERNELS, "bias"}:
        return False
    kernel = _constant(lowering, kernels[0])
    known = lowering.has_variables
    if kernel is None or not (known or is_computed(kernel)):
        return False
    bias = _constant(lowering, weights["bias"]) if "bias" in weights else kernel
    return bias is not None and (bias is kernel or known or is_written(bias))


def _constant(lowering: Context, use: WeightUse) -> np.ndarray | None:
    """The numbers of a weight that never was a variable; None of one too large to be looked at."""
    if use.node in lowering.read_through or prod(use.shape) > _MOST:
        return None
    if use.value is not None or lowering.values is None or not use.node:
        return use.value
    return lowering.values(Tensor(use.node))


def two_directions(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a Bidirectional, the layer that it is made of as a call: ``layers.LSTM(8)``."""
    rest = {k: v for k, v in arguments.items() if not k.startswith("layer")}
    name = str(arguments["layer"])
    config = written_arguments(name, arguments["layer_config"])
    texts = [
        literal(value) if key in ("units", "filters") else f"{key}={literal(value)}"
        for key, value in config.items()
    ]
    return {"layer": Code(f"layers.{name}({', '.join(texts)})"), **rest}


def constructor_and_class(
    lowering: Context, node: str, layer: Layer
) -> tuple[str, str]:
    """What the source calls to make the layer, and the Python class that names it in a weights file."""
    own = subclass_of(layer, any(map(lowering.is_sparse, lowering.arguments(node))))
    if own is not None:
        lowering.classes[own[0]] = own[1]
        return own[0], own[0]
    signature = signatures().get(layer.op)
    constructor = f"layers.{class_identifier(layer.op)}"
    return constructor, signature.python_name if signature else layer.op


def with_width(
    lowering: Context,
    node: str,
    layer: Layer,
    tensor: Tensor,
    shape: tuple[int | None, ...],
) -> Tensor:
    """The input of a Dense layer, reshaped where only the kernel says how wide it is: Keras must know to build."""
    kernel = layer.weights.get("kernel")
    if layer.op != "Dense" or kernel is None or shape[-1:] != (None,):
        return tensor
    if sum(size is None for size in shape[:-1]) > 1:
        return tensor
    sizes = [-1 if size is None else size for size in shape[:-1]]
    text = f"ops.reshape({hole(0)}, {literal((*sizes, kernel.shape[0]))})"
    lowering.put(Step(f"{node}/input", text, (tensor,)))
    return Tensor(f"{node}/input")


def shared(lowering: Context, step: Step) -> Step:
    """The step as one more call of an earlier layer object, or with what it borrows from one.

    It is the same layer where class, arguments and weights are the same.
    """
    if not step.weights:
        return step
    key = (
        step.constructor,
        literal(dict(step.arguments)),
        tuple((k, w.node, w.steps) for k, w in sorted(step.weights.items())),
    )
    first = lowering.owners.setdefault(key, step)
    if first is step or not all(use.node for use in step.weights.values()):
        return borrowing(lowering, step)
    owner = lowering.steps.get(first.node)
    if owner is None or not owner.constructor:  # which borrows itself
        return borrowing(lowering, step)
    lowering.steps[first.node] = owner = replace(owner, layer=first.node)
    return replace(
        owner, node=step.node, text=step.text, inputs=step.inputs, ports=step.ports
    )


def borrowing(lowering: Context, step: Step) -> Step:
    """The step, with weights that another layer holds borrowed from it."""
    uses = {name: use for name, use in step.weights.items() if use.node}
    loans = lowering.ties.borrowed(uses)
    borrower = tied(lowering, step, loans) if loans else None
    if borrower is not None:
        return borrower
    for name, loan in loans.items():
        lowering.remarks.append(
            f"{name} of {step.name!r} is a weight of {lowering.steps[loan.owner].name!r} too: "
            "two copies here, which training would part"
        )
    lowering.ties.register(step)
    return step
