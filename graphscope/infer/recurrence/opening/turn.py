"""One turn of a loop that lies open: what it carries, and what that is afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from .... import ops
from ....graph import Graph, Tensor


@dataclass(frozen=True)
class Turn:
    """One While and one turn of it: ``state`` stands for each loop variable that changes, ``inputs`` are the first values of all,
    ``after`` what each is after the turn, ``goes_on`` whether there is one; ``nodes`` are those of the body.
    """

    node: str
    loop: str
    inputs: tuple[Tensor, ...]
    state: Mapping[int, Tensor]
    after: tuple[Tensor, ...]
    goes_on: Tensor
    nodes: frozenset[str]

    @cached_property
    def port(self) -> dict[Tensor, int]:
        """Which loop variable a placeholder stands for."""
        return {tensor: port for port, tensor in self.state.items()}


def list_readers(graph: Graph, tensor: Tensor) -> list[str]:
    """What reads a list, past what only passes it on."""
    readers, stack = [], [tensor]
    while stack:
        for name, _ in graph.consumers(*stack.pop()):
            if "pass-through" in ops.traits(graph.op(name)):
                stack.append(Tensor(name))
            else:
                readers.append(name)
    return readers
