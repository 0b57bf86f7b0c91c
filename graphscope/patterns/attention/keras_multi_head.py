"""MultiHeadAttention as Keras 3 computes it: projections to heads, two einsums around a softmax, one projection back."""

from __future__ import annotations

from collections.abc import Sequence
from math import isclose, sqrt
from typing import Any

from ...match import (
    Attr,
    Bindings,
    Dims,
    Input,
    Scalar,
    Sizes,
    Term,
    Weight,
    WeightRef,
    layer,
    op,
)

_SCORES = ("btnh,bsnh->bnts", "bsnh,btnh->bnts")  # queries first, or keys first
_CONTEXT = "bnts,bsnh->btnh"


def alike(equation: str, wanted: str) -> bool:
    """Whether two einsum equations differ only in the letters that they use.

    >>> alike("aecd,abcd->acbe", "bsnh,btnh->bnts")
    True
    """
    if len(equation) != len(wanted):
        return False
    pairs = set(zip(equation, wanted))
    one_to_one = len({a for a, _ in pairs}) == len({b for _, b in pairs}) == len(pairs)
    return one_to_one and all(a == b for a, b in pairs if not (a + b).isalpha())


def _heads(sizes: Sizes) -> tuple[int | None, int | None]:
    known = [s.number if s is not None else None for s in sizes]
    return (known[-2], known[-1]) if len(known) == 4 else (None, None)


def _heads_fit(b: Bindings) -> bool | str:
    heads, size = _heads(b.split)
    heads_value, size_value = _heads(b.split_value)
    if heads is None or size is None or size_value is None:
        return "the projections are not split into heads of known size"
    if _heads(b.split_key) != (heads, size) or heads_value != heads:
        return "the projections have different heads"
    if not isclose(b.scale, 1 / sqrt(size), rel_tol=1e-3):
        return f"the scale is {b.scale:g}, not 1 / sqrt({size})"
    if b.out.shape[0] != heads * size_value or len(b.joined) != 3:
        return "the heads are not joined before the last projection"
    return alike(b.context, _CONTEXT) or f"{b.context} is not how values are weighted"


def _config(b: Bindings) -> dict[str, Any]:
    heads, size = _heads(b.split)
    shape = b.view.shape(b.query)
    same = shape is not None and shape[-1] == b.out.shape[1]
    return {
        "num_heads": heads,
        "key_dim": size,
        "value_dim": _heads(b.split_value)[1],
        "dropout": 0.0,
        "use_bias": b.query_bias is not None,
        "output_shape": None if same else (b.out.shape[1],),
    }


def _weights(b: Bindings) -> dict[str, WeightRef | None]:
    heads, size = (n or 0 for n in _heads(b.split))
    deep = _heads(b.split_value)[1] or 0
    weights: dict[str, WeightRef | None] = {}
    sources: Sequence[tuple[str, WeightRef, WeightRef | None, int]] = (
        ("query", b.query_kernel, b.query_bias, size),
        ("key", b.key_kernel, b.key_bias, size),
        ("value", b.value_kernel, b.value_bias, deep),
    )
    for name, kernel, bias, width in sources:
        rows = kernel.shape[0]
        weights[f"{name}_dense/kernel"] = kernel.reshaped(rows, heads, width)
        weights[f"{name}_dense/bias"] = bias.reshaped(heads, width) if bias else None
    weights["output_dense/kernel"] = b.out.reshaped(heads, deep, b.out.shape[1])
    weights["output_dense/bias"] = b.out_bias.flat() if b.out_bias else None
    return weights


def _projected(x: Term, kernel: Term, split: Term, bias: Term | None) -> Term:
    projected: Term = op.Reshape(op.BatchMatMul(x, kernel), split) + bias
    return projected


def _pattern(name: str, queries_first: bool) -> Any:
    def formula(
        query: Input,
        value: Input,
        key: Input,
        query_kernel: Weight,
        key_kernel: Weight,
        value_kernel: Weight,
        out: Weight,
        query_bias: Weight | None,
        key_bias: Weight | None,
        value_bias: Weight | None,
        out_bias: Weight | None,
        scale: Scalar,
        scores: Attr,
        context: Attr,
        split: Dims,
        split_key: Dims,
        split_value: Dims,
        joined: Dims,
    ) -> Term:
        q = _projected(query, query_kernel, split, query_bias)
        k = _projected(key, key_kernel, split_key, key_bias)
        v = _projected(value, value_kernel, split_value, value_bias)
        # Keras up to 3.5 scales the queries, later the scores
        meet = [(q * scale, k), (q, k * scale), (q, k)]
        pairs = meet if queries_first else [(b, a) for a, b in meet]
        early, late, plain = (op.Einsum(*pair, equation=scores) for pair in pairs)
        attended = op.Softmax(early | late | plain * scale)
        mixed = op.Einsum(attended, v, equation=context)
        return op.BatchMatMul(op.Reshape(mixed, joined), out) + out_bias

    def fits(b: Bindings) -> bool | str:
        if not alike(b.scores, _SCORES[0 if queries_first else 1]):
            return f"{b.scores} is not how queries meet keys"
        return _heads_fit(b)

    formula.__name__ = name
    options: Any = {"where": fits, "config": _config, "weights": _weights}
    return layer("MultiHeadAttention", **options)(formula)


multi_head_attention = _pattern("multi_head_attention", True)
multi_head_attention_keys_first = _pattern("multi_head_attention_keys_first", False)
