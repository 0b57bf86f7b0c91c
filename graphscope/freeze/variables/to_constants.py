"""Graph -> Graph without variables: each becomes a Const, and what read, switched or passed it on is retyped (``retype.py``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import GraphscopeError, MissingWeight
from ...graph import Function, Graph, Model, Node, Tensor, did_you_mean
from ...graph.edit import duplicate, put
from ...ops import spellings
from ...read.weights.lazy_const import Stored, stored
from .functions import Bodies
from .retype import drop_references, retype_handles

REFERENCES = frozenset({*spellings.REFERENCES, "AutoReloadVariable"})
HANDLES = frozenset({"VarHandleOp"})


def freeze_variables(
    graph: Graph, model: Model, instead: Mapping[str, str] | None = None
) -> tuple[Graph, dict[str, Function]]:
    """The graph with constants for variables, and the functions of the library whose bodies had to change for it.

    ``instead`` maps variable nodes to the key of the weight to take in place of their own (a moving average). A variable
    without a value is left as it is: whether that matters is for ``check_values`` to say, after pruning. Raises NotExpressible
    where an op can only work on a variable.
    """
    frozen_graph = duplicate(graph)
    frozen = _Values(model, instead or {})
    for name in list(frozen_graph.by_op(*REFERENCES)):
        _place(frozen_graph, name, frozen.of(name))
    bodies = Bodies(model.functions)
    handles = {
        Tensor(name): dtype
        for name in list(frozen_graph.by_op(*HANDLES))
        if (dtype := _place(frozen_graph, name, frozen.of(name)))
    }
    retype_handles(frozen_graph, handles, bodies)
    drop_references(frozen_graph)
    return frozen_graph, bodies.made


def check_values(graph: Graph, model: Model) -> None:
    """Raise MissingWeight where a variable is left, naming the nearest that the checkpoint holds."""
    left = list(graph.by_op(*REFERENCES, *HANDLES))
    if not left:
        return
    name = left[0]
    key = model.keys.get(name, name)
    others = f" (and {len(left) - 1} more)" if len(left) > 1 else ""
    where = model.source or "the file"
    if not len(model.weights):
        raise MissingWeight(
            f"variable {name!r}{others} has no value: {where} holds a graph without weights; pass its checkpoint too"
        )
    raise MissingWeight(
        f"variable {name!r}{others} has no value in {where}{did_you_mean(key, model.weights)}"
    )


class _Values:
    """Which weight a variable node takes its value from."""

    def __init__(self, model: Model, instead: Mapping[str, str]) -> None:
        self.model, self.instead = model, instead

    def of(self, name: str) -> Stored | None:
        weights, node = self.model.weights, self.model.graph.node(name)
        shared = node.attrs.get("shared_name") or name
        keys = (self.instead.get(name), self.model.keys.get(name), name, shared)
        for key in keys:
            if key is not None and key in weights:
                return _checked(name, node, stored(weights, key), key)
        return None


def _checked(name: str, node: Node, value: Stored, key: str) -> Stored:
    """The value, if it has the dtype and shape that the graph declares."""
    dtype = str(node.attrs.get("dtype", value.dtype)).removesuffix("_ref")
    shape = node.attrs.get("shape")
    fits = not shape or len(shape) == len(value.shape)
    if fits and shape:
        fits = all(want in (None, got) for want, got in zip(shape, value.shape))
    if dtype != value.dtype or not fits:
        raise GraphscopeError(
            f"variable {name!r} is declared as {dtype} {_sizes(shape)}, but the checkpoint holds {value.dtype} "
            f"{_sizes(value.shape)} under {key!r}: graph and checkpoint are not of one model"
        )
    return value


def _sizes(shape: Any) -> str:
    return "of unknown rank" if shape is None else str([s or "?" for s in shape])


def _place(graph: Graph, name: str, value: Stored | None) -> str:
    """Put the Const in the variable's place; its dtype, or ``""`` where there is no value."""
    if value is None:
        return ""
    old = graph.node(name)
    put(graph, name, Node("Const", value, (), old.controls, old.device), ())
    return value.dtype
