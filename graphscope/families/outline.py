"""Layers that nothing is known to wire -> a model that owns every weight: in the order of the file, chained where widths meet.

A claim about weights, never about numbers: where one layer's width is the next one's they are called one after the other,
else a new input begins. What names and shapes leave open (strides, padding, activations, pooling, skips) is Keras's
default, and the source says so.
"""

from __future__ import annotations

from dataclasses import replace

from ..graph import Graph, Layer, Model, Node, Signature, Tensor, TensorSpec, WeightUse
from ..graph.keras.signatures import layer_classes
from ..graph.layer import WIRING_ASSUMED
from ..graph.named_values import Config
from ..read.variables.guess import likely_layer, telling
from ..read.variables.roles import PARAMETERS
from ..read.variables.widths import Widths, widths
from .notation.cells import above_and_below, gru_weights, lstm_weights

EVIDENCE = (
    f"{WIRING_ASSUMED}: names and shapes alone, in their order; strides, padding, activations, pooling and skips "
    "are Keras's defaults, not the file's"
)


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


def _taken(ends: Widths, rank: int) -> tuple[int, int]:
    """The rank and width that a layer can be called on; one that works along the last axis takes any rank."""
    return (ends.rank or rank, ends.takes)


def _input(graph: Graph, name: str, ends: Widths) -> Tensor:
    shape: tuple[int | None, ...] = (None,) * max(ends.rank or 2, 2)
    if ends.dtype == "float32":
        shape = (*shape[:-1], ends.takes)
    node = f"{name}_input"
    attrs = {"batch_shape": shape, "dtype": ends.dtype}
    spec = (TensorSpec(ends.dtype, shape),)
    graph.add(node, Layer("InputLayer", attrs, spec, output=Tensor(node), name=node))
    return Tensor(node)


def _ends(layer: Layer) -> Widths | None:
    """What a layer takes and gives, from its weights; None for a class whose call needs more than one tensor."""
    shapes = {role: use.shape for role, use in layer.weights.items()}
    return widths(layer.op, shapes, layer.attrs)


def _in_keras_terms(layer: Layer) -> Layer | None:
    """The layer with Keras's own weight names and layouts; None where they do not lead there."""
    signature = layer_classes().get(layer.op)
    if signature is None:
        return None
    weights: dict[str, WeightUse] = dict(layer.weights)
    is_whole = set(weights) <= set(signature.weights)  # as Keras 3 keeps them
    units = int(layer.attrs.get("units") or 0)
    if layer.op == "LSTM" and not is_whole and "recurrent_kernel" not in weights:
        weights = lstm_weights(weights, units)
    if layer.op == "SimpleRNN" and not is_whole and "recurrent_kernel" not in weights:
        weights = {**weights, **above_and_below(weights["kernel"], units)}
    if layer.op == "GRU" and "gates/kernel" in weights:
        weights = gru_weights(weights, units)
    by_last = {path.rpartition("/")[2].lstrip("_"): path for path in signature.weights}
    by_last |= {path: path for path in signature.weights}
    if layer.op.startswith("Depthwise"):
        by_last["depthwise_kernel"] = "kernel"
    if not set(weights) <= set(by_last):
        return None
    named = {by_last[role]: use for role, use in weights.items()}
    order = {path: place for place, path in enumerate(signature.weights)}
    listed = dict(sorted(named.items(), key=lambda item: order.get(item[0], 0)))
    config: Config = {**_derived(layer), **layer.attrs}
    if layer.op in ("LSTM", "GRU", "SimpleRNN"):
        config = {**config, "return_sequences": True}
    return replace(layer, attrs=config, weights=listed, evidence=(EVIDENCE,))


def _derived(layer: Layer) -> Config:
    """What the shapes of its weights say of a layer's arguments, where its class is all that the file states."""
    whole = {role: use.shape for role, use in layer.weights.items()}
    short = {role.rpartition("/")[2]: shape for role, shape in whole.items()}
    shapes = short if len(short) == len(whole) else whole
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
        node for each in layers for use in each.weights.values() for node in use.nodes()
    }
    for variable in model.variables:
        if variable.role in PARAMETERS and variable.name not in owned:
            if "int" in variable.dtype or variable.dtype == "string":
                continue  # a table's keys or a counter: no Keras weight holds them
            spec = TensorSpec(variable.dtype, variable.shape)
            attrs = {"dtype": variable.dtype, "shape": variable.shape}
            graph.add(variable.name, Node("VariableV2", attrs, (spec,)))
    if not any(graph.op(name) == "InputLayer" for name in graph) and len(graph):
        _input(graph, "any", Widths(2, 1, 1))
