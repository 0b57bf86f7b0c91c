"""Model -> frozen GraphDef: what the outputs need, with constants for variables. No TensorFlow, no session, no kernels."""

from __future__ import annotations

from .freeze import freeze_model, prepare_freeze
from .report import FreezeReport

__all__ = ["FreezeReport", "freeze_model", "prepare_freeze"]
