"""Graph -> its text form, one line a node, which ``read/textform.py`` reads back as the same graph::

    # graphscope graph 1
    images: f32[?,28,28,1] = Placeholder(dtype=float32, shape=[?,28,28,1])
    conv1/Conv2D: f32[?,28,28,32] = Conv2D(images, conv1/kernel, padding="SAME", strides=[1,1,1,1]) @"/device:CPU:0"
    init = NoOp(^conv1/kernel/Assign, ^step:1)

Names that are no plain words are quoted as JSON strings. After the data inputs stand the control inputs (``^name``) and
the attributes. ``?`` is an unknown size, ``[*]`` an unknown rank, ``_`` an unknown dtype. A tensor is written
``i32[2]{1,2}``; one of more than ``inline`` elements as ``f32[3,3,64,64]#6d0e3f21c4a98b7f``, its values left out.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ..graph import FunctionRef, Graph, Layer, Node, Tensor, TensorSpec
from . import Drawing
from .cells.spelling import short_dtype, spec_text

HEADER = "# graphscope graph 1"
ABSENT = "_absent_"  # attribute ``_absent_value``: a tensor whose values the text form left out
INLINE = 16  # elements of a tensor that are written out
AS_ABOVE = "*"  # for _output_shapes that say what the line's own annotation says
_WORD = re.compile(r"[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_.>-]*")
_DIGEST = re.compile(r"[a-z0-9_]+\[[0-9,]*\]#[0-9a-f]{16}")
_DTYPE = re.compile(
    r"((float|int|uint|bfloat|complex|qint|quint)\d+|bool|string|resource|variant)(_ref)?"
)


def to_text(
    graph: Graph,
    specs: Mapping[Tensor, TensorSpec] = {},
    *,
    inline: int | None = INLINE,
    functions: Mapping[str, Any] = {},
    producer: int | None = None,
) -> str:
    """The text form of a graph, and of the functions of its library after it.

    ``producer`` is the GraphDef version that the file says: what some attributes mean depends on it.

    ``specs`` annotate the outputs beyond what the file says; ``inline=None`` writes every tensor in full.

    >>> graph = Graph()
    >>> graph.add("x", Node("Placeholder", {"dtype": "float32"}))
    >>> graph.add("y", Node("Relu", {"T": "float32"}), [Tensor("x")])
    >>> print(to_text(graph, {Tensor("y"): TensorSpec("float32", (None, 3))}), end="")
    # graphscope graph 1
    x = Placeholder(dtype=float32)
    y: f32[?,3] = Relu(x, T=float32)
    """
    lines = [HEADER] + ([f"# producer {producer}"] if producer else [])
    lines += _lines(graph, specs, inline)
    for name, function in functions.items():
        lines += ["", f"function {word(name)}{_attributes(function.attrs)} {{"]
        lines += (f"  {line}" for line in _lines(function.graph, {}, inline))
        returns = _returns(function)
        lines += [f"  return {returns}", "}"] if returns else ["}"]
    return "\n".join(lines) + "\n"


def _returns(function: Any) -> str:
    names = (*function.output_names, *[""] * len(function.returns))
    pairs = [
        f"{word(name)}={tensor_text(tensor)}"
        for name, tensor in zip(names, function.returns, strict=False)
    ]
    return ", ".join(pairs + [f"^{word(name)}" for name in function.control_returns])


def _attributes(attrs: Mapping[str, object]) -> str:
    pairs = (f"{identifier(k)}: {value_text(attrs[k], None)}" for k in attrs)
    return "{" + ", ".join(pairs) + "}"


def _lines(
    graph: Graph, specs: Mapping[Tensor, TensorSpec], inline: int | None
) -> Iterator[str]:
    for name in graph:
        node = graph.node(name)
        outputs = _outputs(name, node, specs)
        shapes = tuple(spec.shape for spec in outputs)
        operands = [tensor_text(tensor) for tensor in graph.inputs(name)]
        operands += [f"^{word(control)}" for control in node.controls]
        for key in node.attrs:
            value = node.attrs[key]
            if key == "_output_shapes" and value == shapes and shapes:
                operands.append(f"{key}={AS_ABOVE}")
            elif key.startswith(ABSENT) and _is_digest(value):
                operands.append(f"{identifier(key.removeprefix(ABSENT))}={value}")
            else:
                operands.append(f"{identifier(key)}={value_text(value, inline)}")
        typed = f": {', '.join(map(spec_text, outputs))}" if outputs else ""
        device = f" @{json.dumps(node.device)}" if node.device else ""
        call = f"{identifier(node.op)}({', '.join(operands)})"
        yield f"{word(name)}{typed} = {call}{device}{_comment(node)}"


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and bool(_DIGEST.fullmatch(value))


def _outputs(
    name: str, node: Node, specs: Mapping[Tensor, TensorSpec]
) -> tuple[TensorSpec, ...]:
    if isinstance(node, Layer) and node.output in specs:
        return (specs[node.output],)
    specs_ = list(node.outputs)
    for port in range(65536):
        spec = specs.get(Tensor(name, port))
        if spec is None:
            break
        specs_[port : port + 1] = [spec]
    return tuple(specs_)


def _comment(node: Node) -> str:
    """What a layer holds beyond its config: for people, the reader passes over it."""
    if not isinstance(node, Layer) or not node.weights:
        return ""
    uses = (
        f"{identifier(role)} {word(use.node)}[{','.join(map(str, use.shape))}]"
        for role, use in node.weights.items()
    )
    return f"  # {', '.join(uses)}"


def word(name: str) -> str:
    """A node name: itself, or a JSON string where TensorFlow would not allow it."""
    return name if _WORD.fullmatch(name) else json.dumps(name)


def identifier(name: str) -> str:
    """An op or attribute name: itself, or a JSON string where it is no word."""
    return name if _IDENTIFIER.fullmatch(name) else json.dumps(name)


def tensor_text(tensor: Tensor) -> str:
    return f"{word(tensor.node)}:{tensor.port}" if tensor.port else word(tensor.node)


def value_text(value: object, inline: int | None = INLINE) -> str:
    """The exact spelling of an attribute's value."""
    if value is None:
        return "none"
    if isinstance(value, bool | np.bool_):
        return str(bool(value)).lower()
    if isinstance(value, int | np.integer):
        return str(int(value))
    if isinstance(value, float | np.floating):
        return _float_text(float(value))
    if isinstance(value, str):
        return value if _DTYPE.fullmatch(value) else json.dumps(value)
    if isinstance(value, np.ndarray):
        return array_text(value, inline)
    if isinstance(value, FunctionRef):
        return f"@{word(value.name)}{_attributes(value.attrs)}"
    if isinstance(value, tuple | list | set | frozenset):
        items = ("?" if each is None else value_text(each, None) for each in value)
        return f"[{','.join(items)}]"
    if isinstance(value, Mapping):
        return _attributes({str(key): each for key, each in value.items()})
    return json.dumps(str(value))


