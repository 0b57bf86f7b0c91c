"""What each op means: its shape rule, its Keras text, its numpy evaluation, its traits.

An open folder: one file per family, each op one ``define`` block; every module here is imported at first use, and a
second definition of an op is an error. What TensorFlow's registry says (dtypes, counts, defaults) is in ``opdefs``.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache

from ..graph import Shape
from ..graph.named_values import Attributes
from ..wire import op_registry
from . import text
from .registry import TABLE, Call, Meaning, Partial, Unsaid, Value, define
from .traits import TRAITS, derived
from .values.budget import MOST_ELEMENTS
from .values.dims import elements
from .values.partial import evaluate

__all__ = [
    "TRAITS",
    "Call",
    "Meaning",
    "Partial",
    "Unsaid",
    "Value",
    "define",
    "keras_body",
    "keras_text",
    "likely_shape",
    "meaning",
    "shapes",
    "table",
    "tensorflow_text",
    "traits",
    "values",
]

_FIRST = slice(0, 1)
# What rules raise on a node that contradicts its op: a file may give any attribute any type
_CONTRADICTIONS = (
    Unsaid,
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)


@cache
def table() -> Mapping[str, Meaning]:
    """Every op with a block of its own."""
    for module in pkgutil.walk_packages(__path__, f"{__name__}."):
        importlib.import_module(module.name)
    return TABLE


@cache
def meaning(op: str) -> Meaning | None:
    """All that is known of an op; None where neither this folder nor TensorFlow's registry knows it.

    >>> meaning("Relu").keras
    'ops.relu({0})'
    """
    entry, definition = table().get(op), op_registry.find(op)
    if entry is None and definition is None:
        return None
    entry = entry or Meaning(op)
    return replace(entry, traits=entry.traits | derived(op, definition))


def traits(op: str) -> frozenset[str]:
    """The traits of an op; none for an unknown one."""
    definition = meaning(op)
    return definition.traits if definition is not None else frozenset()


def shapes(call: Call, ports: int) -> tuple[Shape, ...]:
    """The shape of each output port, all unknown where no rule knows or the call contradicts its op."""
    definition = meaning(call.op)
    if definition is None or definition.shape is None:
        return (None,) * ports
    try:
        inferred = tuple(definition.shape(call))[:ports]
    except _CONTRADICTIONS:  # hostile attributes and constants fail in every way
        return (None,) * ports
    return inferred + (None,) * (ports - len(inferred))


def likely_shape(call: Call) -> Shape:
    """The shape of the first output where the sizes that are not known are no special ones; None where that tells nothing."""
    definition = meaning(call.op)
    if definition is None or definition.likely is None:
        return None
    try:
        return next(iter(definition.likely(call)))
    except _CONTRADICTIONS:
        return None


def values(call: Call, ports: int, limit: int = MOST_ELEMENTS) -> tuple[Value, ...]:
    """What is known of the elements of each output, given what is known of the inputs (numpy; nothing runs).

    An output of more than ``limit`` elements is not computed, unless it is a view of its input.
    """
    definition = meaning(call.op)
    if definition is None or (definition.fold is None and definition.measure is None):
        return (None,) * ports
    if definition.measure is None and not _is_enough(definition, call.values):
        return (None,) * ports
    try:
        if not _is_small(definition, call, ports, limit):
            return (None,) * ports
        return evaluate(definition, call, ports)
    except _CONTRADICTIONS:
        return (None,) * ports


def _is_enough(definition: Meaning, operands: Sequence[Value]) -> bool:
    """Whether anything can come of it: all inputs operands in part, or some of those whose elements are moved."""
    missing = sum(value is None for value in operands)
    return missing < len(operands) and (not missing or definition.moves is not None)


def _is_small(definition: Meaning, call: Call, ports: int, limit: int) -> bool:
    """Whether every output is known to have few elements: a file may ask for ``Fill([1e9])``."""
    if "pass-through" in definition.traits or definition.shape is None:
        return "pass-through" in definition.traits
    sizes = [elements(shape) for shape in definition.shape(call)]
    if definition.moves == _FIRST:  # a view, or no more than the input has
        limit = max(limit, elements(call.shape(0)) or 0)
    return all(size is not None and size <= limit for size in sizes)


def keras_text(call: Call, texts: Sequence[str]) -> str | None:
    """An expression over the input texts that computes the op with ``keras.ops``; None where that cannot say it.

    Input texts must bind tighter than any operator; the result may be an operator expression (``a + b``). Where the op
    has several outputs it is a tuple, in which ``None`` stands for an output that keras.ops cannot say.

    >>> keras_text(Call("LeakyRelu", {"alpha": 0.5}), ["x"])
    'ops.leaky_relu(x, 0.5)'
    """
    definition = meaning(call.op)
    try:
        return (
            None if definition is None else text.write(definition, call, texts) or None
        )
    except _CONTRADICTIONS:
        return None


def keras_body(call: Call, texts: Sequence[str]) -> list[str] | None:
    """The statements of a layer's call over the input texts that compute the op with ``keras.ops``, the last a ``return`` of all
    outputs; None where there are none. Inputs are tensors or, where their elements are known, may be literals.
    """
    definition = meaning(call.op)
    if definition is None or definition.body is None:
        return None
    try:
        lines = definition.body(call, *texts)
    except _CONTRADICTIONS:
        return None
    return lines.strip("\n").splitlines() if lines else None


def tensorflow_text(op: str, attrs: Attributes, texts: Sequence[str]) -> str | None:
    """``tf.raw_ops.Op(...)`` for any op of stock TensorFlow whose attributes have literals; None for others.

    >>> tensorflow_text("Relu", {"T": "float32"}, ["x"])
    'tf.raw_ops.Relu(features=x)'
    """
    try:
        return text.tensorflow_text(op, attrs, texts)
    except _CONTRADICTIONS:
        return None
