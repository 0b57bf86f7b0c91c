"""Attention one altitude up: queries times keys, a softmax, and the values that it weighs, without heads."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..match import (
    Array,
    Attr,
    Held,
    Input,
    Match,
    Scalar,
    Term,
    View,
    layer,
    layers,
    op,
)


def _is_sequence(view: View, x: Any) -> bool:
    shape = view.shape(x)
    return shape is not None and len(shape) == 3


def _fits(view: View, match: Match) -> bool | str:
    values = match.values
    if not all(_is_sequence(view, values[n]) for n in ("query", "value", "key")):
        return "queries, keys and values are no sequences"
    if values.get("axis") not in (None, -1, 2):
        return "the softmax is over another axis"
    keys, lengths = values["key"], values["value"]
    same = view.axis_size(keys, 1) == view.axis_size(lengths, 1)
    return same or "there is not one value for each key"


def _config(match: Match) -> dict[str, Any]:
    values = match.values
    return {
        "use_scale": _scale(values) is not None,
        "score_mode": "dot",
        "dropout": values.get("rate", 0.0),
    }


def _scale(values: Any) -> float | None:
    found = values.get("factor", values.get("rescaling"))
    return None if found is None else float(found)


def _weights(match: Match) -> dict[str, Held | None]:
    scale = _scale(match.values)
    if scale is None:
        return {}
    return {"scale": Held("", (), value=np.float32(scale).reshape(()))}


@layer("Attention", where=_fits, config=_config, weights=_weights)
def attention(
    query: Input,
    value: Input,
    key: Input,
    factor: Scalar,
    rescaling: Attr,
    axis: Array,
    rate: Attr,
) -> Term:
    """Keras's ``Attention`` by its dot product, scaled by one number or not."""
    turned = layers.Permute(key, dims=(2, 1)) | op.Transpose(key, [0, 2, 1])
    met = op.BatchMatMul(query, turned) | op.BatchMatMul(query, key, adj_y=True)
    scaled = met * factor | layers.Rescaling(met, scale=rescaling, offset=0.0)
    scores = scaled | met
    sharp = layers.Activation(scores, activation="softmax")
    sharp = sharp | layers.Softmax(scores, axis=axis)
    weights = sharp | layers.Dropout(sharp, rate=rate)
    return op.BatchMatMul(weights, value)
