"""What the file itself says of a tensor, with no shape inference."""

from __future__ import annotations

from collections.abc import Mapping

from ...graph import Graph, Layer, Node, Shape, Tensor, TensorSpec
from ...ops import spellings
from ...wire import opdefs

_SCALAR_FEEDS = 22  # since this GraphDef version a Placeholder of shape () is a scalar


def spec_of(
    graph: Graph, tensor: Tensor, known: Mapping[Tensor, TensorSpec] | None = None
) -> TensorSpec:
    """Dtype by the op's definition, shape as ``known``, ``_output_shapes`` or a placeholder's attribute has it."""
    if known and tensor in known:
        return known[tensor]
    node = graph.node(tensor.node)
    if isinstance(node, Layer) and tensor.port < len(node.outputs):
        return node.outputs[tensor.port]
    dtypes = opdefs.output_dtypes(node.op, node.attrs)
    dtype = dtypes[tensor.port] if tensor.port < len(dtypes) else ""
    return TensorSpec(dtype.removesuffix("_ref"), declared_shape(graph, tensor))


def declared_shape(graph: Graph, tensor: Tensor) -> Shape:
    """The shape that the file gives, None where it gives none."""
    node = graph.node(tensor.node)
    if tensor.port < len(node.outputs):
        return node.outputs[tensor.port].shape
    for key in ("shape", "output_shapes"):
        shape = node.attrs.get(key)
        if key == "output_shapes" and isinstance(shape, tuple):
            shape = shape[tensor.port] if tensor.port < len(shape) else None
        if isinstance(shape, tuple) and node.op not in ("Reshape", "VarHandleOp"):
            return shape
    return None


def is_vague_feed(node: Node, producer: int | None) -> bool:
    """Whether the shape () of a node means that none is known.

    Before GraphDef version 22 (a file without a version is of version 0) a feed of unknown shape is written as a
    scalar. ``producer`` is None for a graph that comes from no such file.
    """
    if node.op not in spellings.FEEDS:
        return False
    if producer is None:
        return bool(node.outputs) and node.outputs[0].shape != ()
    return producer < _SCALAR_FEEDS
