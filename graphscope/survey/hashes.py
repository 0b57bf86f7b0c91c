"""What makes two models relatives: a hash of the layers and their wiring, one of the weights' shapes, one of their values.

Names count in none of them, so a checkpoint, the graph that was frozen of it and its export are seen as one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ..analysis.results import Analysis
from ..graph import Layer, Shape
from ..graph.keras.signatures import layer_classes
from ..graph.named_values import Config
from ..graph.order import post_order
from ..read.variables.roles import PARAMETERS
from ..read.weights.crc32c import crc32c
from ..read.weights.stored import StoredWeights

_FEEDS = frozenset({"Placeholder", "PlaceholderWithDefault", "InputLayer", "_Arg"})
_UNTOLD = (  # ends of the names of arguments that change nothing in what inference computes
    *("initializer", "regularizer", "constraint", "name", "dtype", "trainable"),
    *("seed", "momentum", "data_format", "use_cudnn"),
)
DIGITS = 5  # of a float in a layer's config: float32 has some seven
MOST_TENSORS = 4096


def structure_hash(analysis: Analysis) -> str:
    """The layers (class, arguments beside the defaults, shapes of weights) and ops, and how they are wired; "" of an empty graph."""
    graph = analysis.layer_graph
    digests: dict[str, str] = {}
    order = post_order(list(graph), lambda n: [t.node for t in graph.inputs(n)])
    for name in order:
        node = graph.node(name)
        label = "feed" if node.op in _FEEDS else _label(node)
        inputs = [f"{digests.get(t.node, '')}:{t.port}" for t in graph.inputs(name)]
        digests[name] = _digest([label, *inputs])
    return _digest(sorted(digests.values())) if digests else ""


def _label(node: Any) -> str:
    if not isinstance(node, Layer):
        return str(node.op)
    signature = layer_classes().get(node.op)
    arguments: Config = signature.arguments if signature else {}
    config = {
        key: _plain(value)
        for key, value in node.attrs.items()
        if key in arguments
        and not key.endswith(_UNTOLD)
        and _plain(value) != _plain(arguments[key])
    }
    shapes = sorted(str(tuple(use.shape)) for use in node.weights.values())
    return f"{node.op} {sorted(config.items())} {shapes}"


def _plain(value: object) -> str:
    """One text for values that mean the same: ``(2, 2)`` and ``[2, 2]`` and ``2``."""
    if isinstance(value, list | tuple):
        inside = [_plain(each) for each in value]
        return inside[0] if len(set(inside)) == 1 else str(inside)
    if isinstance(value, float):
        return f"{value:.{DIGITS}g}"
    if isinstance(value, Mapping):
        return str(sorted((str(k), _plain(v)) for k, v in value.items()))
    return str(value)


def shapes_hash(shapes: Iterable[Shape]) -> str:
    """The shapes of all weights, in no order; "" of none: what a checkpoint without a graph has in common with its graph."""
    texts = sorted(str(tuple(shape or ())) for shape in shapes)
    return _digest(texts) if texts else ""


def _digest(texts: Iterable[str]) -> str:
    data = "\n".join(texts).encode("utf-8", "surrogateescape")
    return hashlib.sha256(data).hexdigest()[:16]


def weight_names(analysis: Analysis) -> dict[str, Shape]:
    """What makes up the model: its checkpoint's weights, else the constants of its layers; name -> shape."""
    listed = [v for v in analysis.model.variables if v.role in PARAMETERS]
    if listed:
        return {variable.name: variable.shape for variable in listed}
    uses = (use for layer in analysis.layers for use in layer.weights.values())
    return {use.node: use.shape for use in uses if use.node}


def tensor_hashes(analysis: Analysis, names: Iterable[str], hashed: bool) -> list[str]:
    """A hash of each weight's values, sorted: from the CRC32C that a checkpoint stores; else, where ``hashed``, from the values.

    Empty where one cannot be had, or there are more than MOST_TENSORS.
    """
    values: list[str] = []
    for name in names:
        value = _stored(analysis, name) or (_computed(analysis, name) if hashed else "")
        if not value or len(values) == MOST_TENSORS:
            return []
        values.append(value)
    return sorted(values)


def _stored(analysis: Analysis, name: str) -> str:
    """The checksum that a checkpoint holds of a tensor, with its bytes."""
    weights = analysis.model.weights
    if not isinstance(weights, StoredWeights):
        return ""
    key = name if name in weights else analysis.model.keys.get(name, name)
    crc = weights.checksum(key)
    return "" if crc is None else f"{crc:08x}-{weights.nbytes(key)}"


def _computed(analysis: Analysis, name: str) -> str:
    weights = analysis.model.weights
    if not (weights.has_value(name) or analysis.flat.has_value(name)):
        return ""
    array = weights[name] if name in weights else analysis.flat.value(name)
    if array.dtype.hasobject:
        return ""
    data = np.ascontiguousarray(array)
    return f"{crc32c(data.reshape(-1).view(np.uint8)):08x}-{data.nbytes}"


def weights_hash(tensors: Sequence[str]) -> str:
    """One hash of all values; "" where those of the tensors are not known."""
    return _digest(tensors) if tensors else ""
