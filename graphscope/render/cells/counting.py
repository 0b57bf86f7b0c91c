"""Weights -> how many parameters: the one place where they are counted, each stored number once.

What a layer holds counts in the first layer that reads it: of a weight read in slices each slice on its own; one read again, transposed
(a tied embedding) or as it is, is shared. A constant that an op reads counts where it is of several real numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...graph import Layer, Node, Shape, TensorSpec, WeightUse
from ...ops import spellings
from .spelling import size_of

VARIABLES = frozenset(spellings.VARIABLES)


class Count:
    """What was counted so far: ``stored`` has the elements that rows have of each variable or constant of the graph."""

    def __init__(self) -> None:
        self.stored: dict[str, int] = {}
        self._known: set[Any] = set()

    def of_layer(self, name: str, layer: Layer) -> tuple[int, int]:
        """The elements of a layer's weights that no earlier row has, and of those that one has."""
        new = shared = 0
        for role, use in layer.weights.items():
            size = size_of(use.shape)
            if self._is_new(use, (name, role)):
                new += size
                self._note(use)
            else:
                shared += size
        return new, shared

    def of_node(self, name: str, node: Node, spec: TensorSpec) -> int:
        """The elements of a variable or a constant that an op reads; 0 where a row has them."""
        key = (name, ())
        size = 0 if key in self._known else held(node, spec)
        if size:
            self._known.add(key)
            self.stored[name] = max(self.stored.get(name, 0), size)
        return size

    def _is_new(self, use: WeightUse, place: object) -> bool:
        """Whether a row has it yet; from now on one has."""
        key = _key(use) if use.node else place
        is_new = key not in self._known
        self._known.add(key)
        return is_new

    def _note(self, use: WeightUse) -> None:
        inner = list(_inner(use))
        joined = sum(size_of(each.shape) for each, step in inner if step == "join")
        if use.node:
            own = max(0, size_of(use.shape) - joined)
            self.stored[use.node] = self.stored.get(use.node, 0) + own
        for each, _ in inner:
            self._note(each)


def _key(use: WeightUse) -> Any:
    """What part of which stored array it is: shape and layout do not matter."""
    parts = tuple(repr(argument) for step, argument in use.steps if step == "slice")
    inner = tuple(_key(each) for each, _ in _inner(use))
    return (use.node, parts, inner) if inner else (use.node, parts)


def _inner(use: WeightUse) -> Iterator[tuple[WeightUse, str]]:
    """The other weights that are joined or added to it, and which of both."""
    for step, argument in use.steps:
        if step == "join":
            yield from ((each, step) for each in argument[1])
        elif step == "sum":
            yield from ((each, step) for each in argument)


def held(node: Node, spec: TensorSpec) -> int:
    """The parameters that an op node holds: those of a variable, or of a constant of several real numbers."""
    if node.op in VARIABLES:
        shape = node.attrs.get("shape", spec.shape)
        return size_of(shape)
    if node.op != "Const" or "float" not in str(node.attrs.get("dtype")):
        return 0
    count = size_of(constant_shape(node))
    return count if count > 1 else 0


def constant_shape(node: Node) -> Shape:
    """The shape of a Const's value, without reading the values where the reader can tell it."""
    if "value" in node.attrs and hasattr(node.attrs, "spec"):
        shape = node.attrs.spec("value").shape
        return None if shape is None else tuple(shape)
    value = node.attrs.get("value")
    return tuple(value.shape) if isinstance(value, np.ndarray) else None
