"""NodeDefs and FunctionDefs -> Graph and Function: what every graph format shares."""

from __future__ import annotations

from collections.abc import Container, Mapping
from types import MappingProxyType
from typing import Any

from ...errors import GraphError, MissingWeight
from ...graph import Function, Graph, Node, Tensor
from ...graph.adjacency import one_edge
from ...graph.named_values import Message
from .. import messages as proto
from .. import op_registry, opdefs
from ..attrs import Attrs
from ..source import Source
from .kinds import Kind, Kinds

MISSING = "_missing"  # on what stands for a node that others read and the file lacks: "weight" or "data"
MOST_PORTS = (
    1 << 16
)  # outputs that attributes may declare; the longest unrolled series have some thousands
PORTS_PER_NODE = 64  # and for each node of the graph so many more
_LONGEST_PORT = 9  # digits


def graph_from_nodes(
    nodes: Any,
    source: Source | None = None,
    otherwise: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
) -> Graph:
    """The Graph of some NodeDefs; raises GraphError on a duplicate name.

    A node that is read and is not among them (weights kept in another file, a graph cut by hand) stands there as a
    ``Placeholder`` with the attribute MISSING.
    ``source`` is the file that ``protobuf.py`` left large tensors in; ``otherwise`` has attribute defaults by op. Each node is held
    against its OpDef here, so that what follows can rely on the number of its inputs and outputs.
    """
    graph = Graph()
    listed = nodes if hasattr(nodes, "__len__") else list(nodes)
    kinds = _put_nodes(graph, listed, Kinds(source, otherwise))
    node_of, pred, succ = graph._node, graph._pred, graph._succ
    ports = MOST_PORTS + PORTS_PER_NODE * len(listed)
    names = {name: name for name in node_of}  # one text for all that name a node
    for name, (kind, texts) in zip(list(names), kinds, strict=True):
        slot, before = 0, pred[name]
        for text in texts:
            if text.startswith("^"):
                continue
            origin, port = split_input(text) if ":" in text else (text, 0)
            if origin not in names:
                put(graph, origin, _missing(kind.node, slot))
            origin = names.setdefault(origin, origin)
            edges = before.get(origin)
            if edges is None:
                before[origin] = succ[origin][name] = one_edge(slot, port)
            elif len(edges) == 1:
                two = edges | one_edge(slot, port)
                before[origin] = succ[origin][name] = two
            else:
                edges[slot] = {"port": port}  # its own: nobody else knows it yet
            slot += 1
            if port:
                _check_port(node_of[origin]["node"], text, name, port)
        if kind.inputs is not None and kind.inputs != slot:
            raise GraphError(
                f"node {name!r} ({kind.node.op}) has {slot} inputs, expected {kind.inputs}: the graph is damaged"
            )
        ports -= kind.ports
        if ports < 0:
            raise GraphError(
                f"node {name!r} ({kind.node.op}) says that it has more outputs than a graph of {len(listed)} nodes "
                "can use: the graph is damaged"
            )
    return graph


def _put_nodes(graph: Graph, listed: Any, kinds: Kinds) -> list[tuple[Kind, list[str]]]:
    """Put the nodes into an empty graph; of each the kind and the inputs. Raises GraphError on a duplicate name."""
    of_each: list[tuple[Kind, list[str]]] = []
    for message in listed:
        name = message.name
        if name in graph._node:
            raise GraphError(f"two nodes are called {name!r}: names must be unique")
        texts = list(message.input)
        kind, payload = kinds.of(message, texts)
        graph._succ[name] = {}
        graph._pred[name] = {}
        graph._node[name] = payload
        of_each.append((kind, texts))
    return of_each


def _missing(reader: Node, slot: int) -> Node:
    """What stands for a node that the file lacks and ``reader`` reads: a feed of the dtype read, marked as missing.

    What is read first is data; what is read beside it, or through a variable's Identity, is a weight kept elsewhere.
    """
    is_data = slot == 0 and reader.op != "Identity"
    attrs: dict[str, Any] = {MISSING: "data" if is_data else "weight", "shape": None}
    try:
        dtypes = opdefs.input_dtypes(reader.op, reader.attrs)
    except GraphError:
        dtypes = ()
    dtype = dtypes[slot].removesuffix("_ref") if slot < len(dtypes) else ""
    return Node("Placeholder", attrs | ({"dtype": dtype} if dtype else {}))


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


def output_count(node: Node) -> int | None:
    """How many outputs a node of a file has by its OpDef; None where that, or its attributes, do not tell."""
    known, raw = op_registry.arities(node.op), getattr(node.attrs, "raw", None)
    return known[1].of(raw) if known is not None and raw is not None else None


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


def _check_port(node: Any, text: str, reader: str, port: int) -> None:
    """Raise GraphError where a port is read that the op does not have."""
    count = output_count(node)
    if count is not None and port >= count:
        raise GraphError(
            f"node {reader!r} reads {text!r}, but a {node.op} has {count} outputs: the graph is damaged"
        )


def put(graph: Graph, name: str, node: Node) -> None:
    """What ``graph.add_node(name, node=node)`` does for a name that is new, in a third of the time."""
    graph._succ[name] = {}
    graph._pred[name] = {}
    graph._node[name] = {"node": node}
    graph._ops = None


def split_input(text: str) -> tuple[str, int]:
    """``"name:1"`` -> ``("name", 1)``."""
    name, colon, port = text.rpartition(":")
    return (name, int(port)) if colon and is_index(port) else (text, 0)


def is_index(text: str) -> bool:
    """Whether ``int`` takes the text: it takes no ``"²"``, and no 5,000 digits."""
    return text.isdecimal() and len(text) <= _LONGEST_PORT


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


def _argument(arg: Any, index: int) -> Any:
    node = proto.NodeDef(name=arg.name, op="_Arg")
    node.attr["T"].type = arg.type
    if arg.type_attr:
        node.attr["T"].placeholder = arg.type_attr
    node.attr["index"].i = index
    return node


def _flat_reference(
    text: str, by_name: Mapping[str, Any], library: Mapping[str, Any]
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
