"""Formulas and their solutions: a pattern is a formula with typed variables, solved rather than searched by shape.

``layer`` makes a Pattern of a function; ``tile`` finds what a set of patterns explains of a graph; ``collapse`` gives
the graph one altitude up; ``explain`` says why a pattern does not match; ``evaluate`` computes a formula.
"""

from ..ops.values.size import Size, Sizes
from .collapse import collapse
from .explain import Explanation, explain
from .form import Form, New, form
from .formula.notation import Ops, each, layers, line, named, op, rsqrt, sqrt
from .formula.op_aliases import canonical
from .formula.terms import (
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
from .pattern import Pattern, layer
from .solver.bindings import Bindings
from .solver.evaluate import evaluate
from .solver.match import Match
from .solver.solve import Solver
from .tile import Tile, tile
from .view.view import View
from .view.weight_ref import WeightRef

__all__ = [
    "ANY",
    "EACH",
    "Array",
    "Attr",
    "Bindings",
    "Dims",
    "Explanation",
    "Form",
    "WeightRef",
    "Input",
    "Inputs",
    "Match",
    "New",
    "Ops",
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
    "form",
    "layer",
    "layers",
    "line",
    "named",
    "op",
    "rsqrt",
    "sqrt",
    "tile",
]
