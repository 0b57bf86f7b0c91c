"""Layers -> the same layers with what only a training graph says of them: regularizers, momentum.

Neither changes what a model computes; both change how it trains on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ...graph import Layer, Model
from ...graph.edit import bypass_calls, duplicate
from ...graph.named_values import Arguments
from ...patterns.keras_arguments import shortened
from ...simplify.specialise import specialise
from .momentum import Momenta
from .regularizers import VARIABLES, Penalty, find_penalties

_ARGUMENTS = {
    "depthwise_kernel": "depthwise_regularizer",
    "pointwise_kernel": "pointwise_regularizer",
}
_REGULARIZED = frozenset("kernel bias gamma beta embeddings alpha".split())


def with_training(
    layers: Iterable[Layer], model: Model, modes: Mapping[str, bool | int]
) -> tuple[Layer, ...]:
    """The layers with ``..._regularizer`` and ``momentum`` in their configs where the model's graph tells them.

    ``modes`` gives mode placeholders the values that they have at inference: what is read here is the other mode.
    """
    if next(model.graph.by_op(*VARIABLES), None) is None:
        return tuple(layers)
    trained = {name: type(value)(not value) for name, value in modes.items()}
    graph = specialise(model.graph, trained, functions=model.functions)
    if next(graph.by_op("IdentityN"), None) is not None:
        graph = duplicate(graph)
        bypass_calls(graph)
    penalties = find_penalties(graph, model.collections)
    momenta = Momenta(graph)
    return tuple(_taught(layer, penalties, momenta) for layer in layers)


def _taught(layer: Layer, penalties: Mapping[str, Penalty], momenta: Momenta) -> Layer:
    more: Arguments = {}
    for weight, use in layer.weights.items():
        argument = _argument(layer.op, weight)
        if argument and use.node in penalties:
            more[argument] = as_config(penalties[use.node])
    if layer.op == "BatchNormalization" and "momentum" not in layer.attrs:
        mean = layer.weights.get("moving_mean")
        momentum = momenta.of(mean.node) if mean is not None and mean.node else None
        more |= {"momentum": momentum} if momentum is not None else {}
    return replace(layer, attrs={**layer.attrs, **more}) if more else layer


def _argument(op: str, weight: str) -> str | None:
    """The argument of a Keras class that regularizes one of its weights; None where it has none."""
    if op.startswith("DepthwiseConv") and weight == "kernel":
        return "depthwise_regularizer"
    if weight in _REGULARIZED:
        return f"{weight}_regularizer"
    return _ARGUMENTS.get(weight)


def as_config(penalty: Penalty) -> Arguments:
    """A penalty as Keras serialises its regularizer.

    >>> as_config(Penalty(l2=0.5e-4))
    {'class_name': 'L2', 'config': {'l2': 5e-05}}
    """
    config = {k: shortened(v) for k, v in penalty._asdict().items() if v}
    name = "".join(kind.upper() for kind in config)
    return {"class_name": name, "config": config}
