"""Run two models on the same random inputs and say how far their outputs are apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import GraphscopeError
from ..graph import Shape, Tensor
from .differences import describe, difference
from .feeds import BATCHES, Port, trials
from .opening import open_runner
from .parting import first_parting
from .report import Verification
from .runner import GraphRunner, Runner
from .safety import check_outputs, draws

Pair = tuple[str, str]


def compare(
    a: Any,
    b: Any,
    *,
    seed: int = 0,
    trust: bool = False,
    outputs: Iterable[Any] = (),
    shapes: Mapping[str, Shape] | None = None,
    tolerance: float = 1e-4,
) -> Verification:
    """Run ``a`` (the reference) and ``b`` on the same inputs and compare what they compute.

    Each is a path (checkpoint with its ``.meta``, GraphDef, SavedModel, ``.keras``, ``.h5``, a folder that ``graphscope keras``
    wrote), a Model, or a Keras model. ``outputs`` names tensors of ``a`` (default: what ``b`` computes); ``shapes`` gives the shape of an
    input by name where the files do not. ``passed`` means ``max_rel <= tolerance`` for every output.

    Raises UnsafeModel, unless ``trust``, where running one could touch files; GraphscopeError where one cannot be run.
    """
    first, second = open_runner(a, trust), open_runner(b, trust)
    for mine, other in ((first, second), (second, first)):
        if isinstance(mine, GraphRunner):
            theirs = [port.name for port in other.needed(other.outputs())]
            mine.choose([*other.outputs(), *theirs])
    pairs = pair_outputs(first, second, [str(Tensor.parse(str(o))) for o in outputs])
    fed = pair_inputs(first, second, pairs)
    if not trust:
        for side, runner in enumerate((first, second)):
            if runner.model is not None:
                named = [n[side] for n in pairs], [n[side] for n in fed]
                check_outputs(runner.model, *named)
    settings = _modes(first)
    rows: dict[Pair, dict[str, Any]] = {}
    remarks = [*first.remarks, *second.remarks]
    for batch in BATCHES:
        feeds, results = _run(
            first, second, pairs, fed, settings, batch, seed, shapes or {}
        )
        for pair, x, y in zip(pairs, *results):
            row = describe(*pair, x, y, tolerance)
            if pair not in rows or not row["max_rel"] <= rows[pair]["max_rel"]:
                rows[pair] = row
    random = _random(first, second, pairs, feeds[0], results[0])
    for pair in random:
        rows[pair] |= {"random": True}
        remarks.append(f"{pair[0]} is drawn at random: its numbers are not compared")
    compared = [row for pair, row in rows.items() if pair not in random]
    passed = bool(compared) and all(row["passed"] for row in compared)
    parts_at = ""
    if compared and not passed:
        parts_at = first_parting(first, second, feeds, tolerance)
        remarks += [f"the two part first at {parts_at}"] if parts_at else []
    if any(row.get("not_finite") == np.prod(row["shape"]) for row in rows.values()):
        remarks.append("an output is not finite anywhere: its numbers prove nothing")
    return Verification(
        max((row["max_abs"] for row in compared), default=0.0),
        max((row["max_rel"] for row in compared), default=0.0),
        passed,
        tuple(rows.values()),
        tuple(remarks),
        parts_at,
    )


def pair_outputs(first: Runner, second: Runner, wanted: Sequence[str]) -> list[Pair]:
    """Which output of one is which of the other: by name, else by order."""
    if wanted:
        found = [(n, second.resolve(n)) for n in wanted]
        pairs = [(n, m) for n, m in found if m is not None]
        return (
            pairs if len(pairs) == len(wanted) else list(zip(wanted, second.outputs()))
        )
    named = [(first.resolve(n), n) for n in second.outputs()]
    pairs = [(m, n) for m, n in named if m is not None]
    if not pairs:
        named = [(n, second.resolve(n)) for n in first.outputs()]  # type: ignore[misc]
        pairs = [(n, m) for n, m in named if n is not None and m is not None]
    if not pairs:
        pairs = list(zip(first.outputs(), second.outputs()))
    if not pairs:
        raise GraphscopeError(
            f"{first.source} and {second.source} have no output to compare; name one with --output"
        )
    return pairs


def pair_inputs(first: Runner, second: Runner, pairs: Sequence[Pair]) -> list[Pair]:
    """Which input of one is which of the other: by name, else by order among those of one dtype."""
    theirs = list(second.needed([n for _, n in pairs]))
    found = [(first.resolve(port.name), port.name) for port in theirs]
    named = [(m, n) for m, n in found if m is not None]
    fed = [m for m, _ in named]
    left = [port for port in theirs if first.resolve(port.name) is None]
    for mine in first.needed([n for n, _ in pairs], fed) if left else ():
        fits = next((port for port in left if port.dtype == mine.dtype), None)
        if fits is not None:
            left.remove(fits)
            named.append((mine.name, fits.name))
    return named


def _modes(runner: Runner) -> dict[str, Any]:
    """What inference feeds to the reference's mode switches."""
    if runner.model is None:
        return {}
    from ..infer.outputs import find_outputs

    found = find_outputs(runner.model).inputs
    return {str(c.tensor): c.value for c in found if c.value is not None}


