"""MultiHeadAttention one altitude up: Dense layers, heads split and moved, a softmax between two products, a Dense layer.

The spellings of BERT, GPT-2, tensor2tensor, TensorFlow's tutorials and Hugging Face differ in how heads are split (reshape
and transpose, EinsumDense, one joint Dense that is split), where the scale stands, how queries meet keys (a matrix
product or an einsum) and how a mask is applied. The formulas allow each of them at its place; which axis is which is then
followed by labels: ``b`` batch, ``t`` queries, ``s`` keys and values, ``n`` heads, ``h`` the width of a head, ``v`` that
of its values.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...match import (
    ANY,
    Array,
    Attr,
    Input,
    Match,
    Scalar,
    Term,
    Value,
    View,
    layer,
    layers,
    named,
    op,
)
from .axes import heads_of, why_no_attention
from .index_tensors import Halves, halves
from .projections import (
    PARTS,
    config_of_groups,
    config_of_heads,
    is_biased,
    weights_of_groups,
    weights_of_heads,
    why_no_groups,
)

_FAR = 1e4  # a score that lies so far below the others has no weight in float32


# -- the formula ------------------------------------------------------------------------------
def _scaled(x: Term, scale: tuple[Term, Term, Term], shift: object = 0.0) -> Term:
    """The tensor times a constant."""
    factor, divisor, rescaling = scale
    return x * factor | x / divisor | layers.Rescaling(x, scale=rescaling, offset=shift)


def _dense(name: str, x: Term) -> Term:
    """A projection: a layer of its own, or a third of a joint one."""
    plain = layers.Dense(x, activation="linear")
    joint = named("joint", layers.Dense(x, activation="linear"))
    dense = plain | layers.EinsumDense(x, activation="linear")
    for port in range(3):
        dense = dense | op.Split(ANY, joint, port=port)
    return named(f"{name}_dense", dense)


def _split(name: str, x: Term) -> Term:
    return named(f"{name}_heads", layers.Reshape(x) | op.Reshape(x, ANY) | x)


def _moved(name: str, x: Term) -> Term:
    return named(name, layers.Permute(x) | op.Transpose(x, ANY) | x)


def _heads(name: str, x: Term, scale: tuple[Term, Term, Term] | None = None) -> Term:
    """A projection, split into heads and moved to where it is multiplied; scaled at one of these places, or not."""
    met, dense = f"{name}_met", _dense(name, x)
    plain = _moved(met, _split(name, dense))
    if scale is None:
        return plain
    return (
        plain
        | named(met, _scaled(_moved(f"{name}_moved", _split(name, dense)), scale))
        | _moved(met, _scaled(_split(name, dense), scale))
        | _moved(met, _split(name, _scaled(dense, scale)))
    )


def _repeated(name: str, x: Term, axis: Term) -> Term:
    """Fewer heads than the queries have, each repeated for a group of them, one copy after the other."""
    dense = _dense(name, x)
    own = named(f"{name}_own", layers.Reshape(dense) | op.Reshape(dense, ANY) | dense)
    thin = op.ExpandDims(own, axis)
    wide = named(
        f"{name}_copies", op.Tile(thin, ANY) | op.BroadcastTo(thin, ANY) | thin
    )
    heads = named(f"{name}_heads", layers.Reshape(wide) | op.Reshape(wide, ANY))
    return _moved(f"{name}_met", heads)


def _scores(q: Term, k: Term, attrs: tuple[Term, Term, Term]) -> Term:
    """Queries times keys, in either order; Keras's einsum becomes a product that is transposed."""
    adjoint_q, adjoint_k, equation = attrs
    met = (
        op.BatchMatMul(q, k, adj_x=adjoint_q, adj_y=adjoint_k)
        | op.Einsum(q, k, equation=equation)
        | named("keys_first", op.Einsum(k, q, equation=equation))
        | named("keys_first", op.BatchMatMul(k, q, adj_x=adjoint_k, adj_y=adjoint_q))
    )
    return _moved("scores", met)


def _sharp(scores: Term, axis: Term) -> Term:
    """The softmax of the scores."""
    sharp = layers.Activation(scores, activation="softmax")
    return sharp | layers.Softmax(scores, axis=axis)


