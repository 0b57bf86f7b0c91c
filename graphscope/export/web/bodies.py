"""Functions that loops and conditions call -> functions that TensorFlow.js can: constants under names of their own, a node for each return."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ...freeze.inference.rewrite import renamed
from ...graph import Function, Graph, Node, Tensor
from ...graph.edit import fresh, put
from ...wire import opdefs
from ...wire.write import referenced
from .list_items import return_items
from .repairs import repair


def web_functions(
    graph: Graph, functions: Mapping[str, Function]
) -> tuple[dict[str, Function], list[str]]:
    """The functions that the graph calls, by name, each repaired, the graph's loops in place; and what was done."""
    done: list[str] = []
    bodies = {}
    for function in referenced(graph, return_items(graph, functions)):
        body = _separate(_apart(function))
        bodies[function.name] = body
        done += [each for each in repair(body.graph) if each not in done]
    return bodies, done


def _apart(function: Function) -> Function:
    """``name -> function/name`` for all but the arguments: TensorFlow.js keeps the weights of all functions in one table."""
    names = {
        name: f"{function.name}/{name}"
        for name in function.graph
        if name not in function.arguments
    }
    returns = tuple(Tensor(names.get(t.node, t.node), t.port) for t in function.returns)
    controls = tuple(names.get(name, name) for name in function.control_returns)
    return replace(
        function,
        graph=renamed(function.graph, names),
        returns=returns,
        control_returns=controls,
        message=None,
    )


def _separate(function: Function) -> Function:
    """Each return through an Identity of its own: TensorFlow.js knows a function's outputs by their nodes, one port a node."""
    graph, returns = function.graph, list[Tensor]()
    for tensor in function.returns:
        node = graph.node(tensor.node)
        if node.op == "Identity" and tensor not in returns:
            returns.append(tensor)
            continue
        if node.op == "_Arg":
            dtype = str(node.attrs["T"])
        else:
            dtype = opdefs.output_dtypes(node.op, node.attrs)[tensor.port]
        name = fresh(graph, f"{function.name}/return")
        put(graph, name, Node("Identity", {"T": dtype}), [tensor])
        returns.append(Tensor(name))
    return replace(function, returns=tuple(returns), control_returns=())
