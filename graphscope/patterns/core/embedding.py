"""Position embeddings one altitude up: a learned vector is added to each place of a sequence.

The places are counted (``tf.range`` of the length, looked up in the table), or the table is cut to the length, or it is as
long as the sequences are.
"""

from __future__ import annotations

from typing import Any

from ...graph import Tensor
from ...match import (
    ANY,
    Held,
    Input,
    Size,
    Term,
    Value,
    View,
    Weight,
    layer,
    layers,
    named,
    op,
)
from ...ops.constants import is_counted
from ..attention.index_tensors import places


def _is_sequence(view: View, x: Any, made: Any) -> bool:
    """Whether a tensor has three axes, and is as long after something was added to it."""
    shape = view.shape(x)
    if shape is None or len(shape) != 3:
        return False
    return view.axis_size(x, 1) == view.axis_size(made, 1)


def _config(kernel: Held) -> dict[str, Any]:
    rows, width = kernel.shape[-2:]
    return {"input_dim": rows, "output_dim": width}


def _weights(kernel: Held) -> dict[str, Held | None]:
    return {"embeddings": kernel.reshaped(*kernel.shape[-2:])}


def _counted(view: View, x: Any, _ids: Any, _rows: Any, _whole: Any) -> bool | str:
    found, width = places(view, _ids), view.shape(_rows)
    if found != (0, 1, Size(0)):
        return "what is looked up are no positions from 0"
    if not _is_sequence(view, x, _whole):
        return "it is added to no sequence"
    if view.axis_size(_ids, -1) != view.axis_size(x, 1):
        return "there are not as many positions as the sequence is long"
    return width is not None and width[-1] == (view.shape(x) or (None,))[-1]


@layer(
    "PositionEmbedding",
    where=_counted,
    config=lambda view, _rows: {
        key: view.attrs[_rows.node][key] for key in ("input_dim", "output_dim")
    },
    weights=lambda view, _rows: {
        "embeddings": _held(view.graph.node(_rows.node).weights["embeddings"])
    },
)
def position_embedding(x: Input, _ids: Value, _rows: Value, _whole: Value) -> Term:
    """GPT-2's ``wpe``, Keras's examples."""
    rows = named("_rows", layers.Embedding(_ids))
    found: Term = named("_whole", x + rows | x + op.ExpandDims(rows, ANY))
    return found


def _held(use: Any) -> Held:
    return Held(use.node, use.shape, use.steps, value=use.value)


def _cut(
    view: View, x: Any, kernel: Held, _ids: Any, _rows: Any, _whole: Any
) -> bool | str:
    if _ids is not None and places(view, _ids) != (0, 1, Size(0)):
        return "what is looked up are no positions from 0"
    shape = view.shape(_rows)
    if len(kernel.shape) != 2 or not _is_sequence(view, x, _whole):
        return "it is no table added to a sequence"
    if shape is None or len(shape) < 2:
        return "the rows have no axis"
    same = view.axis_size(_rows, -2) == view.axis_size(x, 1)
    return same or "there are not as many rows as the sequence is long"


@layer("PositionEmbedding", above=True, where=_cut, config=_config, weights=_weights)
def position_embedding_cut(
    x: Input, kernel: Weight, _ids: Value, _rows: Value, _whole: Value
) -> Term:
    """BERT's table, cut to the length that the sequences turn out to have."""
    looked_up = op.GatherV2(kernel, _ids, 0) | op.ResourceGather(kernel, _ids)
    some = op.Slice(kernel, [0, 0], ANY) | looked_up
    rows = op.Reshape(some, ANY) | op.ExpandDims(some, ANY) | some
    found: Term = named("_whole", x + named("_rows", op.BroadcastTo(rows, ANY) | rows))
    return found


def _added(view: View, x: Any, kernel: Held, _whole: Any) -> bool | str:
    shape = kernel.shape
    if kernel.source is not None and view.array(kernel) is None:
        return "the rows are computed"
    if is_counted(view.array(kernel)):
        return "the rows are whole numbers, which nobody trained"
    if len(shape) not in (2, 3) or len(shape) == 3 and shape[0] != 1 or shape[-2] < 2:
        return "it is no row for each position"
    same = view.axis_size(x, 1) == Size(shape[-2])
    return (same and _is_sequence(view, x, _whole)) or "it is added to no such sequence"


def _table(view: View, kernel: Held) -> Held:
    """The whole table, where rows were cut from its end to fit the length."""
    cuts = [argument for step, argument in kernel.steps if step == "slice"]
    whole = view.held(Tensor(kernel.node)) if len(cuts) == 1 and kernel.node else None
    if whole is None or cuts[0][:2] != (0, 0) or len(whole.shape) != 2:
        return kernel
    return whole if whole.shape[-1] == kernel.shape[-1] else kernel


@layer(
    "PositionEmbedding",
    above=True,
    where=_added,
    config=lambda view, kernel: _config(_table(view, kernel)),
    weights=lambda view, kernel: _weights(_table(view, kernel)),
)
def position_embedding_added(x: Input, kernel: Weight, _whole: Value) -> Term:
    """A ViT's ``pos_embedding``: as many rows as there are patches."""
    found: Term = named("_whole", x + kernel)
    return found
