"""Tiny plain and quantised graphs, as a code generator for microcontrollers is tested with."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from ..net import Net, style

v1 = tf.compat.v1


@style
def dense(net: Net) -> Any:
    x = net.feed(net.floats(2, 6), "x")
    for width in (5, 3):
        x = tf.nn.relu(
            tf.matmul(x, net.floats(int(x.shape[-1]), width)) + net.floats(width)
        )
    return tf.argmax(x, 1) if net.chance() else x


@style
def quantised(net: Net) -> Any:
    x = net.feed(net.floats(2, 4), "x")
    low, high = tf.reduce_min(x), tf.reduce_max(x)
    q = tf.quantization.quantize(
        x, low, high, tf.quint8, net.pick(["MIN_FIRST", "MIN_COMBINED"])
    )
    kind = net.whole(0, 2)
    if kind == 0:
        return tf.quantization.dequantize(
            q.output, q.output_min, q.output_max, "MIN_FIRST"
        )
    if kind == 1:
        r = tf.raw_ops.QuantizedRelu(
            features=q.output,
            min_features=q.output_min,
            max_features=q.output_max,
            out_type=tf.quint8,
        )
        return tf.quantization.dequantize(
            r.activations, r.min_activations, r.max_activations, "MIN_FIRST"
        )
    w = net.rng.integers(0, 255, (4, 3)).astype("uint8")
    w = tf.quantization.quantize(
        w.astype("float32"), 0.0, 255.0, tf.quint8, "MIN_FIRST"
    )
    m = tf.raw_ops.QuantizedMatMul(
        a=q.output,
        b=w.output,
        min_a=q.output_min,
        max_a=q.output_max,
        min_b=w.output_min,
        max_b=w.output_max,
    )
    r = tf.raw_ops.QuantizeDownAndShrinkRange(
        input=m.out, input_min=m.min_out, input_max=m.max_out, out_type=tf.quint8
    )
    return tf.quantization.dequantize(r.output, r.output_min, r.output_max, "MIN_FIRST")


@style
def quantised_constant(net: Net) -> Any:
    x = net.feed(net.floats(2, 3), "x")
    proto = v1.make_tensor_proto(
        net.whole_numbers(255, *net.pick([[3], [4, 3]]), dtype="uint8")
    )
    proto.dtype = tf.quint8.as_datatype_enum
    graph = v1.get_default_graph()
    attrs = {
        "value": tf.compat.v1.AttrValue(tensor=proto),
        "dtype": v1.AttrValue(type=proto.dtype),
    }
    node = graph.create_op("Const", [], [tf.quint8], attrs=attrs, name="stored")
    y = tf.quantization.dequantize(node.outputs[0], -1.0, 1.0, "MIN_FIRST")
    return x + (y if y.shape.rank == 1 else y[0])


@style
def mixed(net: Net) -> Any:
    x = net.feed(net.floats(1, 6, 6, 2), "x")
    x = tf.nn.max_pool2d(
        tf.nn.relu(
            tf.nn.conv2d(x, net.floats(3, 3, 2, 4), 1, net.padding) + net.floats(4)
        ),
        2,
        2,
        "SAME",
    )
    x = tf.reshape(x, [1, -1])
    x = tf.matmul(x, net.floats(int(x.shape[-1]), 3)) + net.floats(3)
    return net.pick([lambda: x, lambda: tf.argmax(x, 1), lambda: tf.nn.softmax(x)])()


@style
def simple(net: Net) -> Any:
    x, y = net.feed(net.floats(3, 3), "x"), tf.constant(net.floats(3, 3))
    return net.pick(
        [
            lambda: x + y,
            lambda: tf.matmul(x, y),
            lambda: tf.reduce_min(x, 1),
            lambda: tf.reduce_max(x),
            lambda: x * y - x,
            lambda: tf.reshape(x, [9]),
            lambda: tf.squeeze(x[tf.newaxis]),
            lambda: tf.shape(x),
            lambda: tf.gather(x, [0, 2]),
            lambda: tf.transpose(x),
            lambda: tf.concat([x, y], 0),
            lambda: tf.strided_slice(x, [0, 0], [2, 2]),
            lambda: tf.add_n([x, y]),
            lambda: tf.cast(x, tf.int32),
        ]
    )()
