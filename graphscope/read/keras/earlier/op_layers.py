"""Ops as layers (``TensorFlowOpLayer`` of TensorFlow 2.0 to 2.3) -> the functions that later Keras 2 calls (``TFOpLambda``).

*before* ``{"node_def": {"op": "Mean", ...}, "constants": {"1": [1, 2]}}`` called on ``x``
*after* ``{"function": "math.reduce_mean"}`` called on ``x, axis=[1, 2], keepdims=False``
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from ....graph.named_values import Arguments, Attributes, Config, Document

_BINARY = {
    **{
        op: f"math.{op.lower()}"
        for op in "Maximum Minimum Pow Greater Less Equal".split()
    },
    **dict.fromkeys(("Add", "AddV2"), "math.add"),
    **dict.fromkeys(("Div", "RealDiv"), "math.truediv"),
    "GreaterEqual": "math.greater_equal",
    "LessEqual": "math.less_equal",
    "Mul": "math.multiply",
    "SquaredDifference": "math.squared_difference",
    "Sub": "math.subtract",
}
_UNARY = {
    **{
        op: f"math.{op.lower()}"
        for op in "Abs Ceil Cos Erf Exp Floor Log Log1p Rsqrt Sigmoid Sign Sin Sqrt Square Tanh".split()
    },
    **{op: f"nn.{op.lower()}" for op in "Elu Relu Relu6 Selu Softmax Softplus".split()},
    "Neg": "math.negative",
}
_REDUCTIONS = {
    op: f"math.reduce_{op.lower()}" for op in "Max Mean Min Prod Sum".split()
}
_ONE_MORE = {
    "ExpandDims": ("expand_dims", "axis"),
    "Reshape": ("reshape", "shape"),
    "Tile": ("tile", "multiples"),
    "Transpose": ("transpose", "perm"),
}
_PRODUCTS = ("MatMul", "BatchMatMul", "BatchMatMulV2")
Inputs = list[Any]
Call = tuple[
    str, Inputs, Arguments
]  # function, the first argument (one, or a list), the others by name


def as_function(entry: Document) -> Mapping[str, object]:
    """The entry of a config as that of a function; as it is where it is no op, or one that no function stands for."""
    config = entry.get("config")
    if entry.get("class_name") != "TensorFlowOpLayer" or not isinstance(config, dict):
        return entry
    node, constants = _node_of(config), config.get("constants") or {}
    nodes, op = entry.get("inbound_nodes"), str(node.get("op"))
    if not isinstance(nodes, list) or not isinstance(constants, dict):
        return entry
    calls = [_call(op, _attrs(node), _inputs(each, constants)) for each in nodes]
    functions = [call for call in calls if call is not None]
    if len(functions) < len(calls) or not functions:
        return entry
    return {
        **entry,
        "class_name": "TFOpLambda",
        "config": {"name": entry.get("name"), "function": functions[0][0]},
        "inbound_nodes": [_inbound(call) for call in functions],
    }


def _node_of(config: Config) -> Mapping[str, object]:
    node = config.get("node_def")
    if isinstance(node, str):
        try:
            node = json.loads(node)
        except ValueError:
            return {}
    return node if isinstance(node, dict) else {}


def _attrs(node: Mapping[str, object]) -> dict[str, object]:
    """The attributes as plain values: JSON of protobuf has ``{"b": true}``, ``{"list": {"i": ["1"]}}``."""
    attrs = node.get("attr")
    entries = attrs.items() if isinstance(attrs, dict) else ()
    return {k: next(iter(v.values()), None) for k, v in entries if isinstance(v, dict)}


def _inputs(node: object, constants: Mapping[str, object]) -> Inputs:
    """Tensors and constants in the op's order; a tensor is ``[layer, call, output]``."""
    tensors = (
        [t[:3] for t in node if isinstance(t, list)] if isinstance(node, list) else []
    )
    inputs: Inputs = []
    for place in range(len(tensors) + len(constants)):
        if str(place) in constants:
            inputs.append(_Constant(constants[str(place)]))
        elif tensors:
            inputs.append(tensors.pop(0))
    return inputs


class _Constant:
    def __init__(self, value: object) -> None:
        self.value = value


def _plain(value: object) -> Any:
    return value.value if isinstance(value, _Constant) else value


def _call(op: str, attrs: Attributes, inputs: Inputs) -> Call | None:
    rules: dict[str, Callable[[str, Config, Inputs], Call | None]] = {
        **dict.fromkeys(_UNARY, lambda op, attrs, x: (_UNARY[op], x[:1], {})),
        **dict.fromkeys(
            _BINARY, lambda op, attrs, x: (_BINARY[op], x[:1], {"y": x[1]})
        ),
        **dict.fromkeys(_REDUCTIONS, _reduction),
        **dict.fromkeys(_PRODUCTS, _product),
        **dict.fromkeys(_ONE_MORE, _one_more),
        "Cast": lambda op, attrs, x: ("cast", x[:1], {"dtype": _dtype(attrs)}),
        "ConcatV2": lambda op, attrs, x: ("concat", x[:-1], {"axis": x[-1]}),
        "Pack": lambda op, attrs, x: (
            "stack",
            x,
            {"axis": int(attrs.get("axis") or 0)},
        ),
        "Squeeze": _squeeze,
    }
    try:
        return rules[op](op, attrs, inputs) if op in rules else None
    except (IndexError, ValueError, TypeError):
        return None


def _reduction(op: str, attrs: Attributes, x: Inputs) -> Call | None:
    config = {"axis": x[1], "keepdims": bool(attrs.get("keep_dims"))}
    return (_REDUCTIONS[op], x[:1], config) if isinstance(x[1], _Constant) else None


def _product(op: str, attrs: Attributes, x: Inputs) -> Call:
    sides = (("transpose_a", "adj_x"), ("transpose_b", "adj_y"))
    transposes = {a: True for a, b in sides if attrs.get(a) or attrs.get(b)}
    return "linalg.matmul", x[:1], {"b": x[1], **transposes}


def _one_more(op: str, attrs: Attributes, x: Inputs) -> Call | None:
    function, name = _ONE_MORE[op]
    return (function, x[:1], {name: x[1]}) if isinstance(x[1], _Constant) else None


def _squeeze(op: str, attrs: Attributes, x: Inputs) -> Call:
    axes = attrs.get("squeeze_dims")
    listed = axes.get("i", ()) if isinstance(axes, dict) else ()
    return "squeeze", x[:1], {"axis": [int(axis) for axis in listed]}


def _dtype(attrs: Attributes) -> str:
    """``DT_FLOAT`` as Keras has it."""
    name = str(attrs.get("DstT", "")).removeprefix("DT_").lower()
    return {"float": "float32", "double": "float64", "half": "float16"}.get(name, name)


def _inbound(call: Call) -> list[object]:
    _, first, named = call
    keywords = {name: _plain(value) for name, value in named.items()}
    return [
        (
            ["_CONSTANT_VALUE", -1, each.value, keywords]
            if isinstance(each, _Constant)
            else [*each, keywords]
        )
        for each in first
    ]
