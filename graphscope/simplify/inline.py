"""Model -> Model with every function call of its library flattened into the one graph.

A call is a ``PartitionedCall`` or its kin, or a node whose op is the name of a function. It stays as ``IdentityN`` under its own
name, so ``call:port`` means what it meant; the body's nodes follow it, their names prefixed with the call's. Arguments vanish:
who reads a captured variable in the body afterwards reads the variable's own node. ``If``, ``While`` and ``Case`` stay, because which
of their bodies runs is not known; their bodies are flattened where they stand in the library.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from ..errors import GraphError
from ..graph import Function, FunctionRef, Graph, Model, Node, Tensor
from ..graph.named_values import Attributes
from ..graph.names import Names
from ..wire import op_registry, opdefs
from ..wire.write import Edited, function_names, raw_attr, raw_attrs

CALL_OPS = frozenset(
    {"PartitionedCall", "StatefulPartitionedCall", "TPUPartitionedCall"}
)
MOST_NODES = (
    5_000_000  # what nested calls may expand to before the file is taken for a bomb
)


def inline(model: Model, signature: str | None = None) -> Model:
    """The model without calls; with ``signature``, only what that signature's outputs need.

    Names of the file's graph stay valid. Raises GraphError where functions call themselves in a circle, where a call and its
    function disagree, or where the calls would expand beyond five million nodes.
    """
    if signature is not None:
        model = _restricted(model, signature)
    if not model.functions:
        return model
    calls, bodies = _reached(model)
    _check_size(model, calls, bodies)
    library = dict(model.functions)
    for name in sorted(bodies):
        if calls[name]:
            flat = flatten(library[name].graph, model.functions)
            library[name] = replace(library[name], graph=flat, message=None)
    graph = flatten(model.graph, model.functions)
    return replace(model, graph=graph, functions=library)


def _restricted(model: Model, signature: str) -> Model:
    from .prune import prune

    if signature not in model.signatures:
        names = ", ".join(map(repr, model.signatures)) or "none"
        raise GraphError(f"no signature {signature!r}; the file has {names}")
    signature_ = model.signatures[signature]
    tensors = [*signature_.outputs.values(), *signature_.inputs.values()]
    graph = prune(model.graph, tensors, effects=True)
    return replace(model, graph=graph, signatures={signature: signature_})


def _callee(node: Node, library: Mapping[str, Function]) -> str:
    """The function that a node calls, ``""`` where it calls none."""
    if node.op in CALL_OPS:
        called = node.attrs.get("f")
        name = called.name if isinstance(called, FunctionRef) else ""
        return name if name in library else ""
    return node.op if node.op in library else ""


def _calls(graph: Graph, library: Mapping[str, Function]) -> Iterator[str]:
    """The function that each call of a graph calls."""
    ops = [op for op in graph.kinds() if op in CALL_OPS or op in library]
    for name in graph.by_op(*ops):
        called = _callee(graph.node(name), library)
        if called:
            yield called


def _callees_first(calls: Mapping[str, list[str]]) -> list[str]:
    """The functions, each after those that it calls."""
    state: dict[str, int] = {}
    order: list[str] = []
    stack = [(name, False) for name in sorted(calls, reverse=True)]
    while stack:
        name, leaving = stack.pop()
        if leaving:
            state[name] = 2
            order.append(name)
        elif name not in state:
            state[name] = 1  # on the path from the root to here, until it is left
            circle = [called for called in calls[name] if state.get(called) == 1]
            if circle:
                raise GraphError(
                    f"function {name!r} calls {circle[0]!r}, which leads back to it: the calls go round in a circle"
                )
            stack.append((name, True))
            stack += [(called, False) for called in calls[name]]
    return order


def _reached(model: Model) -> tuple[dict[str, list[str]], set[str]]:
    """Of the functions that the graph reaches: the calls in each; and those that stay, as the bodies of nodes that do."""
    library = model.functions
    stack, bodies = [model.graph], set()
    calls: dict[str, list[str]] = {}
    while stack:
        for node in stack.pop().kinds_of_nodes().values():
            named = function_names(node) & library.keys()
            if not named:
                continue
            bodies |= named - {_callee(node, library)}
            for name in named - calls.keys():
                body = library[name].graph
                calls[name] = list(_calls(body, library))
                stack.append(body)
    return calls, bodies


def _check_size(model: Model, calls: Mapping[str, list[str]], bodies: set[str]) -> None:
    """Nested calls multiply: twenty functions that each call the next one ten times are a bomb."""
    sizes: dict[str, int] = {}
    for name in _callees_first(calls):
        inner = sum(sizes[called] for called in calls[name])
        sizes[name] = len(model.functions[name].graph) + inner
    outer = _calls(model.graph, model.functions)
    total = len(model.graph) + sum(map(sizes.__getitem__, outer))
    total += sum(sizes[name] for name in bodies)
    if total > MOST_NODES:
        raise GraphError(
            f"the function calls expand to {total:,} nodes; more than {MOST_NODES:,} are not taken on"
        )


def flatten(graph: Graph, library: Mapping[str, Function]) -> Graph:
    """A graph with its calls expanded, and the calls in what these call; the graph itself where it calls nothing."""
    if next(_calls(graph, library), None) is None:
        return graph
    flat, names = Graph(), Names(graph)
    stack = [_Body(graph)]
    while stack:
        body = stack[-1]
        inner = next(body.left, None)
        if inner is None:
            stack.pop()
            body.finish(flat)
            continue
        name, node, inputs = body.moved(inner)
        called = _callee(node, library)
        if called:
            stack.append(_Call(name, node, inputs, library[called], names))
        else:
            flat.add(name, node, inputs)
    return flat


class _Body:
    """The graph itself, as the outermost body: nothing in it changes."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.left = iter(graph)

    def moved(self, inner: str) -> tuple[str, Node, tuple[Tensor, ...]]:
        return inner, self.graph.node(inner), self.graph.inputs(inner)

    def finish(self, flat: Graph) -> None:
        """The outermost body stands for no call."""


