"""Two runners, what is what of the other, and the worst that was seen of each output: what a comparison is made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import GraphscopeError, NotRunnable
from ..graph import Shape
from ..graph.named_values import Document, Row
from .differences import Movement, describe, is_saturated
from .feeds.channels import size_rounds
from .feeds.draw import Port, Round, trials
from .feeds.noise import Noise
from .feeds.sparse import SparseInputs
from .pairing import Pair, merged_port
from .parting import first_parting
from .reference.forms import Form
from .reference.parameters import apart_by_parameters
from .reference.randomness import (
    ROUNDING,
    coarseness,
    drawn_outputs,
    is_chaotic,
    own_movement,
)
from .reference.thresholds import Sides
from .report import Verification
from .run.lite.runner import LiteRunner
from .run.runner import Runner, TooSlow

LARGEST_EXCUSE = 1e-2  # in the scale of the output; what differs by more is no rounding
FEW, MANY = 2000, 32  # numbers too few to meet much; examples that are drawn then
Feeds = tuple[Row, Row]
Results = tuple[list[np.ndarray], list[np.ndarray]]


@dataclass
class _Refusals:
    """Why no trial was run so far: the last reason, and the other model's first one where the reference did run."""

    reason: GraphscopeError = field(
        default_factory=lambda: GraphscopeError("nothing was run")
    )
    of_other: str = ""
    slow: int = 0

    def note(self, error: GraphscopeError) -> None:
        """The reference refuses."""
        self.reason = error
        self.slow += isinstance(error, TooSlow)

    def note_of_other(self, error: GraphscopeError, feeds: Document) -> None:
        """The other refuses what the reference runs on: that is a difference of the two, so the first is what is told."""
        self.reason = error
        self.of_other = (
            self.of_other or f"{error} where the other runs: {_shapes(feeds)}"
        )

    def error(self) -> GraphscopeError:
        """What to raise where no trial is left."""
        return GraphscopeError(self.of_other) if self.of_other else self.reason


