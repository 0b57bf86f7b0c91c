"""Batch normalisation in training mode -> its inference form: the moving statistics in place of the batch's.

Training-form batch normalisation does not read its moving statistics, so nothing above the output says which they are. They are found
where the batch's statistics go: into the updates of the variables that follow them.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import replace

from ...graph import Graph, Node, Tensor
from ...graph.edit import fresh, put, read_instead
from ...ops import spellings
from ...wire.write import Edited
from ..report import Change
from ..variables.moving_averages import REACH, Averages, variable_of
from ..variables.to_constants import HANDLES

STATISTICS = "moving statistics in place of the batch's"
FUSED = spellings.FUSED_BATCH_NORMS
_THROUGH = frozenset(
    {
        *spellings.SELECTS,
        *"Identity Squeeze Reshape Cast Mul RealDiv StopGradient Switch Merge Enter ExpandDims IdentityN".split(),
    }
)
_REDUCES = frozenset({"Mean", "Sum", *FUSED})


def use_moving_statistics(
    graph: Graph, whole: Graph, averages: Averages
) -> Iterator[Change]:
    """Rewire the batch normalisations of ``graph`` (pruned, changed in place) to what the updates in ``whole`` follow.

    Yields one Change for each; a training-form normalisation without moving statistics is left, and reported.
    """
    fused: dict[str, dict[int, str]] = {}
    for variable, statistic in averages.statistics.items():
        used = _uses(graph, whole, statistic)
        for tensor, squeezed in used:
            if graph.op(tensor.node) in FUSED:
                fused.setdefault(tensor.node, {})[tensor.port] = variable
            else:
                yield _substitute(graph, whole, tensor, variable, squeezed)
    for name in list(graph.by_op(*FUSED)):
        if graph.attrs(name).get("is_training", True):
            yield _set_inference(graph, whole, name, fused.get(name, {}))


def _uses(
    graph: Graph, whole: Graph, statistic: Tensor
) -> list[tuple[Tensor, tuple[int, ...]]]:
    """The tensors above a statistic that the inference graph computes with, and the axes squeezed on the way there."""
    uses, visited = [], {statistic}
    queue: list[tuple[Tensor, tuple[int, ...]]] = [(statistic, ())]
    if not _reduces(whole, statistic):
        return []
    while queue and len(visited) < REACH:
        tensor, squeezed = queue.pop(0)
        op = whole.op(tensor.node)
        if op in FUSED:
            if tensor.node in graph and tensor.port in (1, 2):
                uses.append((tensor, squeezed))
            continue
        if tensor.node in graph and _read_beyond(graph, tensor, visited):
            uses.append((tensor, squeezed))
            continue
        if op == "Squeeze":
            squeezed = tuple(whole.attrs(tensor.node).get("squeeze_dims") or ())
        for source in whole.inputs(tensor.node) if op in _THROUGH else ():
            if source not in visited:
                visited.add(source)
                queue.append((source, squeezed))
    return uses


def _read_beyond(graph: Graph, tensor: Tensor, members: Container[Tensor]) -> bool:
    """Whether the inference graph uses the tensor otherwise than to hand it on to what is looked at already."""
    return any(
        graph.op(reader) not in _THROUGH
        or graph.op(reader) in ("Mul", "RealDiv")
        or Tensor(reader) not in members
        for reader, _ in graph.consumers(*tensor)
    )


def _reduces(whole: Graph, statistic: Tensor) -> bool:
    """Whether a few ops up something is averaged over the batch."""
    stack, visited = [statistic.node], {statistic.node}
    while stack and len(visited) < REACH:
        name = stack.pop()
        if whole.op(name) in _REDUCES:
            return True
        for source in whole._pred[name]:
            if source not in visited:
                visited.add(source)
                stack.append(source)
    return False


def _substitute(
    graph: Graph,
    whole: Graph,
    tensor: Tensor,
    variable: str,
    squeezed: tuple[int, ...],
) -> Change:
    value = _value(graph, whole, variable)
    if squeezed:
        value = _expanded(graph, whole, value, variable, squeezed)
    readers = []
    for reader, slot in graph.consumers(*tensor):
        read_instead(graph, reader, slot, value)
        readers.append(reader)
    return Change(
        f"reads the moving statistic {variable} in place of the batch's {tensor}",
        tuple(readers),
        STATISTICS,
    )


def _value(graph: Graph, whole: Graph, variable: str) -> Tensor:
    """A tensor of ``graph`` that has the variable's value."""
    if variable not in graph:
        put(graph, variable, whole.node(variable), ())
    if whole.op(variable) not in HANDLES:
        return Tensor(variable)
    read = f"{variable}/moving"
    if read not in graph:
        attrs = {"dtype": whole.attrs(variable)["dtype"]}
        put(graph, read, Node("ReadVariableOp", attrs), [Tensor(variable)])
    return Tensor(read)


def _expanded(
    graph: Graph, whole: Graph, value: Tensor, variable: str, axes: tuple[int, ...]
) -> Tensor:
    """The value with the axes of size 1 that were squeezed out of the statistic."""
    import numpy as np

    sizes = list(whole.attrs(variable).get("shape") or ())
    rank = len(sizes) + len(axes)
    for axis in sorted(axis % rank for axis in axes):
        sizes.insert(axis, 1)
    dtype = str(whole.attrs(variable)["dtype"]).removesuffix("_ref")
    name = fresh(graph, f"{variable}/expanded")
    shape = np.asarray([-1 if s is None else s for s in sizes], np.int32)
    put(graph, f"{name}/shape", Node("Const", {"dtype": "int32", "value": shape}))
    attrs = {"T": dtype, "Tshape": "int32"}
    put(graph, name, Node("Reshape", attrs), [value, Tensor(f"{name}/shape")])
    return Tensor(name)


def _set_inference(
    graph: Graph, whole: Graph, name: str, moving: dict[int, str]
) -> Change:
    node, inputs = graph.node(name), list(graph.inputs(name))
    if 1 in moving and 2 in moving:
        inputs[3:5] = [_value(graph, whole, moving[port]) for port in (1, 2)]
    elif len(inputs) != 5 or not all(variable_of(whole, t) for t in inputs[3:5]):
        return Change(
            "still normalises with the statistics of the batch: nothing in the graph keeps moving ones",
            (name,),
        )
    changes = {"is_training": False, "exponential_avg_factor": None}
    put(graph, name, replace(node, attrs=Edited(node.attrs, changes)), inputs)
    return Change("normalises with its moving statistics", (name,), STATISTICS)
