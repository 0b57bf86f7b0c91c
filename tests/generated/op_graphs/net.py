"""A graph under way, and the list of the styles: each builds a graph and returns what is read of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from .arguments import Draw

v1 = tf.compat.v1
STYLES: dict[str, Callable[[Net], Any]] = {}


class Net(Draw):
    """A graph under way; ``feeds`` is what is fed, by node."""

    def __init__(self, rng: np.random.Generator) -> None:
        super().__init__(rng, "", ())
        self.feeds: dict[str, np.ndarray] = {}

    def feed(self, array: Any, name: str = "", shape: Any = "as it is") -> Any:
        """A placeholder; ``shape`` None: of unknown rank."""
        array = np.asarray(array)
        name = name or f"in{len(self.feeds)}"
        self.feeds[name] = array
        if isinstance(shape, str):
            shape = list(array.shape)
            if shape and self.chance(0.25):
                shape[0] = None
        return v1.placeholder(array.dtype, shape, name)

    def floats(self, *shape: int, scale: float = 1.0) -> np.ndarray:
        return (self.rng.normal(size=shape) * scale).astype("float32")

    def above(self, *shape: int) -> np.ndarray:
        return (np.abs(self.rng.normal(size=shape)) + 0.1).astype("float32")

    def whole_numbers(self, high: int, *shape: int, dtype: str = "int32") -> np.ndarray:
        return self.rng.integers(0, high, shape).astype(dtype)

    def image(self, channels: int = 3, batch: int = 0) -> Any:
        """As a script feeds an image: of known shape, of open batch, or of no shape at all."""
        batch = batch or self.whole(1, 2)
        array = self.floats(batch, self.whole(5, 8), self.whole(5, 8), channels)
        if self.chance(0.4):
            return self.feed(array, "input", None)
        return self.feed(array, "input")

    @property
    def padding(self) -> str:
        return str(self.pick(["SAME", "VALID"]))


def style(function: Callable[[Net], Any]) -> Callable[[Net], Any]:
    kind = function.__module__.rpartition(".")[2]
    STYLES[f"{kind}_{function.__name__}"] = function
    return function


def variants(name: str, functions: dict[str, Callable[[Net], Any]]) -> None:
    """One style for each of a family of short graphs."""
    STYLES.update({f"{name}_{key}": function for key, function in functions.items()})
