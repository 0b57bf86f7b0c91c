"""The sizes of all tensors, and the graph without the arithmetic that computes them."""

from __future__ import annotations

from ...infer.shapes.open_sizes import infer_again, infer_sizes, resolve_choices
from ...simplify.rewrites.columns import turn_columns
from ...simplify.rewrites.lookups.dense import look_up_dense
from ...simplify.shapes.crops import crop_transposed_convolutions
from ...simplify.shapes.depth_and_space import join_depth_and_space
from ...simplify.shapes.fold_sizes import fold_sizes
from ...simplify.shapes.split_slices import split_slices
from ...simplify.state import Pass

SIDE = "of a cond, the side that inference doesn't take"


PASSES = (
    Pass(infer_sizes, is_asked=True, of_layers=True),
    Pass(look_up_dense),
    Pass(fold_sizes, drops=SIDE),
    Pass(crop_transposed_convolutions),
    Pass(turn_columns),
    Pass(join_depth_and_space),
    Pass(split_slices),
    Pass(infer_again),
    Pass(resolve_choices, drops=SIDE),
)
