"""What is opened runs as TensorFlow would run it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from graphscope.errors import NotRunnable
from graphscope.read import load
from graphscope.verify.run.opening import open_runner
from graphscope.verify.run.runner import GraphRunner
from graphscope.verify.run.safety import check_sizes


def test_variables_that_tensorflow_1_does_not_restore_have_their_values(
    tmp_path: Path,
) -> None:
    """A compiled Keras 3 model in a SavedModel: TensorFlow 1 restores the optimizer's copies of its weights alone."""
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.Dense(1)])
    model.compile("adam", "mse")
    x = np.random.default_rng(0).normal(size=(8, 4)).astype("f")
    model.fit(x, x[:, :1], verbose=0)
    tf.saved_model.save(model, str(tmp_path / "saved"))
    runner = open_runner(str(tmp_path / "saved"))
    (port,) = runner.needed(runner.outputs())
    (answer,) = runner.run({port.name: x}, runner.outputs())
    np.testing.assert_allclose(answer, model(x), rtol=1e-5)


@pytest.mark.parametrize("axes, is_refused", [(254, False), (255, True)])
def test_more_axes_than_tensorflow_has_are_refused_before_it_runs(
    axes: int, is_refused: bool, tmp_path: Path
) -> None:
    """Each would cost TensorFlow some 600 bytes: sizes that are doubled twenty times in a kilobyte are gigabytes."""
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, name="x")
        sizes = tf.constant(np.ones(axes, np.int32), name="sizes")
        message = graph.as_graph_def()
        message.node.add(name="y", op="Reshape", input=[x.op.name, sizes.op.name])
        message.node[-1].attr["T"].type = tf.float32.as_datatype_enum
        message.node[-1].attr["Tshape"].type = tf.int32.as_datatype_enum
    (tmp_path / "small.pb").write_bytes(message.SerializeToString())
    model = load(str(tmp_path / "small.pb"))
    if is_refused:
        with pytest.raises(NotRunnable, match="Reshape 'y' .* 255 axes"):
            check_sizes(model)
    else:
        check_sizes(model)


def test_a_tensor_of_gigabytes_is_refused_before_it_is_made(tmp_path: Path) -> None:
    """How large it is depends on what is fed: sizes of a feed that are concatenated with themselves."""
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, name="x")
        sizes = tf.shape(x)
        for _ in range(30):
            sizes = tf.concat([sizes, sizes], 0)
        tf.reduce_sum(sizes, name="y")
    (tmp_path / "doubled.pb").write_bytes(graph.as_graph_def().SerializeToString())
    runner = open_runner(str(tmp_path / "doubled.pb"))
    with pytest.raises(NotRunnable, match="of which at most"):
        runner.run({"x:0": np.zeros((2, 3), "float32")}, ["y:0"])


def test_large_constants_are_mapped_from_files(tmp_path: Path) -> None:
    """Otherwise the proof of a model of 540 MB takes 7 GB; what is computed is the same."""
    kernel = np.random.default_rng(0).normal(size=(1024, 1100)).astype("f")
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, [None, 1024], name="x")
        tf.matmul(x, tf.constant(kernel, name="kernel"), name="y")
    path = tmp_path / "graph.pb"
    path.write_bytes(graph.as_graph_def().SerializeToString())
    runner = open_runner(str(path))
    assert isinstance(runner, GraphRunner)
    kinds = {op.name: op.type for op in runner.session.graph.get_operations()}
    assert kinds["kernel"] == "ImmutableConst"
    data = np.random.default_rng(1).normal(size=(2, 1024)).astype("f")
    (answer,) = runner.run({"x:0": data}, ["y:0"])
    np.testing.assert_allclose(answer, data @ kernel, rtol=1e-4, atol=1e-3)
    assert runner.session.graph.as_graph_def().ByteSize() < 100_000


@pytest.mark.parametrize("through", [tf.identity, tf.nn.relu])
def test_constants_that_a_kernel_could_write_over_are_not_mapped(
    tmp_path: Path, through: Any
) -> None:
    """TensorFlow writes an element-wise result over what nobody else owns: a mapped page kills the process."""
    many = np.arange(1 << 20, dtype="f").reshape(1024, 1024)
    with tf.Graph().as_default() as graph:
        x = tf.compat.v1.placeholder(tf.float32, [1024], name="x")
        tf.math.atan2(through(tf.constant(many, name="many")), x, name="y")
    (tmp_path / "graph.pb").write_bytes(graph.as_graph_def().SerializeToString())
    runner = open_runner(str(tmp_path / "graph.pb"))
    (answer,) = runner.run({"x:0": np.ones(1024, "float32")}, ["y:0"])
    np.testing.assert_allclose(answer, np.arctan2(many, 1.0), rtol=1e-5)
