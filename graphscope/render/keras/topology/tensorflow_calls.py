"""Functions of TensorFlow's whose arguments Keras has otherwise: ``tf.image.resize(x, [8, 8])`` -> ``ops.image.resize(x, (8, 8))``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ....graph.keras import LayerOutput
from ..program.literals import literal

Text = Callable[[Any], str]
Values = Mapping[str, Any]
Writer = Callable[[Values, Text], "str | None"]
_METHODS = frozenset("bilinear nearest bicubic lanczos3 lanczos5".split())


def call_text(
    name: str, args: list[Any], given: Mapping[str, object], text: Text
) -> str | None:
    """The expression that a call means; None where ``keras.ops`` has no word for it, or not for these arguments."""
    names, write = CALLS[name]
    known = {_SAME.get(key, key): value for key, value in given.items()}
    values = {**dict.fromkeys(names), **dict(zip(names, args)), **known}
    if values.get("data_format") not in (None, "NHWC"):
        return None
    return write(values, text)


def _tensor(value: object, text: Text) -> str:
    """An operand: numbers that are stored in the config are made a tensor."""
    if isinstance(value, list | tuple) and not isinstance(value, LayerOutput):
        return f"ops.convert_to_tensor({text(value)})"
    return text(value)


def _resize(v: Values, text: Text) -> str | None:
    method = v["method"] or "bilinear"
    if v["preserve_aspect_ratio"] or method not in _METHODS:
        return None
    more = "" if method == "bilinear" else f", interpolation={literal(method)}"
    more += ", antialias=True" if v["antialias"] else ""
    return f"ops.image.resize({text(v['input'])}, {text(v['size'])}{more})"


def _spatial(value: object) -> Any:
    """The sizes of two spatial axes, from one number, two or four."""
    listed = list(value) if isinstance(value, list | tuple) else [value]
    listed = listed[1:3] if len(listed) == 4 else listed
    return listed[0] if len(set(listed)) == 1 else tuple(listed)


def _pool(function: str) -> Writer:
    def write(v: Values, text: Text) -> str | None:
        if not isinstance(v["padding"], str):
            return None
        sizes = literal(_spatial(v["ksize"])), literal(_spatial(v["strides"]))
        padding = literal(v["padding"].lower())
        return f"ops.{function}({text(v['input'])}, {sizes[0]}, strides={sizes[1]}, padding={padding})"

    return write


def _convolve(v: Values, text: Text) -> str | None:
    if not isinstance(v["padding"], str):
        return None
    kernel, strides = _tensor(v["filters"], text), literal(_spatial(v["strides"]))
    more = f"strides={strides}, padding={literal(v['padding'].lower())}"
    rate = _spatial(v["dilations"] or 1)
    more += "" if rate == 1 else f", dilation_rate={literal(rate)}"
    return f"ops.conv({text(v['input'])}, {kernel}, {more})"


def _pad(v: Values, text: Text) -> str:
    mode = str(v["mode"] or "CONSTANT").lower()
    more = "" if mode == "constant" else f", mode={literal(mode)}"
    if v["constant_values"]:
        more += f", constant_values={text(v['constant_values'])}"
    return f"ops.pad({text(v['input'])}, {text(v['paddings'])}{more})"


def _matmul(v: Values, text: Text) -> str | None:
    if v["adjoint_a"] or v["adjoint_b"]:
        return None
    sides = []
    for side in "ab":
        shown = _tensor(v[side], text)
        turned = f"ops.swapaxes({shown}, -1, -2)"
        sides.append(turned if v[f"transpose_{side}"] else shown)
    return f"ops.matmul({', '.join(sides)})"


def _running_sum(v: Values, text: Text) -> str:
    x, axis = text(v["input"]), f"axis={text(v['axis'] or 0)}"
    total = f"ops.cumsum({x}, {axis})"
    if v["reverse"]:
        total = f"ops.flip(ops.cumsum(ops.flip({x}, {axis}), {axis}), {axis})"
    return f"({total} - {x})" if v["exclusive"] else total


def _slice(v: Values, text: Text) -> str | None:
    begin, size = v["begin"], v["size"]
    if not all(isinstance(each, list | tuple) for each in (begin, size)):
        return None
    if not all(isinstance(n, int) for n in (*begin, *size)):
        return None
    pairs = zip(begin, size)
    places = (f"{b or ''}:{'' if s < 0 else b + s}" for b, s in pairs)
    return f"{text(v['input'])}[{', '.join(places)}]"


def _band(v: Values, text: Text) -> str | None:
    kept = v["num_lower"], v["num_upper"]
    function = {(0, -1): "triu", (-1, 0): "tril"}.get(kept)
    return f"ops.{function}({text(v['input'])})" if function else None


def _sorted(function: str) -> Writer:
    def write(v: Values, text: Text) -> str | None:
        if v["direction"] not in (None, "ASCENDING"):
            return None
        axis = -1 if v["axis"] is None else v["axis"]
        order = f"ops.{function}({text(v['input'])}, axis={text(axis)})"
        return f'ops.cast({order}, "int32")' if function == "argsort" else order

    return write


def _sum_of_all(v: Values, text: Text) -> str | None:
    listed = v["inputs"]
    if not isinstance(listed, list | tuple) or isinstance(listed, LayerOutput):
        return None
    return f"({' + '.join(_tensor(each, text) for each in listed)})"


_WINDOWS = ("input", "ksize", "strides", "padding", "data_format")
_FILTERS = ("input", "filters", "strides", "padding", "data_format", "dilations")
_PRODUCT = (
    "a",
    "b",
    "transpose_a",
    "transpose_b",
    "adjoint_a",
    "adjoint_b",
)
CALLS: dict[str, tuple[tuple[str, ...], Writer]] = {
    "resize": (
        ("input", "size", "method", "preserve_aspect_ratio", "antialias"),
        _resize,
    ),
    **{f"avg_pool{n}": (_WINDOWS, _pool("average_pool")) for n in ("", "2d")},
    **{f"max_pool{n}": (_WINDOWS, _pool("max_pool")) for n in ("", "2d")},
    "conv2d": (_FILTERS, _convolve),
    "pad": (("input", "paddings", "mode", "constant_values"), _pad),
    "matmul": (_PRODUCT, _matmul),
    "cumsum": (("input", "axis", "exclusive", "reverse"), _running_sum),
    "slice": (("input", "begin", "size"), _slice),
    "band_part": (("input", "num_lower", "num_upper"), _band),
    "sort": (("input", "axis", "direction"), _sorted("sort")),
    "argsort": (("input", "axis", "direction", "stable"), _sorted("argsort")),
    "add_n": (("inputs",), _sum_of_all),
    "bias_add": (
        ("input", "bias", "data_format"),
        lambda v, text: f"({text(v['input'])} + {_tensor(v['bias'], text)})",
    ),
    "roll": (
        ("input", "shift", "axis"),
        lambda v, text: f"ops.roll({text(v['input'])}, {text(v['shift'])}, axis={text(v['axis'])})",
    ),
    "tensordot": (
        ("a", "b", "axes"),
        lambda v, text: f"ops.tensordot({_tensor(v['a'], text)}, {_tensor(v['b'], text)}, axes={text(v['axes'])})",
    ),
    **{
        name: (
            ("input", "block_size", "data_format"),
            lambda v, text, name=name: f"ops.{name}({text(v['input'])}, {text(v['block_size'])})",
        )
        for name in ("depth_to_space", "space_to_depth")
    },
}
_SAME = {
    key: "input" for key in "images image value values tensor x input_ features".split()
} | {"filter": "filters"}
