"""Learning the points of each evidence, and what points are worth as a probability.

The points maximise the likelihood that a true output is the one chosen among a graph's candidates (a conditional logit),
held near the points by hand so that a kind of evidence that few graphs show keeps its own. The curves are logistic.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

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


Claim = tuple[float, float, bool, bool]
"""Points, lead over the next prediction, whether it is the only candidate, whether it is right."""


def fit_curve(claims: Iterable[Claim]) -> Calibration:
    """The logistic curve over points and lead that fits these claims best, held near plain."""
    rows = list(claims)
    x = np.array([[1.0, p, max(min(d, 3), -3), a] for p, d, a, _ in rows])
    y = np.array([right for *_, right in rows], float)
    w = np.array([0.0, 0.3, 0.0, 0.0])
    prior = w.copy()
    hold = np.array([0.02, 1.0, 1.0, 1.0])
    for _ in range(60):
        p = 1 / (1 + np.exp(-x @ w))
        slope = x.T @ (y - p) - hold * (w - prior)
        curve = (x * (p * (1 - p))[:, None]).T @ x + np.diag(hold) + 1e-9 * np.eye(4)
        w = w + np.linalg.solve(curve, slope)
    return Calibration(*w.tolist())


def rounded(points: Mapping[str, float]) -> dict[str, float]:
    """Points as they are written down."""
    return {name: round(value, 2) for name, value in points.items()}