class _Call(_Body):
    """One call that is being expanded: how the names and tensors of the body read in the flat graph."""

    def __init__(
        self,
        name: str,
        node: Node,
        inputs: tuple[Tensor, ...],
        function: Function,
        names: Names,
    ) -> None:
        self.graph, self.function = function.graph, function
        self.name, self.node = name, node
        self.given = _arguments(name, node, inputs, function)
        own = (inner for inner in function.graph if inner not in self.given)
        self.names = {inner: names.unique(f"{name}/{inner}") for inner in own}
        self.left = iter(self.names)

    def moved(self, inner: str) -> tuple[str, Node, tuple[Tensor, ...]]:
        node = self.graph.node(inner)
        controls = self.controls(node.controls)
        if self.node.controls and _acts(node):
            controls = (*controls, *self.node.controls)
        copy = replace(
            node,
            attrs=_bound(node.attrs, self.node.attrs),
            controls=tuple(dict.fromkeys(controls)),
            device=node.device or self.node.device,
        )
        return (
            self.names[inner],
            copy,
            tuple(map(self.tensor, self.graph.inputs(inner))),
        )

    def tensor(self, tensor: Tensor) -> Tensor:
        if tensor.node in self.given:
            return self.given[tensor.node]
        if tensor.node not in self.names:
            raise GraphError(
                f"function {self.function.name!r} reads or returns {tensor}, which it does not have: the graph is damaged"
            )
        return Tensor(self.names[tensor.node], tensor.port)

    def controls(self, controls: Iterable[str]) -> tuple[str, ...]:
        return tuple(
            self.given[source].node if source in self.given else self.names[source]
            for source in controls
            if source in self.given or source in self.names
        )

    def finish(self, flat: Graph) -> None:
        """The call itself, after its body: what it returns, under the name that it had."""
        effects = self.controls(self.function.control_returns)
        controls = tuple(dict.fromkeys((*self.node.controls, *effects)))
        returned = [self.tensor(tensor) for tensor in self.function.returns]
        if not returned:
            flat.add(self.name, Node("NoOp", {}, (), controls, self.node.device))
            return
        dtypes = self.node.attrs.get("Tout") or _return_dtypes(self.node, self.function)
        attrs = {"T": tuple(dtypes)}
        node = Node("IdentityN", attrs, self.node.outputs, controls, self.node.device)
        flat.add(self.name, node, returned)


def _arguments(
    call: str, node: Node, inputs: tuple[Tensor, ...], function: Function
) -> dict[str, Tensor]:
    """What the caller passes for each argument."""
    if node.op == "TPUPartitionedCall":
        inputs = inputs[:-1]  # the last one is the core to run on
    if len(inputs) != len(function.arguments):
        raise GraphError(
            f"node {call!r} passes {len(inputs)} arguments to function {function.name!r}, which takes "
            f"{len(function.arguments)}"
        )
    return dict(zip(function.arguments, inputs))


def _acts(node: Node) -> bool:
    """Whether the node must wait for what its call waits for: it has effects, or may have."""
    definition = op_registry.find(node.op)
    return definition is None or bool(definition.is_stateful)


def _return_dtypes(node: Node, function: Function) -> tuple[str, ...]:
    listed = []
    for tensor in function.returns:
        inner = function.graph.node(tensor.node)
        attrs = _bound(inner.attrs, node.attrs)
        is_argument = inner.op == "_Arg"
        dtypes = (attrs["T"],) if is_argument else opdefs.output_dtypes(inner.op, attrs)
        listed.append(dtypes[tensor.port] if tensor.port < len(dtypes) else "")
    return tuple(listed)


def _bound(attrs: Attributes, values: Mapping[str, object]) -> Mapping[str, Any]:
    """The attributes of a body's node, those that stand for the call's attributes replaced by them."""
    bound = {
        name: raw_attr(values, message.placeholder)
        for name, message in raw_attrs(attrs)
        if message.WhichOneof("value") == "placeholder"
    }
    return Edited(attrs, bound) if bound else attrs
