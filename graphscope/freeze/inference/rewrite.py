"""Model -> the graph of its use: modes set, training-form layers in their inference form, checks and copies gone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ...graph import Function, Graph, Model, Tensor
from ...graph.edit import redirect
from ...ops import spellings
from ...simplify.prune import FRAME_OPS, prune
from ...simplify.rewrites.dropout import drop_dropout, without_dropout
from ...simplify.rewrites.stored_ranges import read_stored_ranges
from ...simplify.specialise import specialise
from ..report import Change
from ..variables.moving_averages import Averages
from .batch_norm import use_moving_statistics

COPIES = frozenset(
    {
        *spellings.COPIES,
        *"CheckNumerics CheckNumericsV2 PreventGradient Print DebugIdentity DebugIdentityV2".split(),
    }
)


def find_modes(model: Model, graph: Graph) -> dict[str, object]:
    """The placeholders of ``graph`` that switch between training and use, with the value that use needs."""
    if not any(_may_switch(graph, n) for n in graph.by_op(*spellings.PLACEHOLDERS)):
        return {}
    from ...infer.outputs.find import find_outputs

    inputs = find_outputs(model).inputs
    return {
        c.tensor.node: c.value
        for c in inputs
        if c.value is not None and c.tensor.node in graph
    }


def _may_switch(graph: Graph, name: str) -> bool:
    """Whether a placeholder may be a scalar truth value or probability."""
    node = graph.node(name)
    dtype = str(node.attrs.get("dtype"))
    return not node.attrs.get("shape") and dtype in (
        "bool",
        "float32",
        "float64",
        "float16",
    )


def for_inference(
    model: Model,
    outputs: Iterable[Tensor],
    modes: Mapping[str, object],
    averages: Averages,
) -> tuple[Graph, list[Change]]:
    """The pruned graph of ``model`` in its inference form, and what was changed to get there."""
    ends = list(outputs)
    changes = [
        Change(f"{name} set to {value}", (name,), f"{name} set to {value}")
        for name, value in modes.items()
    ]
    whole = model.graph
    graph = specialise(whole, modes, model.functions)
    graph, ranges = read_stored_ranges(graph)
    graph = prune(graph, ends)
    changes += [
        Change(
            f"quantises with its stored range {' to '.join(names)}",
            (name,),
            "the stored ranges of quantisation",
        )
        for name, names in ranges.items()
        if name in graph
    ]
    changes += use_moving_statistics(graph, whole, averages)
    graph = prune(graph, ends)
    changes += [
        Change("dropout removed", (name,), "no dropout") for name in drop_dropout(graph)
    ]
    return prune(graph, ends), changes


def drop_copies(graph: Graph, outputs: Iterable[Tensor]) -> list[str]:
    """Take out of ``graph``, in place, the nodes that hand on what they read; their names.

    Those stay that are outputs, that carry deadness or a frame, or that a control dependency names.
    """
    ends = {tensor.node for tensor in outputs}
    ends |= {source for name in graph for source in graph.node(name).controls}
    dropped = []
    for name in [*graph.by_op(*COPIES)]:
        inputs = graph.inputs(name)
        if name in ends or not inputs or graph.node(name).controls:
            continue
        if graph.op(inputs[0].node) in FRAME_OPS or inputs[0].node == name:
            continue
        redirect(graph, Tensor(name), inputs[0])
        graph.remove_node(name)
        dropped.append(name)
    return dropped


def bodies_without_dropout(functions: Mapping[str, Function]) -> dict[str, Function]:
    """The functions in whose bodies something is dropped at random, without that: the bodies of loops."""
    changed = {name: without_dropout(each) for name, each in functions.items()}
    return {name: each for name, each in changed.items() if each is not None}


def renamed(graph: Graph, names: Mapping[str, str]) -> Graph:
    """The graph with some nodes under other names."""
    renamed_ = Graph()
    for name in graph:
        node = graph.node(name)
        controls = tuple(names.get(source, source) for source in node.controls)
        inputs = (Tensor(names.get(t.node, t.node), t.port) for t in graph.inputs(name))
        renamed_.add(names.get(name, name), replace(node, controls=controls), inputs)
    return renamed_