def _float_text(value: float) -> str:
    if not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    return repr(value)


def array_text(array: np.ndarray, inline: int | None = INLINE) -> str:
    """``f32[2]{0.5,1.0}``, ``f32[64]{0.0*}`` where all elements are one, else a digest of the values."""
    head = short_dtype(_dtype_name(array)) + f"[{','.join(map(str, array.shape))}]"
    one = array.size > 1 and not any(array.strides) and array.dtype != object
    if one:
        return f"{head}{{{_element(array.flat[0])}*}}"
    nbytes = sum(map(_length, array.flat)) if array.dtype == object else 0
    if inline is not None and (array.size > inline or nbytes > 16 * inline):
        return f"{head}#{digest(array)}"
    return f"{head}{{{','.join(map(_element, array.flat))}}}"


def _dtype_name(array: np.ndarray) -> str:
    return "string" if array.dtype == object else array.dtype.name


def _length(element: object) -> int:
    return len(element) if isinstance(element, bytes | str) else 1


def digest(array: np.ndarray) -> str:
    """Sixteen hexadecimal digits of the SHA-256 of the values: equal tensors have equal ones."""
    hashed = hashlib.sha256(f"{array.dtype.name}{array.shape}".encode())
    if array.dtype == object:
        for element in array.flat:
            raw = element if isinstance(element, bytes) else str(element).encode()
            hashed.update(len(raw).to_bytes(8, "little") + raw)
    else:
        hashed.update(np.ascontiguousarray(array).tobytes())
    return hashed.hexdigest()[:16]


def _element(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bytes):
        return json.dumps(value.decode("latin-1"))
    if isinstance(value, str):
        return json.dumps(value)
    if isinstance(value, bool | np.bool_):
        return str(bool(value)).lower()
    if isinstance(value, int | np.integer):
        return str(int(value))
    if isinstance(value, complex | np.complexfloating):
        return f"{_float_text(float(value.real))}|{_float_text(float(value.imag))}"
    if isinstance(value, np.float32):
        return _float_text(float(str(value)))
    return _float_text(float(value))


def render_text(view: Drawing) -> str:
    """The text form: one line a node, readable by people and by graphscope."""
    if view.model is None or view.level != "op":
        return to_text(view.graph, view.specs)
    producer = view.model.versions.get("producer")
    functions = view.model.functions
    return to_text(view.graph, view.specs, functions=functions, producer=producer)


SUFFIXES = {".txt": render_text}
