"""A call of an op -> Python source that computes the same: through keras.ops, or through tf.raw_ops for any op.

Input texts stand for tensors and must bind tighter than any operator: names, calls, subscripts, or in parentheses.
Nothing that comes from a file reaches the source but as a literal written by ``repr``.
"""

from __future__ import annotations

import ast
import keyword
import re
import string
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ..graph import FunctionRef
from ..graph.named_values import Attributes
from ..wire import op_registry, opdefs
from .registry import Call, Meaning, Unsaid
from .values.size import Size

# raw_ops takes these arguments by the names of TensorFlow's API definitions, not by the OpDef's
_AXIS = {"reduction_indices": "axis"}
_RENAMED: Mapping[str, Mapping[str, str]] = {
    **{op: _AXIS for op in ("All", "Any", "EuclideanNorm", "Max", "Mean", "Min")},
    **{op: _AXIS for op in ("Prod", "Sum")},
    "ExpandDims": {"dim": "axis"},
    "Select": {"t": "x", "e": "y"},
    "Split": {"split_dim": "axis"},
    "SplitV": {"split_dim": "axis"},
    "Squeeze": {"squeeze_dims": "axis"},
    "Where": {"input": "condition"},
}


ELSEWHERE = 'if keras.config.backend() != "tensorflow":'
"""Before the statements that make numbers of fed sizes, which TensorFlow takes as tensors."""


def tensor_text(call: Call, slot: int, text: str) -> str:
    """An input of a body as a tensor; those whose elements are known may come as literals."""
    if text.isidentifier():
        return text
    return f"ops.convert_to_tensor({text}, {literal(call.dtype(slot))})"


def number_lines(*texts: str) -> list[str]:
    """The statements that make whole numbers of the fed ones among these scalars."""
    fed = [text for text in texts if text.isidentifier()]
    return [ELSEWHERE, *(f"    {text} = int({text})" for text in fed)] if fed else []


def literal(value: object) -> str:
    """Python source of a number, string, None, tuple or (nested) sequence of them; raises Unsaid of anything else.

    >>> literal(0.20000000298023224)
    '0.2'
    """
    if isinstance(value, Size):
        return value.text
    if isinstance(value, np.ndarray):
        return literal(value.tolist())
    if isinstance(value, bool | np.bool_):
        return repr(bool(value))
    if isinstance(value, int | np.integer):
        return repr(int(value))
    if isinstance(value, float | np.floating):
        return _float(float(value))
    if value is None or isinstance(value, str | bytes):
        return repr(value)
    if isinstance(value, tuple | list):
        inner = ", ".join(map(literal, value))
        if isinstance(value, list):
            return f"[{inner}]"
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    raise Unsaid(f"no literal for a {type(value).__name__}")


def _float(value: float) -> str:
    """The shortest text that gives the same float32 (attributes are float32), or else the same float64."""
    if value != value or value in (float("inf"), float("-inf")):
        return f'float("{value}")'
    with np.errstate(over="ignore"):
        single = np.float32(value)
    short = float(str(single))
    if abs(short) > float(np.finfo("float32").max):  # rounded up, beyond float32
        return repr(value)
    return repr(short) if float(single) == value else repr(value)