class Comparison:
    """Two runners, what is what of the other, and the worst that was seen of each output so far."""

    def __init__(
        self,
        first: Runner,
        second: Runner,
        pairs: Sequence[Pair],
        fed: Sequence[Pair],
        shapes: Mapping[str, Shape],
        tolerance: float,
    ) -> None:
        self.first, self.second, self.pairs, self.fed = first, second, pairs, fed
        self.shapes = shapes
        rounding = coarseness(first.model, [name for name, _ in pairs])
        own = getattr(first, "tolerance", 0.0)
        self.tolerance = max(tolerance, own, rounding)
        self.settings = _modes(first)
        self.sides = Sides(first, [name for name, _ in pairs])
        self.examples: Mapping[str | None, Any] = {}
        self.sparse = SparseInputs(first.model.graph if first.model else None)
        self.rows: dict[Pair, Row] = {}
        self.failed: list[tuple[Feeds, dict[Pair, float]]] = []
        self.telling: set[Pair] = set()
        self.finite: set[Pair] = set()
        self.movement: dict[Pair, Movement] = {pair: Movement() for pair in pairs}
        self.form: Form | None = None
        self.worst: Feeds = ({}, {})
        self.last: Feeds = ({}, {})
        self.values: list[Any] = []
        self.drawn: list[dict[str, list[int]]] = []
        self.fitting: dict[str, tuple[int, ...]] = {}
        self.refused = ""
        self.same_noise = True
        self.is_noisy = False

    def run(self, turn: Round, seed: Sequence[int]) -> None:
        """Run both on one draw and keep the worst difference of each output."""
        self._judge(*self._run(turn, seed))

    def run_wide(self, turn: Round, seed: Sequence[int]) -> None:
        """The same with large numbers; nothing where the reference does not run on them, or overflows."""
        if sum(np.size(value) for value in self.last[0].values()) < FEW:
            turn = turn._replace(batch=MANY)
        try:
            feeds, results = self._run(turn, seed)
        except NotRunnable:
            return
        floats = (x for x in results[0] if x.dtype.kind in "fc")
        is_finite = all(np.isfinite(x).all() for x in floats)
        runners = (self.first, self.second)
        if is_finite and not is_chaotic(
            runners, self.pairs, feeds, results, self.tolerance
        ):
            self._judge(feeds, results)

    def run_sizes(self, seed: Sequence[int]) -> None:
        """Run both at sizes that tell more; what one of them refuses there is no evidence: it may be too small."""
        ports = {name: self.first.port(name) for name, _ in self.fed}
        graph = self.first.model.graph if self.first.model is not None else None
        moved = self.movement.values()
        rounds = size_rounds(graph, ports, lambda: any(m.is_none for m in moved))
        for number, turn in enumerate(rounds):
            refused = self.refused
            try:
                self._judge(*self._run(turn, [*seed, number]))
            except GraphscopeError:
                continue
            finally:
                self.refused = refused

    def _judge(self, feeds: Feeds, results: Results) -> None:
        self.last, self.values = feeds, results[0]
        failed: dict[Pair, float] = {}
        shapes = {name: list(np.shape(value)) for name, value in self.last[0].items()}
        self.drawn.append(shapes)
        for pair, x, y in zip(self.pairs, *results):
            row = describe(*pair, x, y, self.tolerance)
            self.movement[pair].note(x)
            if isinstance(self.first, LiteRunner):
                row |= self.first.judge(self.last[0], row, x, y)
            if not row["passed"]:
                failed[pair] = row["max_rel"]
            before = self.rows.get(pair)
            if before is None or not row["max_rel"] <= before["max_rel"]:
                self.rows[pair], self.worst = row, self.last
            if not is_saturated(x):
                self.telling.add(pair)
            if x.dtype.kind not in "fc" or not x.size or np.isfinite(x).any():
                self.finite.add(pair)
        if failed:
            self.failed.append((self.last, failed))

    def is_one_sided(self, tried: int) -> bool:
        """Whether larger numbers might meet the other side of a threshold, after so many rounds of them.

        Once in any case: the threshold may be the other model's alone.
        """
        has_floats = any(np.asarray(v).dtype.kind == "f" for v in self.last[0].values())
        is_open = not tried or bool(self.sides.missed) or self.sides.hidden
        return has_floats and is_open and not self.failed

    def is_saturated(self) -> bool:
        """Whether an output was nothing but zeros and ones so far, as a softmax far from 0 is: then equality says little."""
        return any(pair not in self.telling for pair in self.pairs)

    def result(self, layers: Mapping[str, str]) -> Verification:
        """The worst of all, and what there is to say of it; ``layers`` as ``compare`` has them."""
        random = [p for p in self._random() if not self._by_parameters(p, layers)]
        remarks = [*self._remarks(random), *self._excuses(random)]
        compared = [row for pair, row in self.rows.items() if pair not in random]
        agreed = bool(compared) and all(row["passed"] for row in compared)
        differs = bool(compared) and not agreed
        parts_at = self._parting(layers) if differs else ""
        remarks += [f"the two part first at {parts_at}"] if parts_at else []
        unproven = {*random, *self._steady()}
        apart, stored = self._apart_from_stored()
        return Verification(
            max_abs=max((row["max_abs"] for row in compared), default=0.0),
            max_rel=max((row["max_rel"] for row in compared), default=0.0),
            passed=agreed and not self.refused and not unproven.issuperset(self.rows),
            outputs=tuple(self.rows.values()),
            remarks=(*remarks, *stored, *self._doubts(random)),
            parts_at=parts_at,
            drawn=tuple(self.drawn),
            one_sided=self.sides.missed,
            numbers="different" if self.refused or differs else "equal",
            settings={name: str(value) for name, value in self.settings.items()},
            run_with=self.form.run_with if self.form else (),
            because=self.form.because if self.form else "",
            apart_from_stored=apart,
        )

    def _remarks(self, random: Sequence[Pair]) -> list[str]:
        """What both runners say, and which outputs are drawn; their rows are marked."""
        remarks = dict.fromkeys([*self.first.remarks, *self.second.remarks])
        for pair in random:
            self.rows[pair] |= {"random": True}
        texts = "{} is drawn at random: its numbers are not compared"
        return [*remarks, *(texts.format(name) for name, _ in random)]

    def _parting(self, layers: Mapping[str, str]) -> str:
        ends = self.first, self.second
        return first_parting(*ends, self.worst, self.tolerance, layers)

    def _apart_from_stored(self) -> tuple[float | None, list[str]]:
        """How far the form that was run is from the file as it lies there, and what is to be said of it."""
        if self.form is None:
            return None, []
        names = [name for name, _ in self.pairs]
        return self.form.apart(self.last[0], names, self.values)

    def _steady(self) -> list[Pair]:
        """The outputs that were the same whatever was fed: of what they do with an input nothing is proved."""
        fed = any(np.size(value) for value in self.last[0].values())
        fed = fed and not self.examples  # one run moves nothing
        steady = [p for p in self.rows if fed and self.movement[p].is_none]
        for pair in steady:
            self.rows[pair] |= {"constant": True}
        return steady

    def _excuses(self, random: Sequence[Pair]) -> list[str]:
        """Of small differences those that the reference makes itself, when its inputs move by no more than their rounding.

        What is finite nowhere has no such excuse: it fails.
        """
        for pair in set(self.rows) - self.finite:
            self.rows[pair] |= {"passed": False}
        pairs = [pair for pair in self.finite if pair not in random]
        own = {pair: self._own_rounding(pair) for pair in pairs if self._is_near(pair)}
        excuses = []
        for pair, moved in own.items():
            if moved is not None:
                self.rows[pair] |= {"passed": True, "rounding": moved}
                excuses.append(
                    f"{pair[0]}: the difference of {self.rows[pair]['max_rel']:.1g} is rounding; the reference itself moves by "
                    f"{moved:.1g} when its inputs move by one unit in the last place"
                )
        return excuses

    def _is_near(self, pair: Pair) -> bool:
        return self.tolerance < self.rows[pair]["max_rel"] < LARGEST_EXCUSE

    def _own_rounding(self, pair: Pair) -> float | None:
        """How far one output of the reference moves; None where on some draw that is too little to explain the difference."""
        largest = 0.0
        for feeds, failed in self.failed:
            if pair not in failed:
                continue
            (moved,) = own_movement(self.first, feeds[0], [pair[0]])
            if failed[pair] > ROUNDING * moved:
                return None
            largest = max(largest, moved)
        return largest

    def _random(self) -> list[Pair]:
        if self.is_noisy and self.same_noise:
            return []
        ends = self.first, self.second, self.pairs
        return drawn_outputs(*ends, self.last[0], self.values)

    def _by_parameters(self, pair: Pair, layers: Mapping[str, str]) -> bool:
        """Compare what an output is drawn from in place of what was drawn; False where that cannot be."""
        ends = self.first, self.second, pair[0], self.last
        apart = apart_by_parameters(*ends, layers)
        if apart is None:
            return False
        names, worst, relative = apart
        passed = bool(relative <= self.tolerance)
        row = {"max_abs": worst, "max_rel": relative, "passed": passed}
        self.rows[pair] |= {**row, "through": names}
        self.movement[pair].is_none = False
        self.finite.add(pair)
        return True

    def _doubts(self, random: Sequence[Pair]) -> list[str]:
        doubts = [self.refused] if self.refused else []
        if self.is_noisy and self.same_noise:
            doubts.append("what is drawn at random was the same in both")
        for pair in self.rows:
            if pair not in self.finite:
                doubts.append(
                    f"{pair[0]} is not finite anywhere: its numbers prove nothing"
                )
            elif pair not in self.telling and pair not in random:
                doubts.append(
                    f"{pair[0]} was 0 or 1 throughout: its numbers prove little"
                )
        return doubts

    def _run(self, turn: Round, seed: Sequence[int]) -> tuple[Feeds, Results]:
        """The first trial that both can run; raises the last reason where there is none."""
        ports, fixed, more = self._ports()
        every, turn = {**ports, **more}, self.sparse.widened(turn)
        guesses = self._guesses(every, turn, seed)
        refusals = _Refusals()
        for drawn in self.sparse.completed(guesses, every, turn, seed):
            a = {**{n: drawn[n] for n in ports}, **fixed}
            b = {**self._passed_on(a), **{n: drawn[n] for n in more}}
            results = self._try((a, b), refusals)
            if results is not None:
                self.fitting = {name: np.shape(value) for name, value in drawn.items()}
                self.refused = self.refused or refusals.of_other
                return (a, b), results
            if refusals.slow > 1:  # a third would take its time too
                break
        raise refusals.error()

    def _ports(self) -> tuple[dict[str, Port], dict[str, object], dict[str, Port]]:
        """What is drawn for the reference, what inference sets in it, and what only the other is fed."""
        mine, theirs = zip(*self.pairs) if self.pairs else ((), ())
        ports = {
            n: merged_port(self.first.port(n), self.second.port(m), self.shapes)
            for n, m in self.fed
        }
        ports |= {p.name: p for p in self.first.needed(mine, [n for n, _ in self.fed])}
        fixed = {name: self.settings[name] for name in ports if name in self.settings}
        more = {p.name: p for p in self.second.needed(theirs, [m for _, m in self.fed])}
        return {n: p for n, p in ports.items() if n not in fixed}, fixed, more

    def _try(self, feeds: Feeds, refusals: _Refusals) -> Results | None:
        """Run both; None where one of them refuses, which is noted."""
        mine, theirs = [n for n, _ in self.pairs], [n for _, n in self.pairs]
        noises = Noise(), Noise()
        try:
            x, met = self._reference(feeds[0], mine, noises[0])
        except GraphscopeError as error:
            refusals.note(error)
            return None
        try:
            y = self.second.run(feeds[1], theirs, noises[1])
        except GraphscopeError as error:
            refusals.note_of_other(error, feeds[0])
            return None
        self.sides.note(met)
        self.is_noisy |= bool(noises[0].drawn)
        self.same_noise &= noises[0].drawn == noises[1].drawn
        return x, y

    def _guesses(
        self, ports: Mapping[str, Port], turn: Round, seed: Sequence[int]
    ) -> Iterator[Row]:
        """What to try: the examples that were given, else what can be drawn."""
        if not self.examples:
            return trials(ports, turn, seed, self.fitting)
        missing = [name for name in ports if name not in self.examples]
        if missing:
            raise GraphscopeError(f"the examples have no array for {missing[0]}")
        return iter([{name: self.examples[name] for name in ports}])

    def _passed_on(self, feeds: Mapping[str, object]) -> Row:
        """What the other model is fed with where the reference has these feeds."""
        return {
            m: (
                self.sparse.joined(n, feeds)
                if self.second.port(m).is_sparse
                else feeds[n]
            )
            for n, m in self.fed
        }

    def _reference(
        self, feeds: Mapping[str, object], names: Sequence[str], noise: Noise
    ) -> tuple[list[Any], list[Any]]:
        """The outputs of the reference, and what it says of its thresholds where it can."""
        asked, count = self.sides.names, len(names)
        if asked:
            try:
                reference = self.first.run(feeds, [*names, *asked], noise)
                return reference[:count], reference[count:]
            except TooSlow:
                raise
            except GraphscopeError:
                noise.drawn.clear()
        reference = self.first.run(feeds, names, noise)
        if asked:
            self.sides.give_up()
        return reference, []


def _shapes(feeds: Mapping[str, np.ndarray]) -> str:
    return ", ".join(f"{name} {list(np.shape(v))}" for name, v in feeds.items())


def _modes(runner: Runner) -> dict[str, object]:
    """What inference feeds to the reference's mode switches."""
    if runner.model is None:
        return {}
    from ..infer.outputs.find import find_outputs

    inputs = find_outputs(runner.model).inputs
    return {str(c.tensor): c.value for c in inputs if c.value is not None}
