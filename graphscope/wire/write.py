"""Graph and Node -> NodeDef and GraphDef, as protobuf messages or bytes.

What was read from a file is copied as it stands; plain Python values are encoded by the type that the OpDef gives the
attribute, or by their own type where the op is unknown. ``edited`` changes attributes of a node without touching the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from ..errors import GraphError
from ..graph import Function, FunctionRef, Graph, Node, Shape, Tensor
from ..graph.named_values import Arguments, Attributes, Message
from . import messages as proto
from . import op_registry, opdefs
from .attrs import Attrs, attr_of
from .protobuf import run_in


class Edited(Mapping[str, Any]):
    """Attributes of a node that was read, some of them replaced; a value of None removes one.

    A change may be an AttrValue message: it is decoded when it is asked for, and copied when it is written.
    """

    __slots__ = ("base", "changes")

    def __init__(self, base: Attributes, changes: Attributes) -> None:
        earlier = base.changes if isinstance(base, Edited) else {}
        self.base: Attributes = base.base if isinstance(base, Edited) else base
        self.changes: Arguments = {**earlier, **changes}

    def __getitem__(self, name: str) -> Any:
        if name not in self.changes:
            return self.base[name]
        if self.changes[name] is None:
            raise KeyError(name)
        value = self.changes[name]
        return attr_of(value) if hasattr(value, "WhichOneof") else value

    def __iter__(self) -> Iterator[str]:
        names = {*self.base, *self.changes}
        return iter(sorted(n for n in names if self.changes.get(n, 0) is not None))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def to_node_def(name: str, node: Node, inputs: Iterable[str]) -> Any:
    """The NodeDef of a node; ``inputs`` are its data inputs as the file writes them (``"node"`` or ``"node:1"``)."""
    message = proto.NodeDef(name=name, op=node.op, device=node.device)
    message.input.extend(inputs)
    message.input.extend(f"^{source}" for source in node.controls)
    put_attrs(message.attr, node.op, node.attrs)
    return message


def put_attrs(target: Message, op: str, attrs: Attributes) -> None:
    """Encode attributes into a protobuf map."""
    if isinstance(attrs, Edited):
        put_attrs(target, op, attrs.base)
        for name, value in attrs.changes.items():
            if name in target:
                del target[name]
            if value is not None:
                encode(value, attr_kind(op, name), target[name])
    elif isinstance(attrs, Attrs):
        for name, message in attrs.raw.items():
            target[name].CopyFrom(message)
            if message.WhichOneof("value") == "tensor":
                _fill(target[name].tensor, attrs, name)
    else:
        for name, value in attrs.items():
            if isinstance(value, np.ndarray) and op == "Const":
                put_tensor(target[name].tensor, value, attrs["dtype"])
            elif value is not None:
                encode(value, attr_kind(op, name), target[name])


def _fill(target: Message, attrs: Attrs, name: str) -> None:
    """Put the values that the reader left in the file where it left its mark."""
    if attrs.source is None or run_in(target.tensor_content, attrs.source) is None:
        return
    dtype = attrs.spec(name).dtype
    target.Clear()
    put_tensor(target, attrs[name], dtype)


def raw_attrs(attrs: Attributes) -> Iterator[tuple[str, Any]]:
    """The attributes that are still AttrValue messages, as such."""
    if isinstance(attrs, Edited):
        yield from (p for p in raw_attrs(attrs.base) if p[0] not in attrs.changes)
        attrs = attrs.changes
    is_plain = isinstance(attrs, (Attrs, dict))  # else a weight: asking would read it
    raw: Any = attrs.raw if isinstance(attrs, Attrs) else attrs
    for name, value in raw.items() if is_plain else ():
        if hasattr(value, "WhichOneof"):
            yield name, value


def raw_attr(attrs: Attributes, name: str) -> Any:
    """One attribute, as the AttrValue message that it was read from where there is one; None where it is absent."""
    if isinstance(attrs, Edited):
        return attrs.changes.get(name, raw_attr(attrs.base, name))
    if isinstance(attrs, Attrs):
        return attrs.raw[name] if name in attrs.raw else None
    return attrs.get(name)


def references(graph: Graph, name: str) -> Iterator[str]:
    """The data inputs of a node in slot order, as a GraphDef writes them."""
    for tensor in graph.inputs(name):
        yield f"{tensor.node}:{tensor.port}" if tensor.port else tensor.node


def to_graph_def(
    graph: Graph,
    functions: Mapping[str, Function] = {},
    versions: Mapping[str, int] = {},
) -> Any:
    """The GraphDef of a graph, with those functions of the library that it still refers to."""
    message = proto.GraphDef()
    for name in graph:
        inputs = references(graph, name)
        message.node.append(to_node_def(name, graph.node(name), inputs))
    library = referenced(graph, functions)
    message.library.function.extend(to_function_def(f, functions) for f in library)
    if not library:
        message.ClearField("library")
    put_versions(message.versions, versions)
    return message


def put_versions(target: Message, versions: Mapping[str, int]) -> None:
    """``producer`` and ``min_consumer`` as the file had them; a producer of today where it had none."""
    target.producer = versions.get("producer", 0) or 1882
    target.min_consumer = versions.get("min_consumer", 0)


def function_names(node: Node) -> set[str]:
    """The functions of the library that one node refers to, by attribute or by its op."""
    names = {node.op}
    stack = [(node.op, node.attrs)] if open_attrs(node.op, node.attrs) else []
    while stack:
        for value in _functions_in(*stack.pop()):
            names.add(value.name)
            stack.append(("", value.attrs))
    return names


def open_attrs(op: str, attrs: Attributes) -> list[str]:
    """The attributes of a node that may name a function; the others are not looked at, among them tensors."""
    values = op_registry.value_attrs(op)
    if isinstance(attrs, Attrs):
        return attrs.beyond(values)
    return [name for name in attrs if name not in values]


def _functions_in(op: str, attrs: Attributes) -> Iterator[FunctionRef]:
    for name in open_attrs(op, attrs):
        value = raw_attr(attrs, name)
        if hasattr(value, "WhichOneof"):
            value = attrs[name] if _names_function(value) else ()
        parts = value if type(value) is tuple else (value,)
        yield from (part for part in parts if isinstance(part, FunctionRef))


def _names_function(message: Message) -> bool:
    kind = message.WhichOneof("value")
    return kind == "func" or kind == "list" and bool(message.list.func)


def referenced(graph: Graph, functions: Mapping[str, Function]) -> tuple[Function, ...]:
    """The functions that the graph needs, and those that these need, in the library's order."""
    if not functions:
        return ()
    names, stack = set[str](), [graph]
    while stack:
        current = stack.pop()
        for name in current:
            for called in function_names(current.node(name)):
                if called in functions and called not in names:
                    names.add(called)
                    stack.append(functions[called].graph)
    return tuple(functions[name] for name in functions if name in names)


