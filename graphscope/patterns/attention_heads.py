"""MultiHeadAttention one altitude up: Dense layers, heads split and moved, a softmax between two products, a Dense layer.

The spellings of BERT, GPT-2, tensor2tensor, TensorFlow's tutorials and Hugging Face differ in how heads are split (reshape
and transpose, EinsumDense, one joint Dense that is split), where the scale stands, how queries meet keys (a matrix
product or an einsum) and how a mask is applied. The formulas allow each of them at its place; which axis is which is then
followed by labels: ``b`` batch, ``t`` queries, ``s`` keys and values, ``n`` heads, ``h`` the width of a head, ``v`` that
of its values.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isclose, sqrt
from typing import Any

import numpy as np

from ..graph import Layer, Tensor
from ..match import (
    ANY,
    Array,
    Attr,
    Held,
    Input,
    Match,
    Scalar,
    Size,
    Term,
    Value,
    View,
    layer,
    layers,
    named,
    op,
)
from ..match.labels import einsum_terms, multiplied, summed
from ..match.positions import Halves, halves

_FAR = 1e4  # a score that lies so far below the others has no weight in float32
_SCALES = ("query", "key", "score")


# -- the formula ------------------------------------------------------------------------------
def _scaled(x: Term, scale: tuple[Term, Term, Term]) -> Term:
    """The tensor times a constant."""
    factor, divisor, rescaling = scale
    return x * factor | x / divisor | layers.Rescaling(x, scale=rescaling, offset=0.0)


def _dense(name: str, x: Term) -> Term:
    """A projection: a layer of its own, or a third of a joint one."""
    plain = layers.Dense(x, activation="linear")
    joint = named("joint", layers.Dense(x, activation="linear"))
    found = plain | layers.EinsumDense(x, activation="linear")
    for port in range(3):
        found = found | op.Split(ANY, joint, port=port)
    return named(f"{name}_dense", found)


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


def _scores(q: Term, k: Term, attrs: tuple[Term, Term, Term]) -> Term:
    adjoint_q, adjoint_k, equation = attrs
    return (
        op.BatchMatMul(q, k, adj_x=adjoint_q, adj_y=adjoint_k)
        | op.Einsum(q, k, equation=equation)
        | named("keys_first", op.Einsum(k, q, equation=equation))
    )


def _attended(scores: Term, v: Term, axis: Term, rate: Term, mixing: Term) -> Term:
    """The softmax of the scores, dropped out or not, and the values that it weighs, with their heads joined."""
    sharp = layers.Activation(scores, activation="softmax")
    sharp = sharp | layers.Softmax(scores, axis=axis)
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


# -- which axis is which ----------------------------------------------------------------------
def _payload(view: View, tensor: Tensor) -> Layer | None:
    node = view.graph.node(tensor.node)
    return node if isinstance(node, Layer) else None


def _dims(view: View, tensor: Tensor) -> tuple[Size, ...]:
    shape = view.shape(tensor) or ()
    return tuple(view.axis_size(tensor, axis) for axis in range(len(shape)))


def _splits(view: View, x: Tensor, dense: Tensor, heads: Tensor) -> str:
    """Why these are not the heads of a projection of ``[batch, length, width]``; ``""`` where they are."""
    given, made = _dims(view, x), _dims(view, heads)
    if len(given) != 3 or len(made) != 4:
        return "it is not a sequence that is split into heads"
    if made[:2] != given[:2] or None in (made[2].number, made[3].number):
        return "the split mixes the heads with the sequence"
    layer = _payload(view, dense)
    if layer is None or layer.op != "EinsumDense":
        return ""
    left, kernel, out = einsum_terms(str(layer.attrs["equation"]))
    plain = kernel[:1] == left[-1:] and out == left[:-1] + kernel[1:]
    axes = layer.attrs.get("bias_axes")
    whole = axes is None or axes == kernel[1:]
    return "" if plain and whole else "the einsum does not split into heads"


def _permuted(view: View, labels: str, tensor: Tensor) -> str:
    """The labels after the Permute or Transpose that made a tensor, if one did."""
    kind, attrs = view.kinds[tensor.node], view.attrs[tensor.node]
    if kind == "layers.Permute":
        return "".join(labels[axis] for axis in (0, *attrs["dims"]))
    if kind == "Transpose":
        perm = view.number(view.inputs[tensor.node][1])
        order = [] if perm is None else perm.reshape(-1).tolist()
        return "".join(labels[axis] for axis in order)
    return labels


def _labels(view: View, match: Match, name: str, labels: str) -> str:
    """The labels of a projection where it is multiplied."""
    met = match.values[f"{name}_met"]
    moved = match.values.get(f"{name}_moved", met)
    return _permuted(view, labels, moved)


def _met(view: View, match: Match, equation: Any, adjoints: tuple[Any, Any]) -> str:
    """The labels of the scores."""
    q = _labels(view, match, "query", "btnh")
    k = _labels(view, match, "key", "bsnh")
    if equation is None:
        return multiplied(q, k, *adjoints)
    swapped = "keys_first" in match.values
    return summed(equation, k, q) if swapped else summed(equation, q, k)


def _mixed(view: View, match: Match, scores: str, equation: Any) -> str:
    """The labels of the weighed values, where their heads are joined."""
    v = _labels(view, match, "value", "bsnv")
    if equation is None:
        made = multiplied(scores, v, False, False)
    elif "values_first" in match.values:
        made = summed(equation, v, scores)
    else:
        made = summed(equation, scores, v)
    return _permuted(view, made, match.values["moved"]) if made else ""


def _joins(view: View, match: Match) -> str:
    """Why the last projection is not one of all heads; ``""`` where it is."""
    joined, out = match.values["joined"], match.values["out"]
    layer, moved = _payload(view, out), match.values["moved"]
    given = _dims(view, moved)
    if layer is not None and layer.op == "EinsumDense":
        left, kernel, made = einsum_terms(str(layer.attrs["equation"]))
        plain = kernel[:2] == left[-2:] and made == left[:-2] + kernel[2:]
        whole = layer.attrs.get("bias_axes") in (None, kernel[2:])
        fits = plain and whole and len(left) == 4 and len(kernel) == 3
        return "" if fits else "the einsum does not join the heads"
    width = given[2].times(given[3]) if len(given) == 4 else None
    fits = _dims(view, joined) == (*given[:2], width)
    return "" if fits else "the heads are not joined before the last projection"


def _scale(values: Any) -> float:
    """What the scores are multiplied with, wherever it stands."""
    scale = 1.0
    for name in _SCALES:
        scale *= values.get(f"{name}_factor", values.get(f"{name}_rescaling", 1.0))
        scale /= values.get(f"{name}_divisor", 1.0)
    return scale


def _is_attention(view: View, match: Match) -> str:
    """Why the solution is not what MultiHeadAttention computes; ``""`` where it is."""
    values = match.values
    for name in ("query", "key", "value"):
        dense, heads = values[f"{name}_dense"], values[f"{name}_heads"]
        why = _splits(view, values[name], dense, heads)
        if why:
            return f"{name}: {why}"
    q, k, v = (
        _dims(view, values[f"{name}_heads"]) for name in ("query", "key", "value")
    )
    if q[2:] != k[2:] or k[:3] != v[:3]:
        return "queries, keys and values have different heads"
    if 1 in (q[0].number, k[0].number) and q[0] != k[0]:
        return "one side is repeated for each example"
    size = q[3].number or 1
    scale = _scale(values)
    if not isclose(scale, 1 / sqrt(size), rel_tol=1e-3):
        return f"the scale is {scale:g}, not 1 / sqrt({size})"
    adjoints = (values.get("adjoint_q"), values.get("adjoint_k"))
    scores = _met(view, match, values.get("meeting"), adjoints)
    if sorted(scores) != sorted("bnts") or scores[-1] != "s":
        return "queries do not meet keys over the width of a head"
    if scores != "bnts" and not values.keys().isdisjoint(("attention_mask", "_seen")):
        return "the mask is not one of queries by keys"
    if values.get("axis") not in (None, -1, 3):
        return "the softmax is over another axis"
    if _mixed(view, match, scores, values.get("mixing")) != "btnv":
        return "the weights do not weigh the values"
    return _joins(view, match)


# -- what Keras is told -----------------------------------------------------------------------
def _config(view: View, match: Match) -> dict[str, Any]:
    values = match.values
    made = _payload(view, values["out"])
    shape, width = view.shape(values["query"]), _units(view, values["out"])
    heads = view.shape(values["query_heads"]) or ()
    deep = view.shape(values["value_heads"]) or ()
    same = shape is not None and shape[-1] == width
    parts = ("query_dense", "key_dense", "value_dense", "out")
    return {
        "num_heads": heads[2],
        "key_dim": heads[3],
        "value_dim": deep[3],
        "dropout": values.get("rate", 0.0),
        "use_bias": any(_weight(view, values, part, "bias") for part in parts),
        "output_shape": None if same or made is None else (width,),
        "additive_mask": "attention_mask" in values and "fill" not in values,
    }


def _units(view: View, out: Tensor) -> int:
    layer = _payload(view, out)
    kernel = None if layer is None else layer.weights.get("kernel")
    return kernel.shape[-1] if kernel is not None else 0


def _weight(view: View, values: Any, part: str, kind: str) -> Held | None:
    """The kernel or bias of a projection; its third of a joint one's."""
    tensor = values[part]
    owner = _payload(view, tensor)
    if owner is None:
        owner = _payload(view, view.producer(view.inputs[tensor.node][1])[0])
    use = owner.weights.get(kind) if owner is not None else None
    if use is None:
        return None
    held = Held(use.node, use.shape, use.steps, value=use.value)
    if _payload(view, tensor) is not None:
        return held
    width = held.shape[-1] // 3
    start = width * tensor.port
    return held.sliced(len(held.shape) - 1, start, start + width)


