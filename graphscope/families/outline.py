"""Layers that nothing is known to wire -> a model that owns every weight: in the order of the file, chained where widths meet.

A claim about weights, never about numbers: where one layer's width is the next one's they are called one after the other,
else a new input begins. What names and shapes leave open (strides, padding, activations, pooling, skips) is Keras's
default, and the source says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..graph import Graph, Layer, Model, Node, Signature, Tensor, TensorSpec, WeightUse
from ..graph.keras.signatures import layer_classes
from ..read.variables.guess import likely_layer, telling
from .cells import above_and_below, gru_weights, lstm_weights
from .weight_index import SHOWN

EVIDENCE = (
    "the wiring is assumed: names and shapes alone, in their order; strides, padding, activations, pooling and skips "
    "are Keras's defaults, not the file's"
)


@dataclass(frozen=True)
class _Ends:
    """What a layer takes and gives: how many axes with the batch, and how wide the last one is."""

    rank: int
    width: int
    gives: int
    dtype: str = "float32"


def chained(model: Model) -> Model:
    """The model with inputs and edges; every layer and every loose weight is an output or leads to one."""
    graph = Graph()
    last: Tensor | None = None
    rank = width = 0
    for name in model.graph:
        payload = model.graph.node(name)
        layer = _in_keras_terms(payload) if isinstance(payload, Layer) else None
        ends = _ends(layer) if layer is not None else None
        if layer is None or ends is None:
            continue
        source = last or Tensor("")
        if (
            last is None
            or ends.dtype != "float32"
            or (rank, width) != _taken(ends, rank)
        ):
            source = _input(graph, name, ends)
        graph.add(name, replace(layer, inputs={"x": source}), [source])
        last, rank, width = Tensor(name), max(ends.rank, 2), ends.gives
        rank = 3 if ends.dtype != "float32" else _taken(ends, rank)[0] or ends.rank
    _own_the_rest(graph, model)
    feeds = [n for n in graph if graph.op(n) == "InputLayer"]
    finals = [n for n in graph if not graph.consumers(n) and n not in feeds]
    signature = Signature({n: Tensor(n) for n in feeds}, {n: Tensor(n) for n in finals})
    return replace(model, graph=graph, signatures={"call": signature}, inferred=False)


def _taken(ends: _Ends, rank: int) -> tuple[int, int]:
    """The rank and width that a layer can be called on; one that works along the last axis takes any rank."""
    return (ends.rank or rank, ends.width)


def _input(graph: Graph, name: str, ends: _Ends) -> Tensor:
    shape: tuple[int | None, ...] = (None,) * max(ends.rank or 2, 2)
    if ends.dtype == "float32":
        shape = (*shape[:-1], ends.width)
    node = f"{name}_input"
    attrs = {"batch_shape": shape, "dtype": ends.dtype}
    spec = (TensorSpec(ends.dtype, shape),)
    graph.add(node, Layer("InputLayer", attrs, spec, output=Tensor(node), name=node))
    return Tensor(node)


def _ends(layer: Layer) -> _Ends | None:
    """What a layer takes and gives, from its weights; None for a class whose call needs more than one tensor."""
    shapes = {role: use.shape for role, use in layer.weights.items()}
    kernel = (
        shapes.get("kernel")
        or shapes.get("cell/kernel")
        or shapes.get("depthwise_kernel")
    )
    op = layer.op
    if op == "Embedding":
        return _Ends(2, 0, shapes["embeddings"][-1], "int32")
    if op in ("BatchNormalization", "LayerNormalization"):
        width = next(iter(shapes.values()))[-1]
        return _Ends(0, width, width)
    if kernel is None:
        return None
    if op == "Dense":
        return _Ends(0, kernel[0], kernel[1])
    if op in ("LSTM", "GRU", "SimpleRNN"):
        return _Ends(3, kernel[0], int(layer.attrs["units"]))
    if "Transpose" in op:
        return _Ends(len(kernel), kernel[-1], kernel[-2])
    if op.startswith("Depthwise"):
        return _Ends(len(kernel), kernel[-2], kernel[-2] * kernel[-1])
    if op.startswith("Separable"):
        return _Ends(len(kernel), kernel[-2], shapes["pointwise_kernel"][-1])
    if op.startswith("Conv"):
        return _Ends(
            len(kernel), kernel[-2] * int(layer.attrs.get("groups", 1)), kernel[-1]
        )
    return None


def _in_keras_terms(layer: Layer) -> Layer | None:
    """The layer with Keras's own weight names and layouts; None where they do not lead there."""
    signature = layer_classes().get(layer.op)
    if signature is None:
        return None
    weights: dict[str, WeightUse] = dict(layer.weights)
    units = int(layer.attrs.get("units") or 0)
    if layer.op == "LSTM" and "recurrent_kernel" not in weights:
        weights = lstm_weights(weights, units)
    if layer.op == "SimpleRNN" and "recurrent_kernel" not in weights:
        weights = {**weights, **above_and_below(weights["kernel"], units)}
    if layer.op == "GRU" and "gates/kernel" in weights:
        weights = gru_weights(weights, units)
    by_last = {path.rpartition("/")[2].lstrip("_"): path for path in signature.weights}
    if layer.op.startswith("Depthwise"):
        by_last["depthwise_kernel"] = "kernel"
    if not set(weights) <= set(by_last):
        return None
    named = {by_last[role]: use for role, use in weights.items()}
    order = {path: place for place, path in enumerate(signature.weights)}
    listed = dict(sorted(named.items(), key=lambda item: order.get(item[0], 0)))
    config: Mapping[str, Any] = {**_derived(layer), **layer.attrs}
    if layer.op in ("LSTM", "GRU", "SimpleRNN"):
        config = {**config, "return_sequences": True}
    return replace(layer, attrs=config, weights=listed, evidence=(EVIDENCE,))


def _derived(layer: Layer) -> dict[str, Any]:
    """What the shapes of its weights say of a layer's arguments, where its class is all that the file states."""
    shapes = {role.rpartition("/")[2]: use.shape for role, use in layer.weights.items()}
    guess = likely_layer(tuple(shapes.items()), telling(layer.op))
    if guess is None or guess.op != layer.op:
        return {}
    return {
        name: value
        for name, value in guess.config.items()
        if name != "depth_multiplier" or value > 1
    }


def _own_the_rest(graph: Graph, model: Model) -> None:
    """Each weight that no layer took, as the variable that it is: the source holds it, and nothing says what it is for."""
    layers = [p for n in graph if isinstance(p := graph.node(n), Layer)]
    owned = {
        node for each in layers for use in each.weights.values() for node in _nodes(use)
    }
    for variable in model.variables:
        if variable.role in SHOWN and variable.name not in owned:
            if "int" in variable.dtype or variable.dtype == "string":
                continue  # a table's keys or a counter: no Keras weight holds them
            spec = TensorSpec(variable.dtype, variable.shape)
            attrs = {"dtype": variable.dtype, "shape": variable.shape}
            graph.add(variable.name, Node("VariableV2", attrs, (spec,)))
    if not any(graph.op(name) == "InputLayer" for name in graph) and len(graph):
        _input(graph, "any", _Ends(2, 1, 1))


def _nodes(use: WeightUse) -> Iterator[str]:
    """The variables that a weight is made of."""
    yield use.node
    for step, argument in use.steps:
        for other in argument[1] if step == "join" else ():
            yield from _nodes(other)
