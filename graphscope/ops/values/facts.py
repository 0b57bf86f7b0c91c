"""What is known of one tensor before anything runs: its spec, its elements, what its handle leads to; and how two such agree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from ...graph import Shape, Tensor, TensorSpec
from ..registry import Partial, Value
from .dims import Dim, join


class Contents(NamedTuple):
    """What a resource or variant handle leads to.

    ``specs`` are those of the variable, of a list's elements or of a queue's components; None while no element has been
    seen. ``length`` is a list's length; ``array`` names the node that made a tensor array.
    """

    specs: tuple[TensorSpec, ...] | None = None
    length: Dim = None
    array: str = ""


class Fact(NamedTuple):
    """What is known of one tensor."""

    spec: TensorSpec
    value: Value = None
    held: Contents | None = None


class Implied(NamedTuple):
    """A shape that a feed must have, and the reader that says so; ``is_guess`` where other shapes would do as well."""

    shape: Shape
    evidence: str
    is_guess: bool = False


class FactsOf(Mapping[Tensor, Fact]):
    """The facts of each tensor, from those of each node."""

    def __init__(self, by_node: Mapping[str, tuple[Fact, ...]]) -> None:
        self.by_node = by_node

    def __getitem__(self, tensor: Tensor) -> Fact:
        ports = self.by_node[tensor.node]
        if not 0 <= tensor.port < len(ports):
            raise KeyError(tensor)
        return ports[tensor.port]

    def __contains__(self, tensor: object) -> bool:
        return isinstance(tensor, Tensor) and -1 < tensor.port < len(
            self.by_node.get(tensor.node, ())
        )

    def __iter__(self) -> Iterator[Tensor]:
        for name, ports in self.by_node.items():
            for port in range(len(ports)):
                yield Tensor(name, port)

    def __len__(self) -> int:
        return sum(map(len, self.by_node.values()))


class SpecsOf(Mapping[Tensor, TensorSpec]):
    """The specs among facts."""

    def __init__(self, facts: Mapping[Tensor, Fact]) -> None:
        self.facts = facts

    def __getitem__(self, tensor: Tensor) -> TensorSpec:
        return self.facts[tensor].spec

    def __iter__(self) -> Iterator[Tensor]:
        return iter(self.facts)

    def __len__(self) -> int:
        return len(self.facts)


UNKNOWN = Fact(TensorSpec())


def join_facts(one: Fact, other: Fact) -> Fact:
    """What holds of a tensor that may be either."""
    if one is other:
        return one
    same = one.spec == other.spec
    spec = one.spec if same else join_specs(one.spec, other.spec)
    return Fact(
        spec, join_values(one.value, other.value), join_held(one.held, other.held)
    )


def join_specs(one: TensorSpec, other: TensorSpec) -> TensorSpec:
    """The dtype that either says, and the shape that both agree upon."""
    return TensorSpec(one.dtype or other.dtype, join(one.shape, other.shape))


def join_values(one: Value, other: Value) -> Value:
    """The elements that are agreeing in both and equal."""
    if one is other:
        return one
    if one is None or other is None:
        return None
    first, second = _partial(one), _partial(other)
    if first.array.shape != second.array.shape:
        return None
    agreeing = first.known & second.known & (first.array == second.array)
    if agreeing.all():
        return first.array
    return Partial(first.array, agreeing) if agreeing.any() else None


def _partial(value: np.ndarray | Partial) -> Partial:
    if isinstance(value, Partial):
        return value
    return Partial(value, np.ones(value.shape, bool))


def join_held(one: Contents | None, other: Contents | None) -> Contents | None:
    """What either handle leads to; elements not seen yet agree with any."""
    if one == other or one is None or other is None:
        return one if one == other else None
    if one.array != other.array:
        return None
    count = one.length if one.length == other.length else None
    if one.specs is None or other.specs is None:
        return Contents(one.specs or other.specs, count, one.array)
    if len(one.specs) != len(other.specs):
        return None
    pairs = zip(one.specs, other.specs, strict=True)
    return Contents(tuple(join_specs(*pair) for pair in pairs), count, one.array)


def same_fact(one: Fact, other: Fact) -> bool:
    """Whether two facts say the same."""
    if one is other:
        return True
    if one.spec != other.spec or one.held != other.held:
        return False
    if one.value is other.value:
        return True
    if one.value is None or other.value is None:
        return False
    first, second = _partial(one.value), _partial(other.value)
    if first.array.shape != second.array.shape:
        return False
    alike = (first.array == second.array) | ~first.known
    return bool(np.array_equal(first.known, second.known) and np.all(alike))
