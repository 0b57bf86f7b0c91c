"""Pairs of models of which it is known what differs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.generated.pairs import EDITS, faults, pair


@pytest.mark.parametrize("seed", range(len(EDITS)))
def test_what_differs_is_told(seed: int, tmp_path: Path) -> None:
    """One pair of each edit."""
    assert not faults(pair(seed, tmp_path))


@pytest.mark.slow
def test_what_differs_is_told_of_many(tmp_path: Path) -> None:
    """Seeds that nothing was tuned on."""
    seeds = range(9000, 9000 + 5 * len(EDITS))
    wrong = []
    for seed in seeds:
        folder = tmp_path / str(seed)
        folder.mkdir()
        wrong += faults(pair(seed, folder))[:1]
    assert len(wrong) <= 0.05 * len(seeds), wrong
