"""NodeDefs and FunctionDefs -> Graph and Function: what every graph format shares."""

from __future__ import annotations

from collections.abc import Container, Mapping
from types import MappingProxyType
from typing import Any

from ...errors import GraphError, MissingWeight
from ...graph import Function, Graph, Node, Tensor
from ...graph.named_values import Message
from .. import messages as proto
from .. import opdefs
from ..attrs import Attrs
from ..source import Source
from .assembly import MISSING, graph_from_nodes, is_index, output_count, split_input

__all__ = ["MISSING", "function_from_def", "functions_of", "graph_from_nodes"]


def missing_nodes(graph: Graph) -> list[str]:
    """The placeholders that stand for nodes which the file lacks."""
    return [n for n in graph.by_op("Placeholder") if graph.attrs(n).get(MISSING)]


FREEZE_FUNCTION = (
    "tf.io.write_graph(convert_variables_to_constants_v2(function).graph, '.', 'frozen.pb', as_text=False), with "
    "from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2"
)


def captured_variables(graph: Graph) -> list[str]:
    """The placeholders of resources: variables that a concrete function captured, and ``write_graph`` does not write."""
    return [
        n
        for n in graph.by_op("Placeholder")
        if graph.attrs(n).get("dtype") == "resource"
    ]


def check_missing(graph: Graph, fed: Container[str], source: str) -> None:
    """Raise MissingWeight where a graph needs a node that the file lacks, and it is not among those to be ``fed``."""
    captured = [name for name in captured_variables(graph) if name not in fed]
    if captured:
        names = ", ".join(map(repr, captured[:3]))
        more = f" and {len(captured) - 3} more" if len(captured) > 3 else ""
        raise MissingWeight(
            f"{source or 'the file'} is the graph of a concrete function without the variables that it captured ({names}{more}): "
            f"freeze the function itself, {FREEZE_FUNCTION}"
        )
    left = [name for name in missing_nodes(graph) if name not in fed]
    if left:
        more = f" (and {len(left) - 1} more)" if len(left) > 1 else ""
        raise MissingWeight(
            f"{left[0]!r}{more} is read, and {source or 'the file'} does not hold it: get the whole file, or name it as "
            f"an input (--input {left[0]})"
        )


def holds_tensor(graph: Graph, tensor: Tensor) -> bool:
    """Whether the node is there and may have that port: what names tensors from beside the graph (a signature) can be wrong."""
    if tensor.node not in graph:
        return False
    count = output_count(graph.node(tensor.node)) if tensor.port else None
    return count is None or tensor.port < count


def check_tensor(graph: Graph, tensor: Tensor) -> None:
    """Raise GraphError where a node of the graph has not the port that somebody names."""
    if tensor.port and not holds_tensor(graph, tensor):
        node = graph.node(tensor.node)
        raise GraphError(
            f"there is no {str(tensor)!r}: node {tensor.node!r} ({node.op}) has {output_count(node)} outputs"
        )


def put(graph: Graph, name: str, node: Node) -> None:
    """What ``graph.add_node(name, node=node)`` does for a name that is new, in a third of the time."""
    graph._succ[name] = {}
    graph._pred[name] = {}
    graph._node[name] = {"node": node}
    graph._ops = None


def functions_of(library: Any, source: Source | None = None) -> dict[str, Function]:
    """The functions of a FunctionDefLibrary by name, each with the name of its gradient."""
    signatures = {f.signature.name: f.signature for f in library.function}
    gradients = {g.function_name: g.gradient_func for g in library.gradient}
    return {
        name: function_from_def(f, source, signatures, gradients.get(name, ""))
        for f in library.function
        for name in [f.signature.name]
    }


def function_from_def(
    message: Message,
    source: Source | None = None,
    library: Mapping[str, object] = MappingProxyType({}),
    gradient: str = "",
) -> Function:
    """FunctionDef -> Function: ``node:output_arg:index`` references become ports.

    ``library`` has the signatures of the functions that the body may call by their own names.
    Raises GraphError where a reference names nothing.
    """
    signature = message.signature
    arguments = tuple(arg.name for arg in signature.input_arg)
    nodes = [_argument(arg, index) for index, arg in enumerate(signature.input_arg)]
    by_name = {node.name: node for node in message.node_def}
    for node in message.node_def:
        copy = proto.NodeDef()
        copy.CopyFrom(node)
        del copy.input[:]
        copy.input.extend(
            _flat_reference(text, by_name, library) for text in node.input
        )
        nodes.append(copy)
    returns = tuple(
        Tensor(*split_input(_flat_reference(message.ret[arg.name], by_name, library)))
        for arg in signature.output_arg
    )
    names = tuple(arg.name for arg in signature.output_arg)
    graph = graph_from_nodes(nodes, source)
    for tensor in returns:
        check_tensor(graph, tensor)
    controls = tuple(message.control_ret[key] for key in sorted(message.control_ret))
    return Function(
        signature.name,
        graph,
        arguments,
        returns,
        names,
        controls,
        Attrs(message.attr, source),
        message,
        gradient,
    )


def _argument(arg: Message, index: int) -> Message:
    node = proto.NodeDef(name=arg.name, op="_Arg")
    node.attr["T"].type = arg.type
    if arg.type_attr:
        node.attr["T"].placeholder = arg.type_attr
    node.attr["index"].i = index
    return node


def _flat_reference(
    text: str, by_name: Mapping[str, Message], library: Mapping[str, Message]
) -> str:
    """``node:output_arg:index``, as function bodies write it, to ``node:port``; arguments stand alone."""
    if text.startswith("^"):
        return text
    name, *rest = text.split(":")
    if name not in by_name or not rest:
        return name
    node = by_name[name]
    if node.op in library:
        outputs = [arg.name for arg in library[node.op].output_arg]
        port = outputs.index(rest[0]) if rest[0] in outputs else 0
    else:
        port = opdefs.port_of(node, rest[0])
    port += int(rest[1]) if len(rest) > 1 and is_index(rest[1]) else 0
    return f"{name}:{port}" if port else name
