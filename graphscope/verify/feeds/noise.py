"""Random ops -> numbers that a shape alone determines: what two models must share to be compared when both draw at random.

A normal deviate, say, is asked of each side where its op would have drawn it, and each side gets the same array for the same shape. What
either computes *from* its noise (scale, logits, how many) is then compared like anything else.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from ...ops import spellings
from ..import_tensorflow import Operation, Session, Symbol

Shape = tuple[int, ...]
_NOT_TAKEN = "does not have value"  # what TensorFlow says of a tensor in another branch


class Noise:
    """The same noise for the same kind and shape; ``drawn`` counts what was asked for."""

    def __init__(self) -> None:
        self.drawn: Counter[tuple[str, Shape]] = Counter()

    def _generator(self, kind: str, shape: Shape) -> np.random.Generator:
        self.drawn[kind, shape] += 1
        return np.random.default_rng([zlib.crc32(kind.encode()), *shape])

    def uniform(self, shape: Shape, kind: str = "uniform") -> np.ndarray:
        """Between 0 and 1."""
        return self._generator(kind, shape).uniform(size=shape)

    def normal(self, shape: Shape) -> np.ndarray:
        return self._generator("normal", shape).normal(size=shape)

    def truncated(self, shape: Shape) -> np.ndarray:
        """Within two deviations."""
        return 4 * self.uniform(shape, "truncated") - 2

    def integers(self, shape: Shape, low: Any, high: Any) -> np.ndarray:
        """``low <= value < high``."""
        wide = np.asarray(high, np.float64) - low
        drawn: np.ndarray = np.floor(low + self.uniform(shape, "integers") * wide)
        return drawn

    def categorical(self, logits: np.ndarray, count: int) -> np.ndarray:
        """Class numbers ``[batch, count]``, drawn by these logits: the Gumbel-max trick."""
        drawn_shape = (logits.shape[0], int(count), logits.shape[1])
        u = self.uniform(drawn_shape, "categorical")
        drawn: np.ndarray = np.argmax(
            logits[:, None, :].astype(np.float64) - np.log(-np.log(u + 1e-12)), -1
        )
        return drawn

    def around(self, shape: Shape, centre: np.ndarray) -> np.ndarray:
        """Positive numbers about ``centre``, whose shape follows ``shape``'s: stands for gamma and Poisson deviates."""
        whole = (*shape, *centre.shape)
        drawn: np.ndarray = centre * (0.5 + self.uniform(whole, "around"))
        return drawn

    def shuffled(self, value: np.ndarray) -> np.ndarray:
        """The rows in another order."""
        order = self._generator("shuffled", value.shape[:1]).permutation(len(value))
        return value[order]


def _dims(shape: object) -> Shape:
    return tuple(int(size) for size in np.asarray(shape).reshape(-1))


# op -> its values, from the noise and the values of its inputs (resources and seeds are None)
Sampler = Callable[..., np.ndarray]
SAMPLERS: dict[str, Sampler] = {
    "RandomUniform": lambda n, shape: n.uniform(_dims(shape)),
    "RandomStandardNormal": lambda n, shape: n.normal(_dims(shape)),
    "TruncatedNormal": lambda n, shape: n.truncated(_dims(shape)),
    "RandomUniformInt": lambda n, shape, low, high: n.integers(_dims(shape), low, high),
    "Multinomial": lambda n, logits, count: n.categorical(logits, count),
    "StatelessMultinomial": lambda n, logits, count, *_: n.categorical(logits, count),
    "RandomGamma": lambda n, shape, alpha: n.around(_dims(shape), alpha),
    "RandomPoisson": lambda n, shape, rate: np.floor(n.around(_dims(shape), rate)),
    "RandomPoissonV2": lambda n, shape, rate: np.floor(n.around(_dims(shape), rate)),
    "RandomShuffle": lambda n, value: n.shuffled(value),
}
for _version in ("", "V2"):
    SAMPLERS |= {
        f"StatelessRandomUniform{_version}": lambda n, shape, *_: n.uniform(
            _dims(shape)
        ),
        f"StatelessRandomNormal{_version}": lambda n, shape, *_: n.normal(_dims(shape)),
        f"StatelessTruncatedNormal{_version}": lambda n, shape, *_: n.truncated(
            _dims(shape)
        ),
        f"StatelessRandomUniformInt{_version}": lambda n, shape, *rest: n.integers(
            _dims(shape), *rest[-2:]
        ),
    }
