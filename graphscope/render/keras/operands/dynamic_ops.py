"""An op that is told sizes which only a run knows -> a small layer whose call asks its inputs for their shapes.

In a functional model an unknown size is None; inside a layer's ``call`` it is a number on every backend.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Sequence
from string import ascii_letters, digits

import numpy as np

from .... import ops
from ....graph import Node, Tensor, TensorSpec
from ....ops.values.size import Size
from ....ops.values.size_arithmetic import holds_sizes
from ..classes.own_layers import spec_method
from ..program.names import class_identifier, is_default_name, op_name
from ..program.program import Step, hole
from ..program.rescaling import seems_sparse
from .call_texts import constant_text
from .context import Context
from .shape_expressions import known, measured_in, with_shapes

_LETTERS, _COUNTERS = "xyzabcdefgh", "ijklmn"
_PART = r"(?:[^\[\](),:]|\[[^\[\]:]*\]|\([^():]*\))*"
_SLICE = re.compile(rf"(?<=[\[,])(\s?)({_PART}):({_PART})(?=[\],])")
_NAMING = f"{ascii_letters}{digits}_"  # what a call's bracket stands behind
_FLOATS = ("float32", "", "int32")
_CLASS = '''
@keras.saving.register_keras_serializable(package="recovered")
class {name}(layers.Layer):
    """{about}"""
{init}
    def call(self, {arguments}):
{body}
'''
EXACT = """
    def __init__(self, **kwargs):
        super().__init__(autocast=False, **kwargs)
