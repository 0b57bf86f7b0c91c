"""Loops that stop on data, printed with ``ops.while_loop``: equal on TensorFlow, and on the other backends where their ops are Keras's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow")

import graphscope  # noqa: E402

from ..render.keras.loop_models import (  # noqa: E402
    Made,
    frozen_v1,
    recovered,
    recovered_v1,
    recovered_v2,
)
from .test_backends import BACKENDS  # noqa: E402
from .test_recurrent import run  # noqa: E402


def newton(v1: Any) -> Any:
    """Square roots, until all are near."""
    x = v1.placeholder(v1.float32, (None, 4), "x")
    square = v1.abs(x) + 0.5
    return v1.while_loop(
        lambda y: v1.reduce_max(v1.abs(y * y - square)) > 1e-4 * v1.reduce_max(square),
        lambda y: (0.5 * (y + square / y),),
        (square,),
    )


def collatz(v1: Any) -> Any:
    """How many turns each number takes to reach one."""
    x = v1.placeholder(v1.int32, (None, 1), "x")
    first = v1.floormod(v1.abs(x), 30) + 1

    def body(n: Any, steps: Any) -> tuple[Any, Any]:
        half = v1.equal(n % 2, 0)
        after = v1.where(half, n // 2, 3 * n + 1)
        busy = v1.not_equal(n, 1)
        return v1.where(busy, after, n), steps + v1.cast(busy, v1.int32)

    return v1.while_loop(
        lambda n, steps: v1.reduce_any(v1.not_equal(n, 1)),
        body,
        (first, v1.zeros_like(first)),
    )[1]


def two_states(v1: Any) -> Any:
    """Two tensors and a counter are carried, a weight is captured and one is where it begins."""
    x = v1.placeholder(v1.float32, (None, 3), "x")
    kernel = v1.get_variable("kernel", (5, 5))
    start = v1.get_variable("start", (3, 5))
    scale = v1.get_variable("scale", (5,))

    def body(i: Any, h: Any, scale: Any) -> tuple[Any, ...]:
        h = v1.tanh(v1.matmul(h, kernel)) * scale
        return i + 1, h, scale * 0.75

    return v1.while_loop(
        lambda i, h, _: v1.logical_and(i < 20, v1.reduce_max(v1.abs(h)) > 0.05),
        body,
        (0, v1.matmul(x, start), scale),
    )[1:]


def nested(v1: Any) -> Any:
    """The inner loop runs as often as the outer one has, and stops on data; both see the same weight."""
    x = v1.placeholder(v1.float32, (None, 4), "x")
    kernel = v1.get_variable("kernel", (4, 4))

    def outer(i: Any, y: Any) -> tuple[Any, Any]:
        _, z = v1.while_loop(
            lambda j, z: v1.logical_and(j <= i, v1.reduce_mean(v1.abs(z)) > 0.01),
            lambda j, z: (j + 1, v1.tanh(v1.matmul(z, kernel))),
            (0, y),
        )
        return i + 1, v1.cond(v1.reduce_sum(z) > 0, lambda: z + y, lambda: y * 0.5)

    return v1.while_loop(
        lambda i, y: v1.logical_and(i < 4, v1.reduce_max(v1.abs(y)) < 9.0),
        outer,
        (0, x),
    )[1]


def exchanged(v1: Any) -> Any:
    """What is carried changes places, and a flag that begins as a number of Python's is set for good."""
    x = v1.placeholder(v1.float32, (None, 4), "x")
    _, a, b = v1.while_loop(
        lambda go, a, b: go,
        lambda go, a, b: (v1.reduce_sum(a) > 0.1, b * 0.5, a - 0.25),
        (True, v1.abs(x), v1.abs(x) * 2.0),
    )
    return a, b


