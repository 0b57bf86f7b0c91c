"""The variables of a checkpoint paired with the weights of a model that somebody has the code of.

By name, by name below another scope, by the order of like layers, by the only shape that is left: each pair says why.
"""

from .code import mapping_source
from .pairs import Assignment, Pair, Weight, assign

__all__ = ["Assignment", "Pair", "Weight", "assign", "mapping_source"]
