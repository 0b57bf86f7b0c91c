"""An RNN layer with a cell of its own -> ``layers.RNN(Cell())`` and the cell as a small ``keras.Layer`` class in ``keras.ops``."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from .... import ops
from ....graph import RNN, Loop, Node, Tensor
from ....graph.names import Names
from ....ops import spellings
from ..classes.config import written_arguments
from ..lower.layers import borrowing
from ..operands.call_texts import constant_text, said_text
from ..operands.context import Context
from ..program.literals import Code, literal
from ..program.names import class_identifier, layer_name
from ..program.program import Step, hole
from ..text.line_breaks import WIDTH, wrapped
from .body import Body
from .ops import PRODUCT, SIGN, SUM, TIGHT, Site, Text, port_count, spelled

_RESERVED = ("self", "ops", "layers", "keras", "inputs", "states")
_OPERATORS = frozenset({*spellings.SUMS, *"Sub Mul RealDiv BiasAdd Neg".split()})
_LEVELS = {ast.Add: SUM, ast.Sub: SUM, ast.Mult: PRODUCT, ast.Div: PRODUCT}

_HEAD = '''
@keras.saving.register_keras_serializable(package="recovered")
class {name}(layers.Layer):
    """One step of {scope}."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.state_size = {sizes}
        self.output_size = {width}
'''

_WITH_MEMORY = '''
@keras.saving.register_keras_serializable(package="recovered")
class RNNWithMemory(layers.RNN):
    """An RNN whose cell sees tensors that are the same in every step."""

    def call(self, sequences, memory, initial_state=None, mask=None, training=False):
        self.cell.memory = memory
        outputs = super().call(sequences, initial_state, mask, training)
        self.cell.memory = None
        return outputs
