"""Findings on ops that could touch files, the network or Python if the model were run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from ...simplify.ops import RESTORES, SAVES
from ..finding import Case, Finding, listed
from ..safety import UnsafeNode, unsafe_nodes


def find(case: Case) -> Iterator[Finding]:
    by_kind: dict[str, list[UnsafeNode]] = defaultdict(list)
    for found in unsafe_nodes(case.model):
        saver = SAVES.match(found.op) or RESTORES.match(found.op)
        by_kind["checkpoints" if saver else found.what].append(found)
    for what, nodes in by_kind.items():
        ops = sorted({n.op for n in nodes})
        where = ["/".join((*n.where, n.node)) for n in nodes]
        yield Finding(
            f"unsafe-{what.replace(' ', '-')}",
            "info" if what == "checkpoints" else "warning",
            f"running this model may touch {what}: {listed(ops)} at {listed(where)}",
            tuple(where),
            f"graphscope verify {case.model.source} OTHER --trust   (only if you trust its author)",
        )
