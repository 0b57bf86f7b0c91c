"""Findings on ops that could touch files, the network or Python if the model were run.

A saver's own SaveV2 and RestoreV2 are left out, unless the outputs depend on them: every checkpoint's graph has some.
"""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Iterator

from ..finding import Case, Finding, listed
from ..safety import UnsafeNode, unsafe_nodes
from ..training.op_kinds import RESTORES, SAVES


def find(case: Case) -> Iterator[Finding]:
    by_kind: dict[str, list[UnsafeNode]] = defaultdict(list)
    run = set(unsafe_nodes(case.flat, case.outputs)) if case.outputs else set()
    for unsafe in (*unsafe_nodes(case.model), *run):
        saver = SAVES.match(unsafe.op) or RESTORES.match(unsafe.op)
        if unsafe not in by_kind[unsafe.what] and (unsafe in run or not saver):
            by_kind[unsafe.what].append(unsafe)
    for what, nodes in by_kind.items():
        if not nodes:
            continue
        ops = sorted({n.op for n in nodes})
        where = ["/".join((*n.where, n.node)) for n in nodes]
        yield Finding(
            f"unsafe-{what.replace(' ', '-')}",
            "warning",
            f"running this model may touch {what}: {listed(ops)} at {listed(where)}",
            tuple(where),
            _remedy(case, what),
        )


def _remedy(case: Case, what: str) -> str:
    """How to run it all the same; "" where that cannot help: a Python function is not in the file."""
    if what == "Python":
        return ""
    verify = shlex.join(["graphscope", "verify", case.model.source, "OTHER", "--trust"])
    return f"{verify}  (only if you trust its author)"
