"""Loops that write into TensorLists -> loops that also return what they wrote: TensorFlow.js frees all else that a body made.

At the end of a function its executor disposes every tensor but arguments and returns, those too that a list holds.
Source: @tensorflow/tfjs-converter 4.22, executor/graph_executor.js, _executeAsync, and operations/executors/control_executor.js, StatelessWhile.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ...graph import Function, Graph, Node, Tensor
from ...graph.edit import duplicate, fresh, put, put_constant
from ...graph.graph import FunctionRef
from ...ops import spellings

_ITEMS = {"TensorListSetItem": 2, "TensorListPushBack": 1}
"""Ops that write one item, and the slot of it."""
Items = list[tuple[Tensor, str]]


def return_items(
    graph: Graph, functions: Mapping[str, Function]
) -> dict[str, Function]:
    """``While(x; body: SetItem(l, i, y)) -> While(x, 0; body: SetItem(l, i, z), return z = Identity(y))``, the graph in place; the functions then.

    No two loops may share a function.
    """
    library = dict(functions)
    _extend_loops(graph, library)
    return library


def _extend_loops(graph: Graph, library: dict[str, Function]) -> Items:
    """Extend the loops of a graph, the innermost first; what they return more than before, with its dtype."""
    more: Items = []
    for name in list(graph.by_op(*spellings.WHILES)):
        node = graph.node(name)
        refs = [node.attrs.get(part) for part in ("cond", "body")]
        names = [
            r.name for r in refs if isinstance(r, FunctionRef) and r.name in library
        ]
        if len(names) < 2:
            continue
        cond, body = (_copy(library[each]) for each in names)
        items = [*_extend_loops(body.graph, library), *_own_items(body.graph)]
        dtypes = [dtype for _, dtype in items]
        library[cond.name] = _with_arguments(cond, dtypes)
        body = _with_arguments(body, dtypes)
        library[body.name] = replace(
            body, returns=(*body.returns, *(t for t, _ in items)), output_names=()
        )
        if items:
            more += _extend(graph, name, dtypes)
    return more


def _copy(function: Function) -> Function:
    return replace(function, graph=duplicate(function.graph), message=None)


def _own_items(graph: Graph) -> Items:
    """What a body writes into lists, each item behind an Identity of its own, in place."""
    items: Items = []
    for name in list(graph.by_op(*_ITEMS)):
        node, inputs = graph.node(name), list(graph.inputs(name))
        slot, dtype = _ITEMS[node.op], str(node.attrs["element_dtype"])
        item = fresh(graph, f"{name}/item")
        put(graph, item, Node("Identity", {"T": dtype}), [inputs[slot]])
        inputs[slot] = Tensor(item)
        put(graph, name, node, inputs)
        items.append((Tensor(item), dtype))
    return items


def _with_arguments(function: Function, dtypes: list[str]) -> Function:
    names = []
    for dtype in dtypes:
        name = fresh(function.graph, "item")
        put(function.graph, name, Node("_Arg", {"T": dtype}), ())
        names.append(name)
    return replace(function, arguments=(*function.arguments, *names))


def _extend(graph: Graph, name: str, dtypes: list[str]) -> Items:
    """Give a loop one more variable for each dtype, which begins as 0, in place; these, as it returns them."""
    node, inputs = graph.node(name), list(graph.inputs(name))
    count = len(inputs)
    for dtype in dtypes:
        inputs.append(put_constant(graph, f"{name}/no_item", 0, dtype))
    types = (*node.attrs["T"], *dtypes)
    attrs = {k: v for k, v in node.attrs.items() if k != "output_shapes"}
    put(graph, name, replace(node, attrs={**attrs, "T": types}), inputs)
    return [(Tensor(name, count + n), dtype) for n, dtype in enumerate(dtypes)]
