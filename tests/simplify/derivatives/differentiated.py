"""Graphs whose outputs are derivatives by an input, as ``tf.gradients`` and tapes write them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow.core.framework.graph_pb2 import GraphDef

from graphscope.graph import Model
from graphscope.read import load

v1 = tf.compat.v1
Build = Callable[[np.random.Generator], object]


def written(path: Path, build: Build, seed: int = 0) -> Path:
    """A frozen graph of what the last node needs."""
    path.write_bytes(graph_of(build, seed).SerializeToString())
    return path


def graph_of(build: Build, seed: int = 0) -> GraphDef:
    with tf.Graph().as_default() as graph:
        build(np.random.default_rng(seed))
    whole = graph.as_graph_def()
    last = whole.node[-1].name
    definition: GraphDef = v1.graph_util.extract_sub_graph(whole, [last])
    return definition


def loaded(definition: GraphDef, folder: Path) -> Model:
    path = folder / "graph.pb"
    path.write_bytes(definition.SerializeToString())
    return load(path)


def _weight(rng: np.random.Generator, *shape: int) -> tf.Tensor:
    return tf.constant(rng.normal(size=shape).astype("f") * 0.6)


def forces(rng: np.random.Generator, batch: int | None = None) -> None:
    """``shared/cases/outputs_forces``, kind a: an energy of one hidden layer, and minus its gradient."""
    x = v1.placeholder(tf.float32, [batch, 3], "coord")
    hidden = tf.tanh(tf.matmul(x, _weight(rng, 3, 5)))
    energy = tf.matmul(hidden, _weight(rng, 5, 1), name="energy")
    tf.negative(tf.gradients(energy, x)[0], name="force")


def forces_of_one(rng: np.random.Generator) -> None:
    """The same with a batch size that is written out: nothing asks for the shape of the energy."""
    forces(rng, batch=2)


def deep_energy(
    rng: np.random.Generator, activation: Callable[[tf.Tensor], tf.Tensor] = tf.tanh
) -> None:
    """An energy of three layers with biases."""
    x = v1.placeholder(tf.float32, [None, 8], "coord")
    hidden = x
    for _ in range(2):
        hidden = tf.matmul(hidden, _weight(rng, 8, 8))
        hidden = activation(tf.nn.bias_add(hidden, _weight(rng, 8)))
    energy = tf.reduce_sum(
        tf.matmul(hidden, _weight(rng, 8, 1)) + _weight(rng, 1), 1, name="energy"
    )
    tf.negative(tf.gradients(energy, x)[0], name="force")


def softplus_energy(rng: np.random.Generator) -> None:
    deep_energy(rng, tf.nn.softplus)


def relu_energy(rng: np.random.Generator) -> None:
    deep_energy(rng, tf.nn.relu)


def sigmoid_energy(rng: np.random.Generator) -> None:
    deep_energy(rng, tf.sigmoid)


def pair_energy(rng: np.random.Generator) -> None:
    """After SchNet: distances between all atoms, Gaussians of them, a shifted softplus, minus the gradient by positions."""
    x = v1.placeholder(tf.float32, [None, 4, 3], "positions")
    apart = tf.expand_dims(x, 1) - tf.expand_dims(x, 2)
    distance = tf.sqrt(tf.reduce_sum(tf.square(apart), -1) + 1e-3)
    centres = np.linspace(0, 3, 6).astype("f")
    near = tf.exp(-2.0 * tf.square(tf.expand_dims(distance, -1) - centres))
    hidden = tf.nn.softplus(tf.tensordot(near, _weight(rng, 6, 8), 1)) - np.log(2.0)
    energy = tf.reduce_sum(
        tf.tensordot(hidden, _weight(rng, 8, 1), 1), [1, 2, 3], name="energy"
    )
    tf.negative(tf.gradients(energy, x)[0], name="force")


def burgers(rng: np.random.Generator) -> None:
    """After Raissi's physics-informed nets: the residual of Burgers' equation, with a second derivative."""
    x = v1.placeholder(tf.float32, [None, 1], "x")
    t = v1.placeholder(tf.float32, [None, 1], "t")
    hidden = tf.concat([x, t], 1)
    for width in (2, 8):
        hidden = tf.tanh(
            tf.add(tf.matmul(hidden, _weight(rng, width, 8)), _weight(rng, 1, 8))
        )
    u = tf.matmul(hidden, _weight(rng, 8, 1), name="u")
    u_t, u_x = tf.gradients(u, t)[0], tf.gradients(u, x)[0]
    u_xx = tf.gradients(u_x, x)[0]
    tf.identity(u_t + u * u_x - 0.01 * u_xx, name="residual")


def taped(rng: np.random.Generator) -> None:
    """A tape's: of a product of features and of gathered columns."""
    x = v1.placeholder(tf.float32, [None, 6], "x")
    with tf.GradientTape() as tape:
        tape.watch(x)
        even = tf.gather(x, [0, 2, 4], axis=1)
        score = tf.math.rsqrt(1.5 + even**2) * tf.sigmoid(x[:, 3:])
        total = tf.reduce_mean(tf.matmul(score, _weight(rng, 3, 2)), 1, name="total")
    tf.abs(tape.gradient(total, x), name="saliency")


def taped_dense(rng: np.random.Generator) -> None:
    """A tape's, of Keras's Dense on each atom: its backward ops end in a transposition of no axes."""
    x = v1.placeholder(tf.float32, [None, 5, 3], "positions")
    with tf.GradientTape() as tape:
        tape.watch(x)
        hidden = tf.tanh(tf.tensordot(x, _weight(rng, 3, 8), [[2], [0]]))
        atoms = tf.tensordot(hidden, _weight(rng, 8, 1), [[2], [0]])
        energy = tf.reduce_sum(atoms, [1, 2], name="energy")
    tf.negative(tape.gradient(energy, x), name="force")


KINDS: dict[str, tuple[Build, int]] = {
    "forces": (forces, 1),
    "batch_of_two": (forces_of_one, 1),
    "tanh": (deep_energy, 1),
    "softplus": (softplus_energy, 1),
    "relu": (relu_energy, 1),
    "sigmoid": (sigmoid_energy, 1),
    "pairs": (pair_energy, 1),
    "burgers": (burgers, 3),
    "tape": (taped, 1),
    "tape_dense": (taped_dense, 1),
}
"""How each is built, and how many derivatives it has."""
