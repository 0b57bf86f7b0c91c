"""Sequences in the graph while recurrent layers are put into it: turned, reversed, joined, cut; always batch-major, as Keras has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ...graph import Graph, Layer, Node, Tensor, TensorSpec
from ...graph.edit import fresh
from ...match import View
from ...ops.array.slice_masks import SliceMasks
from .opening.splice import Spliced


def drop_unread(graph: Graph, names: frozenset[str], ends: frozenset[str]) -> None:
    """Remove those of the nodes that nothing outside of them reads, and what only fed them, in place."""
    read = {
        name for name in names if any(after not in names for after in graph._succ[name])
    }
    needed = graph.upstream(read)
    before = {s for n in names - needed for s in graph._pred[n]} - names
    graph.remove_nodes_from(names - needed)
    stack = list(before)
    while stack:  # what only fed them
        name = stack.pop()
        if name not in graph or graph._succ[name] or name in ends:
            continue
        if not graph.op(name).startswith("Placeholder"):
            stack += list(graph._pred[name])
            graph.remove_node(name)


def name_weights(spliced: Spliced) -> None:
    """What stands for a weight and is still read -> the weight under the name that it has in the file, in place."""
    graph = spliced.graph
    for name, use in spliced.weights.items():
        if name not in graph or not graph._succ[name] or use.value is not None:
            continue
        own = use.node if use.node not in graph else name
        if own != name:
            graph.add(own, graph.node(name))
            spliced.move(Tensor(name), Tensor(own))
            graph.remove_node(name)


class Sequences:
    """What is put into the graph in the place of one node, the ``loop``; ``view`` is of the graph as it was before."""

    def __init__(self, spliced: Spliced, view: View, loop: str) -> None:
        self.spliced, self.graph, self.view = spliced, spliced.graph, view
        self.loop = loop

    def _spec(self, tensor: Tensor) -> TensorSpec:
        spec = self.view.specs.get(tensor) if tensor.node in self.view.kinds else None
        if spec is not None:
            return spec
        outputs = self.graph.node(tensor.node).outputs
        return outputs[tensor.port] if tensor.port < len(outputs) else TensorSpec()

    def _batch_major(self, sequence: Tensor) -> Tensor:
        """The sequence with the batch first: what a transposition was made of, or a new one."""
        source, _ = self.view.producer(sequence)
        inner = self._unreversed(source, 0)
        if inner is not None:  # Keras turns the sequence round with the time first
            return self._reversed(self._batch_major(inner))
        before = transposed(self.view, source)
        if before is not None:
            return self.spliced.now(before)
        return self._transposed(self.spliced.now(sequence))

    def _unreversed(self, tensor: Tensor, axis: int) -> Tensor | None:
        """What a reversal along an axis was made of; None where the tensor is none, or was of a loop that is gone."""
        if tensor.node not in self.graph:
            return None
        node = self.graph.node(tensor.node)
        if isinstance(node, Layer) or node.op != "ReverseV2":
            return None
        whole, axes = self.graph.inputs(tensor.node)
        value = self.graph.node(axes.node).attrs.get("value")
        if value is None and axes.node in self.view.kinds:
            value = self.view.number(axes)
        same = value is not None and np.reshape(value, -1).tolist() == [axis]
        return whole if same else None

    def _transposed(self, tensor: Tensor) -> Tensor:
        shape = self._spec(tensor).shape
        rank = len(shape) if shape is not None else 3
        axes = [1, 0, *range(2, rank)]
        spec = self._spec(tensor)
        if shape is not None:
            spec = TensorSpec(spec.dtype, tuple(shape[a] for a in axes))
        node = Node("Transpose", {"T": spec.dtype, "Tperm": "int32"}, (spec,))
        name = fresh(self.graph, f"{self.loop}/transpose")
        self.graph.add(name, node, (tensor, self._constant(np.array(axes, np.int32))))
        return Tensor(name)

    def _reversed(self, tensor: Tensor) -> Tensor:
        spec = self._spec(tensor)
        node = Node("ReverseV2", {"T": spec.dtype, "Tidx": "int32"}, (spec,))
        name = fresh(self.graph, f"{self.loop}/reverse")
        axis = self._constant(np.array([1], np.int32))
        self.graph.add(name, node, (tensor, axis))
        return Tensor(name)

    def _joined(self, parts: Sequence[Tensor]) -> Tensor:
        specs = [self._spec(each) for each in parts]
        widths = [each.shape[-1] if each.shape else None for each in specs]
        width = None if None in widths else sum(w or 0 for w in widths)
        shape = (*(specs[0].shape or (None, None, None))[:-1], width)
        spec = TensorSpec(specs[0].dtype, shape)
        attrs = {"N": len(parts), "T": spec.dtype, "Tidx": "int32"}
        name = fresh(self.graph, f"{self.loop}/concat")
        axis = self._constant(np.array(-1, np.int32))
        self.graph.add(name, Node("ConcatV2", attrs, (spec,)), (*parts, axis))
        return Tensor(name)

    def _constant(self, value: np.ndarray) -> Tensor:
        spec = TensorSpec(value.dtype.name, value.shape)
        node = Node("Const", {"dtype": value.dtype.name, "value": value}, (spec,))
        name = fresh(self.graph, f"{self.loop}/const")
        self.graph.add(name, node)
        return Tensor(name)

    def _entry(self, tensor: Tensor, axis: int, place: int) -> Tensor:
        """One entry along an axis, which goes: ``x[:, -1]`` where the axis is 1 and the place -1."""
        shape = self._spec(tensor).shape or (None, None, None)
        rest = (*shape[:axis], *shape[axis + 1 :])
        spec = TensorSpec(self._spec(tensor).dtype, rest)
        masks = SliceMasks.of_entry(axis)
        attrs = {"T": spec.dtype, "Index": "int32", **masks.attrs}
        zeros = [0] * axis
        bounds = ([*zeros, place], [*zeros, place + 1], [1] * (axis + 1))
        name = fresh(self.graph, f"{self.loop}/step")
        operands = [self._constant(np.array(each, np.int32)) for each in bounds]
        self.graph.add(name, Node("StridedSlice", attrs, (spec,)), (tensor, *operands))
        return Tensor(name)

    def _lengths_mask(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Which steps of each row of a sequence lie below its length."""
        lengths = self.spliced.now(lengths)
        shape = (self._spec(x).shape or (None, None))[:2]
        layer = Layer(
            "SequenceMask",
            {},
            (TensorSpec("bool", shape),),
            inputs={"sequence": x, "lengths": lengths},
            output=Tensor(f"{self.loop}:mask"),
            pattern="settle_recurrence",
        )
        name = fresh(self.graph, "sequence_mask")
        self.graph.add(name, replace(layer, name=name), (x, lengths))
        return Tensor(name)


def transposed(view: View, tensor: Tensor) -> Tensor | None:
    """What a transposition of the first two axes was made of; None where the tensor is none."""
    if tensor.node not in view.kinds or view.kinds[tensor.node] != "Transpose":
        return None
    x, axes = view.inputs[tensor.node]
    order = view.number(axes)
    if order is None or list(order[:2]) != [1, 0]:
        return None
    if list(order[2:]) != list(range(2, len(order))):
        return None
    return x
