"""Which axis is which in multi-head attention: labels, followed from the projections to the joined heads.

``b`` batch, ``t u w`` the axes of the queries, ``s x y`` those of keys and values, ``n`` heads, ``h`` the width of a head, ``v``
that of its values; an axis that is not attended over has the queries' letter on both sides.
A solution binds ``query_dense``, ``query_heads`` and ``query_met`` (the projection, split into heads, where it is
multiplied), the same of ``key`` and ``value``, ``scores``, ``moved`` and ``joined`` (the weighed values, before and after
their heads are joined) and ``out``. Where several queries share a head of keys, ``key_own`` is what ``key_heads`` repeats.
"""

from __future__ import annotations

from itertools import combinations
from math import isclose, prod, sqrt
from typing import Any, NamedTuple

from ...graph import Layer, Tensor
from ...match.solver.match import Match
from ...match.view.view import View
from ...ops.values.size import Size
from .einsum_labels import einsum_terms, multiplied, summed

_SCALES = ("query", "key", "score")
_QUERIES, _KEYS = "tuw", "sxy"


class Axes(NamedTuple):
    """The letters of one way to attend: ``attended`` are the axes, counted from 1, over which queries meet keys."""

    queries: str
    keys: str
    attended: tuple[int, ...]

    @property
    def over(self) -> str:
        """The letters of the keys that are weighed and summed."""
        return "".join(self.keys[axis - 1] for axis in self.attended)

    @property
    def scores(self) -> str:
        """The letters of the scores in Keras's order: what is not attended over, heads, queries, keys."""
        met = "".join(self.queries[axis - 1] for axis in self.attended)
        free = "".join(letter for letter in self.queries if letter not in met)
        return f"b{free}n{met}{self.over}"


def _ways(count: int) -> list[Axes]:
    """Every choice of axes to attend over among so many, all of them first."""
    ways = []
    every = range(1, count + 1)
    for many in range(count, 0, -1):
        for chosen in combinations(every, many):
            keys = [(_KEYS if i in chosen else _QUERIES)[i - 1] for i in every]
            ways.append(Axes(_QUERIES[:count], "".join(keys), chosen))
    return ways


def layer_of(view: View, tensor: Tensor) -> Layer | None:
    node = view.graph.node(tensor.node)
    return node if isinstance(node, Layer) else None


def heads_of(view: View, match: Match, name: str) -> tuple[int, int]:
    """How many heads a projection has of its own, and how wide each is."""
    tensor = match.values.get(f"{name}_own", match.values[f"{name}_heads"])
    heads, size = (view.shape(tensor) or (0, 0))[-2:]
    return heads or 0, size or 0


def attended_axes(view: View, match: Match) -> tuple[int, ...] | None:
    """Keras's ``attention_axes``; None where they are all axes between batch and width."""
    count = len(view.shape(match.values["query"]) or ()) - 2
    axes = next(
        (a for a in _ways(count) if not _why_not_along(view, match, a)), _ways(1)[0]
    )
    return None if len(axes.attended) == count else axes.attended


def _dims(view: View, tensor: Tensor) -> tuple[Size, ...]:
    shape = view.shape(tensor) or ()
    return tuple(view.axis_size(tensor, axis) for axis in range(len(shape)))


def _splits(view: View, x: Tensor, dense: Tensor, heads: Tensor) -> str:
    """Why these are not the heads of a projection of ``[batch, length, width]``; ``""`` where they are."""
    before, after = _dims(view, x), _dims(view, heads)
    if len(before) not in range(3, len(_QUERIES) + 3) or len(after) != len(before) + 1:
        return "it is not a sequence that is split into heads"
    if after[:-2] != before[:-1] or None in (after[-2].number, after[-1].number):
        return "the split mixes the heads with the sequence"
    layer = layer_of(view, dense)
    if layer is None or layer.op != "EinsumDense":
        return ""
    left, kernel, out = einsum_terms(str(layer.attrs["equation"]))
    plain = kernel[:1] == left[-1:] and out == left[:-1] + kernel[1:]
    fits = plain and _is_whole(layer, kernel[1:], after[-len(kernel) + 1 :])
    return "" if fits else "the einsum does not split into heads"


def _is_whole(layer: Layer, labels: str, sizes: tuple[Size, ...]) -> bool:
    """Whether a bias, where there is one, has an entry for each of these places; of an axis of one nobody sees it."""
    axes = layer.attrs.get("bias_axes")
    if axes is None:
        return True
    missing = [s.number for a, s in zip(labels, sizes, strict=True) if a not in axes]
    return set(axes) <= set(labels) and all(number == 1 for number in missing)


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


def _met(view: View, match: Match, axes: Axes) -> str:
    """The labels of the scores."""
    values = match.values
    equation, adjoints = values.get("meeting"), (
        values.get("adjoint_q"),
        values.get("adjoint_k"),
    )
    q = _labels(view, match, "query", f"b{axes.queries}nh")
    k = _labels(view, match, "key", f"b{axes.keys}nh")
    if "keys_first" in values:
        q, k, adjoints = k, q, adjoints[::-1]
    if equation is None:
        product = multiplied(q, k, *adjoints)
    else:
        product = summed(equation, q, k)
    return _permuted(view, product, values["scores"]) if product else ""