SAMPLERS |= {
    "StatefulUniform": lambda n, resource, algorithm, shape: n.uniform(_dims(shape)),
    "StatefulStandardNormalV2": lambda n, resource, algorithm, shape: n.normal(
        _dims(shape)
    ),
    "StatefulTruncatedNormal": lambda n, resource, algorithm, shape: n.truncated(
        _dims(shape)
    ),
}


def fed_noise(
    session: Session,
    fetches: Sequence[Symbol],
    feeds: Mapping[Symbol, object],
    noise: Noise,
) -> dict[Symbol, np.ndarray]:
    """The values for the random ops that the fetched tensors depend on, each from its own inputs' values.

    An op inside a loop or a function draws for itself: nothing can be fed there. One in a branch that is not taken draws nothing.
    """
    from ..import_tensorflow import import_tensorflow

    tf = import_tensorflow()
    fed: dict[Symbol, np.ndarray] = {}
    for op in _samplers(fetches, feeds):
        inputs = [None if t.dtype.name == "resource" else t for t in op.inputs]
        asked = [t for t in inputs if t is not None]
        try:
            values_ = iter(session.run(asked, {**feeds, **fed}))
        except tf.errors.InvalidArgumentError as error:
            if _NOT_TAKEN in error.message:
                continue
            raise
        values = [None if t is None else next(values_) for t in inputs]
        sample = SAMPLERS[op.type](noise, *values)
        fed[op.outputs[0]] = sample.astype(op.outputs[0].dtype.as_numpy_dtype)
    return fed


def _samplers(
    fetches: Sequence[Symbol], feeds: Mapping[Symbol, object]
) -> list[Operation]:
    """Random ops upstream, each after those that it depends on."""
    cut = {tensor.op for tensor in feeds}
    order: list[Operation] = []
    opened: set[Operation] = set()
    stack = [(tensor.op, False) for tensor in fetches]
    while stack:
        op, leaving = stack.pop()
        if leaving:
            order.append(op)
        elif op not in opened and op not in cut:
            opened.add(op)
            stack.append((op, True))
            stack += [(tensor.op, False) for tensor in op.inputs]
    drawn = [op for op in order if op.type in SAMPLERS]
    looped = _in_frames(drawn[0].graph) if drawn else set()
    return [op for op in drawn if op not in looped]


def _in_frames(graph: Any) -> set[Operation]:
    """The ops in loops of TensorFlow 1; an imported graph has no contexts that would tell them."""
    stack = [op for op in graph.get_operations() if op.type in spellings.ENTERS]
    inside: set[Operation] = set()
    while stack:
        op = stack.pop()
        if op not in inside and op.type not in spellings.EXITS:
            inside.add(op)
            stack += [reader for tensor in op.outputs for reader in tensor.consumers()]
            stack += op._control_outputs
    return inside


@contextmanager
def noisy_keras(noise: Noise) -> Iterator[None]:
    """Within, ``keras.random`` and TensorFlow's raw random ops give this noise to what runs eagerly."""
    import keras

    from ..import_tensorflow import import_tensorflow

    tf = import_tensorflow()
    changes = [
        (keras.random, name, _of_keras(replacement, noise, getattr(keras.random, name)))
        for name, replacement in _KERAS.items()
    ]
    for name, sampler in SAMPLERS.items():
        if hasattr(tf.raw_ops, name):
            before = getattr(tf.raw_ops, name)
            changes.append((tf.raw_ops, name, _of_raw(name, sampler, noise, before)))
    originals = [(owner, name, getattr(owner, name)) for owner, name, _ in changes]
    try:
        for owner, name, function in changes:
            setattr(owner, name, function)
        yield
    finally:
        for owner, name, function in originals:
            setattr(owner, name, function)


