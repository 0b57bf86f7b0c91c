"""All the training graphs, by name."""

from __future__ import annotations

from tests.infer.training import training_graphs_mixed, training_graphs_wider
from tests.infer.training.training_graphs import BUILDERS, Known, build_model, model_of

__all__ = [
    "BUILDERS",
    "Known",
    "build_model",
    "model_of",
    "training_graphs_mixed",
    "training_graphs_wider",
]