def _attended(sharp: Term, v: Term, rate: Term, mixing: Term) -> Term:
    """The softmax, dropped out or not, and the values that it weighs, with their heads joined."""
    weights = sharp | layers.Dropout(sharp, rate=rate)
    mixed = (
        op.BatchMatMul(weights, v)
        | op.Einsum(weights, v, equation=mixing)
        | named("values_first", op.Einsum(v, weights, equation=mixing))
    )
    moved = _moved("moved", named("mixed", mixed))
    joined = named("joined", layers.Reshape(moved) | op.Reshape(moved, ANY) | moved)
    dense = layers.Dense(joined, activation="linear")
    return named("out", dense | layers.EinsumDense(joined, activation="linear"))


def _why_not(view: View, match: Match) -> str:
    why = why_no_attention(view, match)
    sizes = (heads_of(view, match, part) for part in PARTS)
    if is_biased(view, match) and any(n > 1 and size == 1 for n, size in sizes):
        return "Keras would add the bias of heads that are one number wide along another axis"
    if why or "key_own" not in match.values:
        return why
    return why_no_groups(view, match)


def _evidence(match: Match) -> str:
    if "zeroed" not in match.values or "rate" in match.values:
        return ""
    return "Keras zeroes the weights of what is masked only where there is a dropout; its rate is a guess"


# -- masks ------------------------------------------------------------------------------------
def _is_low(fill: float) -> bool:
    return fill <= -_FAR


def _is_moved(match: Match) -> bool:
    """Whether the scores that a mask replaces are moved by a number, which only a softmax of them all forgives."""
    return bool(match.values.get("shift")) and "fill" in match.values


def _plain(view: View, match: Match) -> bool | str:
    mask = match.values.get("attention_mask")
    plain = None if mask is None else halves(view, mask)
    if plain is not None and not plain.past and _is_low(plain.future):
        return "the mask is that of the past"
    return _why_not(view, match) or True


def _selected(view: View, match: Match, fill: float) -> bool | str:
    if _is_moved(match):
        return "the scores are moved before they are masked"
    mask = match.values["attention_mask"]
    shape = view.shape(mask)
    if shape is None or len(shape) not in (2, 4) and (len(shape), shape[0]) != (3, 1):
        return "the mask is not one for each example"
    if halves(view, mask) == (1, 0):
        return "the mask is that of the past"
    if not _is_low(fill):
        return f"masked scores become {fill:g}, which is not low"
    return _why_not(view, match) or True


def _bias(view: View, values: Any) -> Halves | None:
    """What is added to the scores, to those of the past and to those of the future."""
    if "_bias" not in values:
        return Halves(0, values.get("fill", -_FAR))
    bias = halves(view, values["_bias"])
    if bias is not None and "_minus" in values:
        return Halves(-bias.past, -bias.future)
    return bias


def _causal_config(view: View, match: Match) -> dict[str, Any]:
    """With numbers for a mask besides: what the scores of the future are before that is added."""
    config, bias = config_of_heads(view, match), _bias(view, match.values)
    if "_replaced" not in match.values or bias is None:
        return config
    return {**config, "additive_mask": True, "hidden": bias.future}


def _causal(view: View, match: Match) -> bool | str:
    values = match.values
    seen = halves(view, values["_seen"]) if "_seen" in values else Halves(1, 0)
    bias = _bias(view, values)
    if _is_moved(match) or match.values.get("shift") and "_seen" in values:
        return "the scores are moved before they are masked"
    if seen != (1, 0):
        return "the mask is not that of the past"
    if bias is None or bias.past or not _is_low(bias.future):
        return "what is added to the scores does not hide the future alone"
    if not _is_low(values.get("fill", -_FAR)):
        return "masked scores are not low"
    return _why_not(view, match) or True


