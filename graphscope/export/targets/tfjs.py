"""TensorFlow.js graph model, written without TensorFlow: ``model.json`` and shards of four MiB, spelled for its runtimes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from ...freeze.shrink.fold import fold_batch_norm, fold_constants
from ...graph import Function, Graph, Tensor
from ...graph.edit import duplicate
from ...graph.named_values import Row
from ...simplify.prune import prune
from ...simplify.rewrites.unfuse import unfuse
from ...verify.run.runner import Runner
from ...wire import opdefs
from ...wire.write import referenced
from ..convert.own_bodies import with_own_bodies
from ..frozen import Frozen
from ..frozen.body import bytes_of
from ..options import Options
from ..place import check_space
from ..report import Lack
from ..web.bodies import web_functions
from ..web.fusion import fuse
from ..web.manifest import Entry, entry_of, write_shards
from ..web.op_list import OPS
from ..web.page import write_page
from ..web.repairs import WRITTEN_OTHERWISE, repair
from ..web.runner import open_in_node
from ..web.topology import signature_json, to_topology

NAME = "tfjs"
SUMMARY = "a TensorFlow.js graph model for browsers and Node"
RUNTIME = "TensorFlow.js"
EXTRA = ""
NEEDS: tuple[str, ...] = ()
IS_FOLDER = True
MARK = "model.json"
WISHES = frozenset({"quantize", "page"})
QUANTIZE: tuple[str, ...] = ("float16", "uint8", "uint16")
ONE_SIGNATURE = True
TEXT_OPS = frozenset(
    "Placeholder PlaceholderV2 PlaceholderWithDefault Const Identity IdentityN Reshape ExpandDims Squeeze "
    "LookupTableFind LookupTableFindV2 StaticRegexReplace StringSplit StringNGrams Switch Merge Enter Exit "
    "NextIteration StopGradient Snapshot Fill Concat ConcatV2 Pack SparseFillEmptyRows _Arg _Retval".split()
)
"""What may yield strings: the kernels that take them."""
_ENDLESS = {"StridedSlice": (1, 2, 3), "Slice": (1, 2), "SparseToDense": (1,)}


def unsupported(frozen: Frozen) -> list[Lack]:
    """The ops that no executor of TensorFlow.js knows, in the graph and in what its loops call."""
    graph = unfuse(frozen.graph)
    supported = OPS | WRITTEN_OTHERWISE | {"_Arg", "_Retval"}
    bodies = [f.graph for f in referenced(graph, frozen.functions)]
    return [
        Lack(body.op(name), name)
        for body in (graph, *bodies)
        for name in body
        if body.op(name) not in supported or _computes_on_texts(body, name)
    ]


def _computes_on_texts(graph: Graph, name: str) -> bool:
    """Whether a node would compute on strings where TensorFlow.js computes on numbers only."""
    node = graph.node(name)
    dtypes = opdefs.output_dtypes(node.op, node.attrs)
    return "string" in dtypes and node.op not in TEXT_OPS


def write(frozen: Frozen, place: Path, options: Options) -> list[str]:
    """Write the folder ``place``; what there is to say of it."""
    graph, functions, done = _for_the_web(frozen)
    (_, signature), *_ = frozen.signatures.items()
    outputs = [t.node for t in signature.outputs.values()]
    inputs = [t.node for t in signature.inputs.values()]
    start = graph.upstream(frozen.initialisers)
    main = graph.upstream([*outputs, *inputs])
    producer = frozen.versions.get("producer", 0)
    called = list(functions.values())
    document: Row = {
        "format": "graph-model",
        "generatedBy": str(producer or 1882),
        "convertedBy": "graphscope",
        "signature": signature_json(signature),
        "modelTopology": to_topology(_only(graph, main), called, functions, producer),
    }
    if start:
        document["modelInitializer"] = to_topology(
            _only(graph, start), (), {}, producer
        )
        ends = {name: {"name": name} for name in frozen.initialisers}
        document["initializerSignature"] = {"outputs": ends}
    entries = list(_entries(_only(graph, main | start), functions, options.quantize))
    check_space(place, bytes_of(frozen.graph))
    place.mkdir()
    document["weightsManifest"] = write_shards(place, entries)
    text = json.dumps(document, separators=(",", ":"), allow_nan=False)
    (place / MARK).write_text(text)
    if options.page:
        done.append(write_page(place, signature, frozen.source))
    return done


def _for_the_web(frozen: Frozen) -> tuple[Graph, dict[str, Function], list[str]]:
    """The graph and its functions as TensorFlow.js computes them rightly and fast; and what was changed for it."""
    frozen = with_own_bodies(frozen)
    (_, signature), *_ = frozen.signatures.items()
    outputs = list(signature.outputs.values())
    ends = [*outputs, *signature.inputs.values(), *map(Tensor, frozen.initialisers)]
    graph = duplicate(unfuse(frozen.graph))
    done = []
    for fold in (fold_constants, fold_batch_norm):
        graph, changes = fold(graph, ends)
        done += [change.what for change in changes]
    graph = prune(graph, ends)
    done += repair(graph)
    count = fuse(graph, ends)
    done += [f"{count} products fused with bias and activation"] if count else []
    functions, notes = web_functions(graph, frozen.functions)
    return graph, functions, [*done, *(each for each in notes if each not in done)]


def _only(graph: Graph, names: set[str]) -> Graph:
    return duplicate(graph, set(graph) - names)


def _entries(
    graph: Graph, functions: Mapping[str, Function], quantize: str
) -> Iterator[Entry]:
    for body in (graph, *(function.graph for function in functions.values())):
        for name in body.by_op("Const"):
            yield entry_of(name, body.node(name), quantize, _is_endless(body, name))


def _is_endless(graph: Graph, name: str) -> bool:
    """Whether a number beyond 32 bits means "to the end" to all that reads it."""
    readers = graph.consumers(name)
    return bool(readers) and all(
        slot in _ENDLESS.get(graph.op(reader), ()) for reader, slot in readers
    )


def run(place: Path, frozen: Frozen, signature: str) -> Runner:
    """The folder in Node, on the fastest of its backends that has all kernels."""
    return open_in_node(place, frozen, frozen.signatures[signature])
