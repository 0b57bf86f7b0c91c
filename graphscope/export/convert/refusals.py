"""What a converter says when it gives up -> the ops that it lacks, with the nodes that have them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from ...errors import GraphscopeError
from ...graph import Graph
from ...wire.write import referenced
from ..frozen import Frozen
from ..frozen.cuts import lacking
from ..frozen.frozen import PLACEHOLDERS
from ..frozen.spelling import spelt
from ..report import Lack
from .functional import functional

READS_OUTSIDE = re.compile(
    r"Decode(Wav|Jpeg|Png|Gif|Bmp|Image|Raw|CSV|Webp|AndCropJpeg)|Encode\w+|ReadFile|WriteFile|Py(Func|FuncStateless)$|EagerPyFunc"
    r"|Parse(Single)?Example|ParseSequence|DecodeProto|EncodeProto|Iterator\w+|.*Dataset(V\d)?$|Queue\w+|Barrier\w+"
)
"""Ops that feed a model from files, records or Python: no runtime but TensorFlow has them."""


def lacks(frozen: Frozen, ops: frozenset[str]) -> list[Lack]:
    """What a converter that knows ``ops`` lacks in all forms that the graph can be given: as it is, and with its loops as functions.

    What no input reaches is computed beforehand and needs no op of its own; what reads from outside is lacking everywhere.
    """
    frozen = spelt(frozen, ops)
    plain = list(_lacks(frozen, ops))
    if not plain or any(READS_OUTSIDE.fullmatch(lack.op) for lack in plain):
        return plain
    lifted = list(_lacks(functional(frozen), ops))
    return min(plain, lifted, key=len)


def _lacks(frozen: Frozen, ops: frozenset[str]) -> Iterator[Lack]:
    graph = frozen.graph
    fed = _below(graph, graph.by_op(*PLACEHOLDERS))
    for body in _bodies(frozen):
        for name in body:
            op = body.op(name)
            is_inner = body is not graph or name in fed
            if READS_OUTSIDE.fullmatch(op) or is_inner and op not in ops:
                if op not in frozen.functions and not op.startswith("_"):
                    yield Lack(op, name)


def _below(graph: Graph, names: Iterable[str]) -> set[str]:
    """The named nodes and all that depend on them."""
    visited: set[str] = set()
    stack = [*names]
    while stack:
        name = stack.pop()
        if name not in visited:
            visited.add(name)
            stack.extend(graph[name])
    return visited


def _bodies(frozen: Frozen) -> Iterator[Graph]:
    yield frozen.graph
    for function in referenced(frozen.graph, frozen.functions):
        yield function.graph


def refusal(frozen: Frozen, runtime: str, text: str) -> GraphscopeError:
    """The error for what a converter said: the ops that it names and the graph has, else its own first words."""
    words = set(re.findall(r"[A-Za-z_][A-Za-z0-9_]+", text))
    marked = set(
        re.findall(r"\btf\.(\w+)|Op (\w+) is not|op:? ?'?(\w+)'? not supp", text)
    )
    named = {name for group in marked for name in group if name}
    named = named or {w for w in words if len(w) > 5}
    lacks = [
        Lack(body.op(name), name)
        for body in _bodies(frozen)
        for name in body
        if body.op(name) in named
    ]
    lines = [each.strip() for each in text.splitlines()]
    reason = next((each for each in lines if " " in each), text)
    if lacks and re.search(
        "not supported|neither|custom|unsupported|no conver", text, re.I
    ):
        return lacking(runtime, frozen, lacks)
    return GraphscopeError(f"{runtime}'s converter gives up: {reason[:400]}")
