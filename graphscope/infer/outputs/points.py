"""How much each kind of evidence speaks for a tensor being an output, and what points are worth as a probability.

``benchmarks/outputs.py --fit`` learns the points from the corpus and from generated training graphs, starting from
these; it tests them and the scores on repositories that were left out, one at a time.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

POINTS: Mapping[str, float] = {
    "batch value": -3.0,
    "decision": 0.3,
    "decision measured": -0.8,
    "decision measured, named": 2.2,
    "ranked": 1.0,
    "activation": 1.4,
    "detection": 0.5,
    "layer": -0.1,
    "computed": -0.6,
    "decoded": 1.9,
    "gathered": 1.0,
    "class weights": 3.6,
    "acting copy": 1.7,
    "derivative": 0.5,
    "derivative unasked": -2.5,
    "feeds loss": 0.7,
    "feeds metric": -0.1,
    "bottleneck": 0.9,
    "past bottleneck": -1.2,
    "unread": 2.4,
    "needs fewer": 1.7,
    "lookup": -2.3,
    "end": 1.2,
    "only end": 1.6,
    "weights later": -2.0,
    "boundary": 3.8,
    "sampler": 3.8,
    "judges a generator": -2.8,
    "taught": -4.0,
    "unanswered": -1.0,
    "sampled": -0.3,
    "drawn from": 1.5,
    "share of weights": 2.5,
    "some weights": 0.8,
    "all weights": -0.3,
    "no data": -1.1,
    "copied": -3.0,
    "collection": 2.6,
    "telling name": 1.5,
    "name of its own": 0.8,
    "named before bias": 0.5,
    "last resort": -2.0,
}


class Calibration(NamedTuple):
    """A logistic curve over points, the lead over the next prediction, and the number of candidates: whether there is but
    one, and the logarithm of how many."""

    constant: float
    points: float
    lead: float = 0.0
    alone: float = 0.0
    others: float = 0.0

    def score(self, points: float, lead: float, candidates: int) -> float:
        """The probability that a candidate with these points is right."""
        odds = self.constant + self.points * points
        odds += self.lead * max(min(lead, 3.0), -3.0) + self.alone * (candidates == 1)
        odds += self.others * math.log(max(candidates, 1))
        return 1 / (1 + math.exp(-odds))


CHOSEN = Calibration(-0.6, 0.55, 0.31, 1.25)
"""For the outputs of a graph that does not train that one would freeze together: fit to the answers about repositories that
were left out."""

OTHER = Calibration(-2.43, 0.56, -0.04)
"""For other forms of theirs, and all else."""

TRAINED = Calibration(-0.22, 0.51, others=-0.94)
"""For all candidates of a graph that trains: fit to what was answered about 222 such graphs, in eight sets, when nobody had yet
looked at any (``benchmarks/first_sight.tsv``). Of several hundred candidates in sets left out of the fit, those that score 0.85
and more were right 29 times in 33. Whether a candidate is one of those chosen, and how far it leads, adds nothing to it."""
