"""Findings on ops that could touch files, the network or Python if the model were run.

A saver's own SaveV2 and RestoreV2 are left out, unless the outputs depend on them: every checkpoint's graph has some.
"""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ...graph import Node
from ...graph.edit import duplicate, put
from ...wire import op_registry
from ..finding import Case, Finding, listed
from ..safety import UnsafeNode, unsafe_nodes
from ..training.op_kinds import RESTORES, SAVES

_FEEDS = frozenset(
    "IteratorGetNext QueueDequeueV2 QueueDequeueManyV2 QueueDequeueUpToV2 QueueDequeue QueueDequeueMany ReaderReadV2".split()
)


def find(case: Case) -> Iterator[Finding]:
    by_kind: dict[str, list[UnsafeNode]] = defaultdict(list)
    every = unsafe_nodes(case.model)
    run = _run(case, every)
    for unsafe in (*every, *run):
        saver = SAVES.match(unsafe.op) or RESTORES.match(unsafe.op)
        if unsafe not in by_kind[unsafe.what] and (unsafe in run or not saver):
            by_kind[unsafe.what].append(unsafe)
    for what, nodes in by_kind.items():
        if nodes:
            needed = [n for n in nodes if n in run]
            yield _finding(case, what, needed or nodes, bool(needed))


def _run(case: Case, every: Sequence[UnsafeNode]) -> set[UnsafeNode]:
    """What computing the outputs runs, fed in place of its input pipeline; all where no output is known.

    ``every`` are the unsafe nodes of the file: where it has none, nothing that it computes is one.
    """
    if not case.outputs or not every:
        return set(every)
    cut, feeds = duplicate(case.flat.graph), case.on_path(*_FEEDS)
    for name in feeds:
        put(cut, name, Node("Placeholder"), ())
    return set(unsafe_nodes(replace(case.flat, graph=cut), case.outputs))


def _finding(case: Case, what: str, nodes: list[UnsafeNode], needed: bool) -> Finding:
    ops = listed(sorted({n.op for n in nodes}))
    where = ["/".join((*n.where, n.node)) for n in nodes]
    if needed:
        text = f"running this model may touch {what}: {ops} at {listed(where)}"
        return Finding(
            f"unsafe-{what.replace(' ', '-')}",
            "warning",
            text,
            tuple(where),
            _remedy(case, what, [n.op for n in nodes]),
        )
    loads = "SavedModel" in case.model.format or "hub" in case.model.format
    rest = "; loading it as TensorFlow does may run them" if loads else ""
    return Finding(
        f"unsafe-{what.replace(' ', '-')}",
        "info",
        f"the file holds ops that may touch {what}, and its outputs do not need them: {ops} at {listed(where)}{rest}",
        tuple(where),
    )


def _remedy(case: Case, what: str, ops: list[str]) -> str:
    """How to run it all the same; "" where that cannot help: the function, or the op, is not to be had."""
    if what == "python" or not any(map(op_registry.find, ops)):
        return ""
    words = ["graphscope", "keras", case.model.source, "-o", "model_keras", "--trust"]
    return f"{shlex.join(words)}  # only if you trust its author"
