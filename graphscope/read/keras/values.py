"""A value in Keras's JSON -> the plain value that it stands for: tuples, slices, arrays, dtypes, names of functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Special = Callable[[Mapping[str, object]], object]


def plain(value: object, special: Special = lambda value: None) -> Any:
    """The value; lists become tuples. ``special`` is asked first of every object, and answers None where it does not know it.

    What Keras serialises as an object of another kind (an initializer, a regularizer) stays ``{"class_name", "config"}``.

    >>> plain({"class_name": "__tuple__", "items": [1, [2, None]]})
    (1, (2, None))
    """
    if isinstance(value, list):
        return tuple(plain(each, special) for each in value)
    if not isinstance(value, dict):
        return value
    number = special(value)
    if number is not None:
        return number
    name = value.get("class_name")
    if not isinstance(name, str):
        return {str(key): plain(each, special) for key, each in value.items()}
    if name == "__tuple__":
        return plain(value.get("items") or [], special)
    return _object(name, value.get("config"), special)


def _object(name: str, config: object, special: Special) -> Any:
    inner = config if isinstance(config, dict) else {}
    if name in ("__tensor__", "__numpy__", "ndarray"):
        return plain(inner.get("value", inner.get("data")), special)
    if name == "__slice__":
        return slice(*(plain(inner.get(k), special) for k in ("start", "stop", "step")))
    if name == "__ellipsis__":
        return ...
    if name in ("function", "builtin_function_or_method"):
        return str(config.get("name") if isinstance(config, dict) else config)
    if name.endswith(("Policy", "PolicyV1")) or name == "DTypePolicyMap":
        return str(inner.get("name", "float32"))
    if name in ("TensorShape", "__tensorshape__"):
        return plain(inner.get("items") or value_of(config), special)
    return {
        "class_name": name,
        "config": {key: plain(each, special) for key, each in inner.items()},
    }


def value_of(config: object) -> Any:
    return config if isinstance(config, list) else []
