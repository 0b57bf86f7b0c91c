"""The inputs of one keras.ops expression: holes for tensors, literals for small constants."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ....graph import Tensor
from ....wire import op_registry
from ..operands.call_texts import constant_text
from ..operands.context import Context
from ..program.names import identifier
from ..program.program import Step, filled, hole


class Operands:
    """The inputs of one expression, each a hole or a literal; weights are added only for those that the text uses."""

    def __init__(
        self,
        lowering: Context,
        tensors: Sequence[Tensor],
        listed: bool,
        literals: bool = True,
    ) -> None:
        self.lowering, self.given, self.literals = lowering, tensors, literals
        self.plain = not listed
        self.texts = [self._text(number) for number in range(len(tensors))]

    def _text(self, number: int) -> str:
        tensor = self.given[number]
        lowering = self.lowering
        if tensor in lowering.inputs or tensor.node in lowering.steps:
            return hole(number)
        value = lowering.value(tensor) if self.literals else None
        return value is not None and constant_text(value, self.plain) or hole(number)

    def step(self, node: str, text: str, ports: int) -> Step:
        """The expression, its holes numbered by the inputs that it really uses."""
        tensors: list[Tensor] = []
        texts = list(self.texts)
        for number in sorted(
            {int(operand) for operand in re.findall("\0(\\d+)\0", text)}
        ):
            operand = self.lowering.operand(self.given[number], self.literals)
            if isinstance(operand, Tensor):
                texts[number] = hole(len(tensors))
                tensors.append(operand)
            else:
                texts[number] = operand
        return Step(node, filled(text, texts), tuple(tensors), ports=ports)


_BITS = frozenset("BitwiseAnd BitwiseOr BitwiseXor LeftShift RightShift".split())


def takes_list(op: str) -> bool:
    """Whether Keras wants tensors and no numbers: what goes into the op as a list, or bit by bit."""
    if op in _BITS:
        return True
    definition = op_registry.find(op)
    arguments = definition.input_arg if definition is not None else ()
    return any(arg.number_attr or arg.type_list_attr for arg in arguments)


def argument_names(op: str, count: int) -> list[str]:
    """What the op's definition calls its inputs, where each is one tensor."""
    definition = op_registry.find(op)
    names = [arg.name for arg in definition.input_arg] if definition else []
    if len(names) != count:
        return [f"x{number}" for number in range(count)]
    return [identifier(name) for name in names]
