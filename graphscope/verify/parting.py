"""Two graphs that differ -> the first node at which they part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import GraphscopeError
from .differences import difference
from .runner import GraphRunner, Runner

AT_ONCE = 32  # tensors fetched together: a graph's activations need not fit into memory at once
_FLOATS = ("float16", "float32", "float64", "bfloat16")


def first_parting(
    a: Runner,
    b: Runner,
    feeds: tuple[Mapping[str, Any], Mapping[str, Any]],
    tolerance: float,
) -> str:
    """The first node, in the order of computation, whose value differs; ``""`` where the two share no names."""
    if not isinstance(a, GraphRunner) or not isinstance(b, GraphRunner):
        return ""
    shared = list(_shared(a, b))
    for start in range(0, len(shared), AT_ONCE):
        names = shared[start : start + AT_ONCE]
        for name in _differing(a, b, feeds, names, tolerance):
            return name.removesuffix(":0")
    return ""


def _shared(a: GraphRunner, b: GraphRunner) -> Iterator[str]:
    """Float tensors that both have under one name, in an order of computation."""
    order: list[Any] = []
    seen: set[Any] = set()
    stack = [(op, False) for op in reversed(b.session.graph.get_operations())]
    while stack:
        op, leaving = stack.pop()
        if leaving:
            order.append(op)
        elif op not in seen:
            seen.add(op)
            stack.append((op, True))
            stack += [(t.op, False) for t in op.inputs if t.op not in seen]
    for op in order:
        tensor = op.outputs[0] if op.outputs else None
        if tensor is None or tensor.dtype.base_dtype.name not in _FLOATS:
            continue
        inside = (
            op._get_control_flow_context() is not None
        )  # a loop's tensors cannot be fetched
        if (
            op.type not in ("Placeholder", "Const")
            and not inside
            and a.resolve(tensor.name)
        ):
            yield tensor.name


def _differing(
    a: GraphRunner,
    b: GraphRunner,
    feeds: tuple[Mapping[str, Any], Mapping[str, Any]],
    names: list[str],
    tolerance: float,
) -> Iterator[str]:
    try:
        pairs = zip(a.run(feeds[0], names), b.run(feeds[1], names))
    except GraphscopeError:  # one of them is dead or inside a loop: ask for each alone
        for name in names if len(names) > 1 else ():
            yield from _differing(a, b, feeds, [name], tolerance)
        return
    for name, (x, y) in zip(names, pairs):
        if difference(x, y)[1] > tolerance:
            yield name