def _of_keras(
    sampler: Callable[..., np.ndarray], noise: Noise, before: Callable[..., object]
) -> Callable[..., object]:
    def draw(*args: object, **kwargs: object) -> Any:
        kwargs.pop("seed", None)
        dtype = kwargs.pop("dtype", None)
        try:
            drawn = sampler(noise, *args, **kwargs)
        except (TypeError, NotImplementedError):  # traced: there are no numbers yet
            return before(*args, **kwargs, **({"dtype": dtype} if dtype else {}))
        from keras import ops

        return ops.convert_to_tensor(drawn, dtype or _dtype_of(drawn, args))

    return draw


def _dtype_of(drawn: np.ndarray, args: Sequence[Any]) -> str:
    if hasattr(args[0], "dtype") and drawn.dtype.kind == "f" and args[0].ndim > 1:
        return str(getattr(args[0].dtype, "name", args[0].dtype))
    return "int32" if drawn.dtype.kind in "iu" else "float32"


def _shape_of(shape: Any) -> Shape:
    return tuple(int(size) for size in shape)


def _array(value: object) -> np.ndarray:
    return np.asarray(value)


_KERAS: dict[str, Callable[..., np.ndarray]] = {
    "normal": lambda n, shape, mean=0.0, stddev=1.0: (
        mean + stddev * n.normal(_shape_of(shape))
    ),
    "truncated_normal": lambda n, shape, mean=0.0, stddev=1.0: (
        mean + stddev * n.truncated(_shape_of(shape))
    ),
    "uniform": lambda n, shape, minval=0.0, maxval=1.0: (
        minval + (maxval - minval) * n.uniform(_shape_of(shape))
    ),
    "randint": lambda n, shape, minval, maxval: n.integers(
        _shape_of(shape), _array(minval), _array(maxval)
    ).astype(np.int64),
    "categorical": lambda n, logits, num_samples: n.categorical(
        _array(logits), num_samples
    ),
    "gamma": lambda n, shape, alpha: n.around(
        _shape_of(shape)[: len(_shape_of(shape)) - _array(alpha).ndim], _array(alpha)
    ),
    "shuffle": lambda n, x: n.shuffled(_array(x)),
}
_NAMES = {  # the arguments of the raw ops that say something, in their order
    "Multinomial": ("logits", "num_samples"),
    "StatelessMultinomial": ("logits", "num_samples"),
    "RandomUniformInt": ("shape", "minval", "maxval"),
    "StatelessRandomUniformInt": ("shape", "minval", "maxval"),
    "StatelessRandomUniformIntV2": ("shape", "minval", "maxval"),
    "RandomGamma": ("shape", "alpha"),
    "RandomPoisson": ("shape", "rate"),
    "RandomPoissonV2": ("shape", "rate"),
    "RandomShuffle": ("value",),
    "StatefulUniform": ("resource", "algorithm", "shape"),
    "StatefulStandardNormalV2": ("resource", "algorithm", "shape"),
    "StatefulTruncatedNormal": ("resource", "algorithm", "shape"),
}


def _of_raw(
    op: str, sampler: Sampler, noise: Noise, before: Callable[..., object]
) -> Callable[..., object]:
    def draw(**kwargs: object) -> Any:
        names = _NAMES.get(op, ("shape",))
        try:
            operands = [
                None if name in ("resource", "algorithm") else _array(kwargs[name])
                for name in names
            ]
            drawn = sampler(noise, *operands)
        except (TypeError, NotImplementedError):
            return before(**kwargs)
        return _as_tensor(drawn, op, kwargs)

    return draw


def _as_tensor(drawn: np.ndarray, op: str, kwargs: Mapping[str, object]) -> object:
    from ..import_tensorflow import import_tensorflow

    tf = import_tensorflow()
    default: Any = {"Multinomial": tf.int64, "RandomPoissonV2": tf.int64}.get(
        op, tf.float32
    )
    for name in ("minval", "alpha", "rate", "value"):
        if name in kwargs:
            default = tf.as_dtype(_array(kwargs[name]).dtype)
    dtype = kwargs.get("dtype", kwargs.get("output_dtype"))
    return tf.constant(drawn, tf.as_dtype(dtype) if dtype is not None else default)
