"""What Keras is told of multi-head attention: its config and weights, from the projections that a solution binds.

``query_dense``, ``key_dense``, ``value_dense`` and ``out`` are Dense or EinsumDense layers, or thirds of a joint one;
``query_heads``, ``key_heads`` and ``value_heads`` what they were split into, ``key_own`` and ``value_own`` the same before
each head was repeated for a group of queries, where it was.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ...graph import Tensor
from ...match.solver.match import Match
from ...match.view.view import View
from ...match.view.weight_ref import WeightRef
from .axes import attended_axes, heads_of, is_unscaled, layer_of, why_not_repeated

PARTS = ("query", "key", "value")
LIKELY_RATE = 0.1  # of the dropout that an inference graph has lost


def config_of_heads(view: View, match: Match) -> dict[str, Any]:
    """The arguments of ``MultiHeadAttention``."""
    values = match.values
    shape, width = view.shape(values["query"]), _units(view, values["out"])
    heads, size = heads_of(view, match, "query")
    same = shape is not None and shape[-1] == width
    unscaled = is_unscaled(values) and size != 1
    return {
        "num_heads": heads,
        "key_dim": size,
        "value_dim": heads_of(view, match, "value")[1],
        "dropout": _rate(values),
        "use_bias": is_biased(view, match),
        "output_shape": None if same else (width,),
        "attention_axes": attended_axes(view, match),
        "additive_mask": "attention_mask" in values and "fill" not in values,
        **({"unscaled": True} if unscaled else {}),
    }


def config_of_groups(view: View, match: Match) -> dict[str, Any]:
    """The arguments of ``GroupQueryAttention``."""
    heads, size = heads_of(view, match, "query")
    return {
        "head_dim": size,
        "num_query_heads": heads,
        "num_key_value_heads": heads_of(view, match, "key")[0],
        "dropout": _rate(match.values),
        "use_bias": is_biased(view, match),
    }


def _rate(values: Any) -> float:
    return float(values.get("rate", LIKELY_RATE if "zeroed" in values else 0.0))


def is_biased(view: View, match: Match) -> bool:
    """Whether any of the projections has a bias."""
    names = ("query_dense", "key_dense", "value_dense", "out")
    return any(_weight(view, match.values, name, "bias") for name in names)


def _units(view: View, out: Tensor) -> int:
    layer = layer_of(view, out)
    kernel = None if layer is None else layer.weights.get("kernel")
    return kernel.shape[-1] if kernel is not None else 0


def _weight(view: View, values: Any, part: str, kind: str) -> WeightRef | None:
    """The kernel or bias of a projection; its third of a joint one's."""
    tensor = values[part]
    owner = layer_of(view, tensor)
    if owner is None:
        owner = layer_of(view, view.producer(view.inputs[tensor.node][1])[0])
    use = owner.weights.get(kind) if owner is not None else None
    if use is None:
        return None
    weight = WeightRef(use.node, use.shape, use.steps, value=use.value)
    if layer_of(view, tensor) is not None:
        return weight
    width = weight.shape[-1] // 3
    start = width * tensor.port
    return weight.sliced(len(weight.shape) - 1, start, start + width)


def weights_of_heads(view: View, match: Match) -> dict[str, WeightRef | None]:
    """The weights of ``MultiHeadAttention``, under the names and in the shapes that it gives them."""
    values = match.values
    biased = is_biased(view, match)
    weights: dict[str, WeightRef | None] = {}
    for name in PARTS:
        heads = heads_of(view, match, name)
        kernel = _weight(view, values, f"{name}_dense", "kernel")
        bias = _weight(view, values, f"{name}_dense", "bias")
        weights[f"{name}_dense/kernel"] = (
            kernel.reshaped(kernel.shape[0], *heads) if kernel else None
        )
        weights[f"{name}_dense/bias"] = _bias(bias, heads) if biased else None
    width = _units(view, values["out"])
    joined = (heads_of(view, match, "query")[0], heads_of(view, match, "value")[1])
    kernel = _weight(view, values, "out", "kernel")
    weights["output_dense/kernel"] = kernel.reshaped(*joined, width) if kernel else None
    bias = _weight(view, values, "out", "bias")
    weights["output_dense/bias"] = _bias(bias, (width,)) if biased else None
    return weights


def weights_of_groups(view: View, match: Match) -> dict[str, WeightRef | None]:
    """The weights of ``GroupQueryAttention``: unlike MultiHeadAttention's, they are saved with their underscore."""
    weights = weights_of_heads(view, match)
    return {f"_{name}": weight for name, weight in weights.items()}


def _bias(weight: WeightRef | None, shape: tuple[int, ...]) -> WeightRef:
    """A bias in its shape; zeros where only other projections have one."""
    if weight is None:
        return WeightRef("", shape, value=np.zeros(shape, np.float32))
    if prod(weight.shape) != prod(shape):
        raise ValueError(f"a bias of shape {weight.shape}, expected {shape}")
    return weight.reshaped(*shape)


def why_no_groups(view: View, match: Match) -> str:
    """Why ``GroupQueryAttention`` does not take such heads; ``""`` where it does."""
    values = match.values
    if "attention_mask" in values and "fill" not in values:
        return "the mask is added to the scores"
    width = _units(view, values["out"])
    if {(view.shape(values[name]) or (0,))[-1] for name in PARTS} != {width}:
        return "queries, keys, values and the result are not as wide as one another"
    if heads_of(view, match, "key") != heads_of(view, match, "value"):
        return "the heads of keys and values differ"
    return next(filter(None, (why_not_repeated(view, match, n) for n in PARTS[1:])), "")
