"""A reference that can only train: what is compared in its place, and what is said of it.

A training graph without switches normalises with the statistics of the batch and drops at random: no inference graph can equal it. Its
inference form is run then, with the weights of its checkpoint; that form is graphscope's work, so the comparison says so.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import GraphscopeError
from ..freeze import freeze_model
from ..freeze.inference.batch_norm import FUSED, use_moving_statistics
from ..freeze.inference.rewrite import find_modes
from ..freeze.variables.moving_averages import find_averages
from ..graph import Model
from ..simplify.prune import prune
from ..simplify.rewrites.dropout import runs_dropout
from ..simplify.rewrites.stored_ranges import read_stored_ranges
from ..simplify.specialise import specialise
from .differences import difference
from .feeds.noise import Noise
from .run.opening import open_runner
from .run.runner import GraphRunner, Runner


def in_use(
    first: Runner, second: Runner, names: Sequence[str], theirs: Sequence[str]
) -> Runner:
    """The runner to compare with: ``first``, or its inference form where it only trains and ``second`` does not."""
    if first.model is None:
        return first
    reason = trains(first.model, names)
    if not reason or second.model is not None and trains(second.model, theirs):
        return first
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "inference.pb"
            wishes = {
                "signature_names": False,
                "weights": "raw",
            }  # what its own graph reads
            freeze_model(first.model, names, path, **wishes)
            runner = open_runner(path)
    except GraphscopeError:
        return first
    if isinstance(runner, GraphRunner):
        runner.source = first.source
    runner.remarks.append(
        f"compared with {first.source} in its inference form, as graphscope writes it, because the file {reason}"
    )
    return runner


def beside(
    stored: Runner | None, feeds: Mapping[str, Any], names: Sequence[str], values: Any
) -> list[str]:
    """How far the file as it lies there is from its inference form, of which these are the values on these feeds."""
    if stored is None:
        return []
    try:
        own = stored.run(feeds, names, Noise())
    except GraphscopeError as error:
        return [f"the file as stored was not run beside it: {error}"]
    apart = max(difference(x, y)[1] for x, y in zip(values, own))
    return [f"the file as stored differs from that form by {apart:.2g} of its scale"]


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
