"""Python values -> the source text of equal values. Whatever a model file holds reaches the source through here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


class Code(str):
    """Text that is source already: an expression over parameters and variables of our own making."""


def literal(value: object) -> str:
    """The shortest expression that evaluates to the value; raises TypeError for what no literal can say.

    Floats that are float32 values in disguise are written as float32 writes them.

    >>> literal((3, 0.0010000000474974513, "a'b")), literal({"axis": -1})
    ('(3, 0.001, "a\\'b")', "{'axis': -1}")
    """
    if type(value) in _PLAIN:
        return repr(value)
    if isinstance(value, Code):
        return str(value)
    if isinstance(value, np.ndarray):
        return literal(value.tolist())
    if isinstance(value, np.generic):
        return literal(value.item())
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, str):
        return _string(value)
    if value is None or isinstance(value, bool | int | complex | bytes):
        return repr(value)
    return _container(value)


_PLAIN = (int, bool, type(None))
_REGULARIZERS = {"L1": {"l1"}, "L2": {"l2"}, "L1L2": {"l1", "l2"}}


def _container(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(literal, value)) + "]"
    if isinstance(value, tuple):
        inside = ", ".join(map(literal, value))
        return f"({inside},)" if len(value) == 1 else f"({inside})"
    if isinstance(value, Mapping) and _is_regularizer(value):
        return _regularizer(value["class_name"], value["config"])
    if isinstance(value, Mapping):
        pairs = (f"{literal(key)}: {literal(each)}" for key, each in value.items())
        return "{" + ", ".join(pairs) + "}"
    raise TypeError(f"no literal for a {type(value).__name__}")


def _is_regularizer(value: Mapping[Any, Any]) -> bool:
    """Whether this is the serial form of a regularizer of Keras's, with its arguments and no others: their names become source."""
    name, config = value.get("class_name"), value.get("config")
    return (
        value.keys() == {"class_name", "config"}
        and isinstance(name, str)
        and isinstance(config, Mapping)
        and bool(config)
        and config.keys() <= _REGULARIZERS.get(name, set())
    )


def _regularizer(name: str, config: Mapping[str, object]) -> str:
    """The constructor of a regularizer that Keras's serial form stands for: short where one number says all."""
    if config.keys() == {name.lower()}:
        return f"regularizers.{name}({literal(*config.values())})"
    inside = ", ".join(f"{key}={literal(each)}" for key, each in sorted(config.items()))
    return f"regularizers.{name}({inside})"


def _float(value: float) -> str:
    if value != value or value in (np.inf, -np.inf):
        return f'float("{value}")'
    with np.errstate(over="ignore"):
        single = np.float32(value)
    short = float(str(single))
    is_within = abs(short) <= float(np.finfo("float32").max)  # not rounded beyond it
    is_single = is_within and float(single) == value
    text = repr(short) if is_single else repr(value)
    return text.removesuffix(".0") + ".0" if text.endswith(".0") else text


def _string(value: str) -> str:
    """``repr`` in double quotes, as black writes it, and in ASCII, so that no direction mark can hide in it."""
    text = ascii(value)
    if text[0] == "'" and '"' not in text:
        return '"' + text[1:-1].replace("\\'", "'") + '"'
    return text
