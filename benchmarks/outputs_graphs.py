"""Graphs with known outputs: the corpus, the training graphs of the tests, styles of published code, random scripts."""

from __future__ import annotations

import csv
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from graphscope.errors import GraphscopeError
from graphscope.graph import Model, Tensor
from graphscope.read import load

ROOT = Path(__file__).parent.parent
CORPUS = Path(os.environ.get("GRAPHSCOPE_CORPUS", ROOT.parent / "shared" / "corpus"))


@dataclass(frozen=True)
class Sample:
    """A graph, where it comes from (``group``: its repository, or how it was made), and its true outputs.

    ``first``: those that may stand first; ``whole``: those that belong together; ``twins``: sets that are as right.
    """

    name: str
    group: str
    kind: str
    model: Model
    first: frozenset[str]
    whole: frozenset[str]
    twins: tuple[frozenset[str], ...] = ()

    @property
    def trains(self) -> bool:
        """Whether it is a graph that trains, or was saved beside a checkpoint."""
        kinds = ("metagraph", "training graph", "random script")
        return self.kind in kinds or self.kind.endswith("styles")


def spelled(name: str) -> str:
    """A tensor as a person types it; TensorFlow Lite's own ``name:0`` likewise, and its integers as what they stand for."""
    tensor = Tensor.parse(name.removesuffix(":0").removesuffix("/quantised"))
    return str(tensor) if tensor.port else tensor.node


def corpus(folder: Path) -> Iterator[Sample]:
    """The graphs of a corpus whose outputs are known."""
    with (folder / "INDEX.tsv").open(newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            names = [n for n in (row["outputs"] or "").split(",") if n]
            if not names or row["kind"].startswith("ckpt"):
                continue
            true = frozenset(map(spelled, names))
            try:
                model = load(str(folder / row["path"]))
            except GraphscopeError as error:
                print(f"{row['path']}: {error}", file=sys.stderr)
                continue
            yield Sample(row["path"], row["source"], row["kind"], model, true, true)


def generated(random_scripts: int = 20) -> Iterator[Sample]:
    """Training graphs that are built here, by TensorFlow."""
    sys.path.insert(0, str(ROOT))
    yield from _zoo()
    yield from _styles()
    yield from _random(random_scripts)


def _zoo() -> Iterator[Sample]:
    from tests.infer.training.training_zoo import BUILDERS, build_model

    for name, build in BUILDERS.items():
        model, known = build_model(build)
        kind = "training graph"
        yield Sample(name, f"zoo {name}", kind, model, known.best, known.whole)


def _styles() -> Iterator[Sample]:
    from tests.infer.training.fetches.zoo import SETS, all_styles, build_style

    for group in SETS:
        for name in all_styles(group):
            model, known = build_style(name, group)
            kind = f"{group} frozen" if known.frozen else f"{group} styles"
            true = known.first, known.whole, known.twins
            yield Sample(name, f"style {name}", kind, model, *true)


def _random(count: int) -> Iterator[Sample]:
    from tests.generated.training_graphs import random_training

    for seed in range(9000, 9000 + count):
        with tempfile.TemporaryDirectory() as folder:
            saved = random_training(seed, Path(folder)).checkpoint
            model = load(saved + ".meta")
        true = frozenset(["logits"])
        yield Sample(f"seed {seed}", "random", "random script", model, true, true)
