"""An output that is drawn at random -> what it is drawn from: logits, rates, means and deviations, which can be compared.

A tensor is such a parameter where it follows from a feed, draws nothing itself, and is read by what draws or by what is drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ...errors import GraphscopeError
from ...ops import spellings
from ..differences import difference
from ..feeds.noise import SAMPLERS, Noise
from ..import_tensorflow import Operation, Symbol
from ..run.keras_runner import KerasRunner
from ..run.runner import GraphRunner, Runner
from .order import computed_in_order

_FLOATS = ("float16", "bfloat16", "float32", "float64")
_STATEFUL = frozenset({"While", "If", "StatefulPartitionedCall"})
_ENTERS = frozenset(spellings.ENTERS)
Feeds = tuple[Mapping[str, Any], Mapping[str, Any]]


def parameters(runner: GraphRunner, output: str) -> list[str]:
    """The tensors that one output is drawn from, in the order in which the graph has them."""
    ops = computed_in_order([runner.tensor(output).op])
    fed, drawn = set[Operation](), set[Operation]()
    for op in ops:
        above = {tensor.op for tensor in op.inputs}
        if op.type in SAMPLERS or op.type in _STATEFUL or above & drawn:
            drawn.add(op)
        elif op.type in spellings.PLACEHOLDERS or above & fed:
            fed.add(op)
    read = (_outside(t) for op in ops if op in drawn for t in op.inputs)
    computed = (t for t in read if t.op in fed and not _is_a_feed(t))
    names = [t.name for t in computed if t.dtype.name in _FLOATS]
    return list(dict.fromkeys(names))


def _is_a_feed(tensor: Symbol) -> bool:
    """Of what is fed and only passed on nothing is proved."""
    while tensor.op.type == "Identity":
        tensor = tensor.op.inputs[0]
    return tensor.op.type in spellings.PLACEHOLDERS


def _outside(tensor: Symbol) -> Symbol:
    """What a loop was given, in place of what it reads within."""
    while tensor.op.type in _ENTERS:
        tensor = tensor.op.inputs[0]
    return tensor


def apart_by_parameters(
    a: Runner,
    b: Runner,
    output: str,
    feeds: Feeds,
    layers: Mapping[str, str],
) -> tuple[list[str], float, float] | None:
    """The tensors of ``a`` that an output is drawn from, and how far ``b`` is from them, absolutely and in their own scale.

    ``layers`` says which tensor of ``a`` a layer of a Keras model ``b`` yields. None where the two have no such tensors in common.
    """
    if not isinstance(a, GraphRunner):
        return None
    sources = parameters(a, output)
    try:
        if isinstance(b, GraphRunner):
            names = [name for name in sources if b.resolve(name)]
            theirs = b.run(feeds[1], names, Noise()) if names else []
        elif isinstance(b, KerasRunner):
            yielded = _yielded(a, b, sources, layers)
            names = list(yielded)
            theirs = b.inside(list(yielded.values()), feeds[1]) if names else []
        else:
            return None
        if len(names) < len(sources) or not names:
            return None
        ours = a.run(feeds[0], names, Noise())
    except GraphscopeError:
        return None
    apart = [_difference(x, y) for x, y in zip(ours, theirs)]
    return names, max(each[0] for each in apart), max(each[1] for each in apart)


def _difference(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    return difference(x, y.reshape(x.shape) if x.size == y.size else y)


def _yielded(
    a: GraphRunner, b: KerasRunner, sources: Iterable[str], layers: Mapping[str, str]
) -> dict[str, object]:
    """By tensor of ``a`` what a Keras layer yields; of a tensor that is only passed on, what it is."""
    names = {
        a.tensor(layers[name]).name: tensor
        for name, tensor in b.layers()
        if name in layers and a.resolve(layers[name])
    }
    yielded = {}
    for name in sources:
        tensor = a.tensor(name)
        while tensor.name not in names and tensor.op.type == "Identity":
            tensor = tensor.op.inputs[0]
        if tensor.name in names:
            yielded[name] = names[tensor.name]
    return yielded
