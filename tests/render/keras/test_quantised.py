"""Quantised arithmetic, which no Keras tensor can carry from layer to layer: one layer, equal to the graph."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf

from graphscope.analysis.results import analyse

v1 = tf.compat.v1


def quantised(tf_dtype: tf.DType, shape: tuple[int, ...]) -> tf.Tensor:
    """A constant of 8-bit codes."""
    codes = np.random.default_rng(0).integers(0, 255, shape)
    return tf.constant(codes.astype(tf_dtype.as_numpy_dtype), tf_dtype)


def eight_bit_dense(path: Path, units: int) -> None:
    """A dense layer as the quantize_nodes transform of TensorFlow 1 wrote it."""
    with tf.Graph().as_default() as graph:
        x = v1.placeholder(tf.float32, [None, 6], name="x")
        low, high = tf.reduce_min(x), tf.reduce_max(x)
        codes, low, high = tf.raw_ops.QuantizeV2(
            input=x, min_range=low, max_range=high, T=tf.quint8, mode="MIN_FIRST"
        )
        product = tf.raw_ops.QuantizedMatMul(
            a=codes,
            b=quantised(tf.quint8, (6, units)),
            min_a=low,
            max_a=high,
            min_b=-1.0,
            max_b=1.0,
        )
        span = tf.raw_ops.RequantizationRange(
            input=product[0], input_min=product[1], input_max=product[2]
        )
        codes = tf.raw_ops.Requantize(
            input=product[0],
            input_min=product[1],
            input_max=product[2],
            requested_output_min=span[0],
            requested_output_max=span[1],
            out_type=tf.quint8,
        )
        found = tf.raw_ops.Dequantize(
            input=codes[0], min_range=codes[1], max_range=codes[2], mode="MIN_FIRST"
        )
        tf.nn.relu(found + 0.5, name="y")
    path.write_bytes(graph.as_graph_def().SerializeToString())


def test_a_quantised_part_is_one_layer(tmp_path: Path) -> None:
    eight_bit_dense(tmp_path / "small.pb", 2)
    found = analyse(tmp_path / "small.pb")
    report = found.write_keras(tmp_path / "keras")
    assert found.prove(tmp_path / "keras").passed
    assert len(report.not_portable) == 1 and report.parameters == 0


def test_its_large_constants_are_weights_in_the_file(tmp_path: Path) -> None:
    eight_bit_dense(tmp_path / "large.pb", 12)
    found = analyse(tmp_path / "large.pb")
    report = found.write_keras(tmp_path / "keras")
    assert found.prove(tmp_path / "keras").passed
    assert report.parameters == 6 * 12
    assert 'dtype="uint8"' in report.source.text
