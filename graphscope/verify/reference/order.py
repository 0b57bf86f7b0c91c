"""TensorFlow's ops in the order of computation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...graph.order import post_order
from ..import_tensorflow import Operation


def upstream(ends: Iterable[Operation], controls: bool = False) -> set[Operation]:
    """The ops that these depend on, and these; by control inputs too where ``controls`` says so."""
    stack, visited = list(ends), set[Operation]()
    while stack:
        op = stack.pop()
        if op not in visited:
            visited.add(op)
            stack += [tensor.op for tensor in op.inputs]
            stack += op.control_inputs if controls else ()
    return visited


def computed_in_order(ends: Sequence[Operation]) -> list[Operation]:
    """The ops that these depend on, and these, each after those that it reads, as far as loops let that be."""
    return list(post_order(ends, lambda op: [t.op for t in reversed(op.inputs)]))
