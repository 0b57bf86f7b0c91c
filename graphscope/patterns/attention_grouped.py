"""GroupQueryAttention one altitude up: several heads of queries share one head of keys and one of values.

Source: Ainslie et al. 2023, arXiv:2305.13245; keras.layers.GroupQueryAttention.
"""

from __future__ import annotations

from math import isclose, sqrt
from typing import Any

from ..graph import Tensor
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
    named,
    op,
)
from ..match.heads import layer_of

_PARTS = ("query_dense", "key_dense", "value_dense", "output_dense")
_ONTO_HEADS, _OFF_HEADS = "abc,cde->abde", "abcd,cde->abe"
_MEETING, _MIXING = "btnh,bsnh->bnts", "bnts,bsnh->btnh"


def _projected(name: str, x: Term) -> Term:
    return named(name, layers.EinsumDense(x, activation="linear"))


def _repeated(name: str, x: Term, axis: Term, times: Term) -> Term:
    """Each head as often as there are queries to it, one copy after the other."""
    copies = op.Tile(op.ExpandDims(x, axis), times)
    return named(name, layers.Reshape(copies))


def _held(view: View, values: Any, part: str, kind: str) -> Held | None:
    made = layer_of(view, values[part])
    use = made.weights.get(kind) if made is not None else None
    return Held(use.node, use.shape, use.steps, value=use.value) if use else None


def _is(written: str, equation: str) -> bool:
    """Whether two equations differ in their letters only."""
    plain = written.replace(" ", "")
    if len(plain) != len(equation):
        return False
    pairs = set(zip(plain, equation, strict=True))
    return len(pairs) == len(set(plain)) == len(set(equation))


def _is_copied(view: View, values: Any, name: str, heads: int) -> bool:
    """The copies of one head lie side by side: a new axis behind the heads is repeated and joined to them."""
    kernel = _held(view, values, f"{name}_dense", "kernel")
    shape = view.shape(values[f"{name}_heads"])
    if kernel is None or len(kernel.shape) != 3 or shape is None or len(shape) != 4:
        return False
    axis, times = values[f"{name}_axis"], values[f"{name}_times"]
    own, width = kernel.shape[1:]
    repeats = heads // own if own else 0
    return (
        int(axis) in (3, -2)
        and list(times) == [1, 1, 1, repeats, 1]
        and own * repeats == heads
        and tuple(shape[2:]) == (heads, width)
    )


def _fits(view: View, match: Match) -> bool | str:
    values = match.values
    kernels = [_held(view, values, part, "kernel") for part in _PARTS]
    if any(kernel is None or len(kernel.shape) != 3 for kernel in kernels):
        return "a projection is not onto heads"
    if len({_held(view, values, part, "bias") is None for part in _PARTS}) > 1:
        return "some projections have a bias and some have none"
    written = [_dense(view, values[part]) for part in _PARTS]
    if not all(map(_is, written, (*[_ONTO_HEADS] * 3, _OFF_HEADS))):
        return "a projection is over other axes"
    heads, width = kernels[0].shape[1:]  # type: ignore[union-attr]
    if not _is(values["mixing"], _MIXING) or not _is(values["meeting"], _MEETING):
        return "queries, keys and values meet along other axes"
    if not isclose(float(values["scale"]), 1 / sqrt(width), rel_tol=1e-5):
        return f"the scores are not divided by the square root of {width}"
    if not all(_is_copied(view, values, name, heads) for name in ("key", "value")):
        return "keys and values are not repeated for the queries"
    return True


def _dense(view: View, tensor: Tensor) -> str:
    made = layer_of(view, tensor)
    return str(made.attrs.get("equation")) if made is not None else ""


def _config(view: View, match: Match) -> dict[str, Any]:
    query = _held(view, match.values, "query_dense", "kernel")
    key = _held(view, match.values, "key_dense", "kernel")
    return {
        "head_dim": query.shape[2] if query else 0,
        "num_query_heads": query.shape[1] if query else 0,
        "num_key_value_heads": key.shape[1] if key else 0,
        "dropout": match.values.get("rate", 0.0),
        "use_bias": _held(view, match.values, "query_dense", "bias") is not None,
    }


def _weights(view: View, match: Match) -> dict[str, Held | None]:
    # as Keras's class keeps them: unlike MultiHeadAttention's, its attributes are saved with their underscore
    return {
        f"_{part}/{kind}": _held(view, match.values, part, kind)
        for part in _PARTS
        for kind in ("kernel", "bias")
    }


@layer("GroupQueryAttention", where=_fits, config=_config, weights=_weights)
def attention_of_groups(
    query: Input,
    value: Input,
    key: Input,
    key_axis: Array,
    key_times: Array,
    value_axis: Array,
    value_times: Array,
    scale: Scalar,
    meeting: Attr,
    mixing: Attr,
    rate: Attr,
) -> Term:
    """Keras's own spelling, without a mask."""
    q = _projected("query_dense", query)
    k = _repeated("key_heads", _projected("key_dense", key), key_axis, key_times)
    v = _projected("value_dense", value)
    v = _repeated("value_heads", v, value_axis, value_times)
    scores = op.Einsum(q, k, equation=meeting) * scale
    sharp = layers.Activation(scores, activation="softmax")
    weights = sharp | layers.Dropout(sharp, rate=rate)
    mixed = op.Einsum(weights, v, equation=mixing)
    return named("output_dense", layers.EinsumDense(mixed, activation="linear"))