def sized(v1: Any) -> Any:
    """States that begin with as many zeros as there are examples, and sizes that are numbers in the loop."""
    x = v1.placeholder(v1.float32, (None, 4), "x")
    batch = v1.shape(x)[0]

    def body(count: Any, total: Any) -> tuple[Any, Any]:
        spread = v1.tile(v1.reshape(x[0], [1, 4]), v1.stack([batch, 1]))
        more = v1.reshape(x + spread, v1.stack([batch, 2, 2]))
        return count + 1, total + v1.reduce_sum(v1.abs(more), 1)

    count, total = v1.while_loop(
        lambda count, total: v1.logical_and(
            v1.reduce_max(total) < 60.0, count < 3 * batch
        ),
        body,
        (0, v1.zeros(v1.stack([batch, 2]))),
    )
    return total / v1.cast(batch + count, v1.float32)


PORTABLE: dict[str, Callable[[Any], Any]] = {
    "newton": newton,
    "collatz": collatz,
    "two": two_states,
    "nested": nested,
    "exchanged": exchanged,
    "sized": sized,
}


def growing(v1: Any) -> Any:
    """A row more in each turn, of whose number nothing is known."""
    x = v1.placeholder(v1.float32, (None, 4), "x")
    free = v1.TensorShape((None, 4))
    return v1.while_loop(
        lambda y: v1.reduce_sum(v1.abs(y)) < 90.0,
        lambda y: (v1.concat([y, v1.abs(y[:1]) + 1.0], 0),),
        (x,),
        shape_invariants=(free,),
    )


def turned(v1: Any) -> Any:
    """Its two unknown sizes change places."""
    x = v1.placeholder(v1.float32, (None, None), "x")
    return v1.while_loop(
        lambda i, y: i < 2,
        lambda i, y: (i + 1, v1.transpose(y) * 2.0),
        (0, x),
        shape_invariants=(v1.TensorShape(()), v1.TensorShape((None, None))),
    )[1]


def precise(v1: Any) -> Any:
    """In 64 bits, where 32 would never come near enough."""
    x = v1.placeholder(v1.float32, (None, 4), "x")
    square = v1.cast(v1.abs(x) + 1.0, v1.float64)
    return v1.cast(
        v1.while_loop(
            lambda y: v1.reduce_max(v1.abs(y * y - square)) > 1e-12,
            lambda y: (0.5 * (y + square / y),),
            (square,),
        ),
        v1.float32,
    )


NEAR_MISSES: dict[str, Callable[[Any], Any]] = {
    "growing": growing,
    "turned": turned,
    "precise": precise,
}


@pytest.mark.parametrize("v2", [False, True], ids=["frames", "functions"])
@pytest.mark.parametrize("name", NEAR_MISSES)
def test_what_keras_cannot_carry_stays_tensorflow_s(
    name: str, v2: bool, tmp_path: Path
) -> None:
    made = recovered_v1(NEAR_MISSES[name], tmp_path, v2_control_flow=v2)
    assert made.proof.passed, made.proof
    assert "tf.while_loop" in made.source
    assert len(made.report.not_portable) == len(made.loops) == 1


def test_a_loop_that_draws_stays_tensorflow_s(tmp_path: Path) -> None:
    """A compiled loop would draw once, and add the same number in each turn."""

    def drawn(v1: Any) -> Any:
        x = v1.placeholder(v1.float32, (2, 4), "x")
        return v1.while_loop(
            lambda y: v1.reduce_sum(y) < 9.0,
            lambda y: (y + v1.random_uniform((2, 4)),),
            (x,),
        )

    names = frozen_v1(drawn, tmp_path / "model.pb")
    found = graphscope.analyse(tmp_path / "model.pb", outputs=names)
    report = found.write_keras(tmp_path / "keras")
    assert "tf.while_loop" in (tmp_path / "keras" / "model.py").read_text()
    assert report.not_portable


def chosen(v1: Any) -> Any:
    """A choice between two sides of one shape."""
    x = v1.placeholder(v1.float32, (None, 4), "x")
    return v1.cond(
        v1.reduce_sum(x) > 0.0, lambda: v1.nn.relu(x) + 1.0, lambda: v1.tanh(x) * 2.0
    )


