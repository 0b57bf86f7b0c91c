"""Which axis is which in multi-head attention: labels, followed from the projections to the joined heads.

``b`` batch, ``t`` queries, ``s`` keys and values, ``n`` heads, ``h`` the width of a head, ``v`` that of its values.
A solution binds ``query_dense``, ``query_heads`` and ``query_met`` (the projection, split into heads, where it is
multiplied), the same of ``key`` and ``value``, ``scores``, ``moved`` and ``joined`` (the weighed values, before and after
their heads are joined) and ``out``.
"""

from __future__ import annotations

from math import isclose, sqrt
from typing import Any

from ..graph import Layer, Tensor
from .labels import einsum_terms, multiplied, summed
from .sizes import Size
from .solution import Match
from .view import View

_SCALES = ("query", "key", "score")


def layer_of(view: View, tensor: Tensor) -> Layer | None:
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
    layer = layer_of(view, dense)
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
    if "keys_first" in match.values:
        q, k, adjoints = k, q, adjoints[::-1]
    if equation is None:
        made = multiplied(q, k, *adjoints)
    else:
        made = summed(equation, q, k)
    return _permuted(view, made, match.values["scores"]) if made else ""


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
    layer, moved = layer_of(view, out), match.values["moved"]
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


def why_no_attention(view: View, match: Match) -> str:
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
