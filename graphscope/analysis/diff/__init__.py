"""Two models -> what is the same in them and what is not: ``compare_models`` by layers and weights, ``computed`` by running both."""

from .compare import Comparison, compare_models
from .report import ComparisonReport

__all__ = ["Comparison", "ComparisonReport", "compare_models"]
