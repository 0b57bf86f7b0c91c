"""Learning the points of each evidence, and what points are worth as a probability.

The points maximise the likelihood that a true output is the one chosen among a graph's candidates (a conditional logit),
held near the points by hand so that a kind of evidence that few graphs show keeps its own. The curves are logistic; that of
training graphs is fit to what was answered about them at first sight.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from outputs_graphs import Sample, spelled

from graphscope.infer.outputs.evidence import Context
from graphscope.infer.outputs.heads.candidates import find_heads
from graphscope.infer.outputs.points import POINTS, Calibration
from graphscope.infer.outputs.signatures import declared_signatures
from graphscope.infer.training.roles import Training, study_training

NAMES = list(POINTS)
_HOLD = 0.6  # how strongly the points are held to those by hand, per graph-equivalent
_STEPS, _RATE = 300, 0.3


@dataclass(frozen=True)
class Lesson:
    """A sample with the amounts of each evidence of each of its candidates."""

    sample: Sample
    study: Training
    amounts: np.ndarray
    true: np.ndarray


def lesson_of(sample: Sample) -> Lesson:
    """What a sample teaches; nothing where a signature answers or no candidate is right."""
    model = sample.model
    study = study_training(model.graph, model.collections, model.functions)
    heads = [] if declared_signatures(model) else find_heads(model, study)
    context = Context(model, study, heads)
    amounts = np.zeros((len(heads), len(NAMES)))
    for row, head in zip(amounts, heads):
        for evidence in context.rate(head).evidence:
            if evidence.name:
                row[NAMES.index(evidence.name)] += evidence.amount
    true = np.array([spelled(str(h.tensor)) in sample.first for h in heads], bool)
    return Lesson(sample, study, amounts, true)


def learn(lessons: Sequence[Lesson]) -> dict[str, float]:
    """The points of each evidence, from these lessons."""
    prior = np.array([POINTS[name] for name in NAMES])
    taught = [a for a in lessons if a.true.any() and not a.true.all()]
    weights, total = prior.copy(), np.zeros_like(prior)
    for _ in range(_STEPS):
        slope = _HOLD * (prior - weights)
        for each in taught:
            slope += _pull(each, weights)
        total += slope**2
        weights += _RATE * slope / (np.sqrt(total) + 1e-9)
    return dict(zip(NAMES, weights.tolist()))


def _pull(lesson: Lesson, weights: np.ndarray) -> np.ndarray:
    """The slope of the log-likelihood of choosing one of the true candidates."""
    points = lesson.amounts @ weights
    odds = np.exp(points - points.max())
    among_all, among_true = odds / odds.sum(), odds * lesson.true
    among_true /= among_true.sum()
    return np.asarray((among_true - among_all) @ lesson.amounts)


Claim = tuple[float, float, int, bool]
"""Points, lead over the next prediction, how many candidates there are, whether it is right."""

_FIRST_SIGHT = Path(__file__).parent / "first_sight.tsv"


def fit_curve(claims: Iterable[Claim]) -> Calibration:
    """The logistic curve over points and lead that fits these claims best, held near plain."""
    rows = list(claims)
    x = np.array([[1.0, p, max(min(d, 3), -3), n == 1] for p, d, n, _ in rows])
    w = _logistic(x, np.array([right for *_, right in rows], float), 0.3)
    return Calibration(*w.tolist())


def fit_first_sight(claims: Iterable[Claim]) -> Calibration:
    """The curve over points and the number of candidates that fits these claims best."""
    rows = list(claims)
    x = np.array([[1.0, p, np.log(n)] for p, _, n, _ in rows])
    w = _logistic(x, np.array([right for *_, right in rows], float), 0.0)
    return Calibration(w[0], w[1], others=w[2])


def _logistic(x: np.ndarray, y: np.ndarray, slope: float) -> np.ndarray:
    """The weights of a logistic regression, held near this slope of the points."""
    hold = np.ones(x.shape[1])
    hold[0] = 0.02
    prior = np.zeros(x.shape[1])
    prior[1] = slope
    w = prior.copy()
    for _ in range(60):
        p = 1 / (1 + np.exp(-x @ w))
        rise = x.T @ (y - p) - hold * (w - prior)
        curve = (x * (p * (1 - p))[:, None]).T @ x + np.diag(hold)
        w = w + np.linalg.solve(curve + 1e-9 * np.eye(len(w)), rise)
    return w


def first_sight() -> dict[str, list[Claim]]:
    """What was answered about each set of training graphs by the program of the day before anybody had looked at one: the first
    eight candidates of each graph, by set."""
    claims: dict[str, list[Claim]] = {}
    with _FIRST_SIGHT.open(newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            right = row["right"] == "1"
            claim = float(row["points"]), 0.0, int(row["candidates"]), right
            claims.setdefault(row["set"], []).append(claim)
    return claims


def scores_at_first_sight() -> list[tuple[float, bool]]:
    """The scores of the candidates of each set, by the curve that the other sets fit, and whether they were right."""
    sets, pairs = first_sight(), []
    for name, claims in sets.items():
        curve = fit_first_sight(c for n, cs in sets.items() if n != name for c in cs)
        pairs += [(curve.score(p, d, n), right) for p, d, n, right in claims]
    return pairs


def rounded(points: Mapping[str, float]) -> dict[str, float]:
    """Points as they are written down."""
    return {name: round(value, 2) for name, value in points.items()}
