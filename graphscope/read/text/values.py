"""The values of the text form: numbers, strings, dtypes, shapes, tensors, lists, functions (see ``render/text.py``)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ...errors import FormatError
from ...graph import FunctionRef, TensorSpec
from ...graph.named_values import Arguments
from ...wire import messages as proto
from ...wire.attrs import numpy_dtype
from .cursor import Cursor, unquoted

_DEEPEST = 64  # brackets inside brackets
_LARGEST = 1 << 31  # elements that one splat may claim
_KINDS = {"f": "float", "i": "int", "u": "uint", "c": "complex", "bf": "bfloat"}


class Absent(NamedTuple):
    text: str


AS_ABOVE = object()


def specs_of(cursor: Cursor) -> list[TensorSpec]:
    specs = []
    while True:
        dtype = _long_dtype(cursor.name())
        cursor.expect("[")
        specs.append(TensorSpec(dtype, _shape(cursor)))
        if not cursor.taking(","):
            return specs


def _shape(cursor: Cursor) -> tuple[int | None, ...] | None:
    if cursor.taking("*"):
        cursor.expect("]")
        return None
    sizes: list[int | None] = []

    def size() -> None:
        sizes.append(None if cursor.taking("?") else cursor.integer())

    cursor.separated("]", size)
    return tuple(sizes)


def _long_dtype(short: str) -> str:
    """``float32`` for ``f32``."""
    base, ref = short.removesuffix("&"), "_ref" if short.endswith("&") else ""
    letters = base.rstrip("0123456789")
    if letters in _KINDS and letters != base:
        base = _KINDS[letters] + base[len(letters) :]
    return ("" if base == "_" else base) + ref


def value_of(cursor: Cursor) -> Any:
    cursor.depth += 1
    if cursor.depth > _DEEPEST:
        raise FormatError(f"more than {_DEEPEST} brackets inside each other")
    value = _any_value(cursor)
    cursor.depth -= 1
    return value


def _any_value(cursor: Cursor) -> object:
    if cursor.kind == "string":
        return unquoted(cursor.step())
    if cursor.taking("["):
        listed: list[Any] = []
        cursor.separated("]", lambda: listed.append(value_of(cursor)))
        return tuple(listed)
    if cursor.text == "{":
        return attributes_of(cursor)
    if cursor.taking("@"):
        return FunctionRef(cursor.name(), attributes_of(cursor))
    if cursor.taking("?"):
        return None
    if cursor.taking("*"):
        return AS_ABOVE
    return _word_value(cursor)


def attributes_of(cursor: Cursor) -> dict[str, object]:
    cursor.expect("{")
    attributes: Arguments = {}

    def pair() -> None:
        name = cursor.name()
        cursor.expect(":")
        attributes[name] = value_of(cursor)

    cursor.separated("}", pair)
    return attributes


def _word_value(cursor: Cursor) -> object:
    """A number, a constant, a dtype or a tensor."""
    if cursor.kind == "number":
        return _number(cursor.step())
    if cursor.kind != "word":
        raise FormatError(f"column {cursor.at}: a value expected, not {cursor.text!r}")
    word = cursor.step()
    if cursor.text == "[":
        return _tensor(cursor, word)
    if word in _CONSTANTS:
        return _CONSTANTS[word]
    if word in proto.DATA_TYPE_NUMBERS:
        return word
    raise FormatError(
        f"column {cursor.at}: {word!r} is no value; strings stand in quotes"
    )


_CONSTANTS = {"true": True, "false": False, "none": None}


def _number(text: str) -> int | float:
    digits = text.removeprefix("-")
    if not digits.isdigit():
        return float(text)
    if len(digits) > 20:
        raise FormatError(f"{text[:24]}... has more digits than any TensorFlow integer")
    return int(text)


def _tensor(cursor: Cursor, dtype: str) -> object:
    """``[shape]{values}``, ``[shape]{value*}`` or ``[shape]#digest``."""
    cursor.expect("[")
    shape = _shape(cursor)
    numpy_type = numpy_dtype(_long_dtype(dtype))
    if shape is None or None in shape or numpy_type is None:
        raise FormatError(
            f"column {cursor.at}: no tensor is of {dtype} and such a shape"
        )
    sizes = tuple(size for size in shape if size is not None)
    if cursor.taking("#"):
        return Absent(f"{dtype}[{','.join(map(str, sizes))}]#{cursor.name()}")
    cursor.expect("{")
    values: list[Any] = []
    splat: list[bool] = []

    def element() -> None:
        values.append(_element(cursor))
        splat.append(cursor.taking("*"))

    cursor.separated("}", element)
    return _array(values, any(splat), numpy_type, sizes)


def _element(cursor: Cursor) -> object:
    if cursor.kind == "string":
        return unquoted(cursor.step()).encode("latin-1", "replace")
    if cursor.kind == "word" and cursor.text in _CONSTANTS:
        return _CONSTANTS[cursor.step()]
    if cursor.kind != "number":
        raise FormatError(f"column {cursor.at}: a value expected, not {cursor.text!r}")
    real = _number(cursor.step())
    return complex(real, _number(cursor.step())) if cursor.taking("|") else real


def _array(
    values: list[object],
    splat: bool,
    dtype: np.dtype[np.generic],
    shape: tuple[int, ...],
) -> np.ndarray:
    count = 1
    for size in shape:
        count *= size
    if count > _LARGEST or len(values) != (1 if splat else count):
        raise FormatError(
            f"a tensor of shape {list(shape)} cannot have {len(values)} values"
        )
    array = np.empty(len(values), dtype)
    try:
        array[:] = values
    except (TypeError, ValueError, OverflowError) as error:
        raise FormatError(f"the values are not of {dtype.name} ({error})") from None
    return np.broadcast_to(array[0], shape) if splat else array.reshape(shape)
