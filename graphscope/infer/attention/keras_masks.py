"""The mask that an attention layer is called with -> the masks that it was made of, under Keras's names.

Keras joins what masks there are: that of the past, one for the places of the values, one for those of the queries, and one for
each query and key. A person gives each by its own name and lets the layer join them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ...graph import Graph, Layer, Node, Tensor
from ...graph.edit import duplicate, fresh, put
from ...match.view.symbolic_shapes import SymbolicView
from ...ops import spellings
from ...ops.values.size import Size
from ...patterns.attention.index_tensors import halves
from ...simplify.state import State
from ..layers.layer_view import layer_view

_LAYERS = ("MultiHeadAttention", "GroupQueryAttention")
_QUERY_MASKED = "GroupQueryAttention"  # Keras's MultiHeadAttention overrides one given
_DEEPEST = 8
_HIDDEN = (
    5e8  # of so great a number float32 keeps steps of 32: no score is seen beside it
)
_FAR = 1e4  # a score that lies so far below the others has no weight in float32
_RESHAPES = frozenset({"Reshape", "layers.Reshape", "StridedSlice"})
_SCORES = 4  # axes of scores: examples, heads, queries, keys
_OWN = (
    "hidden",
    "unscaled",
)  # what only a class of ours does, beside a mask of numbers
_ASSUMED = "its mask holds 0 and 1, and hides no row as a whole: there the file weighs what it hides"


class _Masks(NamedTuple):
    """``named`` are masks by Keras's names; what bears no name is joined as before."""

    named: dict[str, Tensor]
    rest: tuple[Tensor, ...]
    causal: bool


def name_masks(state: State) -> State:
    """One mask that was joined of several -> each under Keras's name for it.

    ``attention(q, v, mask=padding & past) -> attention(q, v, value_mask=padding, use_causal_mask=True)``.
    """
    graph = state.graph
    masked = [name for name in graph.by_op(*_LAYERS) if _is_masked(graph.node(name))]
    if not masked:
        return state
    view = layer_view(state)
    copy = duplicate(graph)
    for name in masked:
        _rename(copy, view, name)
    return state.become(copy)


def _is_masked(node: Node) -> bool:
    return isinstance(node, Layer) and "attention_mask" in node.inputs


def _rename(copy: Graph, view: SymbolicView, name: str) -> None:
    layer = copy.node(name)
    if not isinstance(layer, Layer):
        return
    slots = dict(zip(layer.inputs, copy.inputs(name), strict=True))
    mask = slots.pop("attention_mask")
    masks = _Masks({}, (mask,), False)
    if not layer.attrs.get("additive_mask"):
        masks = _sorted(view, mask, layer.op == _QUERY_MASKED)
    elif not layer.attrs.keys().isdisjoint(_OWN):
        return
    elif (truth := _truth(view, mask)) is not None:
        layer = replace(layer, attrs={**layer.attrs, "additive_mask": False})
        masks = _sorted(view, truth, layer.op == _QUERY_MASKED)
    elif (padding := _padding(view, mask)) is not None:
        attrs = {**layer.attrs, "additive_mask": False}
        layer = replace(layer, attrs=attrs, evidence=(*layer.evidence, _ASSUMED))
        masks = _Masks({"value_mask": padding}, (), False)
    else:
        return
    if masks.causal:
        layer = replace(layer, attrs={**layer.attrs, "use_causal_mask": True})
    slots.update(masks.named)
    if masks.rest:
        slots["attention_mask"] = _joined(copy, name, masks.rest)
    put(copy, name, replace(layer, inputs=slots), slots.values())


def _truth(view: SymbolicView, mask: Tensor) -> Tensor | None:
    """The truth values that Keras 2 hides scores by, ``(mask - 1) * 1e9``; None where the mask is something else.

    So far below, a score is no more than the rest of a float32: as if it were replaced.
    """
    number = _visibility(view, mask, _HIDDEN)
    if number is None or view.ops[number.node] != "Cast":
        return None
    truth = view.inputs[number.node][0]
    return truth if _dtype(view, truth) == "bool" else None


def _padding(view: SymbolicView, mask: Tensor) -> Tensor | None:
    """The whole numbers 0 and 1 for each place, ``[batch, places]``, that BERT hides scores by, ``(1 - mask) * -10000``; None where the mask is something else.

    What lies so far below the other scores has no weight in float32, be it low or replaced, where a row is not hidden as a whole.
    """
    number = _visibility(view, mask, _FAR)
    if number is None or len(view.shape(number) or ()) != _SCORES:
        return None
    for _ in range(_DEEPEST):
        if view.ops[number.node] in spellings.PLACEHOLDERS:
            break
        if not _is_spread(view, number):
            return None
        number, _ = view.producer(view.inputs[number.node][0])
    is_whole = "int" in (_dtype(view, number) or "")
    return number if is_whole and len(view.shape(number) or ()) == 2 else None


