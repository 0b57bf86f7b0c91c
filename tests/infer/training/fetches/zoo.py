"""The registry of styles, and how one becomes a Model: through a .meta file, as somebody would save it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphscope.graph import Model
from graphscope.read import load
from tests.architectures.legacy import layers, tensorflow_1, v1

__all__ = ["Fetches", "STYLES", "build_style", "fetch", "layers", "style", "v1"]


@dataclass(frozen=True)
class Fetches:
    """What an author fetches: ``first`` may stand first, ``whole`` belongs together; ``labels`` are not needed."""

    first: frozenset[str]
    whole: frozenset[str]
    labels: frozenset[str] = frozenset()


STYLES: dict[str, Callable[[], Fetches]] = {}


def style(build: Callable[[], Fetches]) -> Callable[[], Fetches]:
    """Registers a builder under its name."""
    STYLES[build.__name__] = build
    return build


def fetch(
    *tensors: Any, first: Iterable[Any] = (), labels: Iterable[Any] = ()
) -> Fetches:
    """The fetches of these tensors; ``first`` those of them that may stand first, all where none is named."""
    whole = frozenset(map(_spelled, tensors))
    return Fetches(
        frozenset(map(_spelled, first)) or whole,
        whole,
        frozenset(map(_spelled, labels)),
    )


def _spelled(tensor: Any) -> str:
    return str(tensor.name).removesuffix(":0")


def build_style(name: str) -> tuple[Model, Fetches]:
    """The graph of a style as graphscope reads its .meta, and what its author fetches."""
    with tensorflow_1() as graph, tempfile.TemporaryDirectory() as folder:
        fetches = STYLES[name]()
        if v1.global_variables() and not graph.get_collection("savers"):
            v1.train.Saver()
        path = str(Path(folder) / "model.meta")
        v1.train.export_meta_graph(path)
        return load(path), fetches


def all_styles() -> list[str]:
    """The names of all styles; every second one is held out: not looked at while the ranking was built."""
    from . import (  # noqa: F401
        classifiers,
        generative,
        regressions,
        reinforcement,
        sequences,
        structures,
    )

    return list(STYLES)
