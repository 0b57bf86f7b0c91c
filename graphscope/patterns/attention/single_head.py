"""Attention one altitude up without heads: scores, a softmax, and the values that it weighs.

Scores are products of queries and keys (Luong et al. 2015, arXiv:1508.04025) or sums of what a tanh makes of both (Bahdanau et
al. 2014, arXiv:1409.0473). Keras takes a large number from the scores of what is masked; Keras 2 by a product.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ... import ops
from ...graph import Tensor
from ...match import (
    Array,
    Attr,
    Input,
    Match,
    Scalar,
    Term,
    Value,
    View,
    WeightRef,
    layer,
    layers,
    named,
    op,
)
from .axes import layer_of
from .index_tensors import halves

_FAR = 1e4  # a score that lies so far below the others has no weight in float32


# -- formulas ---------------------------------------------------------------------------------
def _times(x: Term, factor: Term, rescaling: Term, weight: Term) -> Term:
    """A tensor times one number that is learned: a constant in a frozen graph."""
    plain = x * factor | layers.Rescaling(x, scale=rescaling, offset=0.0)
    return plain | x * weight | x


def _products(query: Term, key: Term) -> Term:
    transposed = layers.Permute(key, dims=(2, 1)) | op.Transpose(key, [0, 2, 1])
    return op.BatchMatMul(query, transposed) | op.BatchMatMul(query, key, adj_y=True)


def _pairs(query: Term, key: Term, row_axis: Term, column_axis: Term) -> Term:
    """Each query plus each key, ``[batch, queries, keys, width]``."""
    rows = op.ExpandDims(query, row_axis)
    columns = op.ExpandDims(key, column_axis)
    return layers.Add(rows, columns) | layers.Add(columns, rows) | rows + columns


def _hidden(
    scores: Term, far: Term, value_mask: Term, seen: Term, future: Term, mask_axis: Term
) -> Term:
    """Scores less a large number where a mask of the values, or that of the past, is false."""
    wide = op.ExpandDims(value_mask, mask_axis)
    both = op.LogicalAnd(wide, seen)
    hidden = (
        op.ExpandDims(op.LogicalNot(value_mask), mask_axis)
        | op.LogicalNot(both | wide)
        | future
    )
    number = op.Cast(hidden)
    return (
        op.Select(hidden, scores - far, scores)
        | scores - number * far
        | scores - layers.Rescaling(number, scale=far, offset=0.0)
        | scores
    )


def _attended(
    scores: Term, value: Term, query_mask: Term, query_axis: Term, rate: Term
) -> Term:
    sharp = layers.Activation(scores, activation="softmax")
    sharp = sharp | layers.Softmax(scores, axis=-1) | layers.Softmax(scores, axis=2)
    mixed = op.BatchMatMul(sharp | layers.Dropout(sharp, rate=rate), value)
    shown = op.ExpandDims(query_mask, query_axis)
    return op.Select(shown, mixed, 0.0) | mixed * op.Cast(shown) | mixed


def _pattern(
    name: str, kind: str, scored: Callable[..., Term], **settings: object
) -> Any:
    """A formula over layers; ``scored`` makes scores of queries and keys."""

    def formula(
        query: Input,
        value: Input,
        key: Input,
        query_mask: Input,
        value_mask: Input,
        _seen: Value,
        _future: Value,
        row_axis: Array,
        column_axis: Array,
        mask_axis: Array,
        query_axis: Array,
        far: Scalar,
        factor: Scalar,
        rescaling: Attr,
        _scale: Value,
        outer_factor: Scalar,
        outer_rescaling: Attr,
        _score_weight: Value,
        rate: Attr,
    ) -> Term:
        inner = (factor, rescaling, _scale)
        outer = (outer_factor, outer_rescaling, _score_weight)
        scores = scored(query, key, row_axis, column_axis, inner, outer)
        hidden = _hidden(scores, far, value_mask, _seen, _future, mask_axis)
        return _attended(hidden, value, query_mask, query_axis, rate)

    formula.__name__ = name
    return layer(kind, **settings)(formula)


# -- what holds of a solution -----------------------------------------------------------------
def _is_sequence(view: View, x: Any) -> bool:
    shape = view.shape(x)
    return shape is not None and len(shape) == 3


_AXES = {
    "row_axis": (2, 4),
    "column_axis": (1, 4),
    "mask_axis": (1, 3),
    "query_axis": (2, 3),
}
"""Where an axis of one is put in, and among how many."""


def _fits(view: View, match: Match) -> bool | str:
    values = match.values
    if not all(_is_sequence(view, values[n]) for n in ("query", "value", "key")):
        return "queries, keys and values are no sequences"
    for name, (axis, rank) in _AXES.items():
        if name in values and int(values[name]) % rank != axis:
            return f"the {name.replace('_', ' ')} is {values[name]}, not {axis}"
    for name in ("query_mask", "value_mask"):
        if name in values and not _is_mask(view, values, name):
            return f"the {name.replace('_', ' ')} is not one of places"
    for name in ("_scale", "_score_weight"):
        if name in values and not _is_number(view, values[name]):
            return f"{values[name]} is no variable of one number"
    if "_seen" in values and halves(view, values["_seen"]) != (1, 0):
        return "the mask is not that of the past"
    if "_future" in values and halves(view, values["_future"]) != (0, 1):
        return "the mask does not hide the future alone"
    if "far" in values and values["far"] < _FAR:
        return f"masked scores are {values['far']:g} lower, which is not far"
    return True


def _is_number(view: View, tensor: Tensor) -> bool:
    kind = view.kinds[tensor.node]
    return "variable" in ops.traits(kind) and view.attrs[tensor.node].get("shape") == ()


def _is_mask(view: View, values: Any, name: str) -> bool:
    """Whether a mask is one of truth values for places of each example; Keras repeats one of a single place as the graph does."""
    shape, spec = view.shape(values[name]), view.specs.get(values[name])
    return len(shape or ()) == 2 and spec is not None and spec.dtype == "bool"


def _added(view: View, match: Match) -> bool | str:
    values = match.values
    if "scaled" in values and _vector(view, match) is None:
        return "the sum is not weighted by one vector"
    sizes = [view.axis_size(values[name], 2) for name in ("query", "key")]
    return _fits(view, match) if sizes[0] == sizes[1] else "their widths differ"


def _vector(view: View, match: Match) -> WeightRef | None:
    """What each entry along the last axis is multiplied with."""
    layer = layer_of(view, match.values["scaled"])
    use = layer.weights.get("kernel") if layer is not None else None
    if layer is None or use is None or len(use.shape) != 1:
        return None
    left, _, right = str(layer.attrs["equation"]).partition("->")
    data, _, kernel = left.partition(",")
    if data != right or kernel != data[-1:] or "bias" in layer.weights:
        return None
    return WeightRef(use.node, use.shape, use.steps, value=use.value)


# -- what Keras is told -----------------------------------------------------------------------
def _config(match: Match) -> dict[str, Any]:
    values = match.values
    return {
        "use_scale": not values.keys().isdisjoint(("factor", "rescaling", "_scale")),
        "score_mode": "dot",
        "dropout": values.get("rate", 0.0),
        "use_causal_mask": "_seen" in values or "_future" in values,
    }


def _concatenated(view: View, match: Match) -> bool | str:
    learned = {"factor", "rescaling", "outer_factor", "outer_rescaling"}
    learned |= {"_scale", "_score_weight"}
    if learned.isdisjoint(match.values):
        return "nothing is learned: it is an AdditiveAttention without scale"
    return _added(view, match)


def _concat_config(match: Match) -> dict[str, Any]:
    return {**_config(match), "score_mode": "concat"}


def _additive_config(match: Match) -> dict[str, Any]:
    config = {**_config(match), "use_scale": "scaled" in match.values}
    config.pop("score_mode")
    return config


def _number(values: Any, prefix: str, weight: str) -> WeightRef | None:
    """A learned number: the variable that holds it, or a constant."""
    if weight in values:
        return WeightRef(values[weight].node, ())
    value = values.get(f"{prefix}factor", values.get(f"{prefix}rescaling"))
    if value is None:
        return None
    return WeightRef("", (), value=np.float32(value).reshape(()))


def _weights(match: Match) -> dict[str, WeightRef | None]:
    return {"scale": _number(match.values, "", "_scale")}


def _concat_weights(match: Match) -> dict[str, WeightRef | None]:
    name = "concat_score_weight"
    one = WeightRef("", (), value=np.float32(1).reshape(()))
    number = _number(match.values, "outer_", "_score_weight")
    return {**_weights(match), name: number or one}


def _additive_weights(view: View, match: Match) -> dict[str, WeightRef | None]:
    return {"scale": _vector(view, match) if "scaled" in match.values else None}


def _dot(
    q: Term, k: Term, row: Term, column: Term, inner: object, outer: object
) -> Term:
    return _times(_products(q, k), *inner)


def _concat(
    q: Term, k: Term, row: Term, column: Term, inner: object, outer: object
) -> Term:
    pairs = _times(_pairs(q, k, row, column), *inner)
    bent = layers.Activation(pairs, activation="tanh")
    return _times(op.Sum(bent, -1) | op.Sum(bent, [-1]), *outer)


def _sum(
    q: Term, k: Term, row: Term, column: Term, inner: object, outer: object
) -> Term:
    bent = layers.Activation(_pairs(q, k, row, column), activation="tanh")
    scaled = named("scaled", layers.EinsumDense(bent, activation="linear")) | bent
    return op.Sum(scaled, -1) | op.Sum(scaled, [-1])


attention = _pattern(
    "attention", "Attention", _dot, where=_fits, config=_config, weights=_weights
)
attention_concat = _pattern(
    "attention_concat",
    "Attention",
    _concat,
    where=_concatenated,
    config=_concat_config,
    weights=_concat_weights,
)
attention_additive = _pattern(
    "attention_additive",
    "AdditiveAttention",
    _sum,
    where=_added,
    config=_additive_config,
    weights=_additive_weights,
)
