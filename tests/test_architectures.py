"""Published architectures in every form that they come in: recovered, and proved to compute the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")

from graphscope.analysis.results import Analysis  # noqa: E402
from graphscope.read import load  # noqa: E402

from .architectures import Architecture, architectures  # noqa: E402
from .architectures.forms import write  # noqa: E402
from .architectures.recovered import recover  # noqa: E402
from .recovery import built, sample, scaled  # noqa: E402


def rows() -> Iterator[Any]:
    """Frozen files, and checkpoints of training graphs where there are such; all else is slow."""
    for net in architectures().values():
        for form in net.forms:
            slow = net.slow or form not in ("pb", "training")
            marks = [pytest.mark.slow] if slow else []
            yield pytest.param(net, form, marks=marks, id=f"{net}-{form}")


@pytest.mark.parametrize("net, form", rows())
def test_architecture(net: Architecture, form: str, tmp_path: Path) -> None:
    row = recover(net, form, tmp_path)
    assert row.proof.numbers == "equal", row.proof.remarks
    assert sum(1 for each in row.proof.outputs if each.get("random")) <= net.random
    assert {name: row.layers.get(name, 0) for name in net.layers} == net.layers
    assert len(row.ops) <= net.ops, row.ops
    assert {step.rsplit("/", 1)[-1] for step in row.not_portable} <= net.not_portable
    assert row.share >= net.share
    assert row.lines <= net.lines


EXPORTED = {
    "audio.commands": (),
    "detection.ssd": (),
    "feature_columns.wide_and_deep": (
        np.float32([[17.0], [40.0]]),
        np.array([["farmer"], [""]]),
        np.int64([[3], [11]]),
    ),
}


@pytest.mark.parametrize("label", EXPORTED)
def test_what_was_written_exports(label: str, tmp_path: Path) -> None:
    """``model.export``, Keras's own: TensorFlow alone loads it and computes what the model does."""
    path, outputs = write(architectures()[label], "pb", tmp_path)
    Analysis(load(path), outputs=outputs).write_keras(tmp_path / "keras")
    model = built(tmp_path / "keras")
    feeds = EXPORTED[label] or sample(model)
    fed = list(feeds) if len(feeds) > 1 else feeds[0]
    model.export(str(tmp_path / "exported"), verbose=False)
    exported = tf.saved_model.load(str(tmp_path / "exported"))
    results = tf.nest.flatten(model(fed, training=False))
    served = tf.nest.flatten(exported.serve(fed))
    for result, other in zip(results, served, strict=True):
        assert scaled(result.numpy(), other.numpy()) < 1e-5