def _mixed(view: View, match: Match, scores: str, axes: Axes) -> str:
    """The labels of the weighed values, where their heads are joined."""
    equation = match.values.get("mixing")
    v = _labels(view, match, "value", f"b{axes.keys}nv")
    if equation is None:
        product = multiplied(scores, v, False, False)
    elif "values_first" in match.values:
        product = summed(equation, v, scores)
    else:
        product = summed(equation, scores, v)
    return _permuted(view, product, match.values["moved"]) if product else ""


def _joins(view: View, match: Match) -> str:
    """Why the last projection is not one of all heads; ``""`` where it is."""
    joined, out = match.values["joined"], match.values["out"]
    layer, moved = layer_of(view, out), match.values["moved"]
    before = _dims(view, moved)
    if layer is not None and layer.op == "EinsumDense":
        left, kernel, after = einsum_terms(str(layer.attrs["equation"]))
        plain = kernel[:2] == left[-2:] and after == left[:-2] + kernel[2:]
        sizes = _dims(view, out)[-1:]
        whole = len(kernel) == 3 and _is_whole(layer, kernel[2:], sizes)
        fits = plain and whole and len(left) == len(before)
        return "" if fits else "the einsum does not join the heads"
    width = before[-2].times(before[-1]) if len(before) > 3 else None
    fits = _dims(view, joined) == (*before[:-2], width)
    return "" if fits else "the heads are not joined before the last projection"


def scale_of(values: Any) -> float:
    """What the scores are multiplied with, wherever it stands."""
    scale = 1.0
    for name in _SCALES:
        scale *= values.get(f"{name}_factor", values.get(f"{name}_rescaling", 1.0))
        scale /= values.get(f"{name}_divisor", 1.0)
    return scale


def is_unscaled(values: Any) -> bool:
    """Whether numbers are added to scores that nothing scales, as T5 does: Keras's own layer always scales them."""
    added = "attention_mask" in values and "fill" not in values
    return added and scale_of(values) == 1.0


def why_no_attention(view: View, match: Match) -> str:
    """Why the solution is not what MultiHeadAttention computes; ``""`` where it is."""
    values = match.values
    for name in ("query", "key", "value"):
        dense, heads = values[f"{name}_dense"], values[f"{name}_heads"]
        why = _splits(view, values[name], dense, values.get(f"{name}_own", heads))
        if why:
            return f"{name}: {why}"
    q, k, v = (
        _dims(view, values[f"{name}_heads"]) for name in ("query", "key", "value")
    )
    if len(q) != len(k) or q[-2:] != k[-2:] or k[-2] != v[-2]:
        return "queries, keys and values have different heads"
    if len(k) != len(v) or len(k) > 4 and k[:-2] != v[:-2]:
        return "there is not one value for each key"
    if 1 in (q[0].number, k[0].number, v[0].number) and not q[0] == k[0] == v[0]:
        return "one side is repeated for each example"
    size = q[-1].number or 1
    scale = scale_of(values)
    if not isclose(scale, 1 / sqrt(size), rel_tol=1e-3) and not is_unscaled(values):
        return f"the scale is {scale:g}, not 1 / sqrt({size})"
    whys = [_why_not_along(view, match, axes) for axes in _ways(len(q) - 3)]
    return whys[0] if all(whys) else _joins(view, match)


def _why_not_along(view: View, match: Match, axes: Axes) -> str:
    """Why queries do not attend along these axes; ``""`` where they do."""
    values = match.values
    scores = _met(view, match, axes)
    if sorted(scores) != sorted(axes.scores):
        return "queries do not meet keys over the width of a head"
    masked = not values.keys().isdisjoint(("attention_mask", "_seen"))
    if masked and (scores != axes.scores or len(scores) > 4):
        return "the mask is not one of queries by keys"
    said = values.get("axis", -1)
    over = said if isinstance(said, (tuple, list)) else (said,)
    if sorted(scores[int(axis)] for axis in over) != sorted(axes.over):
        return "the softmax is over another axis"
    if _mixed(view, match, scores, axes) != f"b{axes.queries}nv":
        return "the weights do not weigh the values"
    return ""


def why_not_repeated(view: View, match: Match, name: str) -> str:
    """Why the heads are not those of fewer, each as often as there are queries to it, copy by copy; ``""`` where they are."""
    values = match.values
    own, heads = (view.shape(values[f"{name}_{at}"]) or () for at in ("own", "heads"))
    wide = view.shape(values[f"{name}_copies"]) or ()
    if len(own) != 4 or len(heads) != 4 or len(wide) != 5 or None in own[2:]:
        return "it is no sequence of heads"
    axis = int(values[f"{name}_axis"]) % 5
    if axis != 3 and (axis != 2 or own[2] != 1):
        return "heads are not repeated one by one"
    copies = wide[axis] or 0
    before, after = (_dims(view, values[f"{name}_{at}"]) for at in ("own", "heads"))
    repeated = _dims(view, values[f"{name}_copies"])
    kept = before[:2] == after[:2] == repeated[:2]
    fits = prod(d or 0 for d in wide[2:]) == (own[2] or 0) * copies * (own[3] or 0)
    whole = fits and wide[4] == own[3] and heads[2:] == ((own[2] or 0) * copies, own[3])
    return "" if kept and whole else "the copies are not joined to heads"
