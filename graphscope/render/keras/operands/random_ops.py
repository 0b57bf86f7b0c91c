"""An op that draws random numbers -> a small layer with a seed generator of its own, as Keras's random layers have."""

from __future__ import annotations

from typing import Any

from ....graph import Node
from ....ops.values.size import Size
from ..program.literals import Code, literal
from ..program.program import Step
from .context import Context
from .dynamic_ops import own_step
from .reader import STATELESS
from .shape_expressions import known, measured_in, shape_of

# op -> (class, function of keras.random, what is said of it)
_DRAWS = {
    "RandomStandardNormal": ("RandomNormal", "normal", "the standard normal"),
    "RandomUniform": ("RandomUniform", "uniform", "the uniform"),
    "TruncatedNormal": ("TruncatedNormal", "truncated_normal", "the truncated normal"),
}
_INIT = """
    def __init__(self, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator(seed)
"""


def draw_step(lowering: Context, node: str, payload: Node) -> Step | None:
    """The layer that draws; None for another op, or where its shape is computed in ways that are not followed."""
    operands = lowering.arguments(node)
    op = payload.op
    if op.removesuffix("V2") in STATELESS and len(operands) == 1:
        op = STATELESS[op.removesuffix("V2")]
    sizes = known(lowering, operands[0]) if op in _DRAWS and operands else None
    if sizes is None:
        return None
    name, function, what = _DRAWS[op]
    dtype = str(payload.attrs.get("dtype", "float32"))
    dtype_text = "" if dtype == "float32" else f", dtype={literal(dtype)}"
    shape = _shape_text(lowering, list(sizes.ravel()))
    text = f"keras.random.{function}({shape}{dtype_text}, seed=self.seed_generator)"
    about = f"Draws from {what} distribution."
    return own_step(lowering, node, name, about, [f"return {text}"], {}, _INIT)


def _shape_text(lowering: Context, sizes: list[Any]) -> str:
    """The shape as a tuple, or as that of the tensor whose shape it is."""
    for whose in measured_in("".join(map(str, sizes))):
        whole = shape_of(lowering, lowering.measured[whose])
        if whole is not None and list(whole) == sizes:
            return f"\1{whose}\1"
    return literal(
        tuple(Code(each) if isinstance(each, Size) else int(each) for each in sizes)
    )
