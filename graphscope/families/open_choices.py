"""What names and shapes leave open of layers that nothing wires: a line a class, with the values that the shapes still allow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from math import isqrt

from ..graph import Graph, Layer
from ..read.variables.widths import Widths, widths

_OPEN = {
    "Conv": "strides, padding (same or valid), activation, and what pools behind it",
    "SeparableConv": "strides, padding (same or valid), activation",
    "DepthwiseConv": "strides, padding (same or valid), activation",
    "Dense": "activation",
    "BatchNormalization": "epsilon (0.001 is Keras's) and momentum",
    "LayerNormalization": "epsilon (0.001 is Keras's)",
    "LSTM": "direction, and whether all steps or the last one are passed on",
    "GRU": "direction, and whether all steps or the last one are passed on",
    "SimpleRNN": "activation, direction, and whether all steps or the last one are passed on",
    "Bidirectional": "how both directions are joined, and whether all steps or the last one are passed on",
    "Embedding": "whether 0 masks a place",
}


def open_choices(graph: Graph) -> tuple[str, ...]:
    """The lines for the head of the source, in the order of the layers."""
    layers = [
        payload for payload in map(graph.node, graph) if isinstance(payload, Layer)
    ]
    counts = Counter(layer.op for layer in layers)
    lines = [
        f"open in {op}{f' ({count})' if count > 1 else ''}: {choices}"
        for op, count in counts.items()
        if (choices := _choices(op))
    ]
    return (*lines, *_flattenings(layers))


def _choices(op: str) -> str:
    return _OPEN.get(op) or _OPEN.get(op.removesuffix("Transpose")[:-2], "")


def _flattenings(layers: list[Layer]) -> Iterator[str]:
    """Where rows of values follow images: how many places a Flatten between them must have had."""
    before: tuple[Layer, Widths] | None = None
    for layer in layers:
        shapes = {role: use.shape for role, use in layer.weights.items()}
        here = widths(layer.op, shapes, layer.attrs) if shapes else None
        if here is None:
            continue
        if before is not None and layer.op == "Dense" and before[1].rank > 2:
            yield from _between(*before, layer, here.takes)
        if here.rank or layer.op == "Dense":
            before = (layer, here)


def _between(image: Layer, ends: Widths, dense: Layer, rows: int) -> Iterator[str]:
    places, rest = divmod(rows, max(ends.gives, 1))
    if rest or not places:
        return
    joint = f"{dense.name} takes {rows:,} values, {image.name} gives {ends.gives:,} channels"
    if places == 1:
        yield f"{joint}: between them all places are pooled into one, or there is but one"
        return
    side = isqrt(places)
    square = f" ({side} x {side} of a square image)" if side * side == places else ""
    yield f"{joint}: between them a Flatten of {places:,} places{square}"
