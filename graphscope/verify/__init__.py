"""Two models -> whether they compute the same: both run on the same inputs. TensorFlow lives here, and is imported late."""

from __future__ import annotations

from .compare import compare
from .reduction import measure_reduction
from .report import Verification
from .run.child_process import apart
from .run.single import in_one_file, save_single

__all__ = [
    "Verification",
    "apart",
    "compare",
    "in_one_file",
    "measure_reduction",
    "save_single",
]
