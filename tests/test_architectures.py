"""Published architectures in every form that they come in: recovered, and proved to compute the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("tensorflow")

from .architectures import Architecture, architectures  # noqa: E402
from .architectures.recovered import recover  # noqa: E402


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
