"""Draws that say nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from graphscope.graph import Model
from graphscope.read.text.grammar import graph_from_text
from graphscope.verify.reference.randomness import coarseness, is_chaotic


class _Wave:
    """A runner of one output: a wave so steep that the last bit of a large input decides it."""

    def __init__(self, shift: float) -> None:
        self.shift = shift

    def run(
        self, feeds: Mapping[str, Any], names: Sequence[str], noise: Any = None
    ) -> list[np.ndarray]:
        return [np.sin(np.float64(1e6) * feeds["x"]) + self.shift]


def _is_chaotic(shift: float, scale: float) -> bool:
    runners: list[Any] = [_Wave(0.0), _Wave(shift)]
    feeds = {
        "x": np.random.default_rng(0).normal(size=100).astype("f") * np.float32(scale)
    }
    results = [runner.run(feeds, ["y"]) for runner in runners]
    return is_chaotic(runners, [("y", "y")], (feeds, feeds), results, 1e-4)


def test_the_last_bit_of_an_input_decides_a_chaotic_draw() -> None:
    assert _is_chaotic(0.1, scale=100.0)
    assert not _is_chaotic(0.1, scale=1e-8)  # steady: they differ
    assert not _is_chaotic(0.0, scale=100.0)  # equal: a draw like any other
    assert not _is_chaotic(9.0, scale=100.0)  # further apart than chance explains


def test_what_is_computed_in_half_precision_is_compared_in_its_units() -> None:
    computed = "h = Cast(x, SrcT=float32, DstT=float16)\ny = Relu(h, T=float16)"
    stored = "w = Const(dtype=float16, value=[2])\nc = Cast(w, SrcT=float16, DstT=float32)\ny = Mul(x, c, T=float32)"
    for text, largest in ((computed, 8 / 1024), (stored, 0.0)):
        graph = graph_from_text(f"x = Placeholder(dtype=float32)\n{text}")
        assert coarseness(Model(graph, source="m"), ["y:0"]) == largest
