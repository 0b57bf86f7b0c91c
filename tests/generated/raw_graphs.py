"""Random TensorFlow 1 graphs: raw ops in compositions that no layer explains, with dynamic batches and shape arithmetic.

A graph grows from its placeholders: at each turn a tensor is taken and an op that fits its rank and dtype is applied.
What nothing else reads is an output.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

v1 = tf.compat.v1
Rng = np.random.Generator
INPUTS = (
    [None, 6],
    [None, 5, 4],
    [None, 8, 7, 3],
    [None, None, 4],
    [3, 4],
    [2, 6, 6, 2],
    [None],
    [None, 4, 4, 2, 2],
)
MOST_ELEMENTS = 20_000
Op = Callable[[Rng, Any], Any]


def pick(rng: Rng, choices: Any) -> Any:
    return choices[int(rng.integers(len(choices)))]


def chance(rng: Rng, share: float = 0.5) -> bool:
    return bool(rng.random() < share)


def rank(x: Any) -> int:
    return int(x.shape.rank)


def axis(rng: Rng, x: Any) -> int:
    found = int(rng.integers(rank(x)))
    return found - rank(x) if chance(rng, 0.3) else found


def inner(rng: Rng, x: Any) -> int:
    """An axis behind the first, where there is one."""
    return int(rng.integers(1, rank(x))) if rank(x) > 1 else 0


def constant(rng: Rng, shape: Any, scale: float = 1.0) -> Any:
    return tf.constant((rng.normal(size=shape) * scale).astype("float32"))


def known(x: Any, at: int, default: int) -> int:
    size = x.shape[at]
    return default if size is None else int(size)


UNARY = (
    "abs negative square tanh sigmoid exp sin cos floor round sign erf softplus softsign nn.relu nn.elu nn.selu "
    "nn.relu6 nn.leaky_relu nn.softplus nn.swish ceil math.expm1 atan math.rint identity stop_gradient zeros_like "
    "ones_like math.log_sigmoid"
).split()
POSITIVE = "sqrt math.rsqrt math.log math.log1p math.reciprocal".split()
BINARY = (
    "add subtract multiply maximum minimum math.squared_difference math.divide_no_nan atan2 "
    "truediv"
).split()
COMPARED = "greater less greater_equal less_equal equal not_equal".split()
REDUCED = "sum mean max min prod".split()


def named(path: str) -> Any:
    found = tf
    for part in path.split("."):
        found = getattr(found, part, None) or getattr(tf.math, part)
    return found


def unary(rng: Rng, x: Any) -> Any:
    return named(pick(rng, UNARY))(x)


def positive(rng: Rng, x: Any) -> Any:
    return named(pick(rng, POSITIVE))(tf.abs(x) + 0.1)


def with_constant(rng: Rng, x: Any) -> Any:
    """Broadcast against a scalar, a vector, a column, or more dimensions than x has."""
    shapes: list[Any] = [(), (1,)]
    if x.shape[-1] is not None:
        shapes += [(int(x.shape[-1]),), (1, int(x.shape[-1]))]
    if rank(x) > 1 and x.shape[-2] is not None:
        shapes.append((int(x.shape[-2]), 1))
    other = constant(rng, pick(rng, shapes))
    args = (x, other) if chance(rng) else (other, x)
    return named(pick(rng, BINARY))(*args)


def reduced(rng: Rng, x: Any) -> Any:
    over = axis(rng, x) if chance(rng, 0.7) else list({inner(rng, x), rank(x) - 1})
    return getattr(tf, f"reduce_{pick(rng, REDUCED)}")(x, over, keepdims=chance(rng))


def compared(rng: Rng, x: Any) -> Any:
    claim = named(pick(rng, COMPARED))(x, 0.3)
    kind = int(rng.integers(4))
    if kind == 0:
        return tf.cast(claim, tf.float32)
    if kind == 1:
        return tf.where(claim, x, x * 2.0)
    if kind == 2:
        return tf.where(tf.logical_not(claim), x, tf.zeros_like(x))
    return tf.cast(tf.reduce_any(claim, -1), tf.float32)


def flattened(rng: Rng, x: Any) -> Any:
    """The batch from ``tf.shape``, the rest multiplied out: as everyone wrote it."""
    sizes = tf.shape(x)
    kind = int(rng.integers(4))
    if kind == 0:
        return tf.reshape(x, [sizes[0], -1])
    if kind == 1:
        return tf.reshape(x, tf.stack([sizes[0], tf.reduce_prod(sizes[1:])]))
    if kind == 2 and rank(x) > 1:
        return tf.reshape(x, tf.concat([[-1], sizes[2:]], 0))
    return tf.reshape(x, [-1, known(x, -1, 1)] if x.shape[-1] is not None else [-1])


def reshaped(rng: Rng, x: Any) -> Any:
    sizes = x.shape.as_list()
    if None in sizes[1:] or rank(x) < 2:
        return tf.expand_dims(x, axis(rng, x))
    size = int(np.prod(sizes[1:]))
    first = pick(rng, [n for n in range(1, size + 1) if size % n == 0][:6])
    return tf.reshape(x, [-1, first, size // first])


def sliced(rng: Rng, x: Any) -> Any:
    at = inner(rng, x)
    before = (slice(None),) * at
    kind = int(rng.integers(6))
    if kind == 0:
        return x[(*before, slice(1, None))]
    if kind == 1:
        return x[(*before, slice(None, None, 2))]
    if kind == 2:
        return x[(*before, -1)]
    if kind == 3:
        return x[..., tf.newaxis, :]
    if kind == 4:
        return x[(*before, slice(None, None, -1))]
    return tf.slice(x, [0] * rank(x), [-1 if i != at else 1 for i in range(rank(x))])


def moved(rng: Rng, x: Any) -> Any:
    order = [0, *(1 + rng.permutation(rank(x) - 1)).tolist()]
    if chance(rng, 0.2):
        order = rng.permutation(rank(x)).tolist()
    return tf.transpose(x, order)


def rearranged(rng: Rng, x: Any) -> Any:
    at = inner(rng, x)
    kind = int(rng.integers(7))
    if kind == 0:
        return tf.reverse(x, [at])
    if kind == 1:
        return tf.roll(x, 1, at)
    if kind == 2:
        return tf.tile(x, [1 if i != at else 2 for i in range(rank(x))])
    if kind == 3:
        return tf.cumsum(x, at, exclusive=chance(rng), reverse=chance(rng))
    if kind == 4:
        return tf.stack(tf.unstack(x, axis=at)[::-1], at) if x.shape[at] else x
    if kind == 5:
        return tf.concat(list(tf.split(x, [1, -1], at))[::-1], at)
    return tf.repeat(x, 2, axis=at)


def padded(rng: Rng, x: Any) -> Any:
    pads = [[0, 0], *rng.integers(0, 2, (rank(x) - 1, 2)).tolist()]
    mode = pick(rng, ["CONSTANT", "CONSTANT", "REFLECT", "SYMMETRIC"])
    if any(size is None or size < 2 for size in x.shape.as_list()[1:]):
        mode = "CONSTANT"
    if mode == "CONSTANT":
        return tf.pad(x, pads, constant_values=float(pick(rng, [0.0, -1.5])))
    return tf.pad(x, pads, mode)


def gathered(rng: Rng, x: Any) -> Any:
    at = inner(rng, x)
    size = known(x, at, 1)
    return tf.gather(x, rng.integers(0, size, int(rng.integers(1, 4))), axis=at)


def chosen(rng: Rng, x: Any) -> Any:
    kind = int(rng.integers(5))
    if kind == 0:
        return tf.cast(tf.argmax(x, inner(rng, x)), tf.float32)
    if kind == 1 and x.shape[-1] is not None:
        return tf.math.top_k(x, min(2, int(x.shape[-1]))).values
    if kind == 2:
        return tf.one_hot(tf.cast(tf.clip_by_value(x, 0.0, 3.0), tf.int32), 4)
    if kind == 3:
        return tf.sort(x, axis=-1, direction=pick(rng, ["ASCENDING", "DESCENDING"]))
    return tf.cast(tf.shape(x)[0], tf.float32) * x


def normalised(rng: Rng, x: Any) -> Any:
    kind = int(rng.integers(6))
    if kind == 0:
        return tf.nn.softmax(x, pick(rng, [-1, inner(rng, x)]))
    if kind == 1:
        return tf.nn.l2_normalize(x, inner(rng, x), epsilon=1e-6)
    if kind == 2:
        mean, variance = tf.nn.moments(x, [inner(rng, x)], keepdims=True)
        return (x - mean) * tf.math.rsqrt(variance + 1e-3)
    if kind == 3 and x.shape[-1] is not None:
        width = (int(x.shape[-1]),)
        given = [constant(rng, width) for _ in range(3)]
        deviation = tf.constant(rng.uniform(0.5, 1.5, width).astype("float32"))
        return tf.nn.batch_normalization(x, given[0], deviation, *given[1:], 1e-3)
    if kind == 4:
        return tf.nn.log_softmax(x)
    return tf.clip_by_value(x, -0.7, 0.9)


def product(rng: Rng, x: Any) -> Any:
    if x.shape[-1] is None or rank(x) < 2:
        return x + 1.0
    inside, width = int(x.shape[-1]), int(rng.integers(2, 6))
    kind = int(rng.integers(5))
    if kind == 0 and rank(x) > 2:
        return tf.matmul(x, x, transpose_b=True)
    if kind == 1 and rank(x) > 2:
        return tf.tensordot(x, constant(rng, (inside, width)), 1)
    if kind == 2:
        flat = tf.reshape(x, [-1, inside])
        made = tf.matmul(flat, constant(rng, (inside, width))) + constant(rng, (width,))
        return tf.reshape(made, tf.concat([tf.shape(x)[:-1], [width]], 0))
    if kind == 3 and rank(x) == 3:
        return tf.einsum("bij,jk->bki", x, constant(rng, (inside, width)))
    if rank(x) == 2:
        return tf.matmul(x, constant(rng, (width, inside)), transpose_b=True)
    return x * constant(rng, (inside,))


def image(rng: Rng, x: Any) -> Any:
    """Of rank 4: convolutions and their like."""
    if rank(x) != 4 or x.shape[-1] is None:
        return product(rng, x)
    channels, stride = int(x.shape[-1]), int(rng.integers(1, 3))
    padding = pick(rng, ["SAME", "VALID"])
    kind = int(rng.integers(8))
    if kind == 0:
        kernel = constant(rng, (3, 2, channels, 4), 0.3)
        return tf.nn.bias_add(
            tf.nn.conv2d(x, kernel, stride, padding), constant(rng, (4,))
        )
    if kind == 1:
        kernel = constant(rng, (2, 2, channels, 2), 0.3)
        return tf.nn.depthwise_conv2d(x, kernel, [1, 1, 1, 1], padding)
    if kind == 2:
        pool = pick(rng, [tf.nn.max_pool2d, tf.nn.avg_pool2d])
        return pool(x, [1, 2, 3, 1], [1, stride, 1, 1], padding)
    if kind == 3:
        kernel = constant(rng, (2, 2, channels, 3), 0.3)
        return tf.nn.conv2d(x, kernel, 1, padding, dilations=2)
    if kind == 4:
        return tf.nn.lrn(x, 2, bias=1.5, alpha=1e-2)
    if kind == 5:
        resize = pick(rng, [v1.image.resize_bilinear, v1.image.resize_nearest_neighbor])
        return resize(x, [9, 5], align_corners=chance(rng))
    if kind == 6 and channels % 4 == 0:
        return tf.nn.depth_to_space(x, 2)
    sizes = tf.shape(x)
    kernel = constant(rng, (3, 3, 2, channels), 0.3)
    shape = tf.stack([sizes[0], sizes[1] * 2, sizes[2] * 2, 2])
    return tf.nn.conv2d_transpose(x, kernel, shape, 2, "SAME")


def integers(rng: Rng, x: Any) -> Any:
    """Through integers and back."""
    n = tf.cast(tf.round(x * 3.0), pick(rng, [tf.int32, tf.int64]))
    kind = int(rng.integers(6))
    if kind == 0:
        n = n // 2
    elif kind == 1:
        n = tf.math.floormod(n, 3)
    elif kind == 2:
        n = tf.clip_by_value(n, -2, 2) + 1
    elif kind == 3:
        n = tf.gather(tf.constant([5, 7, 9, 11], n.dtype), tf.clip_by_value(n, 0, 3))
    elif kind == 4:
        n = tf.reduce_sum(n, inner(rng, x), keepdims=True) * n
    else:
        n = tf.bitwise.bitwise_and(n, 3)
    return tf.cast(n, tf.float32)


def filled(rng: Rng, x: Any) -> Any:
    """A tensor as large as the batch, made from its size."""
    batch = tf.shape(x)[0]
    width = known(x, -1, 1)
    kind = int(rng.integers(4))
    if kind == 0:
        return tf.concat([x, tf.zeros([*tf.unstack(tf.shape(x))[:-1], 2])], -1)
    if kind == 1:
        row = tf.tile(constant(rng, (1, width)), [batch, 1])
        return row if rank(x) != 2 or x.shape[-1] is None else x + row
    if kind == 2:
        return tf.cast(tf.range(batch), tf.float32)[:, None] + tf.ones([1, 3])
    return tf.fill([batch, 3], 0.5)


OPS: tuple[Op, ...] = (
    unary, unary, positive, with_constant, with_constant, reduced, compared, flattened, reshaped, sliced, moved,
    rearranged, padded, gathered, chosen, normalised, product, product, image, image, image, integers, filled,
)  # fmt: skip
MOVES = (sliced, rearranged, padded, gathered)


class Growing:
    """A graph under way."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.tensors: list[Any] = []
        self.read: set[str] = set()

    def add_input(self) -> None:
        if chance(self.rng, 0.15):
            ids = v1.placeholder(tf.int32, [None, 3])
            table = constant(self.rng, (7, 4))
            self.tensors.append(tf.nn.embedding_lookup(table, ids))
        else:
            self.tensors.append(v1.placeholder(tf.float32, pick(self.rng, INPUTS)))

    def take(self) -> Any:
        return (
            self.tensors[-1] if chance(self.rng, 0.7) else pick(self.rng, self.tensors)
        )

    def put(self, made: Any, *read: Any) -> None:
        if made.shape.rank is None or made.shape.rank > 5 or 0 in made.shape.as_list():
            return
        if np.prod([size or 8 for size in made.shape.as_list()]) > MOST_ELEMENTS:
            return
        self.tensors.append(made)
        self.read |= {x.name for x in read}

    def step(self) -> None:
        x = self.take()
        mates = [y for y in self.tensors if y is not x and rank(y) == rank(x)]
        mates = [y for y in mates if y.shape.as_list()[1:] == x.shape.as_list()[1:]]
        if mates and None not in x.shape.as_list()[1:] and chance(self.rng, 0.3):
            if x.shape.as_list()[:1] != mates[0].shape.as_list()[:1] or not rank(x):
                return
            y = mates[0]
            kind = int(self.rng.integers(3))
            if kind == 0 and rank(x) > 1:
                self.put(tf.concat([x, y], inner(self.rng, x)), x, y)
            elif kind == 1:
                self.put(tf.add_n([x, y, x]), x, y)
            else:
                self.put(named(pick(self.rng, BINARY[:7]))(x, y), x, y)
        elif rank(x):
            with tf.name_scope(pick(self.rng, ["block", "layer", "model/part"])):
                op = pick(self.rng, OPS)
                if rank(x) > 1 or op not in MOVES:  # the batch stays what it is
                    self.put(op(self.rng, x), x)

    def grow(self) -> list[Any]:
        for _ in range(int(pick(self.rng, [1, 1, 2]))):
            self.add_input()
        first = len(self.tensors)
        for _ in range(int(self.rng.integers(2, 12))):
            try:
                self.step()
            except (ValueError, TypeError, IndexError):
                continue  # TensorFlow does not take this op here: another one then
        made = self.tensors[first:] or [tf.nn.relu(self.tensors[0])]
        return [tf.identity(x, "out") for x in made if x.name not in self.read][-3:]


def random_graph(seed: int, path: Path) -> list[str]:
    """Write a frozen graph that the seed determines; returns the names of its outputs."""
    with tf.Graph().as_default() as graph:
        outputs = Growing(seed).grow()
    path.write_bytes(graph.as_graph_def().SerializeToString())
    return [tensor.name for tensor in outputs]
