"""A checkpoint and a model that somebody has -> which variable is which weight, and source that loads them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ..errors import GraphscopeError
from ..families.assignment import Assignment, Weight, assign, mapping_source
from ..graph import Layer, Model, Variable
from ..read import load
from ..read.variables.roles import PARAMETERS


def assign_files(
    checkpoint: str, target: str, trust: bool = False
) -> tuple[Assignment, str]:
    """The pairs of a checkpoint's variables and the weights of a model, and the source that loads the one into the other.

    ``target`` is any model file, or Python source that builds one (see ``verify.weight_list``). Raises GraphscopeError
    where either side holds no weight.
    """
    from ..verify.run.child_process import apart
    from ..verify.weight_list import is_built, weight_list

    stored = load(checkpoint)
    sources = list(_weights(stored))
    path, keras = Path(target), False
    if is_built(path):
        listed, keras = apart(lambda: weight_list(path, trust))
        targets = [Weight(name, name, shape) for name, shape in listed]
    else:
        targets = list(_weights(load(target)))
    for side, name in ((sources, checkpoint), (targets, target)):
        if not side:
            raise GraphscopeError(f"{name}: holds no weights to assign")
    assignment = replace(assign(sources, targets), checkpoint=checkpoint, model=target)
    is_bundle = stored.format.startswith("TensorFlow checkpoint")
    return assignment, mapping_source(assignment, checkpoint, keras, is_bundle)


def _weights(model: Model) -> Iterator[Weight]:
    """What counts as a weight, in the order of the layers where one is known."""
    variables = {v.name: v for v in model.variables if v.role in PARAMETERS}
    if model.inferred:
        for node in map(model.graph.node, model.graph):
            names = (
                [use.node for use in node.weights.values()]
                if isinstance(node, Layer)
                else []
            )
            yield from (_weight(variables.pop(n)) for n in names if n in variables)
    yield from map(_weight, variables.values())


def _weight(variable: Variable) -> Weight:
    name = variable.full_name or variable.path or variable.name
    return Weight(
        variable.name, name, tuple(size or 0 for size in variable.shape or ())
    )
