"""What a converter says when it gives up -> the ops that it lacks, with the nodes that have them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from ...errors import GraphscopeError
from ...graph import Graph
from ...wire.write import referenced
from ..frozen import Frozen
from ..frozen.cuts import lacking
from ..report import Lack

READS_OUTSIDE = re.compile(
    r"Decode(Wav|Jpeg|Png|Gif|Bmp|Image|Raw|CSV|Webp|AndCropJpeg)|Encode\w+|ReadFile|WriteFile|Py(Func|FuncStateless)$|EagerPyFunc"
    r"|Parse(Single)?Example|ParseSequence|DecodeProto|EncodeProto|Iterator\w+|.*Dataset(V\d)?$|Queue\w+|Barrier\w+"
)
"""Ops that feed a model from files, records or Python: no runtime but TensorFlow has them."""


def outside(frozen: Frozen, more: Iterable[str] = ()) -> list[Lack]:
    """The ops of ``more``, and those that read what only TensorFlow reads, that the graph or a function of it has."""
    ops = frozenset(more)
    return [
        Lack(body.op(name), name)
        for body in _bodies(frozen)
        for name in body
        if body.op(name) in ops or READS_OUTSIDE.fullmatch(body.op(name))
    ]


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
