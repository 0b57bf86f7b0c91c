"""``load``: what the user names -> Model. Finds the file, the format and what lies beside it, and joins them."""

from __future__ import annotations

import gc
import pkgutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from os import fspath
from types import ModuleType
from typing import Any

from ..errors import FormatError, GraphscopeError, UnknownFormat
from ..graph import Model
from ..wire.source import Source, open_source
from . import formats
from .checkpoint.locate import (
    checkpoint_beside,
    drawing_beside,
    find_file,
    graph_beside,
)
from .options import Options


def readers() -> Iterator[ModuleType]:
    """The modules of the open folder ``read/formats``, each imported when its turn comes."""
    for module in pkgutil.iter_modules(formats.__path__):
        yield import_module(f"{formats.__name__}.{module.name}")


def load(
    path: object,
    *,
    checkpoint: object = None,
    graph: object = None,
    check: bool = False,
    tags: tuple[str, ...] = (),
) -> Model:
    """Read a model: a file, a checkpoint prefix, a folder or a URL.

    ``checkpoint`` and ``graph`` name what lies elsewhere: the weights of this graph, the graph of these weights.
    ``check`` compares the CRC32C of tensors too (of blocks it always is); ``tags`` choose among the
    meta graphs of a SavedModel. Where a file of weights is missing or cut short, names and shapes are read all the same:
    ``weights.missing_files`` says so, and only who asks for their values gets MissingWeight.
    Raises FormatError where the bytes are not what they promise, UnknownFormat where no reader knows them,
    GraphError where the graph contradicts itself.
    """
    options = Options(check, tuple(tags))
    with _collector_paused():
        return _loaded(path, checkpoint, graph, options)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Reading makes millions of objects and no garbage: looking for some takes half of the time."""
    ran = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if ran:
            gc.enable()


def _loaded(path: Any, checkpoint: Any, graph: Any, options: Options) -> Model:
    file = find_file(fspath(path))
    model = read_file(file, options)
    if checkpoint is not None:
        weights = read_file(find_file(fspath(checkpoint)), options)
        return join(model, _with_weights(weights, fspath(checkpoint)))
    if graph is not None:
        weights = read_file(find_file(fspath(graph)), options)
        return join(_with_graph(weights, fspath(graph)), model)
    return _with_what_lies_beside(model, file, options)


def read_file(path: str, options: Options) -> Model:
    """The Model of one file by itself; raises UnknownFormat where no reader recognises it."""
    source = open_source(path)
    if not source.size:
        raise FormatError(f"{path}: an empty file: copy it again")
    return _reader(source).read(source, options)


def _reader(source: Source) -> Any:
    for reader in readers():
        if reader.recognises(source):
            return reader
    from .detect.unknown import describe

    tried = ", ".join(reader.NAME for reader in readers())
    raise UnknownFormat(f"{source.name}: {describe(source)}; tried {tried}")


def _with_weights(model: Model, path: str) -> Model:
    if not len(model.weights):
        raise FormatError(f"{path}: a {model.format} holds no checkpoint values")
    return model


def _with_graph(model: Model, path: str) -> Model:
    if model.inferred:
        raise FormatError(f"{path}: a {model.format} holds no graph")
    return model


def _with_what_lies_beside(model: Model, file: str, options: Options) -> Model:
    if model.inferred:
        beside = graph_beside(file)
        if beside:
            return join(read_file(beside, options), model)
        return _with_drawing(model, file, options)
    if not len(model.weights):
        beside = checkpoint_beside(file)
        return join(model, read_file(beside, options)) if beside else model
    return model


def _with_drawing(model: Model, file: str, options: Options) -> Model:
    """The checkpoint with the ``graph.pbtxt`` beside it, where that is the graph of most of its weights."""
    beside = drawing_beside(file)
    if beside is None:
        return model
    try:
        joined = join(read_file(beside, options), model)
    except GraphscopeError as error:
        return replace(model, remarks=(*model.remarks, f"not joined: {error}"))
    fitting = sum(key in model.weights for key in joined.keys.values())
    if 2 * fitting < len(model.weights):
        remark = f"{beside} is another model's graph: not joined"
        return replace(model, remarks=(*model.remarks, remark))
    remark = f"no .meta beside it: the graph is {beside}"
    return replace(joined, remarks=(*joined.remarks, remark))


def join(graph: Model, weights: Model) -> Model:
    """The graph of one and the values of the other, through the graph's restore wiring."""
    if graph.topology is not None and weights.format.startswith("Keras"):
        from .keras.model import with_weights_of

        return with_weights_of(graph, weights.source)
    from .variables.restore_ops import keys_of
    from .variables.restored import compute_restored
    from .variables.roles import joined_variables

    keys = keys_of(graph.graph, graph.functions, weights.weights)
    variables = joined_variables(
        weights.variables, graph.graph, keys, graph.collections
    )
    return replace(
        graph,
        graph=compute_restored(graph.graph, keys, weights.weights),
        source=weights.source,
        format=f"{weights.format} with {graph.format}",
        weights=weights.weights,
        variables=variables,
        keys=keys,
        remarks=(*graph.remarks, *weights.remarks),
    )
