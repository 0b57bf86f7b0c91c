"""What an op's inputs and attributes may hold, told by their names in its OpDef: legal more often than not.

``tf_graph.py`` draws until TensorFlow takes what was drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Rng = np.random.Generator

SQUARE = (
    "Cholesky MatrixInverse MatrixDeterminant LogMatrixDeterminant MatrixExponential MatrixLogarithm MatrixSquareRoot "
    "SelfAdjointEigV2 BatchCholesky BatchMatrixInverse BatchMatrixDeterminant Lu MatrixSolve MatrixTriangularSolve "
    "MatrixSolveLs Eig SelfAdjointEig CholeskyGrad"
).split()
IMAGES = (
    "Resize AdjustHue AdjustSaturation AdjustContrast CropAndResize ExtractImagePatches DrawBoundingBoxes ExtractGlimpse "
    "ImageProjective ScaleAndTranslate HSVToRGB RGBToHSV EncodePng EncodeJpeg FractionalMaxPool LRN DepthToSpace "
    "SpaceToDepth BiasAdd"
).split()


@dataclass
class Draw:
    """One op under way: its base shape, its attributes, the inputs drawn so far."""

    rng: Rng
    op: str
    shape: tuple[int, ...]
    attrs: dict[str, Any] = field(default_factory=dict)
    inputs: dict[str, Any] = field(default_factory=dict)

    def pick(self, choices: Any) -> Any:
        return choices[int(self.rng.integers(len(choices)))]

    def chance(self, share: float = 0.5) -> bool:
        return bool(self.rng.random() < share)

    def whole(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high + 1))

    @property
    def first(self) -> np.ndarray:
        """The first input, where there is one already; else a zero of the base shape."""
        arrays = [v for v in self.inputs.values() if isinstance(v, np.ndarray)]
        return arrays[0] if arrays else np.zeros(self.shape)


def base_shape(rng: Rng, op: str) -> tuple[int, ...]:
    """The shape of what the op computes with."""
    side = int(rng.integers(2, 5))
    if op in SQUARE:
        return (*rng.integers(1, 3, int(rng.integers(2))).tolist(), side, side)
    if "3D" in op and "FFT" not in op or "Volume" in op:
        return (1, 5, 4, 5, 2)
    if op.startswith(tuple(IMAGES)) or "2D" in op and "FFT" not in op:
        channels = 3 if "Hue" in op or "Saturation" in op or "HSV" in op else 4
        return (int(rng.integers(1, 3)), 4, 6, channels)
    least = 3 if "3D" in op else 2 if "2D" in op or "Matrix" in op else 0
    rank = int(rng.choice(5, p=[0.08, 0.22, 0.35, 0.2, 0.15]))
    return tuple(rng.integers(1, 5, max(rank, least)).tolist())


def data(draw: Draw, dtype: str, shape: Any = None) -> np.ndarray:
    """Random elements of a dtype."""
    rng, shape = draw.rng, draw.shape if shape is None else tuple(shape)
    if dtype == "bool":
        return rng.random(shape) < 0.5
    if dtype == "string":
        words = np.array([b"a", b"Bcd", b"12.5", b" e f ", b"", b"-3"], object)
        return np.asarray(words[rng.integers(0, len(words), shape)], object)
    if dtype.startswith("complex"):
        return (rng.normal(size=shape) + 1j * rng.normal(size=shape)).astype(dtype)
    if dtype.startswith(("float", "bfloat", "half")):
        kind = int(rng.integers(3))
        values = rng.normal(size=shape) if kind else rng.uniform(0.05, 0.95, shape)
        return np.asarray(values).astype("float32" if dtype == "bfloat16" else dtype)
    low = 0 if dtype.startswith("u") or rng.random() < 0.6 else -4
    return rng.integers(low, 6, shape).astype(dtype)


def axis(draw: Draw, dtype: str) -> np.ndarray:
    rank = max(1, np.ndim(draw.first))
    reduces = draw.op in REDUCTIONS or "reduction_indices" in draw.attrs
    if reduces and draw.chance(0.7):
        count = draw.whole(0, rank)
        axes = draw.rng.permutation(rank)[:count]
        return np.where(draw.rng.random(count) < 0.3, axes - rank, axes).astype(dtype)
    over = draw.whole(0, rank - 1)
    chosen = over - rank if draw.chance(0.3) else over
    return np.asarray([chosen] if draw.op in VECTOR_AXIS else chosen, dtype)


REDUCTIONS = frozenset(
    "Sum Mean Max Min Prod All Any EuclideanNorm ReduceJoin SparseReduceSum".split()
)
VECTOR_AXIS = frozenset("ReverseV2 Roll".split())


def vector(length: Callable[[Draw], int], low: int, high: int) -> Any:
    def rule(draw: Draw, dtype: str) -> np.ndarray:
        return draw.rng.integers(low, high + 1, length(draw)).astype(dtype)

    return rule


def scalar(low: float, high: float) -> Any:
    def rule(draw: Draw, dtype: str) -> np.ndarray:
        if dtype.startswith(("int", "uint")):
            return np.asarray(draw.whole(int(low), int(high)), dtype)
        return np.asarray(draw.rng.uniform(low, high), dtype)

    return rule


def rank_of(draw: Draw) -> int:
    return int(np.ndim(draw.first))


def pads(draw: Draw, dtype: str) -> np.ndarray:
    return draw.rng.integers(0, 2, (rank_of(draw), 2)).astype(dtype)


def permutation(draw: Draw, dtype: str) -> np.ndarray:
    return draw.rng.permutation(rank_of(draw)).astype(dtype)


def factored(draw: Draw, dtype: str) -> np.ndarray:
    """A shape of as many elements as the first input."""
    size = draw.first.size
    sizes = []
    for _ in range(draw.whole(0, 2)):
        divisors = [n for n in range(1, max(size, 1) + 1) if size and size % n == 0]
        sizes.append(draw.pick(divisors) if divisors else 0)
        size //= max(1, sizes[-1])
    sizes.append(-1 if draw.chance(0.4) and size else size)
    return np.asarray(sizes, dtype)


def broadcast(draw: Draw, dtype: str) -> np.ndarray:
    shape = [draw.whole(1, 3) if n == 1 else n for n in draw.first.shape]
    return np.asarray([draw.whole(1, 3)] * draw.whole(0, 1) + shape, dtype)


def ids(draw: Draw, dtype: str) -> np.ndarray:
    """Segment numbers: in order, unless the op takes any."""
    count = draw.first.shape[0] if rank_of(draw) else 1
    if draw.op.startswith("SparseSegment"):
        count = len(np.atleast_1d(draw.inputs.get("indices", [0])))
    drawn = draw.rng.integers(0, 4, count)
    return (drawn if "Unsorted" in draw.op else np.sort(drawn)).astype(dtype)


def indices(draw: Draw, dtype: str) -> np.ndarray:
    size = min(draw.first.shape or (1,))
    if draw.op == "OneHot":
        return draw.rng.integers(-1, 4, draw.shape).astype(dtype)
    if draw.op.startswith("SparseSegment"):
        size = draw.first.shape[0] if rank_of(draw) else 1
        return draw.rng.integers(0, max(1, size), draw.whole(1, 5)).astype(dtype)
    shape = draw.rng.integers(1, 4, draw.whole(0, 2))
    if "Nd" in draw.op or draw.op.startswith("TensorScatter"):
        shape = np.array([*shape, draw.whole(1, max(1, rank_of(draw)))])
    return draw.rng.integers(0, max(1, size), shape).astype(dtype)


def updates(draw: Draw, dtype: str) -> np.ndarray:
    at = draw.inputs.get("indices", np.zeros((1, 1)))
    whole = draw.first.shape
    if draw.op == "ScatterNd":
        whole = draw.shape
    return data(draw, dtype, (*at.shape[:-1], *whole[at.shape[-1] :]))


def begin(draw: Draw, dtype: str) -> np.ndarray:
    shape = draw.first.shape
    return np.asarray([draw.whole(0, max(0, n - 1)) for n in shape], dtype)


def size(draw: Draw, dtype: str) -> np.ndarray:
    if draw.op == "Slice":
        left = np.asarray(draw.first.shape) - np.asarray(draw.inputs["begin"])
        sizes = [draw.whole(1, n) if n > 0 else n for n in left]
        return np.asarray([-1 if draw.chance(0.3) else n for n in sizes], dtype)
    return np.asarray([draw.whole(2, 8), draw.whole(2, 8)], dtype)


def like_first(draw: Draw, dtype: str) -> np.ndarray:
    return data(draw, dtype, draw.first.shape)


def channels(draw: Draw, dtype: str) -> np.ndarray:
    first = draw.first.shape
    at = 1 if draw.attrs.get("data_format") == b"NCHW" else -1
    return data(draw, dtype, (first[at],) if first else ())


def positive(draw: Draw, dtype: str) -> np.ndarray:
    return np.abs(channels(draw, dtype)) + np.asarray(0.3, dtype)


def lengths(draw: Draw, dtype: str) -> np.ndarray:
    shape = draw.first.shape
    batch = shape[draw.attrs.get("batch_dim", 0) % max(1, len(shape))] if shape else 1
    most = shape[draw.attrs.get("seq_dim", 1) % max(1, len(shape))] if shape else 1
    return draw.rng.integers(0, most + 1, batch).astype(dtype)


Rule = Callable[[Draw, str], Any]
BY_NAME: dict[str, Rule] = {
    **dict.fromkeys("axis dim dimension split_dim reduction_indices".split(), axis),
    **dict.fromkeys("concat_dim".split(), axis),
    "paddings": pads,
    "perm": permutation,
    "multiples": vector(rank_of, 1, 2),
    "shift": vector(lambda d: 1, -2, 2),
    "begin": begin,
    "size": size,
    "segment_ids": ids,
    "num_segments": scalar(4, 6),
    "num_lower": scalar(-1, 2),
    "num_upper": scalar(-1, 2),
    "indices": indices,
    "updates": updates,
    "depth": scalar(1, 5),
    "fft_length": lambda d, t: np.asarray(
        (d.first.shape or (1,))[-2 if "2D" in d.op else -1 :], t
    ),
    "k": scalar(1, 2),
    "n": scalar(0, 2),
    "start": scalar(0, 2),
    "stop": scalar(3, 5),
    "limit": scalar(3, 8),
    "delta": scalar(1, 2),
    "num": scalar(1, 5),
    "seq_lengths": lengths,
    "min_range": scalar(-2, -0.5),
    "max_range": scalar(0.5, 2),
    "input_min": scalar(-2, -0.5),
    "input_max": scalar(0.5, 2),
    "requested_output_min": scalar(-2, -0.5),
    "requested_output_max": scalar(0.5, 2),
    "min": scalar(-2, -0.5),
    "max": scalar(0.5, 2),
    "min_a": scalar(-2, -0.5),
    "max_a": scalar(0.5, 2),
    "min_b": scalar(-2, -0.5),
    "max_b": scalar(0.5, 2),
    "min_x": scalar(-2, -0.5),
    "max_x": scalar(0.5, 2),
    "min_y": scalar(-2, -0.5),
    "max_y": scalar(0.5, 2),
    "clip_value_min": scalar(-1, 0),
    "clip_value_max": scalar(0.2, 1),
    "constant_values": scalar(-1, 2),
    "num_bits": scalar(4, 8),
    "contrast_factor": scalar(0.5, 2),
    "scale": positive,
    "bias": channels,
    "offset": channels,
    "mean": channels,
    "variance": positive,
    "m": channels,
    "v": positive,
    "beta": channels,
    "gamma": positive,
    "default_value": scalar(0, 3),
    "on_value": scalar(1, 3),
    "off_value": scalar(-1, 0),
    "gradients": like_first,
    "outputs": like_first,
    "backprops": like_first,
    "dy": like_first,
    "targets": vector(lambda d: d.first.shape[0] if d.first.ndim else 1, 0, 1),
    "labels": like_first,
    "dims": factored,
}
BY_OP: dict[tuple[str, str], Rule] = {
    ("Reshape", "shape"): factored,
    ("BroadcastTo", "shape"): broadcast,
    ("Bincount", "size"): scalar(5, 7),
    ("DenseBincount", "size"): scalar(5, 7),
    ("Fill", "dims"): vector(lambda d: d.whole(0, 3), 1, 4),
    ("ScatterNd", "shape"): lambda d, t: np.asarray(d.shape, t),
    ("SparseToDense", "output_shape"): lambda d, t: np.asarray([8], t),
    ("UnravelIndex", "dims"): vector(lambda d: 2, 4, 6),
    ("SparseSoftmaxCrossEntropyWithLogits", "labels"): vector(
        lambda d: d.first.shape[0] if d.first.ndim else 1, 0, 0
    ),
    ("InvertPermutation", "x"): lambda d, t: d.rng.permutation(d.whole(1, 6)).astype(t),
    ("MatrixBandPart", "input"): lambda d, t: data(d, t),
    ("Cumsum", "axis"): axis,
    ("Pow", "y"): lambda d, t: np.abs(data(d, t)),
}
