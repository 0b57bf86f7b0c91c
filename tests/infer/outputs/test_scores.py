"""A score means what it says: of the candidates with 0.9, nine in ten are right, also on sets that no curve was fit to."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from graphscope.infer.outputs.points import TRAINED

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))
learning = pytest.importorskip("outputs_learning")

BANDS = [(0.0, 0.1), (0.1, 0.3), (0.3, 0.5), (0.5, 0.7), (0.7, 0.85), (0.85, 1.0)]


@pytest.mark.parametrize("low, high", BANDS)
def test_scores_of_sets_that_were_left_out(low: float, high: float) -> None:
    """Each band is right as often as it says, to within two standard deviations of such a count."""
    pairs = [p for p in learning.scores_at_first_sight() if low <= p[0] < high]
    told = sum(score for score, _ in pairs)
    right = sum(right for _, right in pairs)
    deviation = sum(score * (1 - score) for score, _ in pairs) ** 0.5
    assert abs(right - told) < 2 * deviation and len(pairs) > 20


def test_the_curve_is_the_one_that_first_sight_fits() -> None:
    fit = learning.fit_first_sight(
        claim for claims in learning.first_sight().values() for claim in claims
    )
    for points, count in [(1.0, 20), (3.0, 8), (5.0, 4), (7.0, 2), (9.0, 1)]:
        own = TRAINED.score(points, 0.0, count)
        assert own == pytest.approx(fit.score(points, 0.0, count), abs=0.03)


@pytest.mark.slow
def test_scores_on_the_corpus() -> None:
    """Of what is told at 0.9 and more about published files nine in ten is right, and of the rest from 0.5 on most."""
    import outputs

    if not outputs.CORPUS.is_dir():
        pytest.skip(f"no corpus at {outputs.CORPUS}")
    results = [
        outputs.measure(outputs.lesson_of(s)) for s in outputs.corpus(outputs.CORPUS)
    ]
    pairs = outputs.scored(results)
    sure = [right for score, right in pairs if score >= 0.9]
    likely = [right for score, right in pairs if 0.5 <= score < 0.9]
    assert len(sure) > 20 and sum(sure) >= 0.9 * len(sure)
    assert sum(likely) * 2 > len(likely)
