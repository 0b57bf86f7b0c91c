"""What a graph makes of sizes and small numbers alone (the grid of a detector, a causal mask) -> one layer that makes it.

Not twenty statements, and no weight: ``Range``, ``Reshape``, ``Tile`` and their like stand in the layer's ``call``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from .... import ops
from ....graph import Layer, Node, Tensor
from ....graph.order import post_order
from ....ops import spellings
from ....wire import opdefs
from ..program.program import Step, hole
from .call_texts import LARGE, constant_text, progression_text
from .context import Context
from .dynamic_ops import letter, listed, own_step
from .shape_expressions import is_made, known, measured_in

_MOST = 80  # ops in one layer
_WIDTH = 56  # characters of a text that still stands inside another
_LOCALS = "abcdefghijklmnopqrstuvw"
_PASSED = frozenset({"float32", "int32", "int64", "bool"})  # as Keras hands them on
_FEW = 3  # numbers that are as short as the op that makes them
_SHORTER = frozenset({"Range", "LinSpace", "Fill", "Tile", "Reshape", "ExpandDims"})
_COMPARING = (*spellings.COMPARISONS, "MatrixBandPart")
_PLAIN = frozenset("Add AddV2 Sub Mul Minimum Maximum".split())
_FEEDING = frozenset({"random", "stateful", "variable", "feed"})


def is_formed(lowering: Context, node: str, payload: Node) -> bool:
    """Whether a node makes its one output of sizes and constants alone, in words of keras.ops; then it is no step yet."""
    if isinstance(payload, Layer) or ops.traits(payload.op) & _FEEDING:
        return False
    operands = _given(lowering, node)
    if not any(t in lowering.sizes or t.node in lowering.formed for t in operands):
        return False
    texts = [
        _leaf(lowering, t) or (t.node in lowering.formed and "x") for t in operands
    ]
    if (
        not all(texts)
        or _text(lowering, node, payload, operands, [*map(str, texts)]) is None
    ):
        return False
    lowering.formed.add(node)
    return True


def _given(lowering: Context, node: str) -> list[Tensor]:
    """What a node reads; a range of floats counts to a size all the same, before that was made a float."""
    operands = list(lowering.arguments(node))
    if lowering.graph.op(node) != "Range":
        return operands
    for slot, tensor in enumerate(operands):
        if lowering.graph.op(tensor.node) == "Cast" and not is_made(lowering, tensor):
            source = lowering.arguments(tensor.node)[0]
            operands[slot] = source if source in lowering.sizes else tensor
    return operands


def formed_step(lowering: Context, tensor: Tensor) -> Step | None:
    """The layer that makes a tensor of sizes and constants; None where it takes too much, or more than keras.ops says."""
    body = _Body.of(lowering, tensor)
    if body is None:
        return None
    for whose in measured_in("".join(body.lines)):
        lowering.operand(lowering.measured[whose], literals=False)
    body = _Body.of(lowering, tensor)  # what is measured is at hand now, too
    if body is None:
        return None
    if body.arguments and not measured_in("".join(body.lines)) and len(body.lines) == 1:
        return Step(tensor.node, body.expression, tuple(body.arguments))
    name, about = _called(body.made_of)
    return own_step(lowering, tensor.node, name, about, body.lines, body.arguments)


class _Body:
    """The statements that make a tensor, over sizes and what layers before have made."""

    def __init__(self, lowering: Context) -> None:
        self.lowering = lowering
        self.arguments: dict[Tensor, str] = {}
        self.lines: list[str] = []
        self.texts: dict[str, str] = {}
        self.made_of: Counter[str] = Counter()

    @classmethod
    def of(cls, lowering: Context, tensor: Tensor) -> _Body | None:
        body = cls(lowering)
        return body if body._make(tensor) else None

    @property
    def expression(self) -> str:
        """What the one statement returns, with a hole for each tensor."""
        text = self.lines[0].removeprefix("return ")
        for number, name in enumerate(self.arguments.values()):
            text = re.sub(rf"(?<![\w.]){name}(?!\w)", hole(number), text)
        return text

    def _leaf(self, tensor: Tensor) -> str | None:
        text = _leaf(self.lowering, tensor)
        if text is None and _is_at_hand(self.lowering, tensor):
            return self.arguments.setdefault(tensor, letter(len(self.arguments)))
        return text

    def _makers(self, node: str) -> list[str]:
        inputs = _given(self.lowering, node)
        return [t.node for t in inputs if self._leaf(t) is None]

    def _make(self, tensor: Tensor) -> bool:
        order: list[str] = []
        for node in post_order([tensor.node], self._makers):
            order.append(node)
            if len(order) > _MOST or not _is_maker(self.lowering, node):
                return False
        uses = Counter(source for node in order for source in self._makers(node))
        for node in order:
            text = self._text(node)
            if text is None:
                return False
            if node != tensor.node and (uses[node] > 1 or len(text) > _WIDTH):
                text = self._name(text)
            self.texts[node] = text if _binds(text) else f"({text})"
        self.lines.append(f"return {text}")
        self.made_of = Counter(self.lowering.graph.op(node) for node in order)
        return True

    def _text(self, node: str) -> str | None:
        inputs = _given(self.lowering, node)
        is_plain = self.lowering.graph.op(node) in _PLAIN
        if is_plain and any(_leaf(self.lowering, t) is None for t in inputs):
            operands = [self._number(t) or self._operand(t) for t in inputs]
        else:
            operands = [*map(self._operand, inputs)]
        return _text(
            self.lowering, node, self.lowering.graph.node(node), inputs, operands
        )

    def _operand(self, tensor: Tensor) -> str:
        return self._leaf(tensor) or self.texts[tensor.node]

    def _number(self, tensor: Tensor) -> str:
        """The digits of a whole number, which takes the dtype of the tensor beside it."""
        value = self.lowering.value(tensor)
        if value is None or value.ndim or value.dtype.name != "int64":
            return ""
        return str(int(value))

    def _name(self, text: str) -> str:
        """A name for what a statement of its own computes."""
        number = len(self.lines)
        name = _LOCALS[number] if number < len(_LOCALS) else f"a{number}"
        self.lines.append(f"{name} = {text}")
        return name


def _is_at_hand(lowering: Context, tensor: Tensor) -> bool:
    """Whether a layer before makes the tensor, which need not be made again."""
    spec = lowering.spec_or_none(tensor)
    step = lowering.steps.get(tensor.node)
    return (
        step is not None
        and step.ports == 1
        and tensor not in lowering.sizes
        and spec.dtype in _PASSED
        and bool(spec.shape)
    )


def _called(made_of: Counter[str]) -> tuple[str, str]:
    """The name of the class, and what is said of it, by the ops that it stands for."""
    if any(made_of[op] for op in _COMPARING):
        return "Mask", "Which positions take part: depends on nothing but sizes."
    if made_of["Range"] > 1:
        return "Grid", "The positions on a grid: depends on nothing but sizes."
    if made_of["Range"]:
        return "Positions", "The positions along an axis: depends on nothing but sizes."
    return "Constant", "Numbers that depend on nothing but sizes."


def _is_maker(lowering: Context, node: str) -> bool:
    """An op with inputs of its own, whose result is the same each time."""
    payload = lowering.graph.node(node)
    if isinstance(payload, Layer) or not lowering.graph.inputs(node):
        return False
    return not ops.traits(payload.op) & _FEEDING


def _leaf(lowering: Context, tensor: Tensor) -> str | None:
    """The text of sizes and of small constants."""
    if tensor in lowering.sizes:
        return listed(lowering.sizes[tensor])
    if is_made(lowering, tensor):
        return None
    value = lowering.value(tensor)
    if value is not None and (text := progression_text(value)):
        return text
    if value is None or value.size > LARGE:
        return None
    if value.size > _FEW and lowering.graph.op(tensor.node) in _SHORTER:
        return None
    return constant_text(value)


def _text(
    lowering: Context,
    node: str,
    payload: Node,
    operands: Sequence[Tensor],
    texts: list[str],
) -> str | None:
    specs = tuple(lowering.spec_or_none(tensor) for tensor in operands)
    values = tuple(known(lowering, tensor) for tensor in operands)
    if len(opdefs.output_dtypes(payload.op, payload.attrs)) != 1:
        return None
    return ops.keras_text(
        ops.Call(payload.op, payload.attrs, specs, values, node), texts
    )


def _binds(text: str) -> bool:
    """Whether a text is a name or one call, which needs no parentheses."""
    if text.isidentifier():
        return True
    head, bracket, rest = text.partition("(")
    if not bracket or not head.replace(".", "").isidentifier():
        return False
    depth = 1
    for place, character in enumerate(rest):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth == 0:
            return place == len(rest) - 1
    return False
