"""An exact claim -> the Model with the family's layers as its graph, wired, each with its weights."""

from __future__ import annotations

from dataclasses import replace

from ..graph import Graph, Layer, Model, Signature, Tensor, TensorSpec
from .claim import Claim
from .net import Traced

PATTERN = "family"


def with_family(model: Model, claim: Claim) -> Model:
    """The model whose graph is what the family computes; its ends are the layers that nothing reads."""
    graph = Graph()
    for traced in claim.net.trace.values():
        inputs = [handle.tensor for handle in traced.inputs]
        graph.add(traced.name, _layer(traced, claim), inputs)
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
        remarks=(*model.remarks, *remarks(claim)),
    )


def remarks(claim: Claim) -> list[str]:
    """What the names and shapes do not say of the file."""
    lines = []
    if claim.open_values:
        listed = ", ".join(
            f"{name} {value}" for name, value in claim.open_values.items()
        )
        lines.append(f"no name and no shape tells: {listed} (the family's usual value)")
    if claim.assumed:
        lines.append(f"by the family's convention: {', '.join(claim.assumed)}")
    return lines


def _layer(traced: Traced, claim: Claim) -> Layer:
    shape = traced.config.get("batch_shape")
    outputs = () if shape is None else (TensorSpec(traced.config["dtype"], shape),)
    places = range(len(traced.inputs))
    names = traced.arguments or tuple(f"x{n}" if n else "x" for n in places)
    return Layer(
        traced.op,
        traced.config,
        outputs=outputs,
        inputs={n: h.tensor for n, h in zip(names, traced.inputs, strict=False)},
        weights=traced.weights,
        members=frozenset(use.node for use in traced.weights.values()),
        output=Tensor(traced.name),
        pattern=PATTERN,
        evidence=(str(claim),),
        name=traced.name,
    )