def _weights(view: View, match: Match) -> dict[str, Held | None]:
    values = match.values
    biased = _config(view, match)["use_bias"]
    made: dict[str, Held | None] = {}
    for name in ("query", "key", "value"):
        heads = tuple(d or 0 for d in (view.shape(values[f"{name}_heads"]) or ())[2:])
        kernel = _weight(view, values, f"{name}_dense", "kernel")
        bias = _weight(view, values, f"{name}_dense", "bias")
        made[f"{name}_dense/kernel"] = (
            kernel.reshaped(kernel.shape[0], *heads) if kernel else None
        )
        made[f"{name}_dense/bias"] = _bias(bias, heads) if biased else None
    width = _units(view, values["out"])
    kernel = _weight(view, values, "out", "kernel")
    made["output_dense/kernel"] = kernel.reshaped(*heads, width) if kernel else None
    bias = _weight(view, values, "out", "bias")
    made["output_dense/bias"] = _bias(bias, (width,)) if biased else None
    return made


def _bias(held: Held | None, shape: tuple[int, ...]) -> Held:
    """A bias in its shape; zeros where only other projections have one."""
    if held is not None:
        return held.reshaped(*shape)
    return Held("", shape, value=np.zeros(shape, np.float32))


# -- masks ------------------------------------------------------------------------------------
def _is_low(fill: float) -> bool:
    return fill <= -_FAR


