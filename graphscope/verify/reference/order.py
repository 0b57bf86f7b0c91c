"""TensorFlow's ops in the order of computation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ...graph.order import post_order


def upstream(ends: Iterable[Any], controls: bool = False) -> set[Any]:
    """The ops that these depend on, and these; by control inputs too where ``controls`` says so."""
    stack, visited = list(ends), set[Any]()
    while stack:
        op = stack.pop()
        if op not in visited:
            visited.add(op)
            stack += [tensor.op for tensor in op.inputs]
            stack += op.control_inputs if controls else ()
    return visited


def computed_in_order(ends: Sequence[Any]) -> list[Any]:
    """The ops that these depend on, and these, each after those that it reads, as far as loops let that be."""
    return list(post_order(ends, lambda op: [t.op for t in reversed(op.inputs)]))
