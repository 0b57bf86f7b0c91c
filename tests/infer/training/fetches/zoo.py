"""The registry of styles, and how one becomes a Model: through a .meta file, as somebody would save it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from graphscope.graph import Model
from graphscope.read import load
from tests.architectures.legacy import layers, tensorflow_1, v1

__all__ = [
    "Fetches",
    "SETS",
    "STYLES",
    "blind",
    "build_style",
    "eighth",
    "fetch",
    "fifth",
    "fourth",
    "layers",
    "ninth",
    "seventh",
    "sixth",
    "style",
    "tenth",
    "third",
    "v1",
]


@dataclass(frozen=True)
class Fetches:
    """What an author fetches: ``first`` may stand first, ``whole`` belongs together; ``labels`` are not needed.

    ``frozen``: the author publishes the graph frozen at ``whole``, not the training graph. ``twins``: other sets that
    are as right as ``whole``, of the same weights on other data.
    """

    first: frozenset[str]
    whole: frozenset[str]
    labels: frozenset[str] = frozenset()
    frozen: bool = False
    twins: tuple[frozenset[str], ...] = ()

    def allow_first(self, ranked: Sequence[str]) -> bool:
        """Whether the best of these names may stand first."""
        return bool(ranked) and ranked[0] in self.first

    def begin(self, ranked: Sequence[str]) -> bool:
        """Whether the best of these names are the set that belongs together, or one that is as right."""
        if len(self.whole) == 1 and self.first > self.whole:
            return self.allow_first(ranked)
        sets = (self.whole, *self.twins)
        return any(set(ranked[: len(each)]) == each for each in sets)


Builder = Callable[[], Fetches]
STYLES: dict[str, Builder] = {}
SETS: dict[str, dict[str, Builder]] = {
    "first": STYLES,
    "third": {},
    "fourth": {},
    "fifth": {},
    "sixth": {},
    "seventh": {},
    "eighth": {},
    "ninth": {},
    "blind": {},
    "tenth": {},
}
"""Styles by when they were written: from the third on each was measured once before anybody looked at an answer. ``blind`` is the
half of the ninth from which nothing is learned; so is all of the tenth."""


def _into(group: str) -> Callable[[Builder], Builder]:
    """What registers a builder of a set under its name."""

    def register(build: Builder) -> Builder:
        SETS[group][build.__name__] = build
        return build

    return register


style = _into("first")  # those that the ranking was built on
third, fourth, fifth = _into("third"), _into("fourth"), _into("fifth")
sixth, seventh, eighth = _into("sixth"), _into("seventh"), _into("eighth")
ninth, blind, tenth = _into("ninth"), _into("blind"), _into("tenth")


def fetch(
    *tensors: Any,
    first: Iterable[Any] = (),
    labels: Iterable[Any] = (),
    frozen: bool = False,
    twins: Iterable[Iterable[Any]] = (),
) -> Fetches:
    """The fetches of these tensors; ``first`` those of them that may stand first, all where none is named."""
    whole = frozenset(map(_spelled, tensors))
    return Fetches(
        frozenset(map(_spelled, first)) or whole,
        whole,
        frozenset(map(_spelled, labels)),
        frozen,
        tuple(frozenset(map(_spelled, twin)) for twin in twins),
    )


def _spelled(tensor: Any) -> str:
    return str(tensor.name).removesuffix(":0")


def build_style(name: str, group: str = "first") -> tuple[Model, Fetches]:
    """The graph of a style as graphscope reads its .meta (or frozen .pb), and what its author fetches."""
    with tensorflow_1() as graph, tempfile.TemporaryDirectory() as folder:
        fetches = SETS[group][name]()
        if fetches.frozen:
            return load(_frozen(Path(folder), fetches)), fetches
        if v1.global_variables() and not graph.get_collection("savers"):
            v1.train.Saver()
        path = str(Path(folder) / "model.meta")
        v1.train.export_meta_graph(path)
        return load(path), fetches


def _frozen(folder: Path, fetches: Fetches) -> str:
    with v1.Session() as session:
        session.run(v1.global_variables_initializer())
        definition = v1.graph_util.convert_variables_to_constants(
            session,
            session.graph_def,
            sorted({name.partition(":")[0] for name in fetches.whole}),
        )
    path = folder / "frozen.pb"
    path.write_bytes(definition.SerializeToString())
    return str(path)


_FILES = (
    "classifiers generative regressions reinforcement sequences structures fourth"
    " third.agents third.images third.language third.science"
    " fifth.agents fifth.boxes fifth.faces fifth.generative fifth.science fifth.series fifth.tables fifth.turns fifth.vision"
    " fifth.words sixth seventh.agents seventh.pictures seventh.ratings seventh.science seventh.words eighth.codes eighth.values"
    " ninth.tables ninth.series ninth.pictures ninth.agents tenth.pictures tenth.series tenth.tables"
)


def all_styles(group: str = "first") -> list[str]:
    """The names of the styles of a set."""
    for name in _FILES.split():
        import_module(f"{__package__}.{name}")
    return list(SETS[group])