"""


def sized_step(
    lowering: Context,
    node: str,
    payload: Node,
    operands: Sequence[Tensor],
    untraced: bool = False,
) -> Step | None:
    """One op with one output of which some inputs are sizes; None where no text can say it.

    ``untraced``: Keras cannot tell what comes of it by trying, so it is said.
    """
    arguments: dict[Tensor, str] = {}
    computed: list[Size] = []
    specs = tuple(lowering.spec_or_none(tensor) for tensor in operands)
    values = tuple(_named(known(lowering, tensor), computed) for tensor in operands)
    texts = [
        _operand(lowering, tensor, value, arguments)
        for tensor, value in zip(operands, values)
    ]
    call = ops.Call(payload.op, payload.attrs, specs, values, node, inside=True)
    text = ops.keras_text(call, texts)
    portable = text is not None
    if text is None:
        text = ops.tensorflow_text(payload.op, payload.attrs, texts)
    if text is None:
        return None
    init = EXACT if any(spec.dtype not in _FLOATS for spec in specs) else ""
    about = f"{payload.op} by sizes that are known when it runs."
    name = f"Dynamic{class_identifier(payload.op)}"
    lines = _lines(text, computed)
    if any(seems_sparse(lowering.steps, tensor) for tensor in arguments):
        untraced = True
    untraced = untraced or payload.op == "Reshape" and _is_split(specs[0], values[1])
    outputs = (lowering.spec_or_none(Tensor(node)),) if untraced else ()
    return own_step(
        lowering, node, name, about, lines, arguments, init, portable, outputs
    )


def _is_split(spec: TensorSpec, sizes: np.ndarray | None) -> bool:
    """Whether a reshape divides by a number that no known size holds: JAX does not let an open size be divided so.

    ``(None, None, 8) -> (-1, 4, n, 8)`` is one, ``(None, 4, None, 8) -> (-1, n, 8)`` is none.
    """
    targets = [] if sizes is None else sizes.reshape(-1).tolist()
    if -1 not in targets:
        return False
    whole = math.prod(size for size in spec.shape or () if size)
    fixed = math.prod(size for size in targets if isinstance(size, int) and size > 0)
    return whole % fixed != 0


def _named(value: np.ndarray | None, computed: list[Size]) -> np.ndarray | None:
    """The value with a mark for each size that takes more than a shape to compute; ``computed`` collects those."""
    if not holds_sizes(value) or value is None:
        return value
    named = value.copy()
    for place, size in np.ndenumerate(value):
        if isinstance(size, Size) and not size.is_atom:
            if size not in computed:
                computed.append(size)
            named[place] = Size.named(f"\2{computed.index(size)}\2")
    return named


def _lines(text: str, computed: Sequence[Size]) -> list[str]:
    """The statements of a call: what is computed more than once has a name, all else stands where it is used."""
    lines: list[str] = []
    for number, size in enumerate(computed):
        mark = f"\2{number}\2"
        if text.count(mark) == 1:
            text = text.replace(mark, f"({size.text})")
        elif mark in text:
            name = _COUNTERS[len(lines)] if len(lines) < 6 else f"i{len(lines)}"
            lines.append(f"{name} = {size.text}")
            text = text.replace(mark, name)
    return [*lines, f"return {text}"]


def yielding(lowering: Context, tensor: Tensor) -> Step:
    """A layer that yields sizes as a tensor, for what takes them as data."""
    spec = lowering.spec_or_none(tensor)
    dtype = spec.dtype if spec.dtype in ("int32", "int64") else "int32"
    sizes = listed(lowering.sizes[tensor])
    lines = [f'return ops.convert_to_tensor({sizes}, "{dtype}")']
    about = "Sizes of its inputs, as a tensor."
    node = str(tensor) if tensor.port else tensor.node
    return own_step(lowering, node, "Sizes", about, lines, {})


def _operand(
    lowering: Context,
    tensor: Tensor,
    value: np.ndarray | None,
    arguments: dict[Tensor, str],
) -> str:
    if value is not None and holds_sizes(value):
        return listed(value)
    text = None if value is None else constant_text(value)
    if text is not None:
        return text
    operand = lowering.operand(tensor, literals=False)
    if not isinstance(operand, Tensor):
        return operand
    return arguments.setdefault(operand, letter(len(arguments)))


def listed(sizes: object) -> str:
    """``size`` or ``[size, size]``, or such lists in a list; what TensorFlow and convert_to_tensor take for a tensor."""
    if not isinstance(sizes, np.ndarray) or sizes.ndim == 0:
        return _text(sizes[()] if isinstance(sizes, np.ndarray) else sizes)
    return "[" + ", ".join(map(listed, sizes)) + "]"


def _text(size: object) -> str:
    text = str(size)
    return f"({text})" if isinstance(size, Size) and not size.is_atom else text


def letter(number: int) -> str:
    return _LETTERS[number] if number < len(_LETTERS) else f"x{number}"


def own_step(
    lowering: Context,
    node: str,
    name: str,
    about: str,
    lines: Sequence[str],
    arguments: dict[Tensor, str],
    init: str = "",
    portable: bool = True,
    outputs: Sequence[TensorSpec] = (),
) -> Step:
    """A call of a layer of our own: ``lines`` are its call, over the names of ``arguments`` and of the shapes that they ask for.

    ``outputs`` is what the symbolic outputs are said to be, where Keras could not tell.
    """
    measured = measured_in("".join(lines))
    shapes, asked = [], []
    for whose in measured:
        operand = lowering.operand(lowering.measured[whose], literals=False)
        if not isinstance(operand, Tensor):
            raise TypeError(f"{lowering.measured[whose]} is no tensor")
        called = arguments.setdefault(operand, letter(len(arguments)))
        shapes.append("shape" if len(measured) == 1 else f"{called}_shape")
        asked.append(f"{shapes[-1]} = ops.shape({called})")
    if not arguments:  # Keras cannot follow what no tensor of its own goes into
        arguments = {next(iter(lowering.inputs)): letter(0)}
    written = (with_shapes(line, shapes, measured) for line in lines)
    body = [*asked, *map(_unbracketed, written)]
    if outputs:
        init += spec_method([*arguments.values()], outputs)
    class_name = _class(lowering.classes, name, about, arguments, body, init)
    return Step(
        node,
        ", ".join(hole(number) for number in range(len(arguments))),
        tuple(arguments),
        class_name,
        class_name,
        {},
        lowering.names.unique(op_name(node)),
        portable=portable,
        is_named=not is_default_name(op_name(node), node.removesuffix(":0")),
    )


def _unbracketed(line: str) -> str:
    """A statement without the brackets that change nothing.

    >>> _unbracketed("a = (b + (c * 2)) - (d - e)")
    'a = b + c * 2 - (d - e)'
    >>> _unbracketed("return x[:, 1:(1 + n), i : i + n]")
    'return x[:, 1 : 1 + n, i : i + n]'
    """
    tree = ast.dump(ast.parse(line))
    at = 0
    while (at := line.find("(", at)) >= 0:
        end = _closing(line, at)
        bare = f"{line[:at]}{line[at + 1 : end]}{line[end + 1 :]}"
        if not line[:at].endswith(tuple(_NAMING)) and _says(bare, tree):
            line = bare
        else:
            at += 1
    return _SLICE.sub(_spaced, line)


def _spaced(match: re.Match[str]) -> str:
    """A slice with spaces around its colon where a bound of it is more than a name, as black writes it."""
    before, start, stop = match.groups()
    if " " not in start.strip() + stop.strip():
        return match[0]
    return before + f"{start.strip()} : {stop.strip()}".strip()


def _says(line: str, tree: str) -> bool:
    try:
        return ast.dump(ast.parse(line)) == tree
    except SyntaxError:
        return False


def _closing(line: str, at: int) -> int:
    """Where the bracket that opens there is closed."""
    depth = 0
    for place in range(at, len(line)):
        depth += (line[place] == "(") - (line[place] == ")")
        if not depth:
            return place
    return len(line)


def _class(
    classes: dict[str, str],
    name: str,
    about: str,
    arguments: dict[Tensor, str],
    lines: Sequence[str],
    init: str,
) -> str:
    """The name of the class with this body, entered where it is new."""
    number = 1
    while True:
        candidate = name if number == 1 else f"{name}{number}"
        source = _CLASS.format(
            name=candidate,
            about=about,
            init=init,
            arguments=", ".join(arguments.values()),
            body="\n".join(f"        {line}" for line in lines),
        )
        if classes.setdefault(candidate, source) == source:
            return candidate
        number += 1
