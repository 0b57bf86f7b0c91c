"""Position embeddings one altitude up: a learned vector is added to each place of a sequence.

The places are counted (``tf.range`` of the length, looked up in the table), or the table is cut to the length, or it is as
long as the sequences are.
"""

from __future__ import annotations

from typing import Any

from ...graph import Tensor
from ...match import (
    ANY,
    Bindings,
    Input,
    Size,
    Term,
    Value,
    View,
    Weight,
    WeightRef,
    layer,
    layers,
    named,
    op,
)
from ...ops.constants import is_counted
from ..attention.index_tensors import places


def _is_sequence(view: View, x: Any, rows: Any) -> bool:
    """Whether a tensor has three axes, and is as long after something was added to it."""
    shape = view.shape(x)
    if shape is None or len(shape) != 3:
        return False
    return view.axis_size(x, 1) == view.axis_size(rows, 1)


def _matrix(embeddings: WeightRef) -> WeightRef:
    return embeddings.reshaped(*embeddings.shape[-2:])


def _counted(b: Bindings) -> bool | str:
    count, width = places(b.view, b._ids), b.view.shape(b._rows)
    if count != (0, 1, Size(0)):
        return "what is looked up are no positions from 0"
    if not _is_sequence(b.view, b.x, b._whole):
        return "it is added to no sequence"
    if b.view.axis_size(b._ids, -1) != b.view.axis_size(b.x, 1):
        return "there are not as many positions as the sequence is long"
    return width is not None and width[-1] == (b.shape or (None,))[-1]


@layer(
    "PositionEmbedding",
    where=_counted,
    weights=lambda view, _rows: {
        "embeddings": _held(view.graph.node(_rows.node).weights["embeddings"])
    },
)
def position_embedding(x: Input, _ids: Value, _rows: Value, _whole: Value) -> Term:
    """GPT-2's ``wpe``, Keras's examples."""
    rows = named("_rows", layers.Embedding(_ids))
    return named("_whole", x + rows | x + op.ExpandDims(rows, ANY))


def _held(use: Any) -> WeightRef:
    return WeightRef(use.node, use.shape, use.steps, value=use.value)


def _cut(b: Bindings) -> bool | str:
    if b._ids is not None and places(b.view, b._ids) != (0, 1, Size(0)):
        return "what is looked up are no positions from 0"
    shape = b.view.shape(b._rows)
    if len(b.embeddings.shape) != 2 or not _is_sequence(b.view, b.x, b._whole):
        return "it is no table added to a sequence"
    if shape is None or len(shape) < 2:
        return "the rows have no axis"
    same = b.view.axis_size(b._rows, -2) == b.view.axis_size(b.x, 1)
    return same or "there are not as many rows as the sequence is long"


@layer("PositionEmbedding", above=True, where=_cut)
def position_embedding_cut(
    x: Input, embeddings: Weight, _ids: Value, _rows: Value, _whole: Value
) -> Term:
    """BERT's table, cut to the length that the sequences turn out to have."""
    looked_up = op.GatherV2(embeddings, _ids, 0) | op.ResourceGather(embeddings, _ids)
    some = op.Slice(embeddings, [0, 0], ANY) | looked_up
    rows = op.Reshape(some, ANY) | op.ExpandDims(some, ANY) | some
    return named("_whole", x + named("_rows", op.BroadcastTo(rows, ANY) | rows))


def _added(b: Bindings) -> bool | str:
    shape = b.embeddings.shape
    if b.embeddings.source is not None and b.view.array(b.embeddings) is None:
        return "the rows are computed"
    if is_counted(b.view.array(b.embeddings)):
        return "the rows are whole numbers, which nobody trained"
    if len(shape) not in (2, 3) or len(shape) == 3 and shape[0] != 1 or shape[-2] < 2:
        return "it is no row for each position"
    same = b.view.axis_size(b.x, 1) == Size(shape[-2])
    return (
        same and _is_sequence(b.view, b.x, b._whole)
    ) or "it is added to no such sequence"


def _table(view: View, embeddings: WeightRef) -> WeightRef:
    """The whole table, where rows were cut from its end to fit the length."""
    cuts = [argument for step, argument in embeddings.steps if step == "slice"]
    whole = (
        view.weight(Tensor(embeddings.node))
        if len(cuts) == 1 and embeddings.node
        else None
    )
    if whole is None or cuts[0][:2] != (0, 0) or len(whole.shape) != 2:
        return embeddings
    return whole if whole.shape[-1] == embeddings.shape[-1] else embeddings


@layer(
    "PositionEmbedding",
    above=True,
    where=_added,
    weights=lambda view, embeddings: {"embeddings": _matrix(_table(view, embeddings))},
)
def position_embedding_added(x: Input, embeddings: Weight, _whole: Value) -> Term:
    """A ViT's ``pos_embedding``: as many rows as there are patches."""
    return named("_whole", x + embeddings)
