"""Graph -> JSON: every node with its inputs, attributes and outputs, for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..graph import FunctionRef, Graph, Layer, Node, Tensor, TensorSpec
from . import Drawing
from .cells.rows import rows_of
from .cells.spelling import output_spec

INLINE = 64  # elements of a tensor that are written out


def to_json(view: Drawing) -> str:
    """The graph as one JSON document: ``level``, ``nodes``, ``inputs``, ``outputs``, ``parameters``, ``facts``.

    A node has ``name``, ``op``, ``inputs`` (``node:port``), ``controls``, ``attrs``, ``outputs`` (``dtype``, ``shape``,
    null where unknown) and ``parameters``; a layer also ``weights``, ``members``, ``pattern`` and ``evidence``.
    Strings are the file's own, escaped as JSON escapes; NaN and infinities are strings.
    """
    rows = rows_of(view.graph, view.specs)
    nodes = []
    for row in rows:
        described = describe_node(view.graph, row.name, view.specs)
        nodes.append(described | {"parameters": row.parameters})
    document = {
        "title": view.title,
        "level": view.level,
        "inputs": [str(tensor) for tensor in view.inputs],
        "outputs": [str(tensor) for tensor in view.outputs],
        "parameters": sum(row.parameters for row in rows),
        "facts": plain(view.facts),
        "nodes": nodes,
    }
    return json.dumps(document, indent=1, allow_nan=False) + "\n"


def describe_node(
    graph: Graph, name: str, specs: Mapping[Tensor, TensorSpec] = {}
) -> dict[str, Any]:
    """One node as plain Python values."""
    node = graph.node(name)
    document: dict[str, Any] = {
        "name": name,
        "op": node.op,
        "inputs": [str(tensor) for tensor in graph.inputs(name)],
        "controls": list(node.controls),
        "attrs": {key: plain(node.attrs[key]) for key in node.attrs},
        "outputs": _outputs(graph, name, specs),
    }
    if node.device:
        document["device"] = node.device
    return document | _layer(node) if isinstance(node, Layer) else document


def _outputs(
    graph: Graph, name: str, specs: Mapping[Tensor, TensorSpec]
) -> list[dict[str, Any]]:
    ports = graph.ports(name)
    count = max(
        [*(port + 1 for port in ports if port < 4096), len(graph.node(name).outputs), 1]
    )
    specs_ = (output_spec(graph, name, specs, port) for port in range(count))
    return [{"dtype": spec.dtype, "shape": plain(spec.shape)} for spec in specs_]


def _layer(layer: Node) -> dict[str, Any]:
    if not isinstance(layer, Layer):
        return {}
    weights = {
        role: {"variable": use.node, "shape": list(use.shape)}
        for role, use in layer.weights.items()
    }
    return {
        "weights": weights,
        "output": str(layer.output),
        "members": sorted(layer.members),
        "pattern": layer.pattern,
        "evidence": list(layer.evidence),
    }


def plain(value: object) -> Any:
    """What JSON can say: arrays as lists (large ones as dtype and shape), NaN and infinities as strings."""
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else str(float(value))
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, np.ndarray):
        return _array(value)
    if isinstance(value, FunctionRef):
        return {"function": value.name, "attrs": plain(value.attrs)}
    if isinstance(value, Mapping):
        return {str(key): plain(value[key]) for key in value}
    if isinstance(value, tuple | list | set | frozenset):
        return [plain(each) for each in value]
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return value if value is None or isinstance(value, str) else str(value)


def _array(value: np.ndarray) -> Any:
    dtype = "string" if value.dtype == object else value.dtype.name
    head = {"dtype": dtype, "shape": list(value.shape)}
    if value.size > INLINE:
        return head
    return head | {"values": plain(value.reshape(-1).tolist())}


SUFFIXES = {".json": to_json}
