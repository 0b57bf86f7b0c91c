"""Findings on ops and attributes that stock TensorFlow does not know."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from ...graph import Graph, Node
from ...wire import op_registry
from ...wire.attrs import attr_names
from ..finding import Case, Finding, listed

LIBRARIES: Mapping[str, str] = {
    "Resampler": "tf.contrib.resampler (TensorFlow Addons: tfa.image.resampler)",
    "ImageProjectiveTransform": "tf.contrib.image (TensorFlow Addons: tfa.image.transform)",
    "Correlation": "TensorFlow Addons (tfa.layers.CorrelationCost)",
    "Addons>": "TensorFlow Addons",
    "BlockGRUCell": "tf.contrib.rnn",
    "GRUBlockCellV2": "tf.contrib.rnn",
    "SkipGram": "tf.contrib.text",
    "DecodeAudio": "tf.contrib.ffmpeg",
    "NearestNeighborsInPointSet": "tf.contrib.factorization",
    "Sentencepiece": "TensorFlow Text",
    "WhitespaceTokenize": "TensorFlow Text",
    "WordpieceTokenize": "TensorFlow Text",
    "Tokenize": "TensorFlow Text",
    "CaseFoldUTF8": "TensorFlow Text",
    "NormalizeUTF8": "TensorFlow Text",
    "FastWordpiece": "TensorFlow Text",
    "FastBert": "TensorFlow Text",
    "UnsortedSegmentJoin": "TensorFlow Text",
    "RangeEncode": "TensorFlow Compression",
    "RangeDecode": "TensorFlow Compression",
    "UnboundedIndexRange": "TensorFlow Compression",
    "PmfToQuantizedCdf": "TensorFlow Compression",
    "EntropyEncode": "TensorFlow Compression",
    "EntropyDecode": "TensorFlow Compression",
    "IO>": "TensorFlow I/O",
    "SimpleML": "TensorFlow Decision Forests",
    "BoostedTrees": "TensorFlow 1.x boosted trees",
    "TensorForest": "tf.contrib.tensor_forest",
    "TreePredictions": "tf.contrib.tensor_forest",
    "TRTEngineOp": "TensorFlow with TensorRT",
    "TFRT": "TensorFlow Runtime",
    "_nGraph": "the nGraph bridge",
    "_FusedConv2D": "Grappler's remapper (an optimised graph)",
    "_Fused": "Grappler's remapper (an optimised graph)",
    "_Mkl": "TensorFlow built with oneDNN (an optimised graph)",
    "Horovod": "Horovod",
    "NcclAllReduce": "TensorFlow with NCCL",
    "DecodeProtoV": "tf.contrib.proto",
    "Tfra": "TensorFlow Recommenders Addons",
    "PrecomputeSteps": "a custom library",
}
"""How the name of an op begins, and where such ops came from."""


def find(case: Case) -> Iterator[Finding]:
    yield from _unregistered(case)
    yield from _unknown_attributes(case)


def origin_of(op: str) -> str:
    """The library that an op came from, ``""`` where that is not known."""
    fits = [start for start in LIBRARIES if op.startswith(start)]
    return LIBRARIES[max(fits, key=len)] if fits else ""


def _graphs(case: Case) -> Iterator[tuple[str, Graph]]:
    yield "", case.model.graph
    for name, function in case.library.items():
        yield name, function.graph


def _is_registered(op: str, case: Case) -> bool:
    own = op in case.library or op in ("_Arg", "_Retval")
    return own or op_registry.find(op) is not None


def _unregistered(case: Case) -> Iterator[Finding]:
    by_op: dict[str, list[str]] = defaultdict(list)
    for function, graph in _graphs(case):
        unknown = [op for op in graph.kinds() if not _is_registered(op, case)]
        for name in graph.by_op(*unknown):
            by_op[graph.op(name)].append(f"{function}/{name}" if function else name)
    groups: dict[tuple[str, bool], list[str]] = defaultdict(list)
    for op, names in by_op.items():
        needed = any(name in case.path for name in names) or not any(
            name in case.model.graph for name in names
        )
        groups[origin_of(op) or op, needed].append(op)
    for (_, needed), ops in groups.items():
        yield _unregistered_ops(case, {op: by_op[op] for op in ops}, needed)


def _unregistered_ops(
    case: Case, by_op: Mapping[str, list[str]], needed: bool
) -> Finding:
    """Ops of one origin: ``needed`` by the outputs, or not."""
    names = [name for each in by_op.values() for name in each]
    source = origin_of(next(iter(by_op)))
    remark = (
        f" (from {source})" if source else ", a custom op or one of another version"
    )
    them = "it" if len(by_op) == 1 else "them"
    where = f"the outputs need {them}" if needed else f"the outputs do not need {them}"
    return Finding(
        "op-not-registered",
        "error" if needed else "info",
        f"stock TensorFlow has no op{'s' * (len(by_op) > 1)} {listed(by_op)}{remark}; {where}: {listed(names)}",
        tuple(names),
        case.cut_commands(case.on_path(*by_op)) if needed else case.freeze_command(),
    )


def _beyond_definition(node: Node) -> list[str]:
    """The attributes that the op's definition does not declare; none where there is no definition."""
    if op_registry.find(node.op) is None:
        return []
    types = op_registry.attr_types(node.op)
    return [
        name
        for name in attr_names(node.attrs)
        if name not in types and not name.startswith("_")
    ]


def _unknown_attributes(case: Case) -> Iterator[Finding]:
    by_attr: dict[tuple[str, str], list[str]] = defaultdict(list)
    for function, graph in _graphs(case):
        kinds = graph.kinds_of_nodes().items()
        beyond = {kind: _beyond_definition(node) for kind, node in kinds}
        for name in graph if any(beyond.values()) else ():
            node = graph.node(name)
            for attr in beyond[node.op, id(node.attrs)]:
                by_attr[node.op, attr].append(name)
    for (op, attr), names in by_attr.items():
        yield Finding(
            "attribute-unknown",
            "warning",
            f"{op} has an attribute {attr!r} that TensorFlow 2.21 does not know: the graph was written by another version. TensorFlow "
            f"2.21 ignores it; old ones refuse to import it (\"NodeDef mentions attr '{attr}' not in Op\"): {listed(names)}",
            tuple(names),
            case.freeze_command(),
        )
