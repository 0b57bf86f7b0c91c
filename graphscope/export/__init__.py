"""Model -> what other runtimes read: one module a target in ``targets/``, each proven in the runtime that will run it."""

from __future__ import annotations

from .export import Request, export_model
from .keras import export_keras, saved_by_keras
from .registry import all_targets
from .report import ExportReport, Proof

__all__ = ["ExportReport", "Proof", "Request", "all_targets"]
__all__ += ["export_keras", "export_model", "saved_by_keras"]
