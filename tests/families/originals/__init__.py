"""Graphs that compute what the published code of a family does: the truth that a family's builder is held against.

Each is written after its author's own file (named in its docstring), on ``tf.compat.v1`` and tf_slim, with the author's
variable names. OPEN FOLDER: one module a field.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import tensorflow as tf

v1 = tf.compat.v1
Build = Callable[[], tuple[list[Any], list[Any]]]


@dataclass(frozen=True)
class Original:
    """``build`` gives what is fed and what is computed, in the order of the recovered model's inputs and outputs.

    ``title`` is how the claim begins, ``options`` what names and shapes leave open, ``limit`` bounds what integers are fed, ``peak`` other numbers;
    ``part`` is another family that is whole within it, under a scope of its own: a backbone.
    """

    build: Build
    title: str
    options: Mapping[str, Any] = field(default_factory=dict)
    limit: int = 2
    peak: float = 1.0
    is_slow: bool = False
    part: str = ""


ORIGINALS: dict[str, Original] = {}


def original(
    title: str,
    *,
    slow: bool = False,
    limit: int = 2,
    peak: float = 1.0,
    part: str = "",
    **options: Any,
) -> Callable[[Build], Build]:
    """Register a graph under the name of its function."""

    def register(build: Build) -> Build:
        name = build.__name__
        ORIGINALS[name] = Original(build, title, options, limit, peak, slow, part)
        return build

    return register


def image(*sizes: int) -> Any:
    """A placeholder for two images."""
    return v1.placeholder(tf.float32, [2, *sizes])


def tokens(length: int, name: str = "ids") -> Any:
    """A placeholder for three rows of numbers of tokens."""
    return v1.placeholder(tf.int32, [3, length], name)
