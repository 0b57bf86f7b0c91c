"""Findings on nodes that the graph reads and the file does not hold: weights kept elsewhere, a graph cut by hand."""

from __future__ import annotations

from collections.abc import Iterator

from ...wire.nodes import missing_nodes
from ..finding import Case, Finding, listed


def find(case: Case) -> Iterator[Finding]:
    nodes = missing_nodes(case.flat.graph)
    needed = [name for name in nodes if name in case.path]
    if nodes:
        yield Finding(
            "nodes-missing",
            "error" if needed else "info",
            f"the graph reads nodes that the file does not hold: {listed(nodes)}; placeholders stand for "
            f"them, and the outputs need {len(needed)} of {len(nodes)}: get the whole file, or feed them",
            tuple(needed or nodes),
            case.freeze_command(needed),
        )
