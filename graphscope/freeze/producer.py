"""A graph that an older TensorFlow reads: today's ops in the spelling of then, and nothing said that is the default.

``AddV2`` came into graphs with TensorFlow 1.14, ``FusedBatchNormV3`` and ``BatchMatMulV2`` too; ``producer`` 27 is TensorFlow 1.8 to 1.13,
24 is 1.4. Attributes that came later (``dilations``, ``explicit_paddings``, ``half_pixel_centers``, ``Truncate``, ``grad_a``) hold their
default in all graphs of before.
"""

from __future__ import annotations

from dataclasses import replace

from ..errors import NotExpressible
from ..graph import Graph, Node
from ..graph.edit import duplicate, put
from .shrink.fold import strip_defaults

OLD = 38  # below it: TensorFlow 1.13 and before
_PLAIN = {
    "AddV2": "Add",
    "BatchMatMulV2": "BatchMatMul",
    "BatchMatMulV3": "BatchMatMul",
    "FusedBatchNormV2": "FusedBatchNorm",
    "FusedBatchNormV3": "FusedBatchNorm",
}


def for_producer(graph: Graph, producer: int) -> Graph:
    """The graph as TensorFlow of that GraphDef version reads it; raises NotExpressible where an op has no older spelling."""
    copy = duplicate(graph)
    for name in list(copy.by_op(*_PLAIN)) if producer < OLD else ():
        put(copy, name, _spelled(copy, name))
    return strip_defaults(copy)


def _spelled(graph: Graph, name: str) -> Node:
    node = graph.node(name)
    if not node.op.startswith("FusedBatchNorm"):
        wanted = {k: node.attrs[k] for k in ("T", "adj_x", "adj_y") if k in node.attrs}
        return replace(node, op=_PLAIN[node.op], attrs=wanted)
    if node.attrs.get("is_training", True) or graph.consumers(name, 5):
        raise NotExpressible(
            f"{node.op} (node {name!r}) in training mode has no spelling for TensorFlow 1.13 and before"
        )
    attrs = {
        k: node.attrs[k]
        for k in ("T", "epsilon", "data_format", "is_training")
        if k in node.attrs
    }
    if node.attrs.get("T") == "float32":
        return replace(node, op="FusedBatchNorm", attrs=attrs)
    return replace(node, op="FusedBatchNormV2", attrs={**attrs, "U": "float32"})
