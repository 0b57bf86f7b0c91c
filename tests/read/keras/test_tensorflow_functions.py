"""Functions of TensorFlow's that a Keras 2 model calls, in one model: written with keras.ops, proven by tf_keras."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import graphscope
from graphscope.verify.run.keras_source import run_source
from tests.read.keras.measure import answers, distance, feeds


def outputs_of(x: Any) -> list[Any]:
    import tensorflow as tf

    nn = tf.nn
    return [
        tf.image.resize(x, [8, 8]),
        tf.image.resize(x, (6, 6), "nearest"),
        nn.avg_pool2d(x, 2, 2, "SAME"),
        nn.max_pool2d(x, (2, 1), 1, "VALID"),
        nn.conv2d(x, tf.ones((3, 3, 3, 2)), 1, "SAME"),
        nn.bias_add(x, tf.constant([1.0, 2.0, 3.0])),
        nn.space_to_depth(x, 2),
        nn.depth_to_space(tf.concat([x, x, x, -x], -1), 2),
        tf.pad(x, [[0, 0], [1, 1], [1, 0], [0, 0]], "REFLECT"),
        tf.pad(x, [[0, 0], [1, 1], [0, 2], [0, 0]], constant_values=2.0),
        tf.matmul(x, x, transpose_b=True),
        tf.matmul(x, tf.fill((3, 2), 0.5)),
        tf.cumsum(x, 1, exclusive=True, reverse=True),
        tf.slice(x, [0, 1, 0, 0], [-1, 2, -1, 3]),
        tf.linalg.band_part(x, 0, -1),
        tf.tensordot(x, tf.ones((3, 2)), 1),
        tf.add_n([x, x, x]),
        tf.roll(x, 1, 1),
        tf.sort(x, 1),
        tf.argsort(x, 2),
        tf.split(x, [1, 3], axis=2)[0],
        tf.split(x, 3, axis=-1)[1],
        tf.unstack(x, axis=1)[2],
        nn.top_k(x, 2)[0],
    ]


def test_functions_of_tensorflow(tmp_path: Path) -> None:
    import tf_keras as K

    inputs = K.Input((4, 4, 3))
    model = K.Model(inputs, outputs_of(inputs))
    model.save(tmp_path / "m.h5")
    found = graphscope.analyse(str(tmp_path / "m.h5"))
    found.write_keras(tmp_path / "out")
    arrays = feeds(model)
    built = run_source(tmp_path / "out")
    assert distance(answers(model, arrays), answers(built, arrays)) < 1e-5
    assert found.prove(tmp_path / "out").passed


def test_ops_that_were_layers(tmp_path: Path) -> None:
    """TensorFlow 2.0 to 2.3 wrote each op of a functional model as a TensorFlowOpLayer; tf_keras still has the class."""
    import numpy as np
    import tensorflow as tf
    import tf_keras as K
    from tf_keras.src.engine.base_layer import TensorFlowOpLayer

    def op(function: Any, inputs: Any, constants: Any = {}) -> Any:
        with tf.Graph().as_default():
            given = inputs if isinstance(inputs, list) else [inputs]
            shapes = [tf.compat.v1.placeholder(x.dtype, x.shape) for x in given]
            node = function(*shapes).op.node_def
        name = f"{node.op.lower()}_{len(names)}"
        names.append(name)
        layer = TensorFlowOpLayer(node.SerializeToString(), name, constants)
        return layer(inputs)

    names: list[str] = []
    x = K.Input((4, 4, 3))
    flat = op(lambda a: tf.reduce_mean(a, [1, 2]), x, {1: np.array([1, 2], np.int32)})
    scaled = op(lambda a: 2.0 - a, flat, {0: np.float32(2.0)})
    both = op(lambda a, b: tf.concat([a, b], -1), [flat, scaled], {2: np.int32(-1)})
    rows = op(
        lambda a: tf.reshape(a, [-1, 2, 3]), both, {1: np.array([-1, 2, 3], np.int32)}
    )
    square = op(lambda a, b: tf.matmul(a, b, transpose_b=True), [rows, rows])
    last = K.layers.Dense(2)(op(tf.nn.relu, scaled))
    model = K.Model(x, [last, square])
    model.save(tmp_path / "m.h5")
    graphscope.analyse(str(tmp_path / "m.h5")).write_keras(tmp_path / "out")
    arrays = feeds(model)
    assert (
        distance(answers(model, arrays), answers(run_source(tmp_path / "out"), arrays))
        < 1e-6
    )
