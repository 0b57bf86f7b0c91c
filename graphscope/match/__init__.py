"""Formulas and their solutions: a pattern is a formula with typed variables, solved rather than searched by shape.

``layer`` makes a Pattern of a function; ``tile`` finds what a set of patterns explains of a graph; ``collapse`` gives
the graph one altitude up; ``explain`` says why a pattern does not match; ``evaluate`` computes a formula.
"""

from .collapse import collapse
from .evaluate import evaluate
from .explain import Explanation, explain
from .formula import (
    ANY,
    EACH,
    Array,
    Attr,
    Dims,
    Input,
    Inputs,
    Scalar,
    Term,
    Value,
    Weight,
    Weights,
)
from .held import Held
from .pattern import Pattern, layer
from .sizes import Size, Sizes
from .solution import Match
from .solver import Solver
from .tile import Tile, tile
from .versions import canonical
from .view import View
from .writing import each, layers, named, op, rsqrt, sqrt

__all__ = [
    "ANY",
    "EACH",
    "Array",
    "Attr",
    "Dims",
    "Explanation",
    "Held",
    "Input",
    "Inputs",
    "Match",
    "Pattern",
    "Scalar",
    "Size",
    "Sizes",
    "Solver",
    "Term",
    "Tile",
    "Value",
    "View",
    "Weight",
    "Weights",
    "canonical",
    "collapse",
    "each",
    "evaluate",
    "explain",
    "layer",
    "layers",
    "named",
    "op",
    "rsqrt",
    "sqrt",
    "tile",
]
