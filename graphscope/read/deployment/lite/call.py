"""One operator under way: what the rules of ``operators/`` read of it, and the nodes that they make for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ....errors import FormatError
from ....graph import Shape, Tensor
from .constants import Layout, array
from .file import LiteTensor, Operator
from .subgraph import Lowered, Pending

Rule = Callable[["Call"], "Tensor | Sequence[Tensor] | None"]  # None: not known
RULES: dict[str, Rule] = {}
_ACTIVATIONS = {"RELU": "Relu", "RELU6": "Relu6", "TANH": "Tanh", "SIGN_BIT": "Sign"}


def lowers(*ops: str) -> Callable[[Rule], Rule]:
    """Register what a rule does as the meaning of these operators; raises ValueError where one has a meaning already."""

    def register(rule: Rule) -> Rule:
        for op in ops:
            if op in RULES:
                raise ValueError(f"two rules for {op}")
            RULES[op] = rule
        return rule

    return register


class Call:
    """An operator, its inputs as tensors of TensorFlow's graph; ``op`` adds a node, which the last one names."""

    def __init__(self, operator: Operator, lowered: Lowered) -> None:
        self.operator, self.lowered = operator, lowered
        self.pending: list[Pending] = []
        labels = [lowered.subgraph.tensor(n).name for n in operator.outputs]
        self.parts = labels[0].split(";") if labels else [operator.op.lower()]

    def __len__(self) -> int:
        return len(self.operator.inputs)

    def has(self, slot: int) -> bool:
        """Whether an optional input is given."""
        return slot < len(self) and self.operator.inputs[slot] >= 0

    def tensor(self, slot: int) -> LiteTensor:
        """What the file says of an input; raises FormatError where it is left out."""
        if not self.has(slot):
            raise FormatError(
                f"{self.lowered.file.source.name}: a {self.operator.op} without its input {slot}"
            )
        return self.lowered.constant_behind(self.operator.inputs[slot])

    def __getitem__(self, slot: int) -> Tensor:
        """An input as it is."""
        self.tensor(slot)
        return self.lowered.read(self.operator.inputs[slot])

    @property
    def all(self) -> list[Tensor]:
        """Every input that is given."""
        return [self[slot] for slot in range(len(self)) if self.has(slot)]

    def weight(self, slot: int, layout: Layout, permutation: Sequence[int]) -> Tensor:
        """An input laid out anew: a constant when it is read, anything else by a Transpose."""
        if self.tensor(slot).length:
            return self.lowered.read(self.operator.inputs[slot], layout)
        return self.op("Transpose", self[slot], self.const(permutation, "perm"))

    def bias(self, slot: int, kernel: int = 1) -> Tensor:
        """The bias that goes with a kernel: equal constants lie in the file once, those of layers that share nothing too."""
        self.tensor(slot)
        owner = self.operator.inputs[kernel]
        return self.lowered.read(self.operator.inputs[slot], owner=owner)

    def value(self, slot: int) -> np.ndarray | None:
        """The values of an input that is a constant."""
        if not self.has(slot):
            return None
        tensor = self.tensor(slot)
        return array(self.lowered.file, tensor) if tensor.length else None

    def shape(self, slot: int) -> Shape:
        return self.tensor(slot).spec.shape

    def out(self, port: int = 0) -> LiteTensor:
        """What the file says of an output."""
        return self.lowered.subgraph.tensor(self.operator.outputs[port])

    def dtype(self, port: int = 0) -> str:
        """The dtype of an output in TensorFlow's graph."""
        return self.lowered.dtype_of(self.out(port))

    def option(self, name: str, default: object = 0) -> Any:
        return self.operator.options.get(name, default)

    def op(self, kind: str, *inputs: Tensor, **attrs: object) -> Tensor:
        """A node; its port 0."""
        tensor = Tensor(f"\0{len(self.pending)}")
        node = Pending(kind, inputs, attrs)
        self.pending.append(node)
        self.lowered.foresee(tensor, node)
        return tensor

    def const(self, value: object, hint: str, dtype: str = "") -> Tensor:
        """A small constant; plain integers are int32, plain numbers float32."""
        return self.lowered.emitter.constant(f"{self.stem}/{hint}", value, dtype)

    @property
    def stem(self) -> str:
        """What the nodes of this operator are called after."""
        return self.lowered.name_of(self.parts[0])

    def activated(self, x: Tensor) -> Tensor:
        """The fused activation, apart."""
        kind = self.option("fused_activation_function", "NONE")
        if kind == "RELU_N1_TO_1":
            return self.clipped(x, -1.0, 1.0)
        return self.op(_ACTIVATIONS[kind], x) if kind in _ACTIVATIONS else x

    def clipped(self, x: Tensor, low: float, high: float) -> Tensor:
        below = self.op("Minimum", x, self.const(high, "high"))
        return self.op("Maximum", below, self.const(low, "low"))
