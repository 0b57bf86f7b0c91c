"""What a layer takes and gives, as its weights alone tell it: the width of its last axis, the rank of its input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...graph.named_values import Config

_CELLS = ("LSTM", "GRU", "SimpleRNN")
_NORMS = ("BatchNormalization", "LayerNormalization", "PReLU")


@dataclass(frozen=True)
class Widths:
    """How many axes with the batch (0: any), how wide the last one is before and behind."""

    rank: int
    takes: int
    gives: int
    dtype: str = "float32"


def widths(
    op: str, weights: Mapping[str, tuple[int, ...]], config: Config
) -> Widths | None:
    """Of a layer with weights of these names and shapes; None for a class whose call needs more than one tensor."""
    shapes = {path.rpartition("/")[2]: shape for path, shape in weights.items()}
    if op == "Embedding":
        table = next(iter(shapes.values()))
        return Widths(2, 0, table[-1], "int32")
    if op in _NORMS:
        width = next(iter(shapes.values()))[-1]
        return Widths(0, width, width)
    if op in _CELLS:
        return _of_cell(weights, shapes, int(config.get("units") or 0))
    if op == "Bidirectional":
        inner = {
            path.partition("/")[2]: shape
            for path, shape in weights.items()
            if path.startswith("forward_layer/")
        }
        one = _of_cell(inner, shapes, shapes["recurrent_kernel"][0])
        return None if one is None else Widths(3, one.takes, 2 * one.gives)
    kernel = shapes.get("kernel") or shapes.get("depthwise_kernel")
    if kernel is None or len(kernel) < 2:
        return None
    return _of_kernel(op, kernel, shapes, int(config.get("groups", 1)))


def _of_cell(
    weights: Mapping[str, tuple[int, ...]],
    shapes: Mapping[str, tuple[int, ...]],
    units: int,
) -> Widths | None:
    """TensorFlow 1 keeps the rows of the inputs above those of the state in one kernel."""
    if "recurrent_kernel" in shapes:
        return Widths(3, shapes["kernel"][0], shapes["recurrent_kernel"][0])
    kernel = weights.get("gates/kernel") or weights.get("kernel")
    return None if kernel is None else Widths(3, kernel[0] - units, units)


def _of_kernel(
    op: str, kernel: tuple[int, ...], shapes: Mapping[str, tuple[int, ...]], groups: int
) -> Widths | None:
    rank = len(kernel)
    if op == "Dense":
        return Widths(0, kernel[0], kernel[1])
    if op.endswith("Transpose"):
        return Widths(rank, kernel[-1], kernel[-2])
    if op.startswith("Depthwise"):
        return Widths(rank, kernel[-2], kernel[-2] * kernel[-1])
    if op.startswith("Separable"):
        return Widths(rank, kernel[-2], shapes["pointwise_kernel"][-1])
    if op.startswith("Conv"):
        return Widths(rank, kernel[-2] * groups, kernel[-1])
    return None
