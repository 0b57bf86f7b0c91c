"""Random graphs with control flow of either generation: loops in loops, conds in loops, arrays, scans, decoders.

A graph is a chain of constructs on a state of ``[batch, UNITS]``, whose batch nothing tells; each may hold others, two deep.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from .raw_graphs import chance, pick

v1 = tf.compat.v1
Rng = np.random.Generator
UNITS, TIME = 4, 3


class Growing:
    """One graph under way: its source of chance, its sequence and how many weights it has."""

    def __init__(self, rng: Rng, sequence: Any) -> None:
        self.rng, self.sequence, self.count = rng, sequence, 0

    def weight(self, *shape: int) -> Any:
        self.count += 1
        value = (self.rng.normal(size=shape) * 0.5).astype("float32")
        return tf.constant(value, name=f"weight_{self.count}")

    def dense(self, x: Any) -> Any:
        y = v1.matmul(x, self.weight(int(x.shape[-1]), UNITS)) + self.weight(UNITS)
        return pick(self.rng, (tf.tanh, tf.sigmoid, tf.nn.relu6))(y)

    def any(self, x: Any, depth: int) -> Any:
        """The state after one construct."""
        simple = (self.dense, self.dense, lambda s: s * 0.5, self.gated)
        if depth == 0 or chance(self.rng, 0.35):
            made = pick(self.rng, simple)(x)
        else:
            kinds = (
                self.counted,
                self.bounded,
                self.chosen,
                self.scanned,
                self.mapped,
                self.recurrent,
                self.collected,
                self.decoded,
                self.grown,
            )
            made = pick(self.rng, kinds)(x, depth - 1)
        return v1.ensure_shape(made, (None, UNITS))

    def gated(self, x: Any) -> Any:
        return x * tf.sigmoid(self.dense(x)) + 0.1

    def counted(self, x: Any, depth: int) -> Any:
        """A number of turns that is known, or that the input decides."""
        turns = int(self.rng.integers(1, 4))
        last: Any = turns
        if chance(self.rng):
            last = v1.minimum(v1.shape(self.sequence)[1], turns)
        _, found = v1.while_loop(
            lambda i, s: i < last, lambda i, s: (i + 1, self.any(s, depth)), (0, x)
        )
        return found

    def bounded(self, x: Any, depth: int) -> Any:
        """Until a value is large enough, at most some turns; two states."""
        total = tf.reduce_mean(tf.abs(x))

        def body(i: Any, s: Any, sum_: Any) -> Any:
            s = self.any(s, depth)
            return i + 1, s, sum_ + tf.reduce_mean(tf.abs(s)) + 0.1

        _, found, sum_ = v1.while_loop(
            lambda i, s, sum_: v1.logical_and(sum_ < 2.0, i < 6), body, (0, x, total)
        )
        return found + sum_ if chance(self.rng) else found

    def chosen(self, x: Any, depth: int) -> Any:
        """One of two branches; which, a value or a size decides."""
        test = pick(
            self.rng,
            (
                lambda: tf.reduce_mean(x) > 0.1,
                lambda: v1.shape(self.sequence)[1] > TIME,
                lambda: tf.reduce_all(tf.abs(x) < 0.9),
            ),
        )()
        return v1.cond(test, lambda: self.any(x, depth), lambda: self.any(x, depth))

    def time_major(self) -> Any:
        return v1.transpose(self.sequence, (1, 0, 2))

    def scanned(self, x: Any, depth: int) -> Any:
        found = v1.scan(
            lambda s, item: self.any(s + self.dense(item), min(depth, 1)),
            self.time_major(),
            initializer=x,
            reverse=chance(self.rng, 0.3),
        )
        return pick(self.rng, (lambda y: y[-1], lambda y: tf.reduce_mean(y, 0)))(found)

    def mapped(self, x: Any, depth: int) -> Any:
        found = v1.map_fn(
            lambda item: self.any(x + self.dense(item), min(depth, 1)),
            self.time_major(),
        )
        return tf.reduce_max(found, 0) + x

    def recurrent(self, x: Any, depth: int) -> Any:
        """A gated unit over the time steps, forwards or backwards, as dynamic_rnn lays it out."""
        items = self.time_major()
        if chance(self.rng, 0.4):
            items = v1.reverse(items, [0])
        steps = v1.shape(items)[0]
        read = v1.TensorArray(v1.float32, steps).unstack(items)
        write = v1.TensorArray(v1.float32, steps)
        inner, outer = self.weight(2 * UNITS, UNITS), self.weight(2 * UNITS, UNITS)

        def body(time: Any, out: Any, h: Any) -> Any:
            item = v1.ensure_shape(read.read(time), (None, UNITS))
            both = v1.concat([item, h], 1)
            gate = tf.sigmoid(v1.matmul(both, inner))
            h = gate * h + (1.0 - gate) * tf.tanh(v1.matmul(both, outer))
            if depth and chance(self.rng):
                h = self.any(h, depth - 1)
            return time + 1, out.write(time, h), h

        _, out, h = v1.while_loop(lambda t, *_: t < steps, body, (0, write, x))
        return h if chance(self.rng) else tf.reduce_mean(out.stack(), 0)

    def collected(self, x: Any, depth: int) -> Any:
        """An array of a known length, filled in a loop, read after it."""
        turns = int(self.rng.integers(2, 4))
        array = v1.TensorArray(v1.float32, turns, element_shape=(None, UNITS))

        def body(i: Any, s: Any, out: Any) -> Any:
            s = self.any(s, depth)
            return i + 1, s, out.write(i, s)

        _, s, out = v1.while_loop(lambda i, *_: i < turns, body, (0, x, array))
        if chance(self.rng):
            return out.read(turns - 1) + out.read(0)
        return tf.reduce_sum(v1.concat(v1.unstack(out.stack(), turns), 0)) + s

    def decoded(self, x: Any, depth: int) -> Any:
        """Greedy decoding: what a turn chose is looked up for the next."""
        table, back = self.weight(5, UNITS), self.weight(UNITS, 5)
        ids = v1.zeros([v1.shape(x)[0]], v1.int32)

        def body(i: Any, ids: Any, s: Any) -> Any:
            s = tf.tanh(s + v1.gather(table, ids))
            scores = v1.matmul(self.any(s, depth), back)
            _, best = v1.nn.top_k(v1.round(scores * 8.0), 2)
            ids = v1.ensure_shape(best[:, int(self.rng.integers(2))], (None,))
            return i + 1, ids, s

        turns = int(self.rng.integers(2, 4))
        _, ids, s = v1.while_loop(lambda i, *_: i < turns, body, (0, ids, x))
        return s + v1.gather(table, ids)

    def grown(self, x: Any, depth: int) -> Any:
        """A state that grows by a row each turn."""
        rows = v1.expand_dims(x, 1)

        def body(i: Any, s: Any, rows: Any) -> Any:
            s = self.any(s, depth)
            return i + 1, s, v1.concat([rows, v1.expand_dims(s, 1)], 1)

        free = tf.TensorShape((None, None, UNITS))
        _, s, rows = v1.while_loop(
            lambda i, *_: i < 3,
            body,
            (0, x, rows),
            shape_invariants=(tf.TensorShape(()), x.shape, free),
        )
        return tf.reduce_mean(rows, 1) + s


def grow(rng: Rng, sequence: Any) -> list[Any]:
    """The outputs of a random graph over ``[batch, time, UNITS]``."""
    growing = Growing(rng, sequence)
    state = growing.dense(tf.reduce_mean(sequence, 1))
    outputs = []
    for _ in range(int(rng.integers(1, 4))):
        state = growing.any(state, 2)
        if chance(rng, 0.3):
            outputs.append(state)
    return [*outputs, growing.any(state, 1)]


def random_loops(seed: int, path: Path) -> list[str]:
    """Write a frozen graph with loops; the names of its outputs. Odd seeds: control flow of TensorFlow 2."""
    rng = np.random.default_rng([seed, 77])
    before = v1.control_flow_v2_enabled()
    switch: Callable[[], None] = v1.disable_control_flow_v2
    if seed % 2:
        switch = v1.enable_control_flow_v2
    switch()
    try:
        graph = tf.Graph()
        with graph.as_default():
            time = None if chance(rng) else TIME
            x = v1.placeholder(v1.float32, (None, time, UNITS), name="sequence")
            made = grow(rng, x)
            names = [
                v1.identity(t, name=f"out_{n}").op.name for n, t in enumerate(made)
            ]
    finally:
        (v1.enable_control_flow_v2 if before else v1.disable_control_flow_v2)()
    path.write_bytes(graph.as_graph_def().SerializeToString())
    return names
