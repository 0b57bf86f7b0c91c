"""GraphDef and MetaGraphDef messages -> Model: what every format that holds a graph shares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...errors import FormatError
from ...graph import Model
from ...graph.named_values import Message
from ...wire import opdefs
from ...wire.attrs import attr_of
from ...wire.nodes import functions_of, graph_from_nodes
from ...wire.source import Source
from ..variables.roles import graph_variables
from .collections import decode_collections
from .signatures import manifest_signatures, signatures_of


def versions_of(message: Message) -> dict[str, int]:
    """``producer`` and ``min_consumer`` of a GraphDef; the former is 0 where it says nothing, as TensorFlow has it."""
    producer = message.versions.producer or message.version
    least = message.versions.min_consumer
    return {"producer": producer} | ({"min_consumer": least} if least else {})


def model_of_graph(
    message: Message, source: Source, format: str, name: str = ""
) -> Model:
    """The Model of a GraphDef; raises GraphError where it contradicts itself.

    ``source`` is the file that its large tensors were left in, ``name`` what the user calls the model.
    """
    versions = versions_of(message)
    graph = graph_from_nodes(message.node, source)
    if not len(graph) and not message.library.function:
        raise FormatError(f"{source.name}: a GraphDef without a node")
    return Model(
        graph=graph,
        source=name or source.name,
        format=format,
        producer=producer_text("", versions),
        functions=functions_of(message.library, source),
        variables=graph_variables(graph),
        versions=versions,
    )


def producer_text(version: str, versions: Mapping[str, int]) -> str:
    """Who wrote the graph, as far as it says: ``"TensorFlow 1.13.1 (producer 27)"``."""
    number = versions.get("producer")
    if version in ("", "unknown"):
        return f"TensorFlow (producer {number})" if number else ""
    return f"TensorFlow {version}" + (f" (producer {number})" if number else "")


def model_of_metagraph(message: Message, source: Source, format: str) -> Model:
    """The Model of a MetaGraphDef, its collections and signatures decoded."""
    info, inner = message.meta_info_def, message.graph_def
    versions = versions_of(inner)
    graph = graph_from_nodes(inner.node, source, own_defaults(info.stripped_op_list))
    collections, remarks = decode_collections(message.collection_def, source.name)
    return Model(
        graph=graph,
        source=source.name,
        format=format,
        producer=producer_text(info.tensorflow_version, versions),
        functions=functions_of(inner.library, source),
        variables=graph_variables(graph, collections),
        signatures={
            **manifest_signatures(collections),
            **signatures_of(message.signature_def),
        },
        collections=collections,
        versions=versions,
        remarks=tuple(remarks),
    )


def own_defaults(op_list: Message) -> dict[str, dict[str, object]]:
    """The attribute defaults of ops that the file defines and stock TensorFlow does not, or defines otherwise."""
    defaults_ = {}
    for op in op_list.op:
        defaults = opdefs.defaults(op.name)
        own = {
            attr.name: attr_of(attr.default_value)
            for attr in op.attr
            if attr.HasField("default_value")
        }
        other = {
            n: v
            for n, v in own.items()
            if n not in defaults or not _equal(defaults[n], v)
        }
        if other:
            defaults_[op.name] = other
    return defaults_


def _equal(a: Any, b: Any) -> bool:
    """Whether two attribute values agree; a default may be a tensor (``ParameterizedTruncatedNormal``'s kin)."""
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return np.array_equal(a, b)
    return bool(a == b)
