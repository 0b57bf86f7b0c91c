"""An op that draws random numbers -> a small layer with a seed generator of its own, as Keras's random layers have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...graph import Node, Tensor
from ...ops.size import Size
from .literals import Code, literal
from .measures import known, measured_in, shape_of
from .program import Step
from .sized import own_step

if TYPE_CHECKING:
    from .held import Holder
    from .reader import Reader

# op -> (class, function of keras.random, what is said of it)
_DRAWS = {
    "RandomStandardNormal": ("RandomNormal", "normal", "the standard normal"),
    "RandomUniform": ("RandomUniform", "uniform", "the uniform"),
    "TruncatedNormal": ("TruncatedNormal", "truncated_normal", "the truncated normal"),
}
_STATELESS = {
    "StatelessRandomNormal": "RandomStandardNormal",
    "StatelessRandomUniform": "RandomUniform",
    "StatelessTruncatedNormal": "TruncatedNormal",
}
_INIT = """
    def __init__(self, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator(seed)
"""


def is_reseeded(reader: Reader, payload: Node, given: list[Tensor]) -> bool:
    """Whether a stateless op is given a new seed each time, by a generator in a variable, so that the seed is no matter."""
    known_op = payload.op.removesuffix("V2") in _STATELESS
    return known_op and len(given) > 1 and reader.value(given[1]) is None


def draw_step(holder: Holder, node: str, payload: Node) -> Step | None:
    """The layer that draws; None for another op, or where its shape is computed in ways that are not followed."""
    given = holder.arguments(node)
    op = payload.op
    if op.removesuffix("V2") in _STATELESS and len(given) == 1:
        op = _STATELESS[op.removesuffix("V2")]
    wanted = known(holder, given[0]) if op in _DRAWS and given else None
    if wanted is None:
        return None
    name, function, what = _DRAWS[op]
    dtype = str(payload.attrs.get("dtype", "float32"))
    said = "" if dtype == "float32" else f", dtype={literal(dtype)}"
    shape = _shape_text(holder, list(wanted.ravel()))
    text = f"keras.random.{function}({shape}{said}, seed=self.seed_generator)"
    about = f"Draws from {what} distribution."
    return own_step(holder, node, name, about, [f"return {text}"], {}, _INIT)


def _shape_text(holder: Holder, sizes: list[Any]) -> str:
    """The shape as a tuple, or as that of the tensor whose shape it is."""
    for whose in measured_in("".join(map(str, sizes))):
        whole = shape_of(holder, holder.measured[whose])
        if whole is not None and list(whole) == sizes:
            return f"\1{whose}\1"
    return literal(
        tuple(Code(each) if isinstance(each, Size) else int(each) for each in sizes)
    )
