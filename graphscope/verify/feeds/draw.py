"""Random inputs that a model can take: what its placeholders say, and what reads them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ...graph import Graph, Shape
from ...ops import spellings

SIZES = (
    32,
    64,
    224,
    299,
    16,
    8,
    128,
)  # tried in this order for dimensions nobody knows
RANKS: tuple[Shape, ...] = ((None,), (None, 8), (), (None, 224, 224, 3))
MOST_ELEMENTS = 1 << 26
BOUNDS = (None, 10, 2)  # of integers: what looks them up says, else small, else 0 or 1


@dataclass(frozen=True)
class Port:
    """One input: its name, dtype (``"float32"``) and shape; ``below`` is the bound of an integer that is looked up;
    ``texts`` are strings that it may hold; ``is_mask`` says that it holds nothing but 0 and 1, ``is_sparse`` that it is a whole
    sparse tensor; ``step`` are the scale and the zero of integers that stand for real numbers. ``likely`` are the shapes that its
    readers would take, where it has none.
    """

    name: str
    dtype: str
    shape: Shape = None
    below: int | None = None
    texts: tuple[bytes, ...] = (b"",)
    is_mask: bool = False
    is_sparse: bool = False
    step: tuple[float, int] | None = None
    likely: tuple[Shape, ...] = ()


class Round(NamedTuple):
    """One draw: how many examples, and what floats look like: normal times ``scale``, or between 0 and ``top`` where it is 0.

    ``sizes`` are tried first for dimensions that nobody knows: one for each place behind the batch, the last for all further places.
    """

    batch: int
    scale: float
    sizes: tuple[int, ...] = ()
    top: float = 1.0


class Manner(NamedTuple):
    """How numbers are drawn: integers below ``bound`` (None: what is usual), floats as a Round has them."""

    bound: int | None = None
    scale: float = 1.0
    top: float = 1.0

    def floats(self, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        """Normal times ``scale``, or between 0 and ``top`` where it is 0."""
        if self.scale:
            return rng.normal(size=shape) * self.scale
        return rng.uniform(0, self.top, shape)


PLAIN = Manner()
ROUNDS = (Round(2, 1.0), Round(3, 0.1, (64, 96)), Round(1, 0.0, (48, 48)))
MORE_ROUNDS = (Round(2, 1e-2), Round(2, 1e-3), Round(2, 30.0))
WIDE_ROUNDS = (
    Round(2, 8.0),
    Round(2, 0.0, top=255.0),
    Round(2, 60.0),
)  # for ReLU6, clips


MOST_SHAPES = 60  # each with what else is tried
MOST_RANKS = 12  # of all feeds together
BATCHES = (2, 1, 4, 8)  # tried after the one that is wanted
Sizes = tuple[int, ...]
Shapes = Mapping[str, Sizes]


def trials(
    ports: Mapping[str, Port], turn: Round, seed: Sequence[int], before: Shapes = {}
) -> Iterator[dict[str, object]]:
    """Feeds for all ports, each trial with other guesses for what is unknown; the first is the likeliest.

    ``before`` are shapes that served in an earlier round: the second guess.
    """
    rng = np.random.default_rng(list(seed))
    is_bounded = any(p.dtype == "string" or "int" in p.dtype for p in ports.values())
    guesses = itertools.chain(
        itertools.islice(_shapes(ports, turn), 1),
        [before] if before.keys() >= ports.keys() else (),
        _shapes(ports, turn),
    )
    tried = itertools.product(
        (turn.scale, 0.0) if turn.scale else (0.0,),  # some sizes must be positive
        itertools.islice(guesses, MOST_SHAPES),
        BOUNDS if is_bounded else BOUNDS[:1],
    )
    for scale, shapes, bound in tried:
        yield {
            name: draw(rng, port, shapes[name], Manner(bound, scale, turn.top))
            for name, port in ports.items()
        } | {
            name: truths(shapes[name], [*seed[:-1], number], seed[-1] % 2 == 1)
            for number, (name, port) in enumerate(ports.items())
            if port.dtype == "bool" and not port.is_mask and len(seed) > 1
        }


def truths(shape: tuple[int, ...], seed: Sequence[int], inverted: bool) -> np.ndarray:
    """Truth values; in every other round each the opposite of what it was before, so that both sides of a choice are met."""
    size = min(math.prod(shape), MOST_ELEMENTS)
    rng = np.random.default_rng(list(seed))
    bits = rng.integers(0, 2, size).astype(bool) ^ inverted
    return bits.reshape(shape if math.prod(shape) == size else (size,))


def _shapes(ports: Mapping[str, Port], turn: Round) -> Iterator[Shapes]:
    """Shapes of all ports, the likeliest first and none twice: ranks, batches and sizes that nobody knows are guessed.

    All ranks are tried of one size before the next, as a rank is more often wrong.
    """
    sizes = [turn.sizes or SIZES[:1], *((size,) for size in SIZES)]
    visited = set()
    for batch in (turn.batch, *BATCHES):
        for each in sizes:
            for ranks in itertools.islice(_ranks(ports), MOST_RANKS):
                shapes = {
                    n: shape_of(p, ranks[n], batch, each) for n, p in ports.items()
                }
                if (key := tuple(shapes.values())) not in visited:
                    visited.add(key)
                    yield shapes


def _ranks(ports: Mapping[str, Port]) -> Iterator[dict[str, Shape]]:
    """Shapes with open sizes: those that feeds have, each with all that others may have."""
    choices = [
        (port.shape,) if port.shape is not None else port.likely or RANKS
        for port in ports.values()
    ]
    for each in itertools.product(*choices):
        yield dict(zip(ports, each))


def shape_of(port: Port, rank: Shape, batch: int, sizes: Sequence[int]) -> Sizes:
    """The shape (or ``rank``, of a port that has none) with the unknown sizes filled in: the first is the batch, the others are
    ``sizes`` by their place.
    """
    shape = port.shape if port.shape is not None else rank or ()
    filling = (batch, *sizes, *[sizes[-1]] * len(shape))
    return tuple(
        size if size is not None else filling[place] for place, size in enumerate(shape)
    )


def draw(
    rng: np.random.Generator, port: Port, shape: Sizes, manner: Manner = PLAIN
) -> np.ndarray:
    """Random values of the port's dtype: floats by ``manner``, small integers, truth values, what strings must hold."""
    if math.prod(shape) > MOST_ELEMENTS:
        shape = tuple(min(size, 8) for size in shape)
    if port.dtype == "string":
        texts = port.texts if manner.bound != BOUNDS[-1] else (b"",)
        chosen = rng.integers(len(texts), size=shape)
        return np.asarray(np.array(texts, object)[chosen], object)
    if port.dtype == "bool" or port.is_mask:
        return _bits(rng, port, shape)
    if port.step is not None:
        return _quantised(rng, port, shape, manner)
    if "int" in port.dtype:
        return _integers(rng, port, shape, manner.bound)
    # a rate, a ratio, a threshold: a loop may hang on others
    if not shape and port.shape == ():
        return np.asarray(rng.uniform(0.3, 0.9)).astype(port.dtype)
    drawn = manner.floats(rng, shape)
    if port.dtype.startswith("complex"):
        return (drawn + 1j * rng.normal(size=shape)).astype(port.dtype)
    if port.dtype == "bfloat16":
        import ml_dtypes

        return drawn.astype(ml_dtypes.bfloat16)
    return drawn.astype(port.dtype)