def _run(
    first: Runner,
    second: Runner,
    pairs: Sequence[Pair],
    fed: Sequence[Pair],
    settings: Mapping[str, Any],
    batch: int,
    seed: int,
    shapes: Mapping[str, Shape],
) -> tuple[tuple[dict[str, Any], dict[str, Any]], tuple[list[Any], list[Any]]]:
    """The first trial that both can run; raises the last reason where there is none."""
    mine, theirs = [n for n, _ in pairs], [n for _, n in pairs]
    known = {n: _merged(first.port(n), second.port(m), shapes) for n, m in fed}
    known |= {p.name: p for p in first.needed(mine, [n for n, _ in fed])}
    ports = {name: port for name, port in known.items() if name not in settings}
    fixed = {name: settings[name] for name in known if name in settings}
    more = {p.name: p for p in second.needed(theirs, [m for _, m in fed])}
    reason = GraphscopeError("nothing was run")
    for drawn in trials({**ports, **more}, batch, seed):
        a = {**{n: drawn[n] for n in ports}, **fixed}
        b = {**{m: a[n] for n, m in fed}, **{n: drawn[n] for n in more}}
        try:
            return (a, b), (first.run(a, mine), second.run(b, theirs))
        except GraphscopeError as error:
            reason = error
    raise reason


def _merged(a: Port, b: Port, shapes: Mapping[str, Shape]) -> Port:
    """What the two know together of one input."""
    for name in (a.name, b.name, a.name.removesuffix(":0"), b.name.removesuffix(":0")):
        if name in shapes:
            return replace(a, shape=shapes[name], below=a.below or b.below)
    shape = a.shape if b.shape is None else b.shape
    if a.shape is not None and b.shape is not None and len(a.shape) == len(b.shape):
        shape = tuple(x if x is not None else y for x, y in zip(a.shape, b.shape))
    return replace(a, shape=shape, below=a.below or b.below, text=a.text or b.text)


def _random(
    first: Runner,
    second: Runner,
    pairs: Sequence[Pair],
    feeds: Mapping[str, Any],
    before: Sequence[np.ndarray],
) -> list[Pair]:
    """The outputs that differ from run to run; integers that random numbers decide count, whether they did differ or not."""
    suspects = [
        (pair, value)
        for pair, value in zip(pairs, before)
        if any(
            runner.model is not None and draws(runner.model, name)
            for runner, name in zip((first, second), pair)
        )
    ]
    if not suspects:
        return []
    again = first.run(feeds, [pair[0] for pair, _ in suspects])
    return [
        pair
        for (pair, value), other in zip(suspects, again)
        if value.dtype.kind in "iu" or difference(value, other)[1] > 1e-6
    ]
