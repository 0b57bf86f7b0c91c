"""One op inside a loop -> plain TensorFlow: the spelling that a person would use, else ``tf.raw_ops``.

Every op of stock TensorFlow can be said (``ops.tensorflow_text``); the table here is only for the reader's eyes, and each of its
spellings means the op exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from .... import ops
from ....graph import Node
from ....ops.array.slice_masks import SliceMasks
from ....wire import op_registry, opdefs
from ..program.literals import literal

SMALL = 16  # elements of a constant that is written out


COMPARISON, SUM, PRODUCT, SIGN, TIGHT = range(5)  # what binds tighter than what


class Text(NamedTuple):
    """The source of a value: ``level`` says how tightly it binds, ``free`` that it costs nothing to say again.

    A ``literal`` is a Python number or list and no tensor yet; a ``weight`` is a Keras variable. ``rows`` is the
    source of the tensor whose rows a list holds, where the list was made of one and never changed. A ``size`` is one of
    a tensor's, or a tuple of them: numbers of Python's, where the backend knows them.
    """

    text: str
    level: int = TIGHT
    free: bool = False
    literal: bool = False
    weight: bool = False
    rows: str = ""
    value: np.ndarray | None = None
    size: bool = False

    def operand(self, level: int = TIGHT) -> str:
        """As an operand of what binds as tightly as ``level``."""
        return self.text if self.level >= level else f"({self.text})"

    @property
    def tensor(self) -> str:
        """As ``tf.raw_ops`` takes it."""
        return f"tf.convert_to_tensor({self.text})" if self.weight else self.text


class Site(NamedTuple):
    """One op and what goes into it."""

    node: Node
    given: Sequence[Text]

    def attr(self, name: str) -> Any:
        return ops.Call(self.node.op, self.node.attrs).get(name)

    def integers(self, slot: int) -> list[int] | None:
        """The elements of an input that is a constant."""
        value = self.given[slot].value if slot < len(self.given) else None
        if value is None or value.dtype.kind not in "iu":
            return None
        return [int(each) for each in value.reshape(-1)]


_PLAIN = frozenset({"float32", "int32", "bool"})


CARRIERS = {  # what Keras can hold a quantised weight as
    "quint8": "uint8",
    "qint8": "int8",
    "quint16": "uint16",
    "qint16": "int16",
    "qint32": "int32",
}


def carried(text: str, dtype: str) -> str:
    """A weight as the graph has it: its bits may stand for quantised numbers."""
    return f'tf.bitcast({text}, "{dtype}")' if dtype in CARRIERS else text


def constant(value: np.ndarray, dtype: str = "") -> Text | None:
    """A constant in source; None where it is too large and its elements differ.

    ``dtype`` is TensorFlow's, where numpy has no word for it.
    """
    if dtype in CARRIERS:
        held = f'tf.constant({literal(value)}, "{CARRIERS[dtype]}")'
        return Text(carried(held, dtype), value=value)
    kind = "string" if value.dtype.kind in "OSU" else value.dtype.name
    if kind in _PLAIN and value.ndim == 0:
        text = literal(value)
        level = SIGN if text.startswith("-") else TIGHT
        return Text(text, level, free=True, literal=True, value=value)
    if value.size > SMALL or value.ndim > 1:
        uniform = _uniform(value, kind)
        if uniform or value.size > SMALL:
            return Text(uniform, value=value) if uniform else None
    if kind in _PLAIN and value.size:
        return Text(literal(value), free=True, literal=True, value=value)
    return Text(f'tf.constant({literal(value)}, "{kind}")', value=value)


def _uniform(value: np.ndarray, kind: str) -> str:
    """A constant of one number throughout."""
    if kind == "string" or not value.size or (value != value.reshape(-1)[0]).any():
        return ""
    number, shape = value.reshape(-1)[0], literal(value.shape)
    if number == 0:
        return (
            f"tf.zeros({shape})"
            if kind == "float32"
            else f'tf.zeros({shape}, "{kind}")'
        )
    text = literal(number)
    return f"tf.fill({shape}, {text if kind in _PLAIN else f'tf.constant({text}, {kind!r})'})"


def spelled(site: Site) -> Text | None:
    """The op as a person would write it; None where the table has no word for it."""
    rule = _SPELLINGS.get(site.node.op)
    if rule is None:
        return None
    try:
        return rule(site)
    except (LookupError, TypeError, ValueError):  # what a damaged node has in it
        return None


def raw(site: Site) -> str | None:
    """``tf.raw_ops.Op(...)``; None for an op that TensorFlow does not have."""
    texts = [each.tensor for each in site.given]
    return ops.tensorflow_text(site.node.op, site.node.attrs, texts)


def port_count(node: Node) -> int:
    return len(opdefs.output_dtypes(node.op, node.attrs)) or 1


def yields_list(op: str) -> bool:
    """Whether ``tf.raw_ops`` gives a list or a tuple even where the node has one output."""
    definition = op_registry.find(op)
    outputs = () if definition is None else definition.output_arg
    return len(outputs) > 1 or any(a.number_attr or a.type_list_attr for a in outputs)


Rule = Callable[[Site], "Text | None"]


def _operator(sign: str, level: int) -> Rule:
    def rule(site: Site) -> Text | None:
        left, right = (_no_list(each) for each in site.given)
        if left.literal and right.literal:
            return None
        text = f"{left.operand(max(level, SUM))} {sign} {right.operand(level + 1)}"
        return Text(text, level)

    return rule


def _no_list(text: Text) -> Text:
    """A tensor in the place of a list, of which Python has operators of its own."""
    if text.literal and text.text.startswith("["):
        return Text(f"tf.constant({text.text})")
    return text


def _bias(site: Site) -> Text | None:
    return _operator("+", SUM)(site) if site.attr("data_format") == "NHWC" else None


def _call(function: str, *attrs: tuple[str, Any]) -> Rule:
    """A function of the inputs; only where the attributes named have the values that the function takes for granted."""

    def rule(site: Site) -> Text | None:
        if any(site.attr(name) != value for name, value in attrs):
            return None
        return Text(f"{function}({', '.join(each.tensor for each in site.given)})")

    return rule


def _matmul(site: Site) -> Text:
    flags = [
        f", {name}=True"
        for name, attr in (
            ("transpose_a", ("transpose_a", "adj_x")),
            ("transpose_b", ("transpose_b", "adj_y")),
        )
        if any(site.node.attrs.get(a) for a in attr)
    ]
    left, right = (each.text for each in site.given)
    return Text(f"tf.matmul({left}, {right}{''.join(flags)})")


def _concat(site: Site) -> Text | None:
    *parts, axis = site.given
    if all(part.literal for part in parts) and site.attr("T") not in _PLAIN:
        return None
    return Text(f"tf.concat([{', '.join(p.tensor for p in parts)}], {axis.text})")


def _pack(site: Site) -> Text:
    parts = f"tf.stack([{', '.join(p.tensor for p in site.given)}]"
    axis = site.attr("axis")
    return Text(f"{parts}, axis={int(axis)})" if axis else f"{parts})")


def _unpack(site: Site) -> Text:
    axis = f", axis={int(site.attr('axis'))}" if site.attr("axis") else ""
    return Text(f"tf.unstack({site.given[0].tensor}, {int(site.attr('num'))}{axis})")


def _split(site: Site) -> Text:
    axis, x = site.given
    return Text(f"tf.split({x.tensor}, {int(site.attr('num_split'))}, {axis.text})")


def _cast(site: Site) -> Text | None:
    dtype = site.node.attrs.get("DstT")
    if not isinstance(dtype, str) or not dtype.isidentifier() or site.attr("Truncate"):
        return None
    return Text(f"tf.cast({site.given[0].tensor}, tf.{dtype})")


def _squeeze(site: Site) -> Text:
    axes = list(site.node.attrs.get("squeeze_dims") or ())
    return Text(f"tf.squeeze({site.given[0].tensor}{f', {axes}' if axes else ''})")


def _gather(site: Site) -> Text | None:
    axis = site.integers(2) if len(site.given) > 2 else [0]
    if axis is None or site.attr("batch_dims"):
        return None
    more = f", axis={axis[0]}" if axis[0] else ""
    return Text(f"tf.gather({site.given[0].tensor}, {site.given[1].tensor}{more})")


def _reduction(function: str) -> Rule:
    def rule(site: Site) -> Text:
        x, axes = site.given
        keep = ", keepdims=True" if site.attr("keep_dims") else ""
        return Text(f"{function}({x.tensor}, {axes.text}{keep})")

    return rule


def _fill(site: Site) -> Text:
    dims, value = site.given
    if value.literal and value.text == "0.0":
        return Text(f"tf.zeros({dims.tensor})")
    return Text(f"tf.fill({dims.tensor}, {value.tensor})")


def _item(site: Site) -> Text | None:
    """An element of a list that holds the rows of a tensor."""
    rows = site.given[0].rows
    return Text(f"{rows}[{site.given[1].text}]") if rows else None


def _slice(site: Site) -> Text | None:
    """``x[:, 1:3]``, where begin, end and strides are constants."""
    begin, end, strides = (site.integers(slot) for slot in (1, 2, 3))
    if begin is None or end is None or strides is None:
        return None
    masks = SliceMasks.of(site.node.attrs)
    parts = [
        _index(number, masks, *bounds)
        for number, bounds in enumerate(zip(begin, end, strides, strict=True))
    ]
    return Text(f"{site.given[0].operand()}[{', '.join(parts)}]") if parts else None


def _index(number: int, masks: SliceMasks, begin: int, end: int, stride: int) -> str:
    bit = 1 << number
    if masks.ellipsis & bit:
        return "..."
    if masks.new_axis & bit:
        return "tf.newaxis"
    if masks.shrink_axis & bit:
        return str(begin)
    first = "" if masks.begin & bit else str(begin)
    last = "" if masks.end & bit else str(end)
    return f"{first}:{last}" if stride == 1 else f"{first}:{last}:{stride}"


_SPELLINGS: dict[str, Rule] = {
    "Add": _operator("+", SUM),
    "AddV2": _operator("+", SUM),
    "Sub": _operator("-", SUM),
    "Mul": _operator("*", PRODUCT),
    "RealDiv": _operator("/", PRODUCT),
    "FloorDiv": _operator("//", PRODUCT),
    "FloorMod": _operator("%", PRODUCT),
    "Less": _operator("<", COMPARISON),
    "LessEqual": _operator("<=", COMPARISON),
    "Greater": _operator(">", COMPARISON),
    "GreaterEqual": _operator(">=", COMPARISON),
    "BiasAdd": _bias,
    "MatMul": _matmul,
    "BatchMatMulV2": _matmul,
    "ConcatV2": _concat,
    "Pack": _pack,
    "Unpack": _unpack,
    "Fill": _fill,
    "Neg": lambda site: Text(f"-{site.given[0].operand(SIGN)}", SIGN),
    "Split": _split,
    "Cast": _cast,
    "Squeeze": _squeeze,
    "Gather": _gather,
    "GatherV2": _gather,
    "StridedSlice": _slice,
    "TensorListGetItem": _item,
    "Sum": _reduction("tf.reduce_sum"),
    "Mean": _reduction("tf.reduce_mean"),
    "Max": _reduction("tf.reduce_max"),
    "Min": _reduction("tf.reduce_min"),
    "Prod": _reduction("tf.reduce_prod"),
    "All": _reduction("tf.reduce_all"),
    "Any": _reduction("tf.reduce_any"),
    "Equal": _call("tf.equal", ("incompatible_shape_error", True)),
    "NotEqual": _call("tf.not_equal", ("incompatible_shape_error", True)),
    "Shape": _call("tf.shape", ("out_type", "int32")),
    "Size": _call("tf.size", ("out_type", "int32")),
    "ArgMax": _call("tf.argmax", ("output_type", "int64")),
    "Softmax": _call("tf.nn.softmax"),
    "Relu": _call("tf.nn.relu"),
    "Elu": _call("tf.nn.elu"),
    "Softplus": _call("tf.nn.softplus"),
    "Log": _call("tf.math.log"),
    "SelectV2": _call("tf.where"),
    "ExpandDims": _call("tf.expand_dims"),
    "ResourceGather": _call("tf.gather", ("batch_dims", 0)),
    **{
        op: _call(f"tf.{op.lower()}")
        for op in "Tanh Sigmoid Exp Sqrt Square Abs Maximum Minimum Reshape Transpose Range Tile Pow Rank".split()
    },
    "LogicalAnd": _call("tf.logical_and"),
    "LogicalOr": _call("tf.logical_or"),
    "LogicalNot": _call("tf.logical_not"),
    "ZerosLike": _call("tf.zeros_like"),
    "OnesLike": _call("tf.ones_like"),
}