def to_function_def(function: Function, functions: Mapping[str, Function] = {}) -> Any:
    """The FunctionDef of a function: as it was read where nothing changed it, else built from its body.

    Raises GraphError where the body reads an output of an op whose arguments nobody knows.
    """
    if function.message is not None and not _left_in_file(function.graph):
        return function.message
    message = proto.FunctionDef()
    signature = message.signature
    signature.name = function.name
    for name in function.arguments:
        signature.input_arg.add(
            name=name, type=proto.dtype_number(function.graph.attrs(name)["T"])
        )
    body = _Body(function, functions)
    for name, tensor in zip(output_names(function), function.returns):
        signature.output_arg.add(name=name, type=proto.dtype_number(body.dtype(tensor)))
        message.ret[name] = body.reference(tensor)
    for name in function.control_returns:
        signature.control_output.append(name)
        message.control_ret[name] = name
    for name in function.graph:
        if function.graph.op(name) not in ("_Arg", "_Retval"):
            inputs = [body.reference(t) for t in function.graph.inputs(name)]
            node_def = to_node_def(name, function.graph.node(name), inputs)
            message.node_def.append(node_def)
    put_attrs(message.attr, "", function.attrs)
    return message


def _left_in_file(graph: Graph) -> bool:
    """Whether the reader left values of the body in the file, so that its message is not whole."""
    for name in graph.by_op("Const"):
        attrs = graph.attrs(name)
        if isinstance(attrs, Attrs) and attrs.source is not None and "value" in attrs:
            if run_in(attrs.raw["value"].tensor.tensor_content, attrs.source):
                return True
    return False


def output_names(function: Function) -> tuple[str, ...]:
    """One name for each returned tensor."""
    if len(function.output_names) == len(function.returns):
        return function.output_names
    return tuple(f"output_{i}" for i in range(len(function.returns)))


class _Body:
    """How a function body writes its references."""

    def __init__(self, function: Function, functions: Mapping[str, Function]) -> None:
        self.graph, self.functions = function.graph, functions
        self.arguments = frozenset(function.arguments)
        self.name = function.name

    def reference(self, tensor: Tensor) -> str:
        if tensor.node in self.arguments:
            return tensor.node
        node = self.graph.node(tensor.node)
        if node.op in self.functions:
            names = output_names(self.functions[node.op])
            return f"{tensor.node}:{names[tensor.port]}:0"
        argument = opdefs.argument_of(node.op, node.attrs, tensor.port)
        if argument is None:
            raise GraphError(
                f"function {self.name!r} cannot be rewritten: the outputs of op {node.op!r} (node {tensor.node!r}) "
                "have no known names"
            )
        return f"{tensor.node}:{argument[0]}:{argument[1]}"

    def dtype(self, tensor: Tensor) -> str:
        node = self.graph.node(tensor.node)
        if node.op == "_Arg":
            return str(node.attrs["T"])
        dtypes = opdefs.output_dtypes(node.op, node.attrs)
        if tensor.port >= len(dtypes):
            raise GraphError(
                f"function {self.name!r} returns {tensor}, whose dtype nobody knows"
            )
        return dtypes[tensor.port]