'''


def rnn_step(lowering: Context, node: str, layer: RNN) -> Step:
    """The call of an RNN layer. Raises NotExpressible where an op of the cell is none of ``keras.ops``."""
    given = [lowering.operand(t, literals=False) for t in lowering.arguments(node)]
    tensors = [tensor for tensor in given if isinstance(tensor, Tensor)]
    holes = {name: hole(number) for number, name in enumerate(layer.inputs)}
    cell = _cell_class(lowering.classes, layer)
    constructor = "layers.RNN"
    if layer.memory:
        constructor = "RNNWithMemory"
        lowering.classes[constructor] = _WITH_MEMORY
    arguments = written_arguments("RNN", {"cell": Code(f"{cell}()"), **layer.attrs})
    step = Step(
        node,
        _call(layer, holes),
        tuple(tensors),
        constructor,
        constructor.removeprefix("layers."),
        arguments,
        lowering.names.unique(layer_name(node)),
        weights=dict(layer.weights),
        stored=_stored(layer),
        ports=len(layer.outputs),
    )
    return borrowing(lowering, step) if step.weights else step


def _call(layer: RNN, holes: dict[str, str]) -> str:
    """``x, memory, mask=m, initial_state=[h, c]``."""
    texts = [holes["sequence"]]
    memory = [holes[name] for name in layer.memory]
    if memory:
        texts.append(memory[0] if len(memory) == 1 else f"[{', '.join(memory)}]")
    if "mask" in holes:
        texts.append(f"mask={holes['mask']}")
    states = [text for name, text in holes.items() if name.startswith("initial_state")]
    if states:
        text = states[0] if len(states) == 1 else f"[{', '.join(states)}]"
        texts.append(f"initial_state={text}")
    return ", ".join(texts)


def _stored(layer: RNN) -> tuple[str, ...]:
    """The weights in the order in which ``build`` adds them."""
    return tuple(name for name in layer.weights)


def _cell_class(classes: dict[str, str], layer: RNN) -> str:
    """The name of the cell's class, entered into ``classes`` where it is new."""
    wanted, number = f"{class_identifier(_title(layer))}Cell", 1
    while True:
        name = wanted if number == 1 else f"{wanted}{number}"
        source = _source(name, layer)
        if classes.setdefault(name, source) == source:
            return name
        number += 1


def _title(layer: RNN) -> str:
    """What its author may have called the cell: the scope in which all of its ops are, else that of the loop."""
    function = layer.function
    names = [] if function is None else list(function.graph)
    scopes = [n.split("/") for n in names if "/" in n]
    parts = [p for p in layer.scope.split("/") if not p.startswith("while")]
    inner = [s[s.index("while") + 1 :] for s in scopes if "while" in s]
    inside = {s[0] for s in inner if len(s) > 1}
    title = inside.pop() if len(inside) == 1 else parts[-1] if parts else "loop"
    return title.removesuffix("cell").strip("_") or "loop"


def _source(name: str, layer: RNN) -> str:
    scope = literal(layer.scope)[1:-1].replace("\\", "/")
    sizes = list(layer.sizes) if len(layer.sizes) > 1 else layer.sizes[0]
    width = (layer.outputs[0].shape or (None,))[-1]
    lines = _HEAD.format(
        name=name, scope=scope, sizes=literal(sizes), width=width
    ).splitlines()
    if layer.memory:
        lines.append("        self.memory = None")
    if layer.weights:
        lines += ["", "    def build(self, input_shape):"]
        for weight, use in layer.weights.items():
            own = weight.removeprefix("cell/")
            shape = literal(tuple(use.shape))
            lines.append(
                f"        self.{own} = self.add_weight(shape={shape}, name={literal(own)})"
            )
    lines += ["", *_call_lines(layer)]
    return "\n".join(lines) + "\n"


def _call_lines(layer: RNN) -> Iterator[str]:
    if layer.function is None:
        return
    names = Names({*_RESERVED, *layer.memory})
    states = _state_names(layer)
    for state in states:
        names.unique(state)
    given = [_argument(layer, argument, states) for argument in layer.arguments]
    function = replace(layer.function, name="step")
    loop = Loop(name=layer.name, op="RNN", function=function)
    loop = replace(loop, facts={"step": layer.facts})
    body = CellBody(loop, function, given, names)
    results = [text.text for text in body.written()]
    count = len(results) - len(layer.sizes)
    output = results[0]
    if count > 1:
        output = f"ops.concatenate([{', '.join(results[:count])}], axis=-1)"
    after = results[count:]
    text = f"[{', '.join(after)}]" if len(after) > 1 else after[0]
    yield "    def call(self, inputs, states):"
    left = ", ".join(states) if len(states) > 1 else f"({states[0]},)"
    yield f"        {left} = states"
    if layer.memory:
        left = layer.memory[0] if len(layer.memory) == 1 else ", ".join(layer.memory)
        yield f"        {left} = self.memory"
    for line in body.lines:
        yield f"        {line}" if line else ""
    for line in wrapped(f"return {output}, {text}", WIDTH - 8):
        yield f"        {line}"


def _state_names(layer: RNN) -> list[str]:
    if len(layer.sizes) <= 2:
        return ["h", "c"][: len(layer.sizes)]
    return [f"state_{number}" for number in range(len(layer.sizes))]


def _argument(layer: RNN, name: str, states: Sequence[str]) -> Text:
    """What an argument of the step is called."""
    if name.startswith("states_"):
        known = [n for n in layer.arguments if n.startswith("states_")]
        return Text(states[known.index(name)], free=True)
    if name.startswith("inputs_"):
        number = int(name.removeprefix("inputs_"))
        first = sum(layer.parts[:number])
        end = first + layer.parts[number]
        whole = len(layer.parts) == 1
        return Text("inputs" if whole else f"inputs[:, {first}:{end}]", free=True)
    return Text(name if name in layer.memory else f"self.{name}", free=True)


class CellBody(Body):
    """The same in ``keras.ops``: what runs on every backend."""

    def _add(self, name: str, node: Node) -> None:
        if node.op == "Const" or self._passes(name) or self._is_constant(name):
            return
        inputs = self.graph.inputs(name)
        operands = [self.text(each) for each in inputs]
        text = spelled(Site(node, operands)) if node.op in _OPERATORS else None
        count = port_count(node)
        if text is None:
            text = self._in_keras(name, node, operands, count)
        if count == 1:
            self._bind_one(Tensor(name), text)
        else:
            self._bind(name, node, text, count)

    def _in_keras(
        self, name: str, node: Node, given: Sequence[Text], count: int
    ) -> Text:
        facts = [self.facts.get(each) for each in self.graph.inputs(name)]
        call = ops.Call(
            node.op,
            node.attrs,
            tuple(fact.spec for fact in facts if fact is not None),
            tuple(fact.value if fact is not None else None for fact in facts),
            name,
            inside=True,
        )
        source = ops.keras_text(call, [each.operand() for each in given])
        if source is None:
            raise self._unsaid(name)
        bare = ops.keras_text(call, [each.text for each in given])
        if bare is not None and _is_same(bare, source):
            source = bare
        if count == 1:
            said = said_text(source, count, {0})
            source = said[0] if said is not None else source
        return Text(source, _level(source))

    def _constant(self, tensor: Tensor) -> Text | None:
        node = self.graph.node(tensor.node)
        fact = self.facts.get(tensor)
        if node.op == "_Arg" or fact is None or fact.value is None:
            return None
        if not isinstance(fact.value, np.ndarray):
            return None
        text = constant_text(fact.value)
        scalar = not fact.value.ndim
        return Text(text, free=True, literal=scalar, value=fact.value) if text else None


def _is_same(one: str, other: str) -> bool:
    """Whether two expressions mean the same: parentheses aside, they are one."""
    return ast.dump(ast.parse(one)) == ast.dump(ast.parse(other))


def _level(source: str) -> int:
    """How tightly an expression binds."""
    parsed = ast.parse(source, mode="eval").body
    if isinstance(parsed, ast.BinOp):
        return _LEVELS.get(type(parsed.op), SUM)
    if isinstance(parsed, ast.UnaryOp):
        return SIGN
    return 0 if isinstance(parsed, ast.Compare | ast.BoolOp) else TIGHT
