"""Where the frozen graph begins: cuts at the input pipeline, or where the user says, with typed Placeholders there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from ..graph import Graph, Node, Shape, Tensor, TensorSpec
from ..graph.edit import fresh, put, redirect
from ..simplify.prune import existing
from ..wire import opdefs
from .report import Change

CUT = "_graphscope_cut"  # attribute of an input: the tensor that it stands for
PIPELINE = re.compile(
    r"(One|MultiDevice)?IteratorGetNext(Sync|AsOptional|FromShard)?$|Queue(Dequeue)(Many|UpTo)?(V2)?$"
    r"|BarrierTakeMany$|Reader(Read|ReadUpTo)(V2)?$|Unstage$|OptionalGetValue$|InfeedDequeue(Tuple)?$"
)


def cut_inputs(
    graph: Graph, wanted: Iterable[Tensor | str], specs: Mapping[Tensor, TensorSpec]
) -> Iterator[Change]:
    """Put a Placeholder for each tensor of ``wanted`` into ``graph``, in place; ``specs`` says what is known of them.

    Raises GraphError where there is no such node. Yields what was cut.
    """
    for text in wanted:
        tensor = existing(graph, text)
        if not graph.op(tensor.node).startswith("Placeholder"):
            several = len(_ports(graph, tensor.node)) > 1
            yield _cut(
                graph, tensor, specs.get(tensor) or spec_at(graph, tensor), several
            )


def cut_pipelines(graph: Graph) -> Iterator[Change]:
    """Cut ``graph``, in place, where it takes its input from a queue, an iterator or a reader."""
    for name in list(graph):
        if name in graph and PIPELINE.match(graph.op(name)):
            ports = _ports(graph, name)
            for port in ports:
                tensor = Tensor(name, port)
                yield _cut(graph, tensor, spec_at(graph, tensor), len(ports) > 1)


def _ports(graph: Graph, name: str) -> list[int]:
    return sorted(graph.ports(name))


def _cut(graph: Graph, tensor: Tensor, spec: TensorSpec, several: bool) -> Change:
    """A tensor becomes a Placeholder under its node's name; under ``node_1`` where it is port 1 of several in use."""
    old = graph.node(tensor.node)
    attrs = {"dtype": spec.dtype or "float32", "shape": spec.shape, CUT: str(tensor)}
    node = Node("Placeholder", attrs)
    name = fresh(graph, f"{tensor.node}_{tensor.port}") if several else tensor.node
    put(graph, name, node, ())
    redirect(graph, tensor, Tensor(name))
    return Change(f"{old.op} became the input {name} ({spec.dtype})", (tensor.node,))


def spec_at(graph: Graph, tensor: Tensor) -> TensorSpec:
    """Dtype and shape of a tensor as its op and the file declare them."""
    node = graph.node(tensor.node)
    dtypes = opdefs.output_dtypes(node.op, node.attrs)
    dtype = dtypes[tensor.port] if tensor.port < len(dtypes) else ""
    declared = (
        node.outputs[tensor.port].shape if tensor.port < len(node.outputs) else None
    )
    shape = declared if declared is not None else _component(graph, tensor)
    return TensorSpec(dtype.removesuffix("_ref"), shape)


def _component(graph: Graph, tensor: Tensor) -> Shape:
    """The shape of one component of an element, from the iterator or the queue that yields it."""
    node, inputs = graph.node(tensor.node), graph.inputs(tensor.node)
    shapes = node.attrs.get("output_shapes")
    if not shapes and inputs:
        shapes = graph.attrs(inputs[0].node).get("shapes")
    if not shapes or tensor.port >= len(shapes) or shapes[tensor.port] is None:
        return None
    many = "Many" in node.op or "UpTo" in node.op
    return (None, *shapes[tensor.port]) if many else shapes[tensor.port]
