"""Variables that a run changes -> what they were before it: each draw of a comparison begins in the same state."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from ...ops import spellings
from ..import_tensorflow import Operation, Session, Symbol
from ..reference.order import upstream

LARGEST = 1_000_000  # numbers in a variable that is looked at: a state is small
_REFERENCES = frozenset(spellings.REFERENCES)


class States:
    """The variables of one session's graph that running some tensors writes."""

    def __init__(self, tf: Any, session: Session) -> None:
        self.tf, self.session = tf, session
        self.first: dict[Operation, np.ndarray] = {}
        self.known: set[Operation] = set()

    def remember(self, fetches: Sequence[Symbol]) -> None:
        """Note what the variables hold that running the tensors may write; they are read once."""
        above = upstream((tensor.op for tensor in fetches), controls=True)
        if not any(self._writes(op) for op in above):
            return
        for op in above - self.known:
            self.known.add(op)
            if op.type in _REFERENCES or op.type == "VarHandleOp":
                value = self._value(op)
                if value is not None:
                    self.first[op] = value

    def restore(self) -> None:
        """Give each of them the value that was noted, where it has another now."""
        for op, value in self.first.items():
            now = self._value(op)
            if now is None or not np.array_equal(now, value):
                self._assign(op, value)

    def _writes(self, op: Operation) -> bool:
        """Whether an op assigns, or runs a function that does."""
        stack, visited = [op.node_def], set[str]()
        while stack:
            node = stack.pop()
            if node.op.startswith("Assign"):
                return True
            for value in node.attr.values():
                name = value.func.name
                if name in self.bodies and name not in visited:
                    visited.add(name)
                    stack += self.bodies[name]
        return False

    @cached_property
    def bodies(self) -> dict[str, list[Any]]:
        """The nodes of each function of the graph."""
        library = self.session.graph.as_graph_def().library.function
        return {each.signature.name: list(each.node_def) for each in library}

    def _value(self, op: Operation) -> np.ndarray | None:
        shape = op.get_attr("shape")
        size = int(np.prod([each.size for each in shape.dim]))
        if shape.unknown_rank or size < 0 or size > LARGEST:
            return None
        with self.session.graph.as_default():
            tensor = op.outputs[0]
            if op.type == "VarHandleOp":
                dtype = op.get_attr("dtype")
                tensor = self.tf.raw_ops.ReadVariableOp(resource=tensor, dtype=dtype)
            return np.asarray(self.session.run(tensor))

    def _assign(self, op: Operation, value: np.ndarray) -> None:
        with self.session.graph.as_default():
            target = op.outputs[0]
            if op.type == "VarHandleOp":
                raw = self.tf.raw_ops.AssignVariableOp
                self.session.run(raw(resource=target, value=self.tf.constant(value)))
            else:
                self.session.run(self.tf.compat.v1.assign(target, value))
