"""Two models that differ -> the first node, or the first layer, at which they part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import GraphscopeError
from .differences import difference
from .feeds.noise import Noise
from .reference.order import computed_in_order
from .run.keras_runner import KerasRunner
from .run.runner import GraphRunner, Runner

AT_ONCE = 32  # tensors fetched together: a graph's activations need not fit into memory at once
Feeds = tuple[Mapping[str, Any], Mapping[str, Any]]
_FLOATS = ("float16", "float32", "float64", "bfloat16")


def first_parting(
    a: Runner,
    b: Runner,
    feeds: Feeds,
    tolerance: float,
    layers: Mapping[str, str] = {},
) -> str:
    """The first node, in the order of computation, whose value differs; ``""`` where the two share no names.

    Where ``b`` is a Keras model, the first of its layers; ``layers`` says which tensor of ``a`` each yields.
    """
    if isinstance(a, GraphRunner) and isinstance(b, KerasRunner):
        return _first_layer(a, b, feeds, tolerance, layers)
    if not isinstance(a, GraphRunner) or not isinstance(b, GraphRunner):
        return ""
    shared = list(_shared(a, b))
    for start in range(0, len(shared), AT_ONCE):
        names = shared[start : start + AT_ONCE]
        for name in _differing(a, b, feeds, names, tolerance):
            return name.removesuffix(":0")
    return ""


def _first_layer(
    a: GraphRunner,
    b: KerasRunner,
    feeds: Feeds,
    tolerance: float,
    layers: Mapping[str, str],
) -> str:
    shared = [
        (name, layers[name], tensor)
        for name, tensor in _once(b.layers())
        if name in layers and a.resolve(layers[name])
    ]
    for start in range(0, len(shared), AT_ONCE):
        some = shared[start : start + AT_ONCE]
        try:
            mine = a.run(feeds[0], [name for _, name, _ in some], Noise())
            theirs = b.inside([tensor for _, _, tensor in some], feeds[1])
        except GraphscopeError:
            return ""
        for (name, _, _), x, y in zip(some, mine, theirs):
            if x.size == y.size and _apart(x, y.reshape(x.shape)) > tolerance:
                return name
    return ""


def _apart(x: np.ndarray, y: np.ndarray) -> float:
    return difference(x, y)[1]


def _once(calls: Sequence[tuple[str, object]]) -> list[tuple[str, object]]:
    """Without the layers that are called several times: what each of their calls yields has no name."""
    times = Counter(name for name, _ in calls)
    return [(name, tensor) for name, tensor in calls if times[name] == 1]


def _shared(a: GraphRunner, b: GraphRunner) -> Iterator[str]:
    """Float tensors that both have under one name, in an order of computation."""
    for op in computed_in_order(b.session.graph.get_operations()):
        tensor = op.outputs[0] if op.outputs else None
        if tensor is None or tensor.dtype.base_dtype.name not in _FLOATS:
            continue
        inside = (
            op._get_control_flow_context() is not None
        )  # a loop's tensors cannot be fetched
        if (
            op.type not in ("Placeholder", "Const", "ImmutableConst")
            and not inside
            and a.resolve(tensor.name)
        ):
            yield tensor.name


def _differing(
    a: GraphRunner,
    b: GraphRunner,
    feeds: Feeds,
    names: list[str],
    tolerance: float,
) -> Iterator[str]:
    try:
        both = (a.run(feeds[0], names, Noise()), b.run(feeds[1], names, Noise()))
    except GraphscopeError:  # one of them is dead or inside a loop: ask for each alone
        for name in names if len(names) > 1 else ():
            yield from _differing(a, b, feeds, [name], tolerance)
        return
    for name, (x, y) in zip(names, zip(*both)):
        if difference(x, y)[1] > tolerance:
            yield name
