"""Graph -> Graph whose TensorLists are as converters know them: made of one tensor, the shape of an element said where it is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ...graph import Function, Graph, Node, Shape, Tensor
from ...graph.edit import duplicate, fresh, put, put_constant, put_new
from ...infer.shapes.forward import infer_facts
from ...ops import spellings
from ...ops.values.facts import UNKNOWN, Fact
from ..frozen import Frozen

_MADE = ("TensorListReserve", "TensorListFromTensor", "EmptyTensorList")
Facts = Mapping[Tensor, Fact]


def with_elements(frozen: Frozen) -> Frozen:
    """The same model, its TensorLists made as TensorFlow Lite's converter takes them: an element's shape said, its batch computed."""
    graph = duplicate(frozen.graph)
    say_elements(graph, frozen.functions)
    for name in list(graph.by_op("TensorListGather")):
        _gather_stacked(graph, name)
    reserves = list(graph.by_op("TensorListReserve"))
    facts = infer_facts(graph, functions=frozen.functions) if reserves else {}
    for name in reserves:
        _size(graph, name, facts)
    return replace(frozen, graph=graph)


def _gather_stacked(graph: Graph, name: str) -> None:
    """``TensorListGather(l, places) -> GatherV2(TensorListStack(l), places)``: the converter knows no other way to read several."""
    items, places, shape = graph.inputs(name)
    dtype = graph.attrs(name)["element_dtype"]
    attrs = {"element_dtype": dtype, "num_elements": -1}
    stack = put_new(graph, f"{name}/stack", "TensorListStack", attrs, items, shape)
    axis = put_constant(graph, f"{name}/axis", 0)
    types = {"Tparams": dtype, "Tindices": "int32", "Taxis": "int32", "batch_dims": 0}
    put(graph, name, Node("GatherV2", types), [stack, places, axis])


def _size(graph: Graph, name: str, facts: Facts) -> None:
    """``TensorListReserve([-1, n], count) -> TensorListReserve(Shape(state), count)`` for a list that a loop fills beside a state of that shape.

    The converter takes no element whose batch is open, but one that is computed.
    """
    shape = _element(graph, Tensor(name), facts)
    if not shape or shape[0] is not None or None in shape[1:]:
        return
    loops = [
        reader
        for reader, _ in graph.consumers(name)
        if graph.op(reader) in spellings.WHILES
    ]
    beside = [tensor for loop in loops for tensor in graph.inputs(loop)]
    state = next((t for t in beside if facts.get(t, UNKNOWN).spec.shape == shape), None)
    if state is not None:
        sizes, inputs = fresh(graph, f"{name}/sizes"), list(graph.inputs(name))
        attrs = {"T": facts[state].spec.dtype, "out_type": "int32"}
        put(graph, sizes, Node("Shape", attrs), [state])
        attrs = {**graph.attrs(name), "shape_type": "int32"}
        put(
            graph,
            name,
            replace(graph.node(name), attrs=attrs),
            [Tensor(sizes), *inputs[1:]],
        )


def say_elements(graph: Graph, functions: Mapping[str, Function]) -> None:
    """Rewrite the lists and loops of a graph, in place, by what is inferred of it."""
    if next(graph.by_op(*_MADE, *spellings.WHILES), None) is None:
        return
    facts = infer_facts(graph, functions=functions)
    for name in list(graph.by_op("TensorListScatterIntoExistingList")):
        _make_at_once(graph, name, facts)
    facts = infer_facts(graph, functions=functions)  # what the loops read is known now
    for name in list(graph.by_op(*spellings.WHILES)):
        _say_shapes(graph, name, facts)
    for name in list(graph.by_op("TensorListGather")):
        _stack(graph, name, facts)
    for name in list(graph.by_op(*_MADE)):
        slot = 1 if graph.op(name) == "TensorListFromTensor" else 0
        shape = _element(graph, Tensor(name), facts)
        if shape is not None:
            inputs = list(graph.inputs(name))
            inputs[slot] = _constant(graph, f"{name}/element", shape)
            put(graph, name, graph.node(name), inputs)


def _say_shapes(graph: Graph, name: str, facts: Facts) -> None:
    """What stays the same of each variable's shape: a converter would take that of the first turn for all."""
    node = graph.node(name)
    count = len(graph.inputs(name))
    shapes = tuple(
        facts.get(Tensor(name, port), UNKNOWN).spec.shape for port in range(count)
    )
    put(graph, name, replace(node, attrs={**node.attrs, "output_shapes": shapes}))


def _make_at_once(graph: Graph, name: str, facts: Facts) -> None:
    """``TensorListScatterIntoExistingList(TensorListReserve(n), x, Range(n)) -> TensorListFromTensor(x)``."""
    handle, value, places = graph.inputs(name)
    shape = facts.get(value, UNKNOWN).spec.shape
    if graph.op(handle.node) != "TensorListReserve" or graph.op(places.node) != "Range":
        return
    if shape is None:
        return
    attrs = {**graph.attrs(handle.node)}
    names = ("element_dtype", "shape_type")
    list_attrs: dict[str, object] = {k: attrs[k] for k in names if k in attrs}
    element = _constant(graph, f"{name}/element", shape[1:])
    put(graph, name, Node("TensorListFromTensor", list_attrs), [value, element])


def _stack(graph: Graph, name: str, facts: Facts) -> None:
    """``TensorListGather(l, [0, 1 ... n - 1]) -> TensorListStack(l)``, where n is all that it holds."""
    handle, places, shape = graph.inputs(name)
    contents = facts.get(handle, UNKNOWN).held
    order = facts.get(places, UNKNOWN).value
    if contents is None or contents.length is None or not isinstance(order, np.ndarray):
        return
    if contents.length == order.size and np.array_equal(order, np.arange(order.size)):
        attrs = {"element_dtype": graph.attrs(name)["element_dtype"]}
        stack = Node("TensorListStack", {**attrs, "num_elements": order.size})
        put(graph, name, stack, [handle, shape])


def _element(graph: Graph, tensor: Tensor, facts: Facts) -> Shape:
    """The shape of what the list holds, here or behind the loop that it goes into."""
    places = [tensor]
    for reader, slot in graph.consumers(*tensor):
        if graph.op(reader) in spellings.WHILES:
            places.append(Tensor(reader, slot))
    for place in reversed(places):
        contents = facts.get(place, UNKNOWN).held
        if (
            contents is not None
            and contents.specs
            and contents.specs[0].shape is not None
        ):
            return contents.specs[0].shape
    return None


def _constant(graph: Graph, name: str, shape: tuple[int | None, ...]) -> Tensor:
    sizes = [-1 if size is None else size for size in shape]
    return put_constant(graph, name, sizes)
