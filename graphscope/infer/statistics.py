"""The values of one variable in a few numbers, streamed: memory does not grow with the checkpoint.

Raw bytes are read from the file in chunks of a few MiB; only what must be decoded or joined is read whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields

import numpy as np

from ..errors import FormatError, MissingWeight
from ..graph import Extent, Model, TensorSpec
from ..graph.named_values import Row
from ..wire.attrs import Attrs, numpy_dtype

CHUNK = 1 << 19  # elements at a time: 4 MiB as float64
DEAD = 1e-8  # a channel this far below the largest value of its tensor has been switched off


@dataclass(frozen=True)
class Statistics:
    """Of ``count`` values: extremes, mean and standard deviation of the finite ones (NaN where there are none).

    ``dead`` are the output channels (indices along the last axis, of ``channels``) whose weights are all zero, or
    so small beside the others that weight decay has left nothing of them; counted for rank 2 and above.
    """

    name: str
    count: int
    minimum: float
    maximum: float
    mean: float
    std: float
    zeros: int
    nan: int
    inf: int
    channels: int = 0
    dead: tuple[int, ...] = ()

    @property
    def healthy(self) -> bool:
        """Whether there is neither NaN nor infinity nor a dead channel."""
        return not (self.nan or self.inf or self.dead)


@dataclass
class _Running:
    """What is known of the values so far; mean and squared deviations are merged as Chan et al. 1979 do."""

    channels: int
    count: int = 0
    finite: int = 0
    minimum: float = np.inf
    maximum: float = -np.inf
    mean: float = 0.0
    deviations: float = 0.0
    zeros: int = 0
    nan: int = 0
    inf: int = 0
    largest: np.ndarray = field(default_factory=lambda: np.zeros(0))

    def add(self, values: np.ndarray) -> None:
        self.count += values.size
        self.zeros += values.size - int(np.count_nonzero(values))
        finite = np.isfinite(values)
        finite_values = values if finite.all() else values[finite]
        bad = int(np.isnan(values).sum()) if finite_values.size < values.size else 0
        self.nan += bad
        self.inf += values.size - finite_values.size - bad
        if self.channels:
            rows = np.abs(values.reshape(-1, self.channels)).max(0, initial=0)
            self.largest = np.fmax(self.largest, np.nan_to_num(rows, nan=np.inf))
        if finite_values.size:
            self._merge(finite_values)

    def _merge(self, finite_values: np.ndarray) -> None:
        self.minimum = min(self.minimum, float(finite_values.min()))
        self.maximum = max(self.maximum, float(finite_values.max()))
        mean, size = float(finite_values.mean()), finite_values.size
        away, total = mean - self.mean, self.finite + size
        self.deviations += float(np.square(finite_values - mean).sum())
        self.deviations += away * away * self.finite * size / total
        self.mean += away * size / total
        self.finite = total


def statistics_of(model: Model, name: str) -> Row:
    """``measure``, as a row of a JSON document: ``minimum maximum mean std zeros nan inf channels dead``.

    {} where the variable holds no numbers or has no value; None for a number that there is not.
    """
    statistics = measure(model, name) if _spec_of(model, name) is not None else None
    if statistics is None:
        return {}
    row = {f.name: getattr(statistics, f.name) for f in fields(statistics)[2:]}
    row["dead"] = list(statistics.dead)
    return {key: None if value != value else value for key, value in row.items()}


def histogram(model: Model, name: str, bins: int = 24, most: int = 20_000) -> Row:
    """``min max mean std zeros nan inf dead`` of one weight's values, and ``bins``: how many of at most ``most`` evenly
    chosen ones lie in each part of their range. {} where there are no numbers.
    """
    statistics = measure(model, name) if _spec_of(model, name) is not None else None
    if statistics is None or not statistics.count:
        return {}
    values = model.value(name).reshape(-1)
    few = _real(values[:: max(1, values.size // most)])
    counts, _ = np.histogram(few[np.isfinite(few)], bins)
    numbers = {
        "min": statistics.minimum,
        "max": statistics.maximum,
        "mean": statistics.mean,
        "std": statistics.std,
    }
    row: Row = {k: float(f"{v:.4g}") for k, v in numbers.items()}
    row |= {key: getattr(statistics, key) for key in ("zeros", "nan", "inf")}
    return {**row, "dead": len(statistics.dead), "bins": counts.tolist()}


def _spec_of(model: Model, name: str) -> TensorSpec | None:
    """Dtype and shape of a weight, or of the constant of this name; None where there is neither."""
    if name in model.weights:
        return model.weights.spec(name)
    attrs = model.graph.attrs(name) if name in model.graph else {}
    if "value" not in attrs:
        return None
    if isinstance(attrs, Attrs):
        return attrs.spec("value")
    return TensorSpec(str(attrs["value"].dtype), attrs["value"].shape)


def measure(model: Model, name: str) -> Statistics | None:
    """The statistics of one weight, by its name in ``model.weights`` or a Const's; None where it holds no numbers.

    Complex values count by their magnitude. Raises MissingWeight where there is no such weight, FormatError where
    its values cannot be read.
    """
    spec = _spec_of(model, name)
    if spec is None:
        raise MissingWeight(f"{name!r} has no value in {model.source or 'the model'}")
    dtype = numpy_dtype(spec.dtype)
    if dtype is None or dtype.hasobject:
        return None
    shape = tuple(size or 0 for size in spec.shape or ())
    channels = shape[-1] if len(shape) > 1 and dtype.kind in "fcV" else 0
    running = _Running(channels, largest=np.zeros(channels))
    try:
        for values in _chunks(model, name, dtype, max(1, channels)):
            running.add(values)
    except MissingWeight:
        return None
    return _statistics(name, running)


def _chunks(model: Model, name: str, dtype: np.dtype, row: int) -> Iterator[np.ndarray]:
    """The values as float64, whole rows at a time."""
    step = max(1, CHUNK // row) * row
    extents = _extents(model, name)
    if extents is None:
        is_stored = name in model.weights
        array = model.weights[name] if is_stored else model.graph.attrs(name)["value"]
        flat = array.reshape(-1)
        for start in range(0, flat.size, step):
            yield _real(flat[start : start + step])
        return
    for extent in extents:
        yield from _read(extent, dtype, step)


def _extents(model: Model, name: str) -> tuple[Extent, ...] | None:
    if name in model.weights:
        return model.weights.extents(name)
    attrs = model.graph.attrs(name)
    extent = attrs.extent("value") if isinstance(attrs, Attrs) else None
    return None if extent is None else (extent,)


def _read(extent: Extent, dtype: np.dtype, step: int) -> Iterator[np.ndarray]:
    left = extent.length
    try:
        with open(extent.path, "rb", buffering=0) as file:
            file.seek(extent.offset)
            while left:
                data = file.read(min(left, step * dtype.itemsize))
                if not data:
                    break
                left -= len(data)
                yield _real(np.frombuffer(data, dtype))
    except (OSError, ValueError) as error:
        raise FormatError(f"{extent.path}: cannot be read ({error})") from None
    if left:
        raise FormatError(
            f"{extent.path}: ends {left} bytes too early: it is truncated"
        )


def _real(values: np.ndarray) -> np.ndarray:
    if values.dtype.kind == "c":
        values = np.abs(values)
    return values.astype(np.float64)


def _statistics(name: str, running: _Running) -> Statistics:
    none = not running.finite
    finite = running.largest[np.isfinite(running.largest)]
    dead = running.largest <= DEAD * finite.max(initial=0)
    return Statistics(
        name,
        running.count,
        np.nan if none else running.minimum,
        np.nan if none else running.maximum,
        np.nan if none else running.mean,
        np.nan if none else float(np.sqrt(running.deviations / running.finite)),
        running.zeros,
        running.nan,
        running.inf,
        running.channels,
        tuple(np.flatnonzero(dead).tolist()) if running.count else (),
    )
