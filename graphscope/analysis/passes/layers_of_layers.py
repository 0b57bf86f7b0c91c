"""Layers -> the layers that they are together; and the graph that source is written from."""

from __future__ import annotations

from ...infer.attention.compose import compose_layers, drop_loose_ends
from ...infer.attention.flattened_heads import lift_stacks
from ...infer.attention.flattened_tokens import lift_rows
from ...infer.attention.keras_masks import name_masks
from ...infer.attention.repeated_masks import thin_masks
from ...infer.attention.reshapes import name_reshapes
from ...infer.attention.score_biases import gather_biases
from ...simplify.rewrites.cse import index_slices, merge_equal
from ...simplify.shapes.constant_reshapes import fold_reshape_targets
from ...simplify.shapes.fills import expand_fills
from ...simplify.state import Pass

PASSES = (
    Pass(lift_rows),
    Pass(lift_stacks),
    Pass(name_reshapes),
    Pass(index_slices),
    Pass(merge_equal, drops="an equal constant stays"),
    Pass(gather_biases),
    Pass(compose_layers),
    Pass(thin_masks),
    Pass(name_masks),
    Pass(drop_loose_ends),
    # what source is written from
    Pass(fold_reshape_targets),
    Pass(expand_fills),
)
