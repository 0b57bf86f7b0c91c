"""Fixtures for all tests: the corpus, and TensorFlow kept quiet."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

ROOT = Path(__file__).parent.parent
CORPUS = Path(os.environ.get("GRAPHSCOPE_CORPUS", ROOT.parent / "shared" / "corpus"))


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of published models; skips where it is absent."""
    if not (CORPUS / "INDEX.tsv").exists():
        pytest.skip("no corpus: set GRAPHSCOPE_CORPUS or put it at ../shared/corpus")
    return CORPUS