def _bits(rng: np.random.Generator, port: Port, shape: Sizes) -> np.ndarray:
    mask = rng.integers(0, 2, shape)
    if shape and port.is_mask:
        mask[..., 0] = 1  # a row of which nothing is left is no input
    return mask.astype(port.dtype)


def _integers(
    rng: np.random.Generator, port: Port, shape: Sizes, bound: int | None
) -> np.ndarray:
    usual = 256 if port.dtype == "uint8" else 10  # bytes are mostly pictures
    bounds = [n for n in (port.below, bound) if n is not None] or [usual]
    most = max(1, min([*bounds, 1 << 30]))
    return rng.integers(0, most, shape).astype(port.dtype)


def _quantised(
    rng: np.random.Generator, port: Port, shape: Sizes, manner: Manner
) -> np.ndarray:
    """Real numbers as a float input would get them, rounded to the steps of the port."""
    real = manner.floats(rng, shape)
    size, zero = port.step or (1.0, 0)
    limits = np.iinfo(port.dtype)
    steps = np.clip(np.round(real / size) + zero, limits.min, limits.max)
    return steps.astype(port.dtype)


def shaken(feeds: Mapping[str, object], seed: int = 0) -> dict[str, object]:
    """The same inputs, each float one unit in the last place away."""
    rng = np.random.default_rng(seed)
    shaken_ = dict(feeds)
    for name, value in feeds.items():
        array = np.asarray(value)
        if array.dtype in (np.float16, np.float32, np.float64):
            ends = rng.choice([-np.inf, np.inf], array.shape).astype(array.dtype)
            shaken_[name] = np.nextafter(array, ends)
    return shaken_