def _pattern(
    name: str,
    masked: Callable[..., Term],
    where: object,
    kind: str = "MultiHeadAttention",
    **call: object,
) -> Any:
    """A formula over layers; ``masked`` says what becomes of the scores before the softmax."""
    grouped = kind == "GroupQueryAttention"

    def formula(
        query: Input,
        value: Input,
        key: Input,
        attention_mask: Value,
        _seen: Value,
        _bias: Value,
        fill: Scalar,
        query_factor: Scalar,
        query_divisor: Scalar,
        query_rescaling: Attr,
        key_factor: Scalar,
        key_divisor: Scalar,
        key_rescaling: Attr,
        score_factor: Scalar,
        score_divisor: Scalar,
        score_rescaling: Attr,
        shift: Attr,
        adjoint_q: Attr,
        adjoint_k: Attr,
        meeting: Attr,
        mixing: Attr,
        axis: Array,
        rate: Attr,
        key_axis: Array,
        value_axis: Array,
    ) -> Term:
        q = _heads("query", query, (query_factor, query_divisor, query_rescaling))
        k = _heads("key", key, (key_factor, key_divisor, key_rescaling))
        v = _heads("value", value)
        if grouped:
            k = _repeated("key", key, key_axis)
            v = _repeated("value", value, value_axis)
        met = _scores(q, k, (adjoint_q, adjoint_k, meeting))
        scale = (score_factor, score_divisor, score_rescaling)
        scores = met | _scaled(met, scale, shift)
        sharp = masked(scores, attention_mask, _seen, _bias, fill, axis)
        return _attended(sharp, v, rate, mixing)

    formula.__name__ = name
    options: dict[str, Any] = {
        "where": where,
        "config": config_of_groups if grouped else config_of_heads,
        "weights": weights_of_groups if grouped else weights_of_heads,
        "evidence": _evidence,
    }
    return layer(kind, **(options | call))(formula)


def _selected_sharp(scores: Term, mask: Term, fill: Term, axis: Term) -> Term:
    """Scores that are replaced where a mask is false; Keras's Softmax makes their weights zero besides."""
    # TensorFlow's backend of Keras joins what masks there are, beginning with one that hides nothing
    seen = op.LogicalAnd(op.Fill(ANY, True), mask) | mask
    low = op.Select(seen, scores, fill | op.Fill(ANY, fill))
    sharp = _sharp(low, axis)
    return sharp | named("zeroed", op.Select(seen, sharp, 0.0))


def _plain_sharp(
    scores: Term, mask: Term, seen: Term, bias: Term, fill: Term, axis: Term
) -> Term:
    return _sharp(scores, axis) | _sharp(scores + mask, axis)


def _masked_sharp(
    scores: Term, mask: Term, seen: Term, bias: Term, fill: Term, axis: Term
) -> Term:
    return _selected_sharp(scores, mask, fill, axis)


def _causal_sharp(
    scores: Term, mask: Term, seen: Term, bias: Term, fill: Term, axis: Term
) -> Term:
    hidden = (
        scores + bias
        | scores - named("_minus", bias)
        | scores * seen + bias
        | scores * seen - named("_minus", bias)
    )
    replaced = (
        scores * seen + bias
        | scores * seen - named("_minus", bias)
        | op.Select(seen, scores, fill | op.Fill(ANY, fill))
    )
    plain = _sharp(hidden, axis) | _selected_sharp(scores, seen, fill, axis)
    return plain | _sharp(named("_replaced", replaced) + mask, axis)


_CAUSAL: dict[str, Any] = {"use_causal_mask": True}
_GROUPED = "GroupQueryAttention"
attention_of_heads = _pattern("attention_of_heads", _plain_sharp, _plain)
attention_of_heads_masked = _pattern(
    "attention_of_heads_masked", _masked_sharp, _selected
)
attention_of_heads_causal = _pattern(
    "attention_of_heads_causal",
    _causal_sharp,
    _causal,
    config=_causal_config,
    **_CAUSAL,
)
attention_of_groups = _pattern("attention_of_groups", _plain_sharp, _plain, _GROUPED)
attention_of_groups_masked = _pattern(
    "attention_of_groups_masked", _masked_sharp, _selected, _GROUPED
)
attention_of_groups_causal = _pattern(
    "attention_of_groups_causal", _causal_sharp, _causal, _GROUPED, **_CAUSAL
)
