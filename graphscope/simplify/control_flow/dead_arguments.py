"""Functions of loops and conditions -> the same without what nobody reads: loop variables, captured tensors, branch outputs.

A loop carries what its author's tools put in (handles, counters of their own, arrays that a freeze left without a reader).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ...errors import GraphError
from ...graph import Function, FunctionRef, Graph, Node, Tensor
from ...graph.edit import duplicate, put
from ...graph.names import unused
from ...ops import spellings
from ...wire import opdefs
from .conds_to_selects import in_order

LOOPS = spellings.LOWERED_WHILES
MOST_BODIES = 2000  # conditions, bodies and branches; a function may name itself
IFS = spellings.LOWERED_IFS


def trim(function: Function, functions: dict[str, Function]) -> Function:
    """The function with every While and If in it, and in what these run, cut down to what its returns need.

    ``functions`` gains copies of the functions that are run; those that it had stay as they are.
    """
    outermost = function.name
    functions[outermost] = _copied(function, function.name, function.arguments)
    waiting = [outermost]
    for name in waiting:  # grows while it is walked
        functions[name], inner = _cut(functions[name], functions)
        waiting += inner
        if len(waiting) > MOST_BODIES:
            raise GraphError(
                f"the loop {outermost!r} runs functions within functions without end"
            )
    return functions.pop(outermost)


def _copied(
    function: Function,
    name: str,
    arguments: Sequence[str],
    returns: Sequence[Tensor] | None = None,
) -> Function:
    """A copy that can be changed, with these arguments and returns and what the returns need."""
    tensors = function.returns if returns is None else tuple(returns)
    needed = function.graph.upstream([t.node for t in tensors]) | set(arguments)
    graph = duplicate(function.graph, function.graph._node.keys() - needed)
    return Function(name, graph, tuple(arguments), tensors)


def _cut(
    function: Function, functions: dict[str, Function]
) -> tuple[Function, list[str]]:
    """The function with its own loops and conditions cut; the names of the functions that these run now."""
    graph, calls = function.graph, []
    for name in reversed(list(in_order(graph))):
        cut = _CUTS.get(graph.op(name)) if name in graph else None
        if cut is None:
            continue
        read = graph.ports(name)
        read |= {t.port for t in function.returns if t.node == name}
        live = cut(graph, name, read, functions)
        if live is None:
            continue
        ports, inner = live
        calls += inner
        _renumber(graph, name, ports)
        returns = [
            Tensor(name, ports[t.port]) if t.node == name else t
            for t in function.returns
        ]
        function = _copied(
            replace(function, returns=tuple(returns)), function.name, function.arguments
        )
        graph = function.graph
    return function, calls


def _renumber(graph: Graph, name: str, ports: Mapping[int, int]) -> None:
    for target, edges in list(graph._succ[name].items()):
        for slot, data in edges.items():
            graph.add_edge(name, target, key=slot, port=ports[data["port"]])


Kept = tuple[dict[int, int], list[str]] | None


def _cut_loop(
    graph: Graph, name: str, read: set[int], functions: dict[str, Function]
) -> Kept:
    node, inputs = graph.node(name), graph.inputs(name)
    cond, body = named(node, "cond", functions), named(node, "body", functions)
    if (
        cond is None
        or body is None
        or len(read | set(range(len(inputs)))) > len(inputs)
    ):
        return None
    if (
        not len(inputs)
        == len(cond.arguments)
        == len(body.arguments)
        == len(body.returns)
    ):
        return None
    needs = [_arguments_of(body, [tensor]) for tensor in body.returns]
    live = read | _arguments_of(cond, cond.returns)
    stack = list(live)
    while stack:
        new = needs[stack.pop()] - live
        live |= new
        stack += new
    kept = sorted(live)
    names = [unused(function.name, functions) for function in (cond, body)]
    functions[names[0]] = _copied(cond, names[0], [cond.arguments[i] for i in kept])
    functions[names[1]] = _copied(
        body,
        names[1],
        [body.arguments[i] for i in kept],
        [body.returns[i] for i in kept],
    )
    attrs = {
        **{key: node.attrs[key] for key in node.attrs if key not in _PER_PORT},
        "cond": FunctionRef(names[0], {}),
        "body": FunctionRef(names[1], {}),
    }
    for key in _PER_PORT:
        value = node.attrs.get(key)
        if isinstance(value, tuple) and len(value) == len(inputs):
            attrs[key] = tuple(value[i] for i in kept)
    put(graph, name, replace(node, attrs=attrs, outputs=()), [inputs[i] for i in kept])
    return {old: new for new, old in enumerate(kept)}, names


def _cut_if(
    graph: Graph, name: str, read: set[int], functions: dict[str, Function]
) -> Kept:
    node, inputs = graph.node(name), graph.inputs(name)
    sides = [named(node, attr, functions) for attr in ("then_branch", "else_branch")]
    branches = [side for side in sides if side is not None]
    if len(branches) != 2 or not inputs:
        return None
    if any(len(side.arguments) != len(inputs) - 1 for side in branches):
        return None
    ports = sorted(read)
    if any(ports[-1:] >= [len(side.returns)] for side in branches):
        return None
    results = [[side.returns[port] for port in ports] for side in branches]
    used = {i for s, w in zip(branches, results) for i in _arguments_of(s, w)}
    live, names = sorted(used), [unused(side.name, functions) for side in branches]
    if names[0] == names[1]:
        names[1] += "_"
    for side, new, returns in zip(branches, names, results):
        functions[new] = _copied(side, new, [side.arguments[i] for i in live], returns)
    attrs = {
        **{key: node.attrs[key] for key in node.attrs if key != "output_shapes"},
        "then_branch": FunctionRef(names[0], {}),
        "else_branch": FunctionRef(names[1], {}),
    }
    for key, order in (("Tin", live), ("Tout", ports)):
        value = node.attrs.get(key)
        if isinstance(value, tuple) and len(value) > max(order, default=0):
            attrs[key] = tuple(value[i] for i in order)
    captured = [inputs[0], *(inputs[i + 1] for i in live)]
    put(graph, name, replace(node, attrs=attrs, outputs=()), captured)
    return {old: new for new, old in enumerate(ports)}, names


_PER_PORT = ("T", "output_shapes")
_CUTS = {**dict.fromkeys(LOOPS, _cut_loop), **dict.fromkeys(IFS, _cut_if)}


def _arguments_of(function: Function, tensors: Iterable[Tensor]) -> set[int]:
    """The numbers of the arguments that the tensors depend on."""
    needed = function.graph.upstream([tensor.node for tensor in tensors])
    return {i for i, name in enumerate(function.arguments) if name in needed}


def named(node: Node, attr: str, functions: Mapping[str, Function]) -> Function | None:
    """The function that an attribute of the node names; None where the library has none of that name."""
    reference = node.attrs.get(attr)
    return functions.get(reference.name) if isinstance(reference, FunctionRef) else None


def dtype_of(graph: Graph, tensor: Tensor) -> str:
    """The dtype of a tensor as its node says; ``""`` where it does not."""
    node = graph.node(tensor.node)
    if node.op == "_Arg":
        return str(node.attrs["T"])
    dtypes = opdefs.output_dtypes(node.op, node.attrs)
    dtype = dtypes[tensor.port] if tensor.port < len(dtypes) else ""
    return dtype.removesuffix("_ref")
