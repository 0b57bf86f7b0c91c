"""Shapes through function calls: PartitionedCall, If, Case, While, and functions called by their own name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ... import ops
from ...graph import Function, FunctionRef, Node, TensorSpec
from ...ops import spellings
from ...ops.values.facts import Contents, Fact, join_facts, same_fact

_DEPTH = 40  # functions within functions; a file may nest or recur without end
_BODIES = 2_000  # bodies inferred in all: calls of calls of calls double at each level
_ROUNDS = 12  # of a While, after which its variables are given up

_CALLS = ("PartitionedCall", "StatefulPartitionedCall", "TPUPartitionedCall")
_OTHER = frozenset(
    (*_CALLS, *spellings.LOWERED_IFS, *spellings.CASES, *spellings.LOWERED_WHILES)
)

Body = Callable[[Function, Sequence[Fact], "Library"], list[Fact]]


class Library:
    """The functions of a file, inferred once for each set of argument facts."""

    def __init__(self, functions: Mapping[str, Function], infer_body: Body) -> None:
        self.functions, self._infer = functions, infer_body
        self._known: dict[Any, list[Fact]] = {}
        self._active: list[str] = []
        self._bodies = 0

    def again(self) -> Library:
        """For another inference of the same graph: what is known of the functions stays known."""
        library = Library(self.functions, self._infer)
        library._known = self._known
        return library

    def calls(self, node: Node) -> bool:
        """Whether the node runs functions of the library."""
        return bool(self.functions) and (node.op in _OTHER or node.op in self.functions)

    def call(self, node: Node, operands: Sequence[Fact]) -> list[Fact]:
        """What is known of the node's outputs; empty where nothing is."""
        if node.op in _CALLS:
            return self._returned(node.attrs.get("f"), operands)
        if node.op in spellings.LOWERED_IFS:
            branches = [node.attrs.get("then_branch"), node.attrs.get("else_branch")]
            predicate = operands[0].value if operands else None
            if isinstance(predicate, np.ndarray) and predicate.ndim == 0:
                return self._returned(branches[0 if predicate else 1], operands[1:])
            return self._either(branches, operands[1:])
        if node.op in spellings.CASES:
            return self._either(node.attrs.get("branches") or (), operands[1:])
        if node.op in spellings.LOWERED_WHILES:
            return self._looped(node, operands)
        return self._returned(FunctionRef(node.op, node.attrs), operands)

    def _either(
        self, branches: Sequence[object], operands: Sequence[Fact]
    ) -> list[Fact]:
        outcomes = [self._returned(branch, operands) for branch in branches]
        if not outcomes or len({len(outcome) for outcome in outcomes}) != 1:
            return []
        merged = outcomes[0]
        for outcome in outcomes[1:]:
            merged = list(map(join_facts, merged, outcome))
        return merged

    def _looped(self, node: Node, operands: Sequence[Fact]) -> list[Fact]:
        """The loop variables, widened until the body leaves them as they are."""
        state = list(operands)
        for _ in range(_ROUNDS):
            after = self._returned(node.attrs.get("body"), state)
            if len(after) != len(state):
                break
            widened = list(map(join_facts, state, after))
            if all(map(same_fact, state, widened)):
                self._returned(node.attrs.get("cond"), widened)
                return widened
            state = widened
        state = self._forgotten(node, operands)
        for attr in ("body", "cond"):  # for those who ask what is known inside
            self._returned(node.attrs.get(attr), state)
        return state

    @staticmethod
    def _forgotten(node: Node, operands: Sequence[Fact]) -> list[Fact]:
        """What the node declares of its outputs, where its body tells nothing."""
        shapes = ops.Call(node.op, node.attrs).get("output_shapes") or ()
        shapes = tuple(shapes) + (None,) * (len(operands) - len(shapes))
        return [
            Fact(TensorSpec(fact.spec.dtype, shape))
            for fact, shape in zip(operands, shapes, strict=False)
        ]

    def _returned(self, reference: object, arguments: Sequence[Fact]) -> list[Fact]:
        name = reference.name if isinstance(reference, FunctionRef) else ""
        function = self.functions.get(name)
        if function is None or name in self._active or len(self._active) >= _DEPTH:
            return []
        key = (name, tuple(map(_key, arguments)))
        if key not in self._known:
            self._bodies += 1
            if self._bodies > _BODIES:
                return []
            self._active.append(name)
            self._known[key] = self._infer(function, arguments, self)
            self._active.pop()
        return self._known[key]


def _key(fact: Fact) -> tuple[TensorSpec, Any, Contents | None]:
    value = fact.value
    if value is None:
        return fact.spec, None, fact.held
    arrays = value if isinstance(value, ops.Partial) else (value,)
    return fact.spec, tuple(a.tobytes() for a in arrays), fact.held
