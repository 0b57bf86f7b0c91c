"""Ops that a target lacks -> the error that names them, and where the graph could be cut instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ...errors import NotExpressible
from ...graph import Graph, Signature
from ..report import Lack
from .frozen import Frozen


def lacking(runtime: str, frozen: Frozen, lacks: Sequence[Lack]) -> NotExpressible:
    """What to raise where a runtime has not all ops of a model."""
    listed = ", ".join(f"{op} (node {node!r})" for op, node in lacks[:5])
    more = f" and {len(lacks) - 5} more" if len(lacks) > 5 else ""
    cuts = list(_cuts(frozen.graph, {lack.node for lack in lacks}, frozen.signatures))
    hint = " ".join(f"--input {name}" for name in cuts[:4])
    return NotExpressible(
        f"{runtime} has no {listed}{more}; "
        + (f"cut the graph behind it: {hint}" if cuts else "another target may have it")
    )


def _cuts(
    graph: Graph, lacks: set[str], signatures: Mapping[str, Signature]
) -> Iterator[str]:
    """The lacking nodes whose outputs reach an output of the model past no other of them; none where one is an output itself."""
    ends = {t.node for s in signatures.values() for t in s.outputs.values()}
    if ends & lacks:
        return
    visited: set[str] = set()
    stack = sorted(ends)
    while stack:
        name = stack.pop()
        if name in visited or name not in graph:
            continue
        visited.add(name)
        if name in lacks:
            yield name
        else:
            stack.extend(graph._pred[name])
