"""The freeze itself: Model and outputs -> file and report."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from ..graph import Graph, Model, Tensor
from ..simplify.inline import inline
from ..simplify.prune import existing, prune
from ..simplify.rewire import duplicate, put
from ..write import Edited
from .report import FreezeReport
from .stream import write_graph
from .variables import check_values, freeze_variables

PLACEHOLDERS = ("Placeholder", "PlaceholderV2", "PlaceholderWithDefault")


def freeze_model(
    model: Model,
    outputs: Iterable[Tensor | str],
    path: str | Path,
    *,
    keep_devices: bool = False,
    text: bool = False,
) -> FreezeReport:
    """Write what the outputs need as a GraphDef in which variables are constants.

    Raises GraphError where an output does not exist, MissingWeight where a variable that is needed has no value, NotExpressible
    where an op needs a variable, GraphscopeError where the file would be larger than 2 GB or cannot be written.
    """
    flat = inline(model)
    wanted = [existing(flat.graph, output) for output in outputs]
    graph = prune(flat.graph, wanted)
    graph, functions = freeze_variables(graph, flat)
    graph = prune(graph, wanted)
    check_values(graph, flat)
    graph = _bare(graph, keep_devices)
    library = {**flat.functions, **functions}
    size = write_graph(graph, path, library, flat.versions, text)
    return FreezeReport(
        path=str(path),
        inputs=tuple(str(Tensor(name)) for name in graph.by_op(*PLACEHOLDERS)),
        outputs=tuple(map(str, wanted)),
        nodes=len(graph),
        constants=sum(1 for _ in graph.by_op("Const")),
        bytes=size,
    )


def _bare(graph: Graph, keep_devices: bool) -> Graph:
    """The graph without what ties it to where it was trained: devices, colocation, shapes that were declared."""
    made = duplicate(graph)
    for name in made:
        node = made.node(name)
        changes = {k: None for k in ("_class", "_output_shapes") if k in node.attrs}
        if changes:
            node = replace(node, attrs=Edited(node.attrs, changes))
        if node.device and not keep_devices:
            node = replace(node, device="")
        if node is not made.node(name):
            put(made, name, node)
    return made
