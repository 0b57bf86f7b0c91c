"""Score the output suggestions on a corpus folder by the answers in its INDEX.tsv, and on generated training graphs.

``python benchmarks/outputs.py [FOLDER] [-v] [--generated] [--left-out] [--fit]``: per kind of graph, how often the best
candidate is a true output (top-1) and how often the first k are the k true ones (set), for graphscope and for the two
rules that other tools use: nodes that nothing consumes, and of those the ones that an input leads to. Then how often a
score is right (calibration), and the time. ``--generated`` adds training graphs built by TensorFlow. ``--left-out``
learns the points without a repository (or a fold of the generated graphs) and asks about that one, for each.
``--fit`` prints what all graphs teach. ``-v`` lists the misses.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

from outputs_graphs import CORPUS, Sample, corpus, generated, spelled
from outputs_learning import (
    Claim,
    Lesson,
    first_sight,
    fit_curve,
    fit_first_sight,
    learn,
    lesson_of,
    rounded,
    scores_at_first_sight,
)

from graphscope.graph import CONTROL, Model
from graphscope.infer.outputs.find import find_outputs
from graphscope.infer.outputs.points import POINTS, Calibration

_SUMMARISE = frozenset("Const Assign NoOp Placeholder".split())
_FOLDS = 8


@dataclass(frozen=True)
class Result:
    """What was answered for a sample; ``claims`` are what its scores rest on, by candidate."""

    sample: Sample
    ranked: list[str]
    scores: list[float]
    chosen: frozenset[str]
    claims: dict[str, Claim]
    seconds: float

    @property
    def top(self) -> bool:
        return bool(self.ranked) and self.ranked[0] in self.sample.first

    @property
    def whole(self) -> bool:
        true = self.sample.whole
        if len(true) == 1 and self.sample.first > true:
            return (
                self.top
            )  # several answers are right, of which the author fetches one
        sets = (true, *self.sample.twins)
        return any(set(self.ranked[: len(each)]) == each for each in sets)


def measure(lesson: Lesson, points: Mapping[str, float] = POINTS) -> Result:
    sample = lesson.sample
    begin = time.perf_counter()
    found = find_outputs(sample.model, training=lesson.study, points=points)
    seconds = time.perf_counter() - begin
    ranked = [spelled(str(c.tensor)) for c in found.outputs]
    totals = [sum(e.points for e in c.evidence) for c in found.outputs]
    chosen = frozenset(spelled(str(c.tensor)) for c in found.best())
    claims = {}
    for name, total, candidate in zip(ranked, totals, found.outputs):
        rivals = [t for t, other in zip(totals, ranked) if other not in chosen]
        if name not in chosen:
            rivals = totals[:1]
        lead = total - max(rivals) if rivals else 3.0
        right = name in sample.first | sample.whole
        if candidate.kind not in ("signature", "declared"):
            claims[name] = (total, lead, len(ranked), right)
    return Result(
        sample, ranked, [c.score for c in found.outputs], chosen, claims, seconds
    )


def sinks_of(model: Model) -> tuple[list[str], list[str]]:
    """summarize_graph's rule (no consumer, control edges count), and that with a path from an input."""
    graph = model.graph.with_control()
    named = [
        n for n in graph if not graph.out_degree(n) and graph.op(n) not in _SUMMARISE
    ]
    reached = set(graph.by_op("Placeholder"))
    stack = list(reached)
    while stack:
        for target, edges in graph._succ[stack.pop()].items():
            if target not in reached and any(key != CONTROL for key in edges):
                reached.add(target)
                stack.append(target)
    return named, [n for n in named if n in reached]


def _rate(group: Sequence[Result], which: int) -> str:
    """top-1 and set of a rule that gives an unordered list: by the file's order."""
    named = [(r, sinks_of(r.sample.model)[which]) for r in group]
    top = sum(bool(n) and n[0] in r.sample.first for r, n in named)
    whole = sum(set(n) == r.sample.whole for r, n in named)
    return f"{top / len(group):5.0%} {whole / len(group):5.0%}"


def report(results: Sequence[Result], rivals: bool = True) -> Iterator[str]:
    by_kind: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        by_kind[result.sample.kind].append(result)
    by_kind["training"] = [r for r in results if r.sample.trains]
    by_kind["all"] = list(results)
    head = "kind            graphs  graphscope"
    yield head + ("   no consumer   and fed" if rivals else "")
    for kind, group in by_kind.items():
        if not group:
            continue
        top = sum(r.top for r in group) / len(group)
        whole = sum(r.whole for r in group) / len(group)
        line = f"{kind:15} {len(group):6}  {top:5.1%} {whole:5.1%}"
        yield line + (f"  {_rate(group, 0)}  {_rate(group, 1)}" if rivals else "")


