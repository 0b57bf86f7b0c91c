"""Model -> what other runtimes read: one module a target in ``targets/``, each proven in the runtime that will run it."""

from __future__ import annotations

from .export import Request, export_model
from .registry import all_targets
from .report import ExportReport, Proof

__all__ = ["ExportReport", "Proof", "Request", "all_targets", "export_model"]
