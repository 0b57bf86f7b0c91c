"""Which nodes of a rewritten graph are what they were, so that what is known of their sizes holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from ...graph import Graph, Tensor
from ...graph.named_values import Arguments
from ...ops.values.size import Sizes

Equal = Mapping[tuple[Tensor, int], tuple[Tensor, int]]


class Sized(Protocol):
    """A view of a graph, and the sizes of its tensors."""

    graph: Graph
    kinds: Arguments
    inputs: dict[str, tuple[Tensor, ...]]

    @property
    def known_dims(self) -> Mapping[Tensor, Sizes]: ...
    def first_feed(self) -> str: ...
    def equal_sizes(self) -> Equal: ...
    def ports(self, name: str) -> Sequence[int]: ...


def unchanged(view: Sized, before: Sized | None, order: Sequence[str]) -> set[str]:
    """The nodes, as are all that they depend on, whose sizes bear the names that they bore; ``order`` has sources first."""
    if before is None or view.first_feed() != before.first_feed():
        return set()
    renamed = view.equal_sizes().keys() - before.equal_sizes().keys()
    same: set[str] = set()
    for name in order:
        if name in before.kinds and _is_same(view, before, name, same):
            dims = (before.known_dims.get(Tensor(name, p)) for p in view.ports(name))
            sizes = (size for each in dims for size in each or () if size)
            if renamed.isdisjoint(axis for size in sizes for axis in size.axes):
                same.add(name)
    return same


def _is_same(view: Sized, before: Sized, name: str, same: set[str]) -> bool:
    inputs = view.inputs[name]
    return (
        view.graph.node(name) is before.graph.node(name)
        and inputs == before.inputs[name]
        and all(tensor.node in same for tensor in inputs)
    )