def shortened(v1: Any) -> Any:
    """A choice whose sides differ in shape, which no compiled condition can yield."""
    x = v1.placeholder(v1.float32, (None, 4), "x")
    return v1.cond(v1.reduce_sum(x) > 0.0, lambda: x[:1] + 1.0, lambda: x * 2.0)


def test_a_condition_of_two_shapes_stays_tensorflow_s(tmp_path: Path) -> None:
    made = recovered_v1(shortened, tmp_path, v2_control_flow=True)
    assert made.proof.passed, made.proof
    assert "tf.cond" in made.source and made.report.not_portable


def portable(made: Made, word: str = "ops.while_loop") -> Made:
    assert made.proof.passed, made.proof
    assert word in made.source and "tensorflow" not in made.source
    assert not made.report.not_portable
    return made


def until_small(x: Any) -> Any:
    """A Python loop, as AutoGraph writes it."""
    import tensorflow as tf

    turns = tf.constant(0)
    while tf.reduce_max(tf.abs(x)) > 0.1:
        x = x * 0.5
        turns += 1
    return x + tf.cast(turns, tf.float32)


def saved_walk(folder: Path) -> Path:
    """A SavedModel whose loop looks rows up in a variable, chooses between two branches, and stops at a variable."""
    import tensorflow as tf

    class Walk(tf.Module):
        def __init__(self) -> None:
            rng = np.random.default_rng(0)
            self.kernel = tf.Variable(rng.normal(size=(4, 4)).astype("float32"))
            self.table = tf.Variable(rng.normal(size=(7, 4)).astype("float32"))
            self.most = tf.Variable(5)

        @tf.function(input_signature=[tf.TensorSpec((None, 4))])
        def __call__(self, x: Any) -> Any:
            i = tf.constant(0)
            while tf.logical_and(i < self.most, tf.reduce_max(x) < 4.0):
                x = tf.tanh(x @ self.kernel) + tf.gather(self.table, tf.argmax(x, 1))
                if tf.reduce_sum(x) > 3.0:
                    x = x * 0.5
                i += 1
            return x + tf.cast(i, tf.float32)

    walk = Walk()
    tf.saved_model.save(walk, str(folder), signatures=walk.__call__)
    return folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Every portable loop of either generation, recovered and equal on TensorFlow."""
    import tensorflow as tf

    made = []
    for v2 in (False, True):
        for build in PORTABLE.values():
            folder = tmp_path_factory.mktemp(build.__name__)
            made.append(portable(recovered_v1(build, folder, v2_control_flow=v2)))
    folder = tmp_path_factory.mktemp("chosen")
    choice = recovered_v1(chosen, folder, v2_control_flow=True)
    made.append(portable(choice, "ops.cond"))
    spec = tf.TensorSpec((None, 3))
    made.append(
        portable(recovered_v2(until_small, [spec], tmp_path_factory.mktemp("small")))
    )
    folder = tmp_path_factory.mktemp("walk")
    made.append(portable(recovered(saved_walk(folder / "saved"), folder / "keras")))
    return [each.folder for each in map(with_answers, made)]


def with_answers(made: Made) -> Made:
    """What TensorFlow makes of drawn inputs, beside the model."""
    model = made.model()
    rng = np.random.default_rng(3)
    fed = [
        (rng.normal(size=(6, *each.shape[1:])) * 4).astype(each.dtype)
        for each in model.inputs
    ]
    answer = model(fed if len(fed) > 1 else fed[0], training=False)
    answers = answer if isinstance(answer, list | tuple) else [answer]
    np.savez(made.folder / "given.npz", *fed)
    np.savez(made.folder / "want.npz", *[np.array(each) for each in answers])
    return made


@pytest.mark.parametrize("backend", BACKENDS)
def test_printed_loops_compute_the_same(backend: str, folders: list[Path]) -> None:
    run("run.py", backend, folders)
    for each in folders:
        with np.load(each / "got.npz") as got, np.load(each / "want.npz") as want:
            assert got.files == want.files
            for name in want.files:
                np.testing.assert_allclose(got[name], want[name], atol=1e-5)