LARGE = 1e3  # what a mask is multiplied by before it is added to scores


def is_mask(graph: Graph, name: str) -> bool:
    """Whether an input is used as ``scores + (1 - mask) * -10000``, also repeated by ones: other numbers would drown the scores in rounding."""
    stack, visited = [(name, False)], {name}
    while stack and len(visited) < 1000:
        at, is_turned = stack.pop()
        for reader, slot in graph.consumers(at):
            op = graph.op(reader)
            factor = _other(graph, reader, slot)
            if op == "Sub" and factor == 1:
                stack.append((reader, True))
            elif op == "Mul" and is_turned and factor and abs(factor) >= LARGE:
                return True
            elif (
                op in _PASSES or op == "Mul" and factor == 1
            ) and reader not in visited:
                visited.add(reader)
                stack.append((reader, is_turned))
    return False


def _other(graph: Graph, name: str, slot: int) -> float | None:
    """The other operand of a binary op, where it is one constant number, or filled with one."""
    inputs = graph.inputs(name)
    if len(inputs) != 2:
        return None
    other = inputs[1 - slot].node
    if graph.op(other) == "Fill":
        other = graph.inputs(other)[1].node
    value = graph.attrs(other).get("value")
    is_number = isinstance(value, np.ndarray) and value.dtype.kind in "fiu"
    return float(value.reshape(())) if is_number and value.size == 1 else None  # type: ignore[union-attr]


_LOOKUPS = {
    "Gather": 1,
    "GatherV2": 1,
    "ResourceGather": 1,
    "OneHot": 0,
    "SparseSegmentSum": 1,
    "SparseSegmentMean": 1,
    "SparseTensorDenseMatMul": 0,
}
_PASSES = frozenset(
    "Identity Cast Reshape ExpandDims Squeeze Unique Switch Enter Transpose StridedSlice Split Unpack "
    "Pack TensorArrayScatterV3 TensorArrayReadV3 ConcatV2 DynamicPartition SparseFillEmptyRows SparseReorder".split()
)


_KEEPS = frozenset({*spellings.GATHERS, "Max", "Maximum"})  # some of the numbers, or 0
# These end the process where they are told to run more steps than there are.
_STEPS = frozenset(spellings.BLOCK_LSTMS)

_READ = _PASSES | {"ReadVariableOp", "PlaceholderWithDefault"}


def looked_up(graph: Graph, name: str) -> int | None:
    """How many rows the smallest table has that an integer input is an index into; None where it is none."""
    stack, visited, tables = [name], {name}, []
    while stack and len(visited) < 10_000:
        for reader, slot in graph.consumers(stack.pop()):
            op = graph.op(reader)
            if _LOOKUPS.get(op) == slot:
                table = 2 if op == "SparseTensorDenseMatMul" else 1 - slot
                tables.append(_rows(graph, graph.inputs(reader)[table].node, op))
            elif op in _STEPS and slot == 0:
                tables.append(_steps(graph, graph.inputs(reader)[1].node) + 1)
            elif (
                op in _PASSES or op in _KEEPS and slot == 0
            ) and reader not in visited:
                visited.add(reader)
                stack.append(reader)
    sizes = [rows for rows in tables if rows]
    return min(sizes) if sizes else None


def _steps(graph: Graph, name: str) -> int:
    """How many steps a sequence has, the time first: one at least."""
    shape = graph.attrs(name).get("shape")
    return int(shape[0]) if isinstance(shape, tuple) and shape and shape[0] else 1


def _rows(graph: Graph, name: str, op: str) -> int | None:
    for _ in range(20):
        node, inputs = graph.node(name), graph.inputs(name)
        if node.op in (*spellings.VARIABLES, "Const"):
            break
        if not inputs or node.op not in _READ:
            return None
        name = inputs[0].node
    value = node.attrs.get("value")
    if op == "SparseTensorDenseMatMul":  # the sizes that its indices stay below
        return int(value.min()) if value is not None and value.size else None
    if op == "OneHot":
        return int(value) if value is not None and value.size == 1 else None
    shape = value.shape if value is not None else node.attrs.get("shape")
    return shape[0] if shape else None
