"""An exact claim -> the Model with the family's layers as its graph, wired, each with its weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..graph import Graph, Layer, Model, Node, Signature, Tensor, TensorSpec, WeightUse
from ..graph.keras import KerasLayer
from ..read.keras.shapes import output_specs
from .claim import Claim
from .notation.net import REFLECTION, VARIABLE, Traced, settled

PATTERN = "family"
_LIKE_INPUT = frozenset(
    "AttentionDecoder ClearPadding PositionEmbedding ReversedSteps TimingSignal".split()
)
_EPISODE = "OneEpisode"  # takes a batch for the steps of one sequence


def with_family(model: Model, claim: Claim) -> Model:
    """The model whose graph is what the family computes; its ends are the layers that nothing reads."""
    graph = Graph()
    specs: dict[Tensor, TensorSpec] = {}
    for traced in claim.net.trace.values():
        if traced.op == VARIABLE:
            (use,) = traced.weights.values()
            graph.add(use.node, _variable(use, model))
            continue
        inputs = [handle.tensor for handle in traced.inputs]
        if traced.op == REFLECTION:
            specs[Tensor(traced.name)] = _reflect(graph, traced, specs[inputs[0]])
            continue
        traced.config = {key: settled(value) for key, value in traced.config.items()}
        layer = _layer(traced, claim, [specs[tensor] for tensor in inputs])
        for port, spec in enumerate(layer.outputs or (TensorSpec(),)):
            specs[Tensor(traced.name, port)] = spec
        graph.add(traced.name, layer, inputs)
    feeds = [name for name in graph if graph.op(name) == "InputLayer"]
    ends = [name for name in graph if not graph.consumers(name)]
    signature = Signature(
        {name: Tensor(name) for name in feeds}, {name: Tensor(name) for name in ends}
    )
    return replace(
        model,
        graph=graph,
        signatures={"call": signature},
        inferred=False,
        layered=True,
        remarks=(*model.remarks, *claim.conventions),
    )


def _reflect(graph: Graph, traced: Traced, spec: TensorSpec) -> TensorSpec:
    """MirrorPad and the constant that says how far."""
    by, borders = traced.config["by"], f"{traced.name}/paddings"
    value = np.array([[0, 0], [by, by], [by, by], [0, 0]], "int32")
    constant = TensorSpec("int32", value.shape)
    graph.add(borders, Node("Const", {"dtype": "int32", "value": value}, (constant,)))
    batch, *sizes, channels = spec.shape or (None,) * 4
    wider = (None if size is None else size + 2 * by for size in sizes)
    padded = TensorSpec(spec.dtype, (batch, *wider, channels))
    attrs = {"mode": "REFLECT", "T": "float32", "Tpaddings": "int32"}
    inputs = [traced.inputs[0].tensor, Tensor(borders)]
    graph.add(traced.name, Node(REFLECTION, attrs, (padded,)), inputs)
    return padded


def _variable(use: WeightUse, model: Model) -> Node:
    """A weight that is an output by itself, under the name that it is stored by."""
    dtype = next(v.dtype for v in model.variables if v.name == use.node)
    spec = TensorSpec(dtype, use.shape)
    return Node(VARIABLE, {"dtype": dtype, "shape": use.shape}, (spec,))


def _layer(traced: Traced, claim: Claim, inputs: Sequence[TensorSpec]) -> Layer:
    places = range(len(traced.inputs))
    names = traced.arguments or tuple(f"x{n}" if n else "x" for n in places)
    return Layer(
        traced.op,
        traced.config,
        outputs=_outputs(traced, inputs),
        inputs={n: h.tensor for n, h in zip(names, traced.inputs, strict=False)},
        weights=traced.weights,
        members=frozenset(use.node for use in traced.weights.values()),
        output=Tensor(traced.name),
        pattern=PATTERN,
        evidence=(str(claim),),
        name=traced.name,
    )


def _outputs(traced: Traced, inputs: Sequence[TensorSpec]) -> tuple[TensorSpec, ...]:
    """What a layer yields, by the rules that serve Keras files too."""
    shape = traced.config.get("batch_shape")
    if shape is not None:
        return (TensorSpec(traced.config["dtype"], shape),)
    if traced.op in _LIKE_INPUT:
        return tuple(inputs[:1])
    if traced.op == _EPISODE:
        return (TensorSpec(inputs[0].dtype, (1, *(inputs[0].shape or ()))),)
    return output_specs(KerasLayer(traced.name, traced.op, traced.config), inputs, {})
