"""A reference that has to be run otherwise than it lies there: what is compared in its place, and what is said of it.

A training graph without switches normalises with the statistics of the batch and drops at random: no inference graph can equal it. Its
inference form is run then, with the weights of its checkpoint; where the other has the moving averages of these weights, with those. Such
a form is graphscope's work, so the comparison says with what the reference was run, why, and how far that is from the file.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import GraphscopeError
from ...freeze import freeze_model
from ...freeze.inference.batch_norm import FUSED, use_moving_statistics
from ...freeze.inference.rewrite import find_modes
from ...freeze.variables.choice import averages_in
from ...freeze.variables.moving_averages import find_averages
from ...graph import Model
from ...simplify.prune import prune
from ...simplify.rewrites.dropout import runs_dropout
from ...simplify.rewrites.stored_ranges import read_stored_ranges
from ...simplify.specialise import specialise
from ..differences import difference
from ..feeds.noise import Noise
from ..run.opening import open_runner
from ..run.runner import GraphRunner, Runner


@dataclass(frozen=True)
class Form:
    """A reference run otherwise than it lies there: with what, and why it has to be."""

    runner: Runner
    run_with: tuple[str, ...]
    because: str
    stored: Runner

    def apart(
        self, feeds: Mapping[str, object], names: Sequence[str], values: Any
    ) -> tuple[float | None, list[str]]:
        """How far the file as it lies there is from this form, whose values on these feeds are given; and remarks."""
        try:
            own = self.stored.run(feeds, names, Noise())
        except GraphscopeError as error:
            return None, [f"the file as stored was not run beside it: {error}"]
        return max(difference(x, y)[1] for x, y in zip(values, own)), []


def inference_form(
    first: Runner, second: Runner, names: Sequence[str], theirs: Sequence[str]
) -> Form | None:
    """The inference form of ``first``; None where it does not only train, or ``second`` trains too."""
    reason = trains(first.model, names) if first.model is not None else ""
    if not reason or second.model is not None and trains(second.model, theirs):
        return None
    return _frozen(first, names, f"the file {reason}", weights="raw")


def averaged_form(
    first: Runner, names: Sequence[str], form: Form | None
) -> Form | None:
    """The same (or ``form`` of it) with the moving averages of its weights; None where it has none."""
    if first.model is None or not averages_in(first.model):
        return None
    reasons = [form.because] if form else []
    because = " and ".join([*reasons, "the file's own graph reads the raw weights"])
    return _frozen(first, names, because, weights="ema", as_is=form is None)


def _frozen(
    first: Runner, names: Sequence[str], because: str, **wishes: object
) -> Form | None:
    """``first`` as ``freeze`` writes it; None where that cannot be, or not be run."""
    if first.model is None:
        return None
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "reference.pb"
            report = freeze_model(
                first.model, names, path, signature_names=False, **wishes
            )
            runner = open_runner(path)
    except GraphscopeError:
        return None
    if isinstance(runner, GraphRunner):
        runner.source = first.source
    kinds = Counter(change.kind for change in report.changes if change.kind)
    run_with = (f"{k} ({n} times)" if n > 1 else k for k, n in kinds.items())
    return Form(runner, tuple(run_with), because, first)


def trains(model: Model, names: Sequence[str]) -> str:
    """In what way computing these tensors is training, whatever is fed; ``""`` where it is not."""
    there = [name for name in names if name.rpartition(":")[0] in model.graph]
    graph = prune(model.graph, there)
    modes = find_modes(model, graph)
    graph = prune(specialise(model.graph, modes, functions=model.functions), there)
    for name in graph.by_op(*FUSED):
        if graph.attrs(name).get("is_training", True):
            return f"normalises with the statistics of the batch ({name})"
    for node in read_stored_ranges(model.graph)[1]:
        if node in graph:
            return f"moves the range that it quantises with ({node})"
    averages = find_averages(model.graph)
    for change in use_moving_statistics(graph, model.graph, averages):
        return f"normalises with the statistics of the batch ({change.nodes[0]})"
    dropped = runs_dropout(graph, model.functions) if not modes else ""
    return f"drops at random ({dropped})" if dropped else ""