def attr_kind(op: str, name: str) -> str:
    """The type that the OpDef gives an attribute (``"type"``, ``"list(int)"``); ``""`` where nothing is known."""
    definition = op_registry.find(op)
    for attr in definition.attr if definition is not None else ():
        if attr.name == name:
            return str(attr.type)
    return op_registry.EVERYWHERE.get(name, "")


def encode(value: Any, kind: str, message: Message) -> None:
    """Set an AttrValue to a plain value; ``kind`` as ``attr_kind`` gives it."""
    listed = isinstance(value, (tuple, list)) and not isinstance(value, FunctionRef)
    if hasattr(value, "WhichOneof"):
        message.CopyFrom(value)
    elif kind.startswith("list(") or not kind and listed:
        _encode_list(value, kind[5:-1], message.list)
    else:
        _SETTERS[kind or _guess(value)](message, value)


def _encode_list(values: Iterable[Any], kind: str, message: Message) -> None:
    message.SetInParent()
    for value in values:
        part = proto.AttrValue()
        _SETTERS[kind or _guess(value)](part, value)
        field = part.WhichOneof("value")
        if field in ("shape", "tensor", "func"):
            getattr(message, field).add().CopyFrom(getattr(part, field))
        else:
            getattr(message, field).append(getattr(part, field))


def _guess(value: Any) -> str:
    if isinstance(value, str):
        return "type" if value in proto.DATA_TYPE_NUMBERS else "string"
    for types, kind in _BY_TYPE:
        if isinstance(value, types):
            return kind
    return "tensor"


_BY_TYPE: tuple[tuple[Any, str], ...] = (
    (bool, "bool"),
    ((int, np.integer), "int"),
    ((float, np.floating), "float"),
    (bytes, "string"),
    (FunctionRef, "func"),
)


def _set_string(message: Message, value: Any) -> None:
    message.s = (
        value if isinstance(value, bytes) else value.encode("utf-8", "surrogateescape")
    )


def _set_type(message: Message, value: str) -> None:
    message.type = proto.dtype_number(value)


def _set_shape(message: Message, value: Shape) -> None:
    put_shape(message.shape, value)


def _set_tensor(message: Message, value: Any) -> None:
    put_tensor(message.tensor, np.asarray(value))


def _set_func(message: Message, value: FunctionRef) -> None:
    message.func.name = value.name
    put_attrs(message.func.attr, value.name, value.attrs)


def _setter(field: str, convert: Any) -> object:
    return lambda message, value: setattr(message, field, convert(value))


_SETTERS: Arguments = {
    "int": _setter("i", int),
    "float": _setter("f", float),
    "bool": _setter("b", bool),
    "string": _set_string,
    "type": _set_type,
    "shape": _set_shape,
    "tensor": _set_tensor,
    "func": _set_func,
}


def put_shape(message: Message, shape: Shape) -> None:
    """Shape -> TensorShapeProto."""
    message.SetInParent()
    if shape is None:
        message.unknown_rank = True
        return
    for size in shape:
        message.dim.add(size=-1 if size is None else size)


def put_tensor(message: Message, array: np.ndarray, dtype: str = "") -> None:
    """ndarray -> TensorProto; ``dtype`` where numpy has no name of its own for it (``"qint8"``)."""
    strings = array.dtype == object or array.dtype.kind in "SU"
    name = dtype or ("string" if strings else array.dtype.name)
    message.dtype = proto.dtype_number(name)
    put_shape(message.tensor_shape, array.shape)
    if strings:
        message.string_val.extend(
            v if isinstance(v, bytes) else str(v).encode() for v in array.ravel()
        )
        return
    one = array.size > 1 and not any(array.strides)  # a splat, read as a view
    data = array[(slice(0, 1),) * array.ndim] if one else array
    if one and name in _SPLATS:
        getattr(message, _SPLATS[name]).append(data.item())
        return
    little = (
        array.dtype.newbyteorder("<") if array.dtype.byteorder == ">" else array.dtype
    )
    message.tensor_content = np.ascontiguousarray(array, little).tobytes()


_SPLATS = {
    "float32": "float_val",
    "float64": "double_val",
    "int32": "int_val",
    "int64": "int64_val",
    "bool": "bool_val",
}
