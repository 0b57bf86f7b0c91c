"""Loops, conditions and arrays of either control flow, as the tests of converters write them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import tensorflow as tf

from ..net import Net, variants
from ..parts import fed, number

v1 = tf.compat.v1


@contextmanager
def either(net: Net) -> Iterator[None]:
    """Switch and Merge, or functions."""
    if net.chance():
        v1.disable_control_flow_v2()
    try:
        yield
    finally:
        v1.enable_control_flow_v2()


def pair(net: Net) -> tuple[Any, Any]:
    return fed(net, 3) + 1, fed(net, 3) + 1


def counted(net: Net) -> Any:
    """A number, counted up between bounds."""
    most = net.whole(5, 10)
    bounds = [
        lambda i: tf.less(i, most),
        lambda i: tf.logical_and(tf.less(i, most), tf.greater_equal(i, 3)),
    ]
    step = net.pick([1, 2])
    start = number(net, net.whole(3, 5))
    return v1.while_loop(net.pick(bounds), lambda i: tf.add(i, step), [start])


def array(dtype: Any = tf.float32) -> tf.TensorArray:
    return tf.TensorArray(dtype, 0, dynamic_size=True)


def written(net: Net) -> Any:
    start = number(net, 0)

    def body(i: Any, a: Any) -> Any:
        return i + 1, a.write(i, net_value(i))

    net_value = net.pick([lambda i: i, lambda i: i * i + 1])
    i, a = v1.while_loop(lambda i, *_: i < 6, body, [start, array(tf.int32)])
    return i, a.stack()


def read(net: Net) -> Any:
    """Two arrays are read, the last elements are what is left."""
    start, rows, others = number(net, 0), fed(net, 6), fed(net, 6)
    first, second = (array().unstack(tf.identity(x)) for x in (rows, others))

    def body(i: Any, x: Any, y: Any) -> Any:
        return i + 1, first.read(i) + 3, second.read(i) + y

    zero, one = tf.constant(0.0), tf.constant(1.0)
    return v1.while_loop(
        lambda i, *_: tf.logical_and(i < 6, i >= 0), body, [start, zero, one]
    )


def turned(net: Net) -> Any:
    """What is read goes into another array; now and then the loop never begins."""
    start, rows = number(net, net.pick([0, 0, 2, 20])), fed(net, 6)
    source = array().unstack(tf.identity(rows))
    kinds: list[Callable[[Any], Any]] = [
        lambda x: x + 3,
        lambda x: tf.cond(x > 0, lambda: x - 1, lambda: x + 3),
        lambda x: tf.where(x > 0, x, tf.exp(x)),
    ]
    change = net.pick(kinds)

    def body(i: Any, a: Any) -> Any:
        return i + 1, a.write(i - start, change(source.read(i)))

    i, a = v1.while_loop(lambda i, *_: i < 6, body, [start, array()])
    return i, a.stack()


def mapped(net: Net) -> Any:
    x, y = fed(net, 2, 5), fed(net, 2, 5)
    kinds = [
        lambda: tf.map_fn(lambda e: e + e * e, x),
        lambda: tf.map_fn(lambda e: e[0] * e[1] + e[0], (x, y), dtype=tf.float32),
        lambda: tf.map_fn(lambda e: (e, tf.reduce_sum(e)), x, dtype=(tf.float32,) * 2),
        lambda: tf.foldl(lambda a, e: a * 0.5 + e, x),
        lambda: tf.foldr(lambda a, e: a - e, x),
        lambda: tf.scan(lambda a, e: a + e, x, reverse=net.chance()),
        lambda: tf.vectorized_map(lambda e: e * tf.reduce_max(e), x),
    ]
    return net.pick(kinds)()


def grown(net: Net) -> Any:
    """A vector that each turn makes longer."""
    start, more = number(net, [0]), np.int32([2])
    return v1.while_loop(
        lambda i: tf.reduce_all(tf.shape(i) < 6),
        lambda i: tf.concat([i, more], 0),
        [start],
        [tf.TensorShape([None])],
    )


def chosen(net: Net) -> Any:
    x, y = pair(net)
    less = x[0] < y[0]
    b = tf.constant(np.float32([2, 1, 3]))
    kinds = [
        lambda: tf.cond(less, lambda: x + y, lambda: x - y),
        lambda: tf.cond(tf.constant(True), lambda: x + y, lambda: b),
        lambda: tf.cond(less, lambda: [x, x + y], lambda: [x, x - y]),
        lambda: tf.cond(less, lambda: [x, x], lambda: [y, y]),
        lambda: tf.cond(less, lambda: b * 1.0, lambda: b * 2.0),
        lambda: tf.cond(less, lambda: x, lambda: tf.concat([x, y], 0)),
        lambda: tf.cond(tf.size(x) > 2, lambda: x * y, lambda: y),
        lambda: tf.cond(less, lambda: tf.reduce_sum(x), lambda: tf.constant(10.0)),
    ]
    return net.pick(kinds)()


def nested(net: Net) -> Any:
    x, y = pair(net)

    def inner() -> Any:
        return tf.cond(x[0] < y[0], lambda: x + y, lambda: tf.square(y))

    def middle() -> Any:
        return tf.cond(tf.reduce_any(x < y), inner, lambda: x * 2.0)

    return tf.cond(x[0] > y[0], middle, inner)


def loop_within(net: Net) -> Any:
    x, y = pair(net)

    def loop() -> Any:
        return v1.while_loop(
            lambda z: tf.reduce_any(z < 10.0), lambda z: z + tf.abs(x) + 1.0, [y]
        )

    return tf.cond(x[0] < y[0], lambda: x * 1.0, loop)


def cases(net: Net) -> Any:
    x, y = pair(net)
    first, second = tf.reduce_all(x < 1), tf.reduce_all(y > 0)
    kinds = [
        lambda: v1.case(
            [(first, lambda: x + y), (second, lambda: tf.square(y))], lambda: x
        ),
        lambda: v1.case([(first, lambda: x + y), (~first, lambda: tf.square(y))]),
        lambda: v1.case(
            [
                (first, lambda: [x + y, x - y]),
                (second, lambda: [tf.abs(x), tf.square(y)]),
            ],
            lambda: [x, y],
        ),
        lambda: v1.case([(x[0] > 9, lambda: x)], lambda: x - y, exclusive=True),
        lambda: tf.switch_case(
            number(net, net.whole(-1, 3)), [lambda: x, lambda: y, lambda: x * y]
        ),
    ]
    return net.pick(kinds)()


def filled(net: Net) -> Any:
    """Zeros up to a length, whose shape hangs on the rank."""
    x = tf.reshape(fed(net, 4, 3), number(net, net.pick([[4, 3], [3, 4], [2, 2, 3]])))
    sizes = tf.shape(x)
    missing = tf.expand_dims(7 - sizes[0], 0)
    shape = tf.cond(
        tf.rank(x) > 1, lambda: tf.concat([missing, sizes[1:]], 0), lambda: missing
    )
    return tf.concat([x, tf.zeros(shape)], 0)


def summed(net: Net) -> Any:
    """Two loops, the second on what the first gives; a matrix that each turn multiplies."""
    x, w = fed(net, 2, 3), net.floats(3, 3, scale=0.5)
    times = number(net, net.whole(0, 4)) if net.chance() else tf.constant(3)
    _, x = v1.while_loop(
        lambda i, _: i < times,
        lambda i, a: (i + 1, tf.tanh(tf.matmul(a, w))),
        [0, x],
    )
    return v1.while_loop(
        lambda a: tf.reduce_sum(tf.abs(a)) > 0.5, lambda a: a * 0.5, [x]
    )


def loops_within(net: Net) -> Any:
    x = fed(net, 3, 4)

    def outer(i: Any, total: Any) -> Any:
        _, row = v1.while_loop(
            lambda j, _: j < 3,
            lambda j, row: (j + 1, row + tf.gather(x, j) * tf.cast(i, tf.float32)),
            [0, tf.zeros([4])],
        )
        return i + 1, total + row

    return v1.while_loop(lambda i, _: i < 3, outer, [0, tf.zeros([4])])[1]


def gathered(net: Net) -> Any:
    """Arrays that are scattered, split, concatenated and gathered, without a loop."""
    x = fed(net, 4, 3)
    kinds = [
        lambda: tf.TensorArray(tf.float32, 4).unstack(x).gather([2, 0]),
        lambda: tf.TensorArray(tf.float32, 5, clear_after_read=False)
        .scatter([3, 0, 4, 1], x)
        .write(2, x[0])
        .stack(),
        lambda: tf.TensorArray(tf.float32, 2, infer_shape=False)
        .split(x, [1, 3])
        .concat(),
        lambda: tf.TensorArray(tf.float32, 4).unstack(x).size(),
        lambda: tf.TensorArray(tf.float32, 2)
        .write(0, x[1])
        .write(1, x[2] * 2.0)
        .read(1),
    ]
    return net.pick(kinds)()


FLOWS: dict[str, Callable[[Net], Any]] = {
    each.__name__: each
    for each in (
        *(counted, written, read, turned, mapped, grown, chosen, nested),
        *(loop_within, cases, filled, summed, loops_within, gathered),
    )
}


def of_either(build: Callable[[Net], Any]) -> Callable[[Net], Any]:
    def graph(net: Net) -> Any:
        with either(net):
            return build(net)

    return graph


variants("flow", {name: of_either(build) for name, build in FLOWS.items()})
