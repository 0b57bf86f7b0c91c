"""Findings on what a frozen graph cannot carry or a deployment trips over: pipelines, tables, state, devices, sizes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...graph import Node, Tensor
from ...graph.amounts import number_of
from ...ops import spellings
from ...wire.attrs.content import Content
from ..finding import Case, Finding, listed
from ..training.dependence import constant_shape
from ..training.op_kinds import TABLES, WRITES

LIMIT = 1 << 31  # bytes of a protobuf message
_PIPELINES = re.compile(
    r"IteratorGetNext|QueueDequeue|Reader(Read|ReadUpTo)(V2)?$|BarrierTakeMany|ReadFile$|Unstage$"
)
_PYTHON = re.compile(r"(Eager)?PyFunc(Stateless)?$")
_DECODERS = re.compile(
    r"Decode(Wav|Jpeg|Png|Bmp|Gif|WebP|Image|AndCropJpeg|Raw|PaddedRaw|CSV|Compressed)"
)
_QUANTISED = re.compile(
    r"FakeQuant|Quantize|Dequantize|QuantizedConv|QuantizedMatMul|Requantize"
)
_PASSING = frozenset("RefSwitch RefMerge RefEnter RefSelect Switch Merge".split())
_LISTED = 3  # devices that are named
_SIZES = {
    "float64": 8,
    "int64": 8,
    "complex64": 8,
    "complex128": 16,
    "float16": 2,
    "bfloat16": 2,
}


def find(case: Case) -> Iterator[Finding]:
    yield from _pipeline(case)
    yield from _python(case)
    yield from _decoders(case)
    yield from _tables(case)
    yield from _state(case)
    yield from _references(case)
    yield from _devices(case)
    yield from _batch_size(case)
    yield from _split_batch(case)
    yield from _layout(case)
    yield from _quantised(case)
    yield from _size(case)


def _matching(case: Case, pattern: re.Pattern[str]) -> list[str]:
    return [case.study.flow.names[i] for i in case.places(pattern.match)]


def _pipeline(case: Case) -> Iterator[Finding]:
    nodes = _matching(case, _PIPELINES)
    if nodes:
        cuts = [
            c.tensor
            for c in case.candidates.inputs
            if c.tensor.node in nodes and c.kind == "data"
        ]
        shown = listed(map(str, cuts))
        yield Finding(
            "input-pipeline",
            "warning",
            f"the model reads its data from a pipeline inside the graph ({listed(nodes)}), not from a placeholder: a "
            f"frozen graph would {_what_it_awaits(case, nodes)}; cut at {shown or 'its outputs'}",
            tuple(nodes),
            case.freeze_command(map(str, cuts)),
        )


def _what_it_awaits(case: Case, nodes: list[str]) -> str:
    if all(case.flat.graph.op(name) == "ReadFile" for name in nodes):
        return "read a file of the machine that it runs on"
    return "wait for a queue or an iterator that nobody fills"


def _python(case: Case) -> Iterator[Finding]:
    nodes = _matching(case, _PYTHON)
    if nodes:
        yield Finding(
            "python-function",
            "error",
            f"{listed(nodes)} call{'s' * (len(nodes) == 1)} a Python function that is not in the file: the graph cannot run "
            "outside the program that built it; what comes after it can be run from its results",
            tuple(nodes),
            case.cut_commands(nodes),
        )


def _decoders(case: Case) -> Iterator[Finding]:
    nodes = _matching(case, _DECODERS)
    if nodes:
        ops = listed(dict.fromkeys(case.flat.graph.op(n) for n in nodes))
        yield Finding(
            "decoder",
            "info",
            f"{listed(nodes)} ({ops}) decode{'s' * (len(nodes) == 1)} the bytes of a file in the graph, which Keras and other "
            "runtimes cannot; what comes after can be fed the numbers",
            tuple(nodes),
            case.cut_commands(nodes),
        )


def _tables(case: Case) -> Iterator[Finding]:
    flow, tables = case.study.flow, _matching(case, TABLES)
    if not tables:
        return
    fills = [
        flow.names[n]
        for t in tables
        for n in flow.outputs[flow.index[t]]
        if flow.ops[n].startswith(("InitializeTable", "LookupTableImport"))
    ]
    files = [f for f in fills if "TextFile" in case.flat.graph.op(f)]
    assets = (
        f"; the words come from files ({listed(case.model.assets or files)})"
        if files
        else ""
    )
    yield Finding(
        "lookup-table",
        "warning",
        f"{_tables_at(tables)} filled by what no output reads{_fillers(fills)}: TensorFlow's own freeze_graph leaves it out, and the "
        f"first look-up fails{assets}",
        tuple(tables),
        case.freeze_command(),
    )


def _tables_at(names: list[str]) -> str:
    many = len(names) > 1
    return f"lookup table{'s' * many} {listed(names)} {'are' if many else 'is'}"


def _fillers(names: list[str]) -> str:
    return f" ({listed(names)})" if names else ""


def _state(case: Case) -> Iterator[Finding]:
    nodes = _matching(case, WRITES)
    if nodes:
        yield Finding(
            "state-written",
            "warning",
            f"the outputs go through {listed(nodes)}, which write{'s' * (len(nodes) == 1)} to a variable: a frozen graph has constants there and "
            "keeps no state between calls",
            tuple(nodes),
        )


def _references(case: Case) -> Iterator[Finding]:
    flow = case.study.flow
    nodes = []
    for i in case.places(_PASSING.__contains__):
        if flow.ops[i].startswith("Ref"):
            nodes.append(flow.names[i])
        elif flow.inputs[i]:
            source = flow.inputs[i][0][0]
            if flow.ops[source] in spellings.REFERENCES:
                nodes.append(flow.names[i])
    if nodes:
        yield Finding(
            "reference-control-flow",
            "warning",
            f"{listed(nodes)} pass{'es' * (len(nodes) == 1)} a reference to a variable through control flow: TensorFlow's own freeze_graph makes "
            'a graph of it that it cannot import ("incompatible with expected float_ref")',
            tuple(nodes),
            case.freeze_command(),
        )


def _devices(case: Case) -> Iterator[Finding]:
    flow = case.study.flow
    by_device: dict[str, list[str]] = {}
    for i in case.numbers:
        device = flow.nodes[i].device
        if device and not device.upper().rstrip("0123456789").endswith("CPU:"):
            by_device.setdefault(device, []).append(flow.names[i])
    if by_device:
        nodes = tuple(name for names in by_device.values() for name in names)
        devices = ", ".join(map(repr, list(by_device)[:_LISTED]))
        more = len(by_device) - _LISTED
        yield Finding(
            "device-placement",
            "info",
            f"{number_of(len(nodes), 'node')} {'is' if len(nodes) == 1 else 'are'} bound to {devices}{f' and {more} more' if more > 0 else ''}: a TensorFlow 1 session on "
            "a machine without them refuses to run, unless its config says allow_soft_placement; a frozen graph names none",
            nodes,
            case.freeze_command(),
        )


def _batch_size(case: Case) -> Iterator[Finding]:
    by_size: dict[int, list[str]] = {}
    for candidate in case.candidates.inputs:
        shape = candidate.spec.shape
        if candidate.kind != "data" or candidate.tensor.node not in case.path:
            continue
        if shape and _counts_examples(case, candidate.tensor, shape):
            by_size.setdefault(shape[0] or 0, []).append(candidate.tensor.node)
    for size, names in by_size.items():
        many = len(names) > 1
        yield Finding(
            "fixed-batch-size",
            "info",
            f"input{'s' * many} {listed(names)} take{'s' * (not many)} exactly {size} example{'s' * (size != 1)} at a time, if "
            f"{'their' if many else 'its'} first axis counts examples",
            tuple(names),
        )


def _split_batch(case: Case) -> Iterator[Finding]:
    """Towers that each take an equal part of the batch."""
    free = {
        c.tensor.node
        for c in case.candidates.inputs
        if c.kind == "data" and c.spec.shape and c.spec.shape[0] is None
    }
    flow, parts = case.study.flow, dict[int, list[str]]()
    for i in case.places("Split".__eq__):
        (axis, _), value = flow.inputs[i]
        source, _ = flow.past(value, ("Identity",))
        if flow.names[source] in free and _is_nought(flow.nodes[axis]):
            count = flow.nodes[i].attrs.get("num_split", 1)
            parts.setdefault(count, []).append(flow.names[i])
    for count, names in parts.items():
        yield Finding(
            "split-batch",
            "info",
            f"{listed(names)} split{'s' * (len(names) == 1)} the batch into {count} equal parts: it runs on a multiple of {count} "
            "examples at a time only",
            tuple(names),
        )


def _is_nought(node: Node) -> bool:
    """Whether a node is the constant 0: the axis of examples."""
    if node.op != "Const" or constant_shape(node.attrs) not in ((), (1,)):
        return False
    value = node.attrs["value"]
    return value.dtype.kind == "i" and not value.any()


def _counts_examples(case: Case, tensor: Tensor, shape: tuple[int | None, ...]) -> bool:
    """Whether the first size of an input is a fixed number of examples; in a net of columns it is one of features."""
    if len(shape) < 2 or not shape[0] or None in shape[1:]:
        return False
    graph = case.flat.graph
    return not any(
        graph.op(reader) in ("MatMul", "BatchMatMulV2")
        and graph.inputs(reader)[1].node == tensor.node
        for reader, _ in graph.consumers(tensor.node)
    )


def _layout(case: Case) -> Iterator[Finding]:
    graph = case.flat.graph
    layouts = frozenset(
        {*spellings.FUSED_BATCH_NORMS, *"Conv2D MaxPool AvgPool BiasAdd Conv3D".split()}
    )
    nodes = [
        n
        for n in case.on_path(*layouts)
        if str(graph.attrs(n).get("data_format", "")).startswith("NC")
    ]
    if nodes:
        yield Finding(
            "channels-first",
            "info",
            f"{number_of(len(nodes), 'node')} of channels first (NCHW): {listed(nodes)}; TensorFlow's CPU kernels have no "
            "NCHW convolution",
            tuple(nodes),
        )


def _quantised(case: Case) -> Iterator[Finding]:
    nodes = _matching(case, _QUANTISED)
    if nodes:
        yield Finding(
            "quantised",
            "info",
            f"{number_of(len(nodes), 'node')} quantise{'s' * (len(nodes) == 1)} or simulate{'s' * (len(nodes) == 1)} it: {listed(nodes)}",
            tuple(nodes),
        )


def _size(case: Case) -> Iterator[Finding]:
    total = 0
    for name in case.variables:
        total += _bytes_of(
            case.flat.graph.attrs(name).get("dtype"),
            case.flat.graph.attrs(name).get("shape"),
        )
    for name in case.on_path("Const"):
        attrs = case.flat.graph.attrs(name)
        if not _is_one_number(attrs):
            total += _bytes_of(attrs.get("dtype"), constant_shape(attrs))
    if total >= LIMIT:
        yield Finding(
            "over-2-gib",
            "error",
            f"the weights that the outputs need are {total / 2**30:.1f} GiB: one .pb can hold 2 GiB",
            (),
            f"graphscope export {case.model.source} --to savedmodel -o DIR",
        )


def _is_one_number(attrs: object) -> bool:
    """Whether a constant is stored as one number that stands for all: it takes a few bytes, whatever its shape."""
    content: Content | None = getattr(attrs, "content", None)
    return content is not None and content.one_number


def _bytes_of(dtype: object, shape: object) -> int:
    if not isinstance(shape, tuple):
        return 0
    count = 1
    for size in shape:
        count *= size or 1
    return count * _SIZES.get(str(dtype), 4)