def _is_spread(view: SymbolicView, tensor: Tensor) -> bool:
    """Whether a node leaves numbers as they are and puts in axes of one alone, between the first axis and the last."""
    source = view.inputs[tensor.node][0] if view.inputs[tensor.node] else tensor
    if view.kinds[tensor.node] == "Cast":
        return True
    if view.kinds[tensor.node] == "ExpandDims":
        axis = _inserted(view, tensor)
        return axis is not None and 0 < axis < len(view.shape(tensor) or ()) - 1
    before, after = view.dims(source), view.dims(tensor)
    if view.kinds[tensor.node] not in _RESHAPES or not before or not after:
        return False
    inner = set(after[1:-1]) - set(before[1:-1])
    is_kept = (before[0], before[-1]) == (after[0], after[-1]) and inner <= {Size(1)}
    return is_kept and len(before) == 2 and _is_forward(view, tensor)


def _is_forward(view: SymbolicView, tensor: Tensor) -> bool:
    """Whether what a node yields is in the order of what it reads, which a slice may turn round."""
    steps = view.inputs[tensor.node][3:]
    numbers = [view.number(each) for each in steps]
    return all(number is not None and (number == 1).all() for number in numbers)


def _visibility(view: SymbolicView, mask: Tensor, far: float) -> Tensor | None:
    """What is 1 wherever nothing is added to a score, and 0 where a number is taken from it that is at least so high."""
    source, _ = view.producer(mask)
    layer = view.graph.node(source.node)
    if not isinstance(layer, Layer) or layer.op != "Rescaling":
        return None
    scale, offset = layer.attrs["scale"], layer.attrs.get("offset", 0.0)
    if np.ndim(scale) or np.ndim(offset) or scale < far or scale != -offset:
        return None
    return view.producer(view.inputs[source.node][0])[0]


def _dtype(view: SymbolicView, tensor: Tensor) -> str | None:
    spec = view.specs.get(tensor)
    return None if spec is None else spec.dtype


def _joined(copy: Graph, name: str, masks: tuple[Tensor, ...]) -> Tensor:
    """The masks that bear no name as one."""
    whole = masks[0]
    for mask in masks[1:]:
        both = fresh(copy, f"{name}/attention_mask")
        copy.add(both, Node("LogicalAnd"), [whole, mask])
        whole = Tensor(both)
    return whole


def _sorted(view: SymbolicView, mask: Tensor, of_queries: bool) -> _Masks:
    """The masks that one was made of."""
    named: dict[str, Tensor] = {}
    rest: list[Tensor] = []
    causal = False
    for part in _parts(view, _without_heads(view, mask)):
        places, visible = _places(view, part, of_queries), halves(view, part)
        if visible == (1, 1):
            continue  # it hides nothing, as that of the past in a sequence of one
        if visible == (1, 0):
            causal = True
        elif places is not None and places[0] not in named:
            named[places[0]] = places[1]
        else:
            rest.append(part)
    return _Masks(named, tuple(rest), causal)


def _without_heads(view: SymbolicView, mask: Tensor) -> Tensor:
    """The mask before it was given an axis for the heads."""
    source, _ = view.producer(mask)
    axis = _inserted(view, source)
    inner = view.inputs[source.node][0] if axis is not None else source
    return inner if axis == 1 and len(view.shape(inner) or ()) == 3 else mask


def _inserted(view: SymbolicView, tensor: Tensor) -> int | None:
    """Where ExpandDims put an axis in, counted from the front; None where another op made the tensor."""
    shape = view.shape(tensor)
    if view.ops[tensor.node] != "ExpandDims" or not shape:
        return None
    axis = view.number(view.inputs[tensor.node][1])
    return None if axis is None or axis.size != 1 else int(axis.item()) % len(shape)


def _parts(view: SymbolicView, mask: Tensor, depth: int = 0) -> Iterator[Tensor]:
    """What a conjunction joins."""
    source, _ = view.producer(mask)
    if view.ops[source.node] != "LogicalAnd" or depth > _DEEPEST:
        yield mask
        return
    for part in view.inputs[source.node]:
        yield from _parts(view, part, depth + 1)


def _places(
    view: SymbolicView, mask: Tensor, of_queries: bool
) -> tuple[str, Tensor] | None:
    """Keras's name for a mask of places, and the mask as ``[batch, places]``; None where it is none."""
    source, _ = view.producer(mask)
    axis = _inserted(view, source)
    if axis not in (1, 2) or len(view.shape(source) or ()) != 3:
        return None
    if axis == 2 and not of_queries:
        return None
    inner = view.inputs[source.node][0]
    return ("value_mask" if axis == 1 else "query_mask", inner)
