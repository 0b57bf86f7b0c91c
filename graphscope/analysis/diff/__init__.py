"""Two analysed models -> what is the same in them and what is not: ``compare_models``."""

from .compare import Comparison, compare_models
from .report import ComparisonReport

__all__ = ["Comparison", "ComparisonReport", "compare_models"]
