"""Masks of attention that were repeated for each query -> masks that attention itself repeats.

BERT's authors multiply their mask by ones, ``[batch, queries, 1] * [batch, 1, keys]``, so that it has a row for each query.
What reads it repeats a mask of one row all the same.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...graph import Graph, Layer, Tensor
from ...graph.edit import drop_unread, duplicate, redirect
from ...match.view.symbolic_shapes import SymbolicView
from ...ops import spellings
from ...patterns.attention.index_tensors import halves
from ...simplify.state import State
from ..layers.layer_view import layer_view

_ALONG = frozenset(
    {
        *spellings.SUMS,
        "ExpandDims",
        "Cast",
        "Sub",
        "Mul",
        "Neg",
        "Identity",
        "Rescaling",
    }
)


def thin_masks(state: State) -> State:
    """A mask that was multiplied by ones for each query -> the mask before.

    ``attention(q, v, mask=ones[b, n, 1] * mask[b, 1, m]) -> attention(q, v, mask=mask)``.
    """
    graph = state.graph
    products = [name for name in graph.by_op("Mul") if _is_op(graph, name)]
    if not products or not any(graph.by_op("MultiHeadAttention")):
        return state
    view = layer_view(state)
    masks = {name: thin for name in products if (thin := _thin(view, name)) is not None}
    if not masks:
        return state
    copy = duplicate(graph)
    for name, thin in masks.items():
        redirect(copy, Tensor(name), thin)
        drop_unread(copy, [name], state.kept)
    return state.become(copy)


def _is_op(graph: Graph, name: str) -> bool:
    return not isinstance(graph.node(name), Layer)


def _thin(view: SymbolicView, name: str) -> Tensor | None:
    """The mask before it was multiplied by ones, where all that reads it repeats it for each query."""
    inputs = view.inputs[name]
    ones = [halves(view, tensor) == (1, 1) for tensor in inputs]
    if ones.count(True) != 1:
        return None
    thin = inputs[ones.index(False)]
    before, after = view.dims(thin), view.dims(Tensor(name))
    if before is None or after is None or len(before) != len(after) or len(after) < 2:
        return None
    at = len(after) - 2
    if any(a != b for i, (a, b) in enumerate(zip(before, after)) if i != at):
        return None
    readers = list(_attention(view, name))
    fits = readers and all(
        reader is not None and _queries(view, reader) == after[at] for reader in readers
    )
    return thin if fits else None


def _attention(view: SymbolicView, name: str) -> Iterator[str | None]:
    """The attention layers that read a tensor as their mask; None for anything else that reads it."""
    stack, visited = [name], {name}
    while stack:
        for reader, slot in view.graph.consumers(stack.pop()):
            node = view.graph.node(reader)
            if node.op in _ALONG and _is_along(view, reader, slot):
                if reader not in visited:
                    visited.add(reader)
                    stack.append(reader)
            else:
                yield reader if _is_mask(node, slot) else None


def _is_along(view: SymbolicView, name: str, slot: int) -> bool:
    """Whether a node works on a mask and on numbers alone, and leaves its last axes the last."""
    others = [t for i, t in enumerate(view.inputs[name]) if i != slot]
    if view.kinds[name] == "ExpandDims":
        shape, axis = view.shape(Tensor(name)), view.number(others[0])
        last = -3 if shape is None else len(shape) - 3
        return axis is not None and int(axis.reshape(())) in range(last + 1)
    return all(view.scalar(tensor) is not None for tensor in others)


def _is_mask(node: object, slot: int) -> bool:
    named = list(node.inputs) if isinstance(node, Layer) else []
    return slot < len(named) and named[slot] == "attention_mask"


def _queries(view: SymbolicView, name: str) -> object:
    dims = view.dims(view.inputs[name][0])
    return dims[1] if dims is not None and len(dims) == 3 else None
