"""While loops as TensorFlow 2 makes them: the turns so far and the most there may be are their first two variables.

tf2onnx takes the first two of every loop for these (tf2onnx/onnx_opset/controlflow.py, While).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from ...graph import Function, Graph, Node, Tensor
from ...graph.edit import duplicate, fresh, put, put_constant, put_new, redirect
from ...graph.graph import FunctionRef
from ...ops import spellings
from ..frozen import Frozen
from .own_bodies import with_own_bodies

LOOPS = spellings.WHILES
_LOWERED = "_lower_using_switch_merge"
_MORE = 2  # variables before all others


def with_counted_loops(lifted: Frozen, frozen: Frozen) -> Frozen:
    """``While(x) -> While(0, -1, x)``, its outputs two ports further on, for the loops of ``lifted`` that ``frozen`` had as frames.

    All stay functions: Grappler would write them as frames again where an attribute of theirs says so.
    """
    lifted = with_own_bodies(lifted)
    graph, library = duplicate(lifted.graph), dict[str, Function]()
    for name, function in lifted.functions.items():
        body = duplicate(function.graph)
        library[name] = replace(function, graph=body, message=None)
    ends = {t.node for s in lifted.signatures.values() for t in s.outputs.values()}
    _count_all(graph, {*frozen.graph.by_op(*LOOPS), *ends}, library)
    for name in list(library):
        before = frozen.functions.get(name)
        body = library[name].graph
        others = set(before.graph.by_op(*LOOPS)) if before else set()
        moved = _count_all(body, others, library)
        returns = [_further(t) if t.node in moved else t for t in library[name].returns]
        library[name] = replace(library[name], returns=tuple(returns))
    return replace(lifted, graph=graph, functions=library)


def _count_all(
    graph: Graph, others: Collection[str], library: dict[str, Function]
) -> set[str]:
    """Count the loops of one graph that are none of the others, in place; which these are."""
    counted = set()
    for name in list(graph.by_op(*LOOPS)):
        node = graph.node(name)
        attrs = {k: v for k, v in node.attrs.items() if k != _LOWERED}
        put(graph, name, replace(node, attrs=attrs), graph.inputs(name))
        cond, body = (attrs.get(part) for part in ("cond", "body"))
        facts = [
            r.name
            for r in (cond, body)
            if isinstance(r, FunctionRef) and r.name in library
        ]
        if name not in others and len(facts) == _MORE:
            _count(graph, name)
            library[facts[0]] = _with_counter(library[facts[0]], returns=False)
            library[facts[1]] = _with_counter(library[facts[1]], returns=True)
            counted.add(name)
    return counted


def _count(graph: Graph, name: str) -> None:
    """Give a loop its two variables, in place, and its readers the outputs two ports further on."""
    node, inputs = graph.node(name), graph.inputs(name)
    for port in reversed(range(len(inputs))):
        redirect(graph, Tensor(name, port), _further(Tensor(name, port)))
    starts = [
        put_constant(graph, f"{name}/{n}", v)
        for n, v in (("loop_counter", 0), ("maximum_iterations", -1))
    ]
    attrs = {**node.attrs, "T": ("int32", "int32", *node.attrs["T"])}
    if attrs.get("output_shapes"):
        attrs["output_shapes"] = ((), (), *attrs["output_shapes"])
    put(graph, name, replace(node, attrs=attrs), [*starts, *inputs])


def _further(tensor: Tensor) -> Tensor:
    return Tensor(tensor.node, tensor.port + _MORE)


def _with_counter(function: Function, returns: bool) -> Function:
    """The function with the two variables as its first arguments; a body returns the one raised and the other as it is."""
    graph = function.graph
    names = [fresh(graph, part) for part in ("loop_counter", "maximum_iterations")]
    for name in names:
        put(graph, name, Node("_Arg", {"T": "int32"}), ())
    arguments = (*names, *function.arguments)
    if not returns:
        return replace(function, arguments=arguments)
    one = put_constant(graph, "loop_counter/one", 1)
    sums = {"T": "int32"}
    raised = put_new(graph, "loop_counter/raised", "AddV2", sums, Tensor(names[0]), one)
    same = "maximum_iterations/same"
    most = put_new(graph, same, "Identity", {"T": "int32"}, Tensor(names[1]))
    ends = (raised, most, *function.returns)
    return replace(function, arguments=arguments, returns=ends, output_names=())
