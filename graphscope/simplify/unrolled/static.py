"""What no feed reaches, numbered by what it computes: the weights of equal steps, however often they are read."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...graph import Graph, Node, Tensor
from ...ops import spellings
from ...wire.attrs import element_count
from ..rewrites.dropout import RATE

PASSES = frozenset({*spellings.COPIES, "ReadVariableOp"})
_FEEDS = ("Placeholder", "_Arg", "Random", "Iterator", "Truncated")
_IGNORED = frozenset({"_output_shapes", "_class", "shape", "grad_a", "grad_b"})


def passes(node: Node) -> bool:
    """Whether a node only passes a tensor on; one that stands for a dropout is a part of the step."""
    return node.op in PASSES and RATE not in node.attrs


class Static:
    """Numbers what no feed reaches by what it computes: two nodes of one number are equal."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.dynamic: set[str] = set()
        stack = [n for n in graph if graph.op(n).startswith(_FEEDS)]
        while stack:
            name = stack.pop()
            if name not in self.dynamic:
                self.dynamic.add(name)
                stack += list(graph._succ[name])
        self._numbers: dict[Tensor, Any] = {}
        self._keys: dict[Any, int] = {}

    def number(self, tensor: Tensor, depth: int = 0) -> int | None:
        """The number of what a tensor holds; None where a feed decides that."""
        tensor = self.source(tensor)
        if tensor.node in self.dynamic or depth > 40:
            return None
        if tensor not in self._numbers:
            self._numbers[tensor] = self._keys.setdefault(
                self._key(tensor, depth), len(self._keys)
            )
        return self._numbers[tensor]

    def _key(self, tensor: Tensor, depth: int) -> Any:
        node = self.graph.node(tensor.node)
        if node.op == "Const" and element_count(node.attrs, "value") <= 64:
            value = np.asarray(node.attrs["value"])
            return "Const", value.dtype.str, value.shape, repr(value.tolist())
        inputs = self.graph.inputs(tensor.node)
        if not inputs:
            return tensor.node
        below = tuple(self.number(each, depth + 1) for each in inputs)
        if None in below:
            return tensor
        return node.op, tensor.port, settings(node), below

    def source(self, tensor: Tensor) -> Tensor:
        """Past what only passes a tensor on."""
        while passes(self.graph.node(tensor.node)):
            before = self.graph.inputs(tensor.node)
            if not before:
                break
            tensor = before[0]
        return tensor


def settings(node: Node) -> str:
    """What an op is told beside its inputs, in one text."""
    return repr(sorted((k, str(v)) for k, v in node.attrs.items() if k not in _IGNORED))
