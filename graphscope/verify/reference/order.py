"""TensorFlow's ops in the order of computation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...graph.order import post_order


def computed_in_order(ends: Sequence[Any]) -> list[Any]:
    """The ops that these depend on, and these, each after those that it reads, as far as loops let that be."""
    return list(post_order(ends, lambda op: [t.op for t in reversed(op.inputs)]))
