"""The functions that If, While and Case name, rewritten for arguments that are values where they were variables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from ...errors import GraphError
from ...graph import Function, FunctionRef, Graph, Node, Tensor
from ...graph.edit import duplicate, put
from ...ops import spellings
from ...wire.write import Edited
from .retype import drop_references, retype_handles

_NAMES = {
    "If": ("then_branch", "else_branch"),
    "StatelessIf": ("then_branch", "else_branch"),
    "While": ("cond", "body"),
    "StatelessWhile": ("cond", "body"),
    "Case": ("branches",),
    "StatelessCase": ("branches",),
    "PartitionedCall": ("f",),
    "StatefulPartitionedCall": ("f",),
}


class Bodies:
    """Rewritten functions by name; each is made once for each set of arguments that changed."""

    def __init__(self, library: Mapping[str, Function]) -> None:
        self.library = library
        self.made: dict[str, Function] = {}

    def calls(self, node: Node) -> bool:
        """Whether the node names functions that take its inputs."""
        return node.op in _NAMES

    def retype(self, graph: Graph, name: str, slot: int, dtype: str) -> tuple[int, ...]:
        """Let one argument of the node be a value; the ports on which its functions hand it on."""
        node = graph.node(name)
        first = 0 if node.op in spellings.WHILES or "Call" in node.op else 1
        index = slot - first
        changes: dict[str, object] = {}
        passed: set[int] = set()
        for attr, function in self._functions(node):
            function_ = self._with_value(function, index, dtype)
            passed |= _handed_on(function_, index) if attr != "cond" else set()
            changes.setdefault(attr, []).append(FunctionRef(function_.name, function.attrs))  # type: ignore[attr-defined]
        for attr, refs in changes.items():
            changes[attr] = tuple(refs) if attr == "branches" else refs[0]  # type: ignore[index, arg-type]
        put(
            graph,
            name,
            replace(
                node,
                attrs=Edited(
                    node.attrs, {**changes, **_types(node, index, dtype, passed)}
                ),
            ),
        )
        return tuple(sorted(passed))

    def _functions(self, node: Node) -> Iterator[tuple[str, FunctionRef]]:
        for attr in _NAMES[node.op]:
            value = node.attrs.get(attr)
            for ref in (value,) if isinstance(value, FunctionRef) else value or ():
                yield attr, ref

    def _with_value(self, ref: FunctionRef, index: int, dtype: str) -> Function:
        name = f"{ref.name}_arg{index}_{dtype}"
        if name in self.made:
            return self.made[name]
        source = self.made.get(ref.name) or self.library.get(ref.name)
        if source is None or index >= len(source.arguments):
            raise GraphError(
                f"there is no function {ref.name!r} that takes argument {index}"
            )
        body = duplicate(source.graph)
        argument = source.arguments[index]
        node = body.node(argument)
        put(body, argument, replace(node, attrs=Edited(node.attrs, {"T": dtype})))
        copy = replace(
            source, name=name, graph=body, message=None, attrs=_attrs(source)
        )
        self.made[name] = (
            copy  # before the body is followed: a function may name itself
        )
        retype_handles(body, {Tensor(argument): dtype}, self)
        drop_references(body)
        return copy


def _attrs(function: Function) -> dict[str, object]:
    """The attributes of the function that say nothing of its resources."""
    return {}


def _handed_on(function: Function, index: int) -> set[int]:
    """The outputs that are the argument itself, seen through Identity."""
    ports = set()
    for port, tensor in enumerate(function.returns):
        while function.graph.op(tensor.node) == "Identity":
            tensor = function.graph.inputs(tensor.node)[0]
        if tensor.node == function.arguments[index]:
            ports.add(port)
    return ports


def _types(node: Node, index: int, dtype: str, passed: set[int]) -> dict[str, object]:
    """The dtype lists of the node after the change."""
    if node.op in spellings.WHILES:
        types = list(node.attrs["T"])
        types[index] = dtype
        return {"T": tuple(types), "output_shapes": None}
    inputs, outputs = list(node.attrs["Tin"]), list(node.attrs["Tout"])
    inputs[index] = dtype
    for port in passed:
        outputs[port] = dtype
    return {"Tin": tuple(inputs), "Tout": tuple(outputs)}
