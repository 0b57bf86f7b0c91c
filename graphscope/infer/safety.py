"""Model -> every node that could touch files, the network or Python when it is run; nothing is run to find out.

Nested functions are searched, and graphs that are carried as strings too (``DatasetFromGraph``, TensorRT segments): to
hide an op there is a known way around scanners.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from ..errors import FormatError, GraphError
from ..graph import Function, FunctionRef, Graph, Model, Tensor

DEPTH = 8  # graphs within strings within graphs; deeper nesting is itself reported
_LONGEST = 1 << 26  # bytes of a string that is tried as a graph


@dataclass(frozen=True)
class UnsafeNode:
    """One op that is not mere computation. ``what`` is "files", "network", "python" or "unknown code"; ``where`` names
    the functions and serialised graphs around it, outermost first, and is empty in the main graph.
    """

    node: str
    op: str
    what: str
    where: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "/".join((*self.where, self.node)) + f" ({self.op}: {self.what})"


_PYTHON = re.compile(r"(Eager)?PyFunc(Stateless)?$|NumpyFunction|TFPyFunc")
_NETWORK = re.compile(
    r"\w*Rpc\w*$|DataServiceDataset|RegisterDataset|BigQuery|BigTable|Bigtable|Kafka|Kinesis|CollectiveBcast\w*$"
    r"|_?(Host)?(Send|Recv)$|ConfigureDistributedTPU|CloudBigtable|PubSub|Mongo|Http|WorkerHeartbeat|DebugIdentity"
)
_FILES = re.compile(
    r"(Read|Write)File$|MatchingFiles|Save(V2|Slices|Dataset|DatasetV2)?$|Restore(V2|Slice)?$|MergeV2Checkpoints"
    r"|\w*Reader(V2)?$|Reader(Read|ReadUpTo)(V2)?$|\w*(TextLine|TFRecord|RecordIO|FixedLengthRecord|Sql|LMDB|Csv|CSV)"
    r"Dataset(V\d)?$|(Experimental)?(Load|Snapshot|Cache|DirectedInterleaveFile|MatchingFiles|ListSnapshotChunks|SnapshotChunk)Dataset(V\d)?$"
    r"|SnapshotNestedDatasetReader|InitializeTableFromTextFile|InitializeTableFromDataset|GenerateVocabRemapping"
    r"|LoadAndRemapMatrix|CreateSummary(File|Db)Writer|SummaryWriter$|Write\w*Summary$|ImportEvent|PrintV2$"
    r"|DebugNumericSummary|DumpTensor|CheckpointReader|ComputeAccidentalHitsFile|FileSystemSetConfiguration"
    r"|DTensorRestoreV2|DistributedSave|IORead\w*|IO\w*File\w*|DecodeVideo|ImmutableConst$|LoadLibrary"
)
_CARRIERS = frozenset("DatasetFromGraph FunctionalDatasetFromGraph TRTEngineOp".split())


@cache
def danger_of(op: str) -> str:
    """What the op could touch: "files", "network", "python", or "" for mere computation.

    ``ImmutableConst`` maps a file, ``PrintV2`` can write one (``output_stream="file://..."``).
    """
    for what, pattern in (
        ("python", _PYTHON),
        ("files", _FILES),
        ("network", _NETWORK),
    ):
        if pattern.match(op):
            return what
    return ""


def unsafe_nodes(
    model: Model, outputs: Iterable[Tensor | str] | None = None
) -> tuple[UnsafeNode, ...]:
    """The unsafe nodes of a model, in the file's order; of what ``outputs`` need only, where they are given.

    Functions of the library count as soon as anything calls them; without ``outputs`` all of them do.
    """
    names = None
    if outputs is not None:
        wanted = [
            t.node if isinstance(t, Tensor) else Tensor.parse(t).node for t in outputs
        ]
        names = model.graph.upstream(wanted, control=True)
    return tuple(
        _Search(model.functions).graph(model.graph, names, (), outputs is None)
    )


class _Search:
    """One walk; each function is entered once."""

    def __init__(self, functions: Mapping[str, Function], depth: int = 0) -> None:
        self.functions, self.depth = functions, depth
        self.entered: set[str] = set()

    def graph(
        self, graph: Graph, names: set[str] | None, where: tuple[str, ...], whole: bool
    ) -> Iterator[UnsafeNode]:
        """The unsafe nodes of one graph and of all that it calls."""
        pending: list[tuple[Graph, set[str] | None, tuple[str, ...]]] = [
            (graph, names, where)
        ]
        while pending:
            here, chosen, path = pending.pop()
            for name in here:
                if chosen is not None and name not in chosen:
                    continue
                yield from self._node(here, name, path)
                pending += self._called(here.node(name).attrs, here.op(name), path)
            if whole and not pending:
                rest = [f for f in self.functions if f not in self.entered]
                pending += self._enter(rest[:1], where)

    def _called(self, attrs: Any, op: str, path: tuple[str, ...]) -> list[Any]:
        names = [op] if op in self.functions else []
        for key in attrs:
            names += _function_names(attrs, key)
        return self._enter(names, path)

    def _enter(self, names: Iterable[str], path: tuple[str, ...]) -> list[Any]:
        fresh = [
            n
            for n in dict.fromkeys(names)
            if n in self.functions and n not in self.entered
        ]
        self.entered.update(fresh)
        return [(self.functions[n].graph, None, (*path, n)) for n in fresh]

    def _node(
        self, graph: Graph, name: str, path: tuple[str, ...]
    ) -> Iterator[UnsafeNode]:
        op = graph.op(name)
        what = danger_of(op)
        if what:
            yield UnsafeNode(name, op, what, path)
        if op in _CARRIERS:
            yield from self._carried(graph, name, path)

    def _carried(
        self, graph: Graph, name: str, path: tuple[str, ...]
    ) -> Iterator[UnsafeNode]:
        """What the serialised graphs hold that a node is given; "unknown code" where they cannot be read."""
        found = list(_strings(graph, name))
        if not found or self.depth >= DEPTH:
            yield UnsafeNode(name, graph.op(name), "unknown code", path)
        for data in found if self.depth < DEPTH else ():
            inner = _read_graph(data, name)
            if inner is None:
                yield UnsafeNode(name, graph.op(name), "unknown code", path)
                continue
            search = _Search(inner.functions, self.depth + 1)
            yield from search.graph(inner.graph, None, (*path, name), True)


def _function_names(attrs: Any, key: str) -> list[str]:
    """The functions that one attribute names; attributes of other kinds are not decoded."""
    raw = getattr(attrs, "raw", None)
    if raw is not None and raw[key].WhichOneof("value") not in ("func", "list"):
        return []
    value = attrs[key]
    values = value if type(value) is tuple else (value,)
    return [v.name for v in values if isinstance(v, FunctionRef)]


def _strings(graph: Graph, name: str) -> Iterator[bytes]:
    """The byte strings that a node is given: attributes, and string constants among its inputs."""
    for key in ("serialized_segment", "segment_funcdef_name", "graph_def"):
        value = graph.attrs(name).get(key)
        if isinstance(value, str) and len(value) > 16:
            yield value.encode("utf-8", "surrogateescape")
    for tensor in graph.inputs(name):
        if graph.op(tensor.node) != "Const":
            continue
        value = graph.attrs(tensor.node).get("value")
        if value is not None and value.dtype == object:
            yield from (v for v in value.reshape(-1).tolist() if isinstance(v, bytes))


def _read_graph(data: bytes, name: str) -> Model | None:
    from ..wire import messages as proto
    from ..wire.nodes import function_from_def, graph_from_nodes

    if len(data) > _LONGEST:
        return None
    try:
        message = proto.parse("GraphDef", data, name)
        functions = {
            f.signature.name: function_from_def(f) for f in message.library.function
        }
        return Model(graph_from_nodes(message.node), functions=functions)
    except (FormatError, GraphError):
        return None
