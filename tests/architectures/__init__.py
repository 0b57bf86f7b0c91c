"""Published architectures, each spelled in TensorFlow 1 and TensorFlow 2 as its authors wrote it.

A module holds the builders of one family. Adding an architecture is one function::

    @architecture("U-Net", "tf1", layers={"Conv2D": 23}, lines=60)
    def unet(training=False):
        x = v1.placeholder(tf.float32, [None, None, None, 3], name="x")
        ...
        return prediction

In the idiom ``tf1`` the builder adds to the default graph and returns the output tensor or a list of them; where it takes
``training`` it can also build what its authors trained: loss, optimizer and all. In the idiom ``tf2`` it returns a Keras
model, or a callable (a ``tf.Module`` with ``__call__``) and the ``tf.TensorSpec`` of each argument.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

FORMS = {
    "tf1": ("pb", "checkpoint", "saved_model", "training"),
    "tf2": ("pb", "saved_model"),
}


@dataclass(frozen=True)
class Architecture:
    """One net in one idiom, and what its recovery is held to.

    ``layers`` gives how many layers of a Keras class there must be (classes that it does not name may be there too; two
    calls of one layer count once), ``lines`` the most lines of code, ``ops`` the most ops that belong to no layer,
    ``not_portable`` the ops that only TensorFlow can run, ``share`` the least share of weight elements in real layers,
    ``only`` names the forms that TensorFlow can write it in, where it cannot write all, ``random`` counts the outputs that
    may be drawn at random, so that there is nothing to compare.
    """

    name: str
    idiom: str
    build: Callable[..., Any]
    layers: Mapping[str, int]
    lines: int
    ops: int = 0
    not_portable: frozenset[str] = frozenset()
    share: float = 1.0
    random: int = 0
    only: tuple[str, ...] = ()
    slow: bool = False

    def __str__(self) -> str:
        return f"{self.build.__module__.rsplit('.', 1)[-1]}.{self.build.__name__}"

    @property
    def forms(self) -> tuple[str, ...]:
        """The kinds of files that the net can come in."""
        trains = "training" in inspect.signature(self.build).parameters
        forms = self.only or FORMS[self.idiom]
        return tuple(form for form in forms if form != "training" or trains)


REGISTRY: dict[str, Architecture] = {}


def architecture(
    name: str, idiom: str, **held: Any
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a builder; see Architecture for what it may be held to."""

    def register(build: Callable[..., Any]) -> Callable[..., Any]:
        made = Architecture(name, idiom, build, **held)
        if str(made) in REGISTRY:
            raise ValueError(f"two architectures are called {made}")
        REGISTRY[str(made)] = made
        return build

    return register


def architectures() -> dict[str, Architecture]:
    """All of them, by ``module.function``."""
    for module in pkgutil.iter_modules(__path__):
        if module.name != "__main__":
            importlib.import_module(f"{__name__}.{module.name}")
    return dict(sorted(REGISTRY.items()))
