"""What a model of layers and ``keras.ops`` alone does otherwise, or not at all, on a backend other than TensorFlow: Keras 3.15's own gaps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ....graph import Shape, Tensor
from ..classes.signatures import signature_of
from ..program.program import Program, Step


def backend_gaps(program: Program, shapes: Mapping[Tensor, Shape]) -> Iterator[str]:
    """A sentence for each gap, with the names of the inputs or layers that it concerns."""
    strings = [each.name for each in program.inputs if each.dtype == "string"]
    if strings:
        yield f"Not portable: strings go in ({', '.join(strings)}), which TensorFlow alone has."
    known = {**shapes, **{each.tensor: each.shape for each in program.inputs}}
    uneven = [s.name for s in program.all_steps if _pads_unevenly(s, known)]
    if uneven:
        yield (
            "On PyTorch Keras averages a border that is wider on one side as if it repeated the edge: "
            f"{', '.join(uneven)} {'differ' if len(uneven) > 1 else 'differs'} there."
        )


def _pads_unevenly(step: Step, shapes: Mapping[Tensor, Shape]) -> bool:
    """Whether an average is taken over a border that may be wider behind than before (``_apply_same_padding`` of Keras's PyTorch)."""
    known, config = signature_of(step.constructor), step.arguments
    if known is None or not known.name.startswith("AveragePooling"):
        return False
    if config.get("padding") != "same" or not step.inputs:
        return False
    axes = int(known.name[-2])
    shape = shapes.get(step.inputs[0]) or (None,) * (axes + 2)
    first = 2 if config.get("data_format") == "channels_first" else 1
    pools = _each(config.get("pool_size", 2), axes)
    strides = _each(config.get("strides") or pools, axes)
    rows = zip(shape[first : first + axes], pools, strides, strict=True)
    return any(_border(*row) % 2 for row in rows)


def _each(value: object, axes: int) -> tuple[int, ...]:
    return (
        tuple(value) if isinstance(value, tuple | list) else (int(str(value)),) * axes
    )


def _border(size: int | None, pool: int, stride: int) -> int:
    """How many places are put around an axis; of an axis of any size, 1 where that may be odd."""
    if size is None:
        return pool - 1 if stride == 1 else 1
    return max((-(-size // stride) - 1) * stride + pool - size, 0)
