"""Casts around layers of half floats -> what Keras does by itself: its layers cast what they read, and some compute in float32 inside.

``Cast(BatchNormalization(Cast(x, float32)), float16)`` is a BatchNormalization of the policy ``mixed_float16``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from ....graph import Tensor
from .program import Step, hole

HALVES = frozenset({"float16", "bfloat16"})
_FLOATS = frozenset({*HALVES, "float32"})
_WIDE = frozenset(  # which compute in float32 whatever they read, and cast the result
    "BatchNormalization LayerNormalization GroupNormalization "
    "GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D".split()
)
_UNCAST = frozenset(
    {"Embedding", "Discretization", "Hashing"}
)  # cast nothing they read
_CASTS = {f"ops.cast({hole(0)}, {dtype!r})": dtype for dtype in _FLOATS}
DType = Callable[[Tensor], str]


def autocast(
    steps: Iterable[Step], outputs: Sequence[Tensor], dtype: DType
) -> tuple[tuple[Step, ...], tuple[Tensor, ...]]:
    """The steps without the casts that Keras makes, and the outputs as they are now.

    ``cast(norm(cast(x, "float32")), "float16") -> norm(x, dtype="mixed_float16")``; ``dtype`` tells that of a tensor.
    """
    casting = _Casts(steps, outputs, dtype)
    if casting.casts:
        casting.absorb()
        casting.drop()
    ends = tuple(casting.same.get(tensor, tensor) for tensor in outputs)
    return tuple(casting.steps.values()), ends


class _Casts:
    """The casts of a program to float types, and who reads what."""

    def __init__(
        self, steps: Iterable[Step], outputs: Sequence[Tensor], dtype: DType
    ) -> None:
        self.steps = {step.node: step for step in steps}
        self.ends, self.stored = set(outputs), dtype
        self.yielded: dict[Tensor, str] = {}
        self.casts = {
            step.node: _CASTS[step.text]
            for step in self.steps.values()
            if not step.constructor and step.text in _CASTS
        }
        self.same: dict[Tensor, Tensor] = {}
        self.readers: dict[Tensor, set[str]] = {}
        for step in self.steps.values():
            for tensor in step.inputs:
                self.readers.setdefault(tensor, set()).add(step.node)
        self.calls = Counter(step.layer for step in self.steps.values() if step.layer)

    def absorb(self) -> None:
        """Layers that compute in float32 whatever they read get the half floats, and yield them."""
        for node in list(self.steps):
            step = self.steps.get(node)
            half = None if step is None else self._half(step)
            if step is None or half is None:
                continue
            uses = step.weights.values()
            stored = {self.dtype(Tensor(use.node)) for use in uses if use.node}
            policy = half if stored <= {half} else f"mixed_{half}"
            arguments = {**step.arguments, "dtype": policy}
            self.steps[step.node] = replace(step, arguments=arguments)
            self.yielded[Tensor(step.node)] = half
            for cast in self._reading(step.node):
                self._leave_out(cast)
            self._bypass(step.node, step.inputs[0])

    def _half(self, step: Step) -> str | None:
        """The type that a layer's input is cast from and its output is cast to; None where it is not one of half floats."""
        is_single = len(step.inputs) == 1 and self.calls[step.layer] < 2
        if step.class_name not in _WIDE or not is_single:
            return None
        (source,) = step.inputs
        if self.casts.get(source.node) != "float32" or "dtype" in step.arguments:
            return None
        half = self.dtype(self.steps[source.node].inputs[0])
        to = {self.casts.get(reader) for reader in self._reading(step.node)}
        is_inner = Tensor(step.node) not in self.ends
        return half if is_inner and half in HALVES and to == {half} else None

    def dtype(self, tensor: Tensor) -> str:
        """What a tensor holds, now that some layers yield half floats."""
        return self.yielded.get(tensor) or self.stored(tensor)

    def drop(self) -> None:
        """Casts to what all layers that read them cast to are left out, and those that nothing reads."""
        for node, dtype in self.casts.items():
            step = self.steps.get(node)
            if step is None or Tensor(node) in self.ends:
                continue
            casts = (self._casts_itself(each, dtype) for each in self._reading(node))
            if self.dtype(step.inputs[0]) in _FLOATS and all(casts):
                self._leave_out(node)

    def _casts_itself(self, node: str, dtype: str) -> bool:
        step = self.steps[node]
        policy = str(step.arguments.get("dtype", "float32"))
        is_kind = policy.removeprefix("mixed_") == dtype
        plain = step.constructor == f"layers.{step.class_name}"
        return plain and is_kind and step.class_name not in _UNCAST

    def _reading(self, node: str) -> list[str]:
        """The nodes that read the one output of a cast, or of a layer."""
        return sorted(self.readers.get(Tensor(node), ()))

    def _leave_out(self, cast: str) -> None:
        """What a cast reads is read in its place."""
        for reader in self._reading(cast):
            self._bypass(reader, Tensor(cast))
        (source,) = self.steps.pop(cast).inputs
        self.same[Tensor(cast)] = source
        self.readers[source].discard(cast)

    def _bypass(self, node: str, cast: Tensor) -> None:
        """A step reads what the cast reads that it has read."""
        step, (source,) = self.steps[node], self.steps[cast.node].inputs
        inputs = tuple(source if tensor == cast else tensor for tensor in step.inputs)
        self.steps[node] = replace(step, inputs=inputs)
        self.readers[cast].discard(node)
        self.readers.setdefault(source, set()).add(node)