def _plain(view: View, match: Match) -> bool | str:
    return _is_attention(view, match) or True


def _selected(view: View, match: Match, fill: float) -> bool | str:
    if not _is_low(fill):
        return f"masked scores become {fill:g}, which is not low"
    return _is_attention(view, match) or True


def _causal(view: View, match: Match) -> bool | str:
    values = match.values
    seen = halves(view, values["_seen"]) if "_seen" in values else Halves(1, 0)
    bias = halves(view, values["_bias"]) if "_bias" in values else Halves(0, -_FAR)
    if bias is not None and "_minus" in values:
        bias = Halves(-bias.past, -bias.future)
    if seen != (1, 0):
        return "the mask is not that of the past"
    if bias is None or bias.past or not _is_low(bias.future):
        return "what is added to the scores does not hide the future alone"
    if not _is_low(values.get("fill", -_FAR)):
        return "masked scores are not low"
    return _is_attention(view, match) or True


def _pattern(name: str, masked: Callable[..., Term], where: Any, **call: Any) -> Any:
    """A formula over layers; ``masked`` says what becomes of the scores before the softmax."""

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
        adjoint_q: Attr,
        adjoint_k: Attr,
        meeting: Attr,
        mixing: Attr,
        axis: Array,
        rate: Attr,
    ) -> Term:
        q = _heads("query", query, (query_factor, query_divisor, query_rescaling))
        k = _heads("key", key, (key_factor, key_divisor, key_rescaling))
        met = _scores(q, k, (adjoint_q, adjoint_k, meeting))
        scale = (score_factor, score_divisor, score_rescaling)
        scores = met | _scaled(met, scale)
        low = masked(scores, attention_mask, _seen, _bias, fill)
        return _attended(low, _heads("value", value), axis, rate, mixing)

    formula.__name__ = name
    options: dict[str, Any] = {"where": where, "config": _config, "weights": _weights}
    return layer("MultiHeadAttention", **options, **call)(formula)


attention_of_heads = _pattern(
    "attention_of_heads",
    lambda scores, mask, seen, bias, fill: scores | scores + mask,
    _plain,
)
attention_of_heads_masked = _pattern(
    "attention_of_heads_masked",
    lambda scores, mask, seen, bias, fill: op.Select(
        mask, scores, fill | op.Fill(ANY, fill)
    ),
    _selected,
)
attention_of_heads_causal = _pattern(
    "attention_of_heads_causal",
    lambda scores, mask, seen, bias, fill: scores + bias
    | scores - named("_minus", bias)
    | scores * seen + bias
    | scores * seen - named("_minus", bias)
    | op.Select(seen, scores, fill | op.Fill(ANY, fill)),
    _causal,
    use_causal_mask=True,
)
