"""Functions of TensorFlow's that a Keras 2 model calls (``tf.math.add``) -> ``keras.ops``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from ....graph.keras import KerasCall, KerasLayer
from ..program.literals import literal
from .tensorflow_calls import CALLS, call_text

Text = Callable[[Any], str]
_SAME = frozenset(
    """abs acos acosh argmax argmin asin asinh atan atan2 atanh ceil cos cosh cumprod cumsum equal erf exp expm1 floor greater
    greater_equal less less_equal log log1p logical_and logical_not logical_or logical_xor maximum minimum not_equal round rsqrt
    sigmoid sign sin sinh softplus softsign sqrt square squared_difference tan tanh zeros_like ones_like stop_gradient one_hot
    top_k floormod is_nan is_finite is_inf reciprocal""".split()
)
_FUNCTIONS: dict[str, str] = {
    "add": "({0} + {1})",
    "subtract": "({0} - {1})",
    "multiply": "({0} * {1})",
    "truediv": "({0} / {1})",
    "divide": "({0} / {1})",
    "realdiv": "({0} / {1})",
    "floordiv": "({0} // {1})",
    "floormod": "ops.mod({0}, {1})",
    "pow": "({0} ** {1})",
    "negative": "(-{0})",
    "neg": "(-{0})",
    "erf": "ops.erf({0})",
    "squared_difference": "ops.square({0} - {1})",
    "reciprocal": "(1.0 / {0})",
    "is_nan": "ops.isnan({0})",
    "is_inf": "ops.isinf({0})",
    "is_finite": "ops.isfinite({0})",
    "abs": "ops.absolute({0})",
    "acos": "ops.arccos({0})",
    "asin": "ops.arcsin({0})",
    "atan": "ops.arctan({0})",
    "acosh": "ops.arccosh({0})",
    "asinh": "ops.arcsinh({0})",
    "atanh": "ops.arctanh({0})",
    "atan2": "ops.arctan2({0}, {1})",
    "relu": "ops.relu({0})",
    "relu6": "ops.relu6({0})",
    "elu": "ops.elu({0})",
    "selu": "ops.selu({0})",
    "silu": "ops.silu({0})",
    "swish": "ops.silu({0})",
    "identity": "{0}",
    "where": "ops.where({0}, {1}, {2})",
    "clip_by_value": "ops.clip({0}, {1}, {2})",
}
_AXES = {
    "reduce_mean": "mean",
    "reduce_sum": "sum",
    "reduce_max": "max",
    "reduce_min": "min",
    "reduce_prod": "prod",
    "reduce_any": "any",
    "reduce_all": "all",
    "reduce_std": "std",
    "reduce_variance": "var",
    "reduce_logsumexp": "logsumexp",
}
# function: the arguments in TensorFlow's order, then the text
_ARGUMENTS: dict[str, tuple[tuple[str, ...], str]] = {
    "cast": (("x", "dtype"), "ops.cast({x}, {dtype})"),
    "concat": (("values", "axis"), "ops.concatenate({values}, axis={axis})"),
    "expand_dims": (("input", "axis"), "ops.expand_dims({input}, axis={axis})"),
    "reshape": (("tensor", "shape"), "ops.reshape({tensor}, {shape})"),
    "squeeze": (("input", "axis"), "ops.squeeze({input}, axis={axis})"),
    "stack": (("values", "axis"), "ops.stack({values}, axis={axis})"),
    "tile": (("input", "multiples"), "ops.tile({input}, {multiples})"),
    "transpose": (("a", "perm"), "ops.transpose({a}, {perm})"),
    "gather": (
        ("params", "indices", "validate_indices", "axis"),
        "ops.take({params}, {indices}, axis={axis})",
    ),
    "softmax": (("logits", "axis"), "ops.softmax({logits}, axis={axis})"),
    "log_softmax": (("logits", "axis"), "ops.log_softmax({logits}, axis={axis})"),
    "leaky_relu": (("features", "alpha"), "ops.leaky_relu({features}, {alpha})"),
    "gelu": (
        ("features", "approximate"),
        "ops.gelu({features}, approximate={approximate})",
    ),
    "split": (("value", "num_or_size_splits", "axis"), "{split}"),
    "unstack": (("value", "num", "axis"), "ops.unstack({value}, axis={axis})"),
    "l2_normalize": (
        ("x", "axis"),
        "ops.normalize({x}, axis={axis}, order=2, epsilon=1e-6)",
    ),
    "one_hot": (("indices", "depth"), "ops.one_hot({indices}, {depth})"),
    "argmax": (
        ("input", "axis"),
        'ops.cast(ops.argmax({input}, axis={axis}), "int64")',
    ),
    "argmin": (
        ("input", "axis"),
        'ops.cast(ops.argmin({input}, axis={axis}), "int64")',
    ),
    "norm": (("tensor", "ord", "axis"), "ops.norm({tensor}, axis={axis})"),
    "flip": (("tensor", "axis"), "ops.flip({tensor}, axis={axis})"),
    "reverse": (("tensor", "axis"), "ops.flip({tensor}, axis={axis})"),
    "einsum": (("equation",), ""),
    "repeat": (
        ("input", "repeats", "axis"),
        "ops.repeat({input}, {repeats}, axis={axis})",
    ),
}
_DEFAULTS = {
    "alpha": "0.2",
    "approximate": "False",
    "softmax": "-1",
    "log_softmax": "-1",
    "concat": "0",
    "stack": "0",
    "argmax": "0",
    "argmin": "0",
    "gather": "0",
    "unstack": "0",
    "split": "0",
}


def function_text(layer: KerasLayer, call: KerasCall, text: Text) -> str | None:
    """The expression that a TFOpLambda or SlicingOpLambda means; None where ``keras.ops`` has no word for it."""
    name = str(layer.config.get("function", "")).rpartition(".")[2].strip("_")
    given = {k: v for k, v in call.kwargs.items() if k != "name"}
    args = list(call.args)
    if name == "getitem":
        return _item(text(args[0]), given.get("slice_spec", args[1:]))
    if name in _AXES:
        return _reduction(_AXES[name], args, given, text)
    if name in CALLS:
        return call_text(name, args, given, text)
    if name in _ARGUMENTS:
        return _by_name(name, args, given, text)
    values = [*args, *given.values()]
    template = _FUNCTIONS.get(name)
    if template is None:
        return f"ops.{name}({', '.join(map(text, values))})" if name in _SAME else None
    if len(values) < len(set(re.findall(r"\{(\d)\}", template))) or not template:
        return None
    return template.format(*(_operand(text(value)) for value in values))


def _operand(text: str) -> str:
    return f"({text})" if text.startswith("-") else text


def _item(of: str, index: object) -> str:
    places = index if isinstance(index, tuple | list) else (index,)
    return f"{of}[{', '.join(map(_place, places or (...,)))}]"


def _place(value: object) -> str:
    if isinstance(value, Mapping):
        start, stop, step = (value.get(k) for k in ("start", "stop", "step"))
        shown = ["" if each is None else literal(each) for each in (start, stop)]
        return ":".join(shown) + ("" if step is None else f":{literal(step)}")
    return "..." if value in (..., "Ellipsis") else literal(value)


def _reduction(name: str, args: list[Any], given: dict[str, Any], text: Text) -> str:
    axis = args[1] if len(args) > 1 else given.get("axis")
    texts = [text(args[0])]
    texts += [] if axis is None else [f"axis={text(axis)}"]
    keeps = given.get("keepdims", given.get("keep_dims"))
    texts += ["keepdims=True"] if keeps else []
    return f"ops.{name}({', '.join(texts)})"


def _by_name(
    name: str, args: list[Any], given: dict[str, Any], text: Text
) -> str | None:
    names, template = _ARGUMENTS[name]
    values = {**dict(zip(names, args)), **given}
    if name == "einsum":
        operands = args[1:] if isinstance(args[0], str) else []
        inside = [literal(str(args[0])), *map(text, operands)]
        return f"ops.einsum({', '.join(inside)})" if operands else None
    if name == "split":
        parts = values.get("num_or_size_splits")
        if isinstance(parts, tuple) and all(isinstance(p, int) for p in parts):
            ends = [sum(parts[: n + 1]) for n in range(len(parts) - 1)]
            parts = tuple(ends)
        axis = text(values.get("axis") or 0)
        return f"ops.split({text(values['value'])}, {text(parts)}, axis={axis})"
    said = {
        key: (
            text(values[key])
            if values.get(key) is not None
            else _DEFAULTS.get(
                key, _DEFAULTS.get(name, "None") if key == "axis" else "None"
            )
        )
        for key in names
    }
    return template.format(**said)