def calibration(pairs: Sequence[tuple[float, bool]]) -> Iterator[str]:
    """Of all guessed candidates in each band of scores, how many are right."""
    bands: dict[int, list[bool]] = defaultdict(list)
    for score, right in pairs:
        bands[int(score * 10)].append(right)
    for band, rights in sorted(bands.items(), reverse=True):
        claim = f"score {band / 10:.1f}-{(band + 1) / 10:.1f}"
        yield f"{claim}: right {sum(rights)} of {len(rights)}"


def scored(results: Sequence[Result]) -> list[tuple[float, bool]]:
    return [
        (score, name in r.sample.first | r.sample.whole)
        for r in results
        for name, score in zip(r.ranked, r.scores)
        if name in r.claims
    ]


def miss(result: Result) -> str:
    listed = ", ".join(
        f"{name} {score:.2f}"
        for name, score in list(zip(result.ranked, result.scores))[:6]
    )
    what = "set" if result.top else "top-1"
    true = sorted(result.sample.whole)
    return f"{what} missed: {result.sample.name}\n    true {true}\n    said {listed}"


def _fold(sample: Sample) -> str:
    """The repository of a published graph; one of a few folds of those built here."""
    if sample.kind in ("training graph", "random script") or "style" in sample.group:
        return f"fold {crc32(sample.group.encode()) % _FOLDS}"
    return sample.group


def left_out(lessons: Sequence[Lesson]) -> list[Result]:
    """Each fold's graphs, answered with what the others teach."""
    folds = sorted({_fold(a.sample) for a in lessons})
    results = []
    for fold in folds:
        points = learn([a for a in lessons if _fold(a.sample) != fold])
        results += [measure(a, points) for a in lessons if _fold(a.sample) == fold]
    return results


def curves(results: Sequence[Result]) -> tuple[Calibration, Calibration]:
    """The curves for what one would freeze together of graphs that do not train, and for the rest."""
    plain = [r for r in results if not r.sample.trains]
    chosen = [c for r in plain for n, c in r.claims.items() if n in r.chosen]
    other = [c for r in plain for n, c in r.claims.items() if n not in r.chosen]
    return fit_curve(chosen), fit_curve(other)


def held_back_scores(results: Sequence[Result]) -> list[tuple[float, bool]]:
    """Scores of each fold of graphs that do not train, by curves that the other folds' answers fit."""
    pairs = []
    plain = [r for r in results if not r.sample.trains]
    for fold in sorted({_fold(r.sample) for r in plain}):
        one, two = curves([r for r in plain if _fold(r.sample) != fold])
        for r in (r for r in plain if _fold(r.sample) == fold):
            for name, (points, lead, count, right) in r.claims.items():
                curve = one if name in r.chosen else two
                pairs.append((curve.score(points, lead, count), right))
    return pairs


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=CORPUS)
    parser.add_argument("-v", "--verbose", action="store_true", help="list the misses")
    parser.add_argument("--generated", action="store_true", help="graphs built here")
    parser.add_argument("--left-out", action="store_true", help="held-out scores")
    parser.add_argument("--fit", action="store_true", help="print what is learned")
    options = parser.parse_args()
    samples = list(corpus(options.folder)) + (
        list(generated()) if options.generated else []
    )
    if not samples:
        print("no graph with known outputs")
        return 0
    lessons = [lesson_of(sample) for sample in samples]
    results = [measure(lesson) for lesson in lessons]
    lines = [*report(results), "", *calibration(scored(results))]
    slow = max(results, key=lambda r: r.seconds)
    nodes = len(slow.sample.model.graph)
    lines.append(
        f"slowest: {slow.seconds:.3f} s for {nodes} nodes ({slow.sample.name})"
    )
    if options.left_out or options.fit:
        apart = left_out(lessons)
        lines += ["", "left out:", *report(apart, False), ""]
        lines += calibration(held_back_scores(apart))
        lines += ["", "training graphs at first sight, each set left out:"]
        lines += calibration(scores_at_first_sight())
        if options.fit:
            lines += [
                "",
                f"points {rounded(learn(lessons))}",
                f"curves {curves(apart)}",
                f"of training graphs {fit_first_sight(c for cs in first_sight().values() for c in cs)}",
            ]
    if options.verbose:
        lines += ["", *(miss(r) for r in results if not (r.top and r.whole))]
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
