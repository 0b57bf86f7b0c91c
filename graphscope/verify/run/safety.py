"""What is refused without ``--trust``: running ops that could touch files, the network or Python.

What outputs need is one thing; what loading runs by itself (the saver's restore op, a SavedModel's init ops) is another, and there
the ops that read what is being loaded are what is expected.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ...errors import NotRunnable, UnsafeModel
from ...graph import Graph, Model, Node, Shape, Tensor, TensorSpec
from ...graph.edit import duplicate, put
from ...infer.safety import unsafe_nodes
from ...infer.shapes.forward import infer_shapes
from ...infer.training.op_kinds import RANDOM
from ...wire import messages as proto
from ...wire import opdefs
from ...wire.write import function_names

MOST_NUMBERS = 1 << 28  # of one tensor that a small graph makes
MOST_AXES = 254  # tensorflow/core/framework/tensor_shape.h: MaxDimensions()
_SMALL = 5_000  # nodes
_FILLS = re.compile(r"InitializeTable(V2)?$|LookupTableImport(V2)?$")
_LOADS = re.compile(
    r"Restore(V2|Slice)?$|InitializeTableFromTextFile(V2)?$|LookupTableImport"
)


def check_outputs(model: Model, outputs: Iterable[str], fed: Iterable[str]) -> None:
    """Raise UnsafeModel where computing these tensors, when others are fed, could do more than compute."""
    cut = duplicate(model.graph)
    for name in {Tensor.parse(text).node for text in fed} & set(cut):
        put(cut, name, Node("Placeholder"), ())
    there = [name for name in outputs if Tensor.parse(name).node in cut]
    _refuse(model, list(unsafe_nodes(replace(model, graph=cut), there)))


def draws(model: Model, output: str) -> bool:
    """Whether an output depends on random numbers: two runs of one model differ then."""
    name = Tensor.parse(output).node
    above = model.graph.upstream([name]) if name in model.graph else ()
    stack, visited = [model.graph.node(n) for n in above], set[str]()
    while stack:
        node = stack.pop()
        if RANDOM.search(node.op):
            return True
        called = function_names(node) if model.functions else set[str]()
        for body in (called & model.functions.keys()) - visited:
            visited.add(body)
            inside = model.functions[body].graph
            stack += [inside.node(each) for each in inside]
    return False


def check_loading(model: Model) -> None:
    """Raise UnsafeModel where loading the model as TensorFlow does could do more than load."""
    roots = [name for name in _run_at_load(model.source) if name in model.graph]
    unsafe = unsafe_nodes(model, roots) if roots else ()
    _refuse(model, [node for node in unsafe if not _LOADS.match(node.op)])


def check_sizes(
    model: Model, feeds: Mapping[str, Shape] = MappingProxyType({})
) -> None:
    """Raise NotRunnable where an op is told to make a tensor of more axes than TensorFlow has, or of more than
    ``MOST_NUMBERS`` numbers (of twice the bytes of its files, where that is more).

    ``feeds`` are the shapes of what is fed. A kilobyte of doubled constants costs TensorFlow gigabytes before it refuses. Only
    small graphs are looked through: what large ones cost is a small multiple of them.
    """
    if model.layered or len(model.graph) > _SMALL:
        return
    fed = {name: shape for name, shape in feeds.items() if name in model.graph}
    specs = infer_shapes(model.graph, functions=model.functions, given=fed)
    _check_counts(model, specs)
    for name in model.graph:
        _check_axes(model, name, specs)


def _check_counts(model: Model, specs: Mapping[Tensor, TensorSpec]) -> None:
    # a model of large weights may make as much again: a transposed kernel, a cast
    most = max(MOST_NUMBERS, 2 * _bytes_of(model.source))
    for tensor, spec in specs.items():
        count = math.prod(size or 0 for size in spec.shape or (0,))
        if count > most:
            raise NotRunnable(
                f"{model.source}: {tensor.node!r} makes a tensor of {count:,} numbers, of which at most {most:,} are run"
            )


def _check_axes(model: Model, name: str, specs: Mapping[Tensor, TensorSpec]) -> None:
    op = model.graph.op(name)
    inputs = zip(opdefs.input_names(op), model.graph.inputs(name), strict=False)
    for argument, tensor in inputs:
        shape = specs[tensor].shape if tensor in specs else None
        axes = shape if argument in ("shape", "dims") and shape else ()
        if len(axes) == 1 and (axes[0] or 0) > MOST_AXES:
            raise NotRunnable(
                f"{model.source}: {op} {name!r} is told to make a tensor of {axes[0]:,} axes, and TensorFlow has at "
                f"most {MOST_AXES}"
            )


def _bytes_of(source: str) -> int:
    """How large the file is, or the files of a folder or of a checkpoint's prefix; 0 where they are not here."""
    path = Path(source)
    try:
        if path.is_dir():
            files = list(path.rglob("*"))
        else:
            files = [p for p in path.parent.iterdir() if p.name.startswith(path.name)]
        return sum(file.stat().st_size for file in files if file.is_file())
    except OSError:
        return 0


def initialisers(model: Model, graph: Graph) -> list[str]:
    """The ops of ``graph`` that fill lookup tables from constants: nothing but tables changes when they run."""
    names = [name for name in graph if _FILLS.match(graph.op(name))]
    inside = replace(model, graph=graph)
    return [name for name in names if not unsafe_nodes(inside, [name])]


def _refuse(model: Model, unsafe: list[object]) -> None:
    if unsafe:
        more = f" and {len(unsafe) - 5} more" if len(unsafe) > 5 else ""
        raise UnsafeModel(
            f"running {model.source} could touch files, the network or Python: "
            f"{', '.join(map(str, unsafe[:5]))}{more}; pass --trust to run it all the same"
        )


def _run_at_load(source: str) -> list[str]:
    """The ops that TensorFlow runs when it loads the checkpoint or SavedModel at this path."""
    path = Path(source)
    names: list[str] = []
    for meta in _meta_graphs(path):
        names.append(meta.saver_def.restore_op_name)
        for key in ("saved_model_main_op", "legacy_init_op", "table_initializer"):
            if key in meta.collection_def:
                names += meta.collection_def[key].node_list.value
        for signature in meta.signature_def.values():
            if (
                signature.method_name == ""
                or "__saved_model_init_op" in signature.outputs
            ):
                names += [info.name for info in signature.outputs.values()]
    return [Tensor.parse(name).node for name in names if name]


def _meta_graphs(path: Path) -> list[Any]:
    meta, folder = Path(f"{path}.meta"), path if path.is_dir() else path.parent
    if meta.is_file():
        return [proto.parse("MetaGraphDef", meta.read_bytes(), str(meta))]
    binary, text = folder / "saved_model.pb", folder / "saved_model.pbtxt"
    if binary.is_file():
        message = proto.parse("SavedModel", binary.read_bytes(), str(binary))
        return list(message.meta_graphs)
    if text.is_file():
        message = proto.parse_text("SavedModel", text.read_text(), str(text))
        return list(message.meta_graphs)
    return []
