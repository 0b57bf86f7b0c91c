"""What a smaller frozen graph costs in accuracy: it is run against the same freeze without the reductions."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

from ..freeze import freeze_model
from ..graph import Model, Tensor
from .compare import compare
from .report import Verification

REDUCTIONS = frozenset(
    {"fold_batch_norm", "fold_constants", "half", "quantize", "producer", "text"}
)


def measure_reduction(
    model: Model,
    outputs: Iterable[Tensor | str],
    path: str | Path,
    *,
    tolerance: float = 0.05,
    trust: bool = False,
    **options: object,
) -> Verification:
    """Compare the frozen graph at ``path`` with what ``freeze_model`` writes without the options that make it smaller.

    ``options`` are those that ``path`` was frozen with. Needs TensorFlow; raises as ``compare`` does.
    """
    plain = {name: value for name, value in options.items() if name not in REDUCTIONS}
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole.pb"
        freeze_model(model, outputs, whole, **plain)
        return compare(whole, path, tolerance=tolerance, trust=trust)
