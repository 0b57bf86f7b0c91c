"""Source and export, run on the same random inputs, each in the runtime that reads it: how far apart they are."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from statistics import median

import numpy as np

from ...errors import GraphscopeError, NotRunnable, UnsafeModel
from ...graph import Shape
from ...graph.named_values import Document, Row
from ...verify import Verification, compare
from ...verify.feeds.draw import Port
from ...verify.feeds.noise import Noise
from ...verify.run.runner import Runner
from ..frozen import Frozen
from ..options import Options
from ..registry import Target
from ..report import Proof
from .examples import example_files, read_examples
from .reference import references
from .steps import coarse_steps

FLOAT_BOUND, QUANTIZED_BOUND = 1e-4, 0.02
REPEATS = 5
CALIBRATED = "compared on the examples of --calibrate; on drawn inputs, which may lie beyond their range, the difference is {:.2g}"


class Watched:
    """A runner whose answers are watched: what never changes, and how long a run takes."""

    def __init__(self, runner: Runner) -> None:
        self.runner, self.source, self.model = runner, runner.source, None
        self.remarks = runner.remarks
        self.first: dict[str, np.ndarray] = {}
        self.varied: set[str] = set()
        self.last: tuple[Document, Sequence[str]] = ({}, ())

    def outputs(self) -> tuple[str, ...]:
        return self.runner.outputs()

    def resolve(self, name: str) -> str | None:
        return self.runner.resolve(name)

    def needed(
        self, outputs: Sequence[str], fed: Iterable[str] = ()
    ) -> tuple[Port, ...]:
        return self.runner.needed(outputs, fed)

    def port(self, name: str) -> Port:
        return self.runner.port(name)

    def run(
        self,
        feeds: Mapping[str, object],
        outputs: Sequence[str],
        noise: Noise | None = None,
    ) -> list[np.ndarray]:
        values = self.runner.run(feeds, outputs, noise)
        self.last = feeds, outputs
        for name, value in zip(outputs, values):
            flat = np.ravel(value)
            before = self.first.setdefault(name, flat)
            length = min(before.size, flat.size)
            if not np.array_equal(before[:length], flat[:length]):
                self.varied.add(name)
        return values

    def milliseconds(self) -> float:
        """The median of some runs on the inputs last drawn."""
        times = []
        for _ in range(REPEATS):
            start = time.perf_counter()
            self.runner.run(*self.last)
            spent = 1e3 * (time.perf_counter() - start)
            own = getattr(self.runner, "elapsed", None)  # less the way there and back
            times.append(spent if own is None else own)
        return median(times)

    def constant(self) -> set[str]:
        """The outputs that were the same whatever was fed."""
        return self.first.keys() - self.varied


def bound_of(options: Options) -> float:
    """The largest difference that is allowed, in the output's scale."""
    if options.within is not None:
        return options.within
    return QUANTIZED_BOUND if options.quantize else FLOAT_BOUND


def prove(
    target: Target,
    place: Path,
    frozen: Frozen,
    options: Options,
    source: object,
    trust: bool = False,
    shapes: Mapping[str, Shape] | None = None,
) -> Proof:
    """Compare what was written at ``place`` with ``source`` (a path, a Model, a Keras model), signature by signature.

    Where the source or the runtime is not to be had nothing is proven, and the reason is among the remarks; where the runtime refuses
    what was written, that is a failed proof.
    """
    if find_spec("tensorflow") is None:
        return unproven(
            target, options, "TensorFlow, which runs the source, is not installed"
        )
    try:
        parts = [
            _compared(target, place, frozen, options, name, source, trust, shapes)
            for name in frozen.signatures
        ]
    except (NotRunnable, UnsafeModel) as error:
        return unproven(target, options, str(error))
    except GraphscopeError as error:
        return replace(unproven(target, options, str(error)), passed=False)
    return _together(target, options, parts)


def unproven(target: Target, options: Options, reason: str) -> Proof:
    """No proof, and why."""
    bound = bound_of(options)
    return Proof(target.RUNTIME, None, bound, None, None, (), (reason,))


Part = tuple[Verification, set[str], float, str]


def _compared(
    target: Target,
    place: Path,
    frozen: Frozen,
    options: Options,
    name: str,
    source: object,
    trust: bool,
    shapes: Mapping[str, Shape] | None,
) -> Part:
    """One signature: the verification, the outputs that never changed, milliseconds, the runtime that ran it."""
    signature = frozen.signatures[name]
    runner = target.run(place, frozen, name)
    watched = Watched(runner)
    examples = _examples(options, frozen, name)
    bound = bound_of(options)
    ends = [frozen.origin(tensor) for tensor in signature.outputs.values()]
    checks: Row = {"trust": trust, "shapes": shapes, "outputs": ends}
    checks["tolerance"] = bound
    for reference in references(source, frozen, name, trust):
        try:
            result = compare(reference, watched, examples=examples, **checks)
            if options.calibrate and not options.feeds:
                drawn = compare(reference, watched, **checks)
                remarks = (*result.remarks, CALIBRATED.format(drawn.max_rel))
                result = replace(result, remarks=remarks)
            break
        except NotRunnable as error:
            failure = error
    else:
        raise failure
    coarse = coarse_steps(getattr(runner, "steps", {}), result.outputs, bound)
    result = replace(result, remarks=(*coarse, *result.remarks))
    constant = set() if examples else watched.constant()
    runtime = str(getattr(runner, "runtime", target.RUNTIME))
    return result, constant, watched.milliseconds(), runtime


def _examples(
    options: Options, frozen: Frozen, name: str
) -> Mapping[str, object] | None:
    """What a user gave to prove on: ``--feeds``, else what int8 was calibrated on, whose range is all that it has numbers for."""
    path = options.feeds or next(iter(example_files(options.calibrate)), "")
    return read_examples(path, frozen, frozen.signatures[name]) if path else None


def _together(target: Target, options: Options, parts: Sequence[Part]) -> Proof:
    remarks: list[str] = []
    rows: list[Document] = []
    for result, constant, _, _ in parts:
        remarks += [r for r in result.remarks if r not in remarks]
        for row in result.outputs:
            same = row["passed"] and (row["b"] in constant or row.get("constant"))
            rows.append({**row, "passed": None if same else row["passed"]})
            if same:
                remarks.append(
                    f"{row['a']} was the same whatever was fed: it is not proven"
                )
    verdicts = [row["passed"] for row in rows if row["passed"] is not None]
    agreed = all(result.numbers == "equal" for result, _, _, _ in parts)
    return Proof(
        parts[0][3],
        max(result.max_rel for result, _, _, _ in parts),
        bound_of(options),
        round(parts[0][2], 3),
        None if agreed and not verdicts else agreed,
        tuple(rows),
        tuple(remarks),
    )
