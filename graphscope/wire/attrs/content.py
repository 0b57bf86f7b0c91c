"""What a constant says of its value without its elements: told once for each constant, since many passes ask."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from ...graph import TensorSpec
from ...graph.named_values import Message

_VALUES = frozenset("tensor_content float_val double_val half_val int_val".split())
_NUMBERS = frozenset("float_val double_val int_val int64_val half_val bool_val".split())
_LISTS = _VALUES | _NUMBERS


class Content(NamedTuple):
    """``sizes`` is the shape as the message writes it; ``hollow``: the value is a shape alone, as where it was written apart
    (TensorFlow reads zeros); ``one_number``: it is stored as one number that stands for all elements.
    """

    spec: TensorSpec
    sizes: tuple[int, ...]
    hollow: bool
    one_number: bool


def content_of(tensor: Message, spec: TensorSpec) -> Content:
    """The content of a TensorProto, whose dtype and shape are ``spec``."""
    sizes = tuple([dim.size for dim in tensor.tensor_shape.dim])
    lengths = {
        field.name: len(value)
        for field, value in tensor.ListFields()
        if field.name in _LISTS
    }
    hollow = _VALUES.isdisjoint(lengths)
    one_number = any(lengths[name] == 1 for name in lengths.keys() & _NUMBERS)
    return _shared(spec, sizes, hollow, one_number)


@lru_cache(1 << 12)
def _shared(
    spec: TensorSpec, sizes: tuple[int, ...], hollow: bool, one_number: bool
) -> Content:
    """One object for all that say the same."""
    return Content(spec, sizes, hollow, one_number)