class _Fields(Mapping[str, str]):
    """The attributes of a call as a template asks for them."""

    def __init__(self, call: Call) -> None:
        self.call = call

    def __getitem__(self, name: str) -> str:
        return literal(self.call[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self.call.attrs)

    def __len__(self) -> int:
        return len(self.call.attrs)


def write(meaning: Meaning, call: Call, texts: Sequence[str]) -> str | None:
    """The Keras text of a call over its input texts; None where keras.ops cannot say it."""
    if meaning.keras is None:
        return None
    if callable(meaning.keras):
        text = meaning.keras(call, *texts)
    else:
        text = string.Formatter().vformat(meaning.keras, tuple(texts), _Fields(call))
    return text if text is None else arrays_as_arguments(text)


def arrays_as_arguments(text: str) -> str:
    """``array + x`` -> ``ops.add(array, x)``: JAX's arrays refuse a symbolic tensor, which a number between NULs stands for here."""
    if "ops.array(" not in text or "\0" not in text or not _is_plain(text):
        return text
    named = _HOLE.sub(lambda hole: f"_{hole[1]}_", text)  # as long as it was
    changed = _less_operators(ast.parse(named, mode="eval").body, named)
    return re.sub(r"\b_(\d+)_\b", "\0\\1\0", changed)


def _is_plain(text: str) -> bool:
    """One line in which a character is a byte."""
    return text.isascii() and "\n" not in text


_HOLE = re.compile("\0(\\d+)\0")
_FUNCTIONS = {
    ast.Add: "add",
    ast.Sub: "subtract",
    ast.Mult: "multiply",
    ast.Div: "true_divide",
    ast.FloorDiv: "floor_divide",
    ast.Mod: "mod",
    ast.Pow: "power",
    ast.MatMult: "matmul",
}


def _less_operators(tree: ast.AST, text: str) -> str:
    """The source of an expression of one line, its operators between an array and a tensor as functions."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.BinOp) or type(node.op) not in _FUNCTIONS:
            continue
        left, right = (
            text[each.col_offset : each.end_col_offset]
            for each in (node.left, node.right)
        )
        if _is_array(left) and _NAMED.search(right):
            call = f"ops.{_FUNCTIONS[type(node.op)]}({left}, {right})"
            changed = text[: node.col_offset] + call + text[node.end_col_offset :]
            return _less_operators(ast.parse(changed, mode="eval").body, changed)
    return text


def _is_array(text: str) -> bool:
    """Whether no tensor goes into it but an array does."""
    return "ops.array(" in text and not _NAMED.search(text)


_NAMED = re.compile(r"\b_\d+_\b")


def tensorflow_text(op: str, attrs: Attributes, texts: Sequence[str]) -> str:
    """``tf.raw_ops.Op(input=..., attr=...)``; raises Unsaid for an op that raw_ops lacks or an attribute it cannot say.

    >>> tensorflow_text("Relu", {"T": "float32"}, ["x"])
    'tf.raw_ops.Relu(features=x)'
    """
    definition = op_registry.find(op)
    if definition is None or not op.isidentifier() or op.startswith("_"):
        raise Unsaid(f"TensorFlow registers no op {op!r} that Python can call")
    values = {**opdefs.defaults(op), **attrs}
    arguments, left, inferred = [], list(texts), set()
    for arg in definition.input_arg:
        inferred |= {arg.type_attr, arg.number_attr, arg.type_list_attr}
        count = None
        if arg.number_attr:
            count = int(values.get(arg.number_attr) or 0)
        elif arg.type_list_attr:
            count = len(values.get(arg.type_list_attr) or ())
        if count is not None and not 0 <= count <= len(left):
            raise Unsaid(f"{op} takes {count} inputs, {len(left)} are left")
        size = 1 if count is None else count
        operands, left = left[:size], left[size:]
        if len(operands) < size:
            raise Unsaid(f"{op} takes more inputs than it is given")
        text = f"[{', '.join(operands)}]" if count is not None else "".join(operands)
        arguments.append(f"{_keyword(op, arg.name)}={text}")
    for attr in definition.attr:
        name = attr.name
        if name in inferred or name not in attrs:
            continue
        if attrs[name] == opdefs.defaults(op).get(name):
            continue
        arguments.append(f"{_keyword(op, name)}={_attribute(attr.type, attrs[name])}")
    return f"tf.raw_ops.{op}({', '.join(arguments)})"


def _keyword(op: str, name: str) -> str:
    name = _RENAMED.get(op, {}).get(name, name)
    return f"{name}_" if keyword.iskeyword(name) else name


def _attribute(kind: str, value: Any) -> str:
    if isinstance(value, FunctionRef) or kind in ("tensor", "func", "list(func)"):
        raise Unsaid("functions and tensors have no literal")
    if kind == "type":
        return _dtype(value)
    if kind == "list(type)":
        return f"[{', '.join(map(_dtype, value))}]"
    return literal(list(value) if isinstance(value, tuple) else value)


def _dtype(name: object) -> str:
    if not isinstance(name, str) or not name.isidentifier():
        raise Unsaid(f"{name!r} is no dtype")
    return f"tf.{name}"
