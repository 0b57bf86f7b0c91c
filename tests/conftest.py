"""Fixtures for all tests: the corpus, and TensorFlow kept quiet."""

from __future__ import annotations

import os
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest

# another one shows which test rests on what it happens to draw
SEED = int(os.environ.get("GRAPHSCOPE_SEED", 0))

# how fast a machine draws examples is no fault of what is tested, nor is which ones it draws
hypothesis.settings.register_profile(
    "any machine",
    deadline=None,
    derandomize=not SEED,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("any machine")

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ["GRAPHSCOPE_CHECK"] = "1"  # after each pass: see graphscope/analysis/passes

# what the command line remembers of its files, apart from the user's own
os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp(prefix="graphscope-state-")

ROOT = Path(__file__).parent.parent
CORPUS = Path(os.environ.get("GRAPHSCOPE_CORPUS", ROOT.parent / "shared" / "corpus"))


def pytest_collectstart(collector: pytest.Collector) -> None:
    """A file that draws as it is imported draws the same, whichever others are."""
    if isinstance(collector, pytest.Module):
        seed_all()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Before every fixture: a test draws the same alone, after others, and in another process."""
    seed_all()


def seed_all() -> None:
    """Seed Python, numpy, and of TensorFlow and both Keras those that are imported."""
    random.seed(SEED)
    np.random.seed(SEED)
    if "tensorflow" in sys.modules:
        sys.modules["tensorflow"].random.set_seed(SEED)
    for name in {"keras", "tf_keras"} & set(sys.modules):
        sys.modules[name].utils.set_random_seed(SEED)


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of published models; skips where it is absent."""
    if not (CORPUS / "INDEX.tsv").exists():
        pytest.skip("no corpus: set GRAPHSCOPE_CORPUS or put it at ../shared/corpus")
    return CORPUS


@pytest.fixture(scope="module", autouse=True)
def _tensorflow_as_it_starts() -> Iterator[None]:
    """TensorFlow's process-wide switches, put back: one file's idiom is not the next one's."""
    yield
    if "tensorflow" in sys.modules:
        v1 = sys.modules["tensorflow"].compat.v1
        v1.enable_control_flow_v2()
        v1.enable_resource_variables()


@pytest.fixture(scope="session", autouse=True)
def _sources_are_within_the_vocabulary() -> Iterator[None]:
    """Every ``model.py`` that any test writes says only what ``verify`` runs unasked, but for ops that reach outside."""
    import ast

    from graphscope.ops.effects import is_harmless
    from graphscope.render import keras as renderer
    from graphscope.verify.run.allowed import refusals

    plain = renderer.to_source

    def checked(*arguments: Any, **options: Any) -> str:
        text = plain(*arguments, **options)
        odd = [
            each
            for each in refusals(ast.parse(text))
            if "Pass" not in each.word
            if is_harmless(each.word.removeprefix("tf.raw_ops."))
            or not each.word.startswith("tf.raw_ops.")
        ]
        assert not odd, f"verify/run/allowed.txt knows nothing of {odd}"
        return text

    renderer.to_source = checked
    yield
    renderer.to_source = plain
