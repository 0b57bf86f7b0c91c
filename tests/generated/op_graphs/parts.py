"""What graphs of several styles begin with: fed arrays and numbers, variables as a freezer leaves them, a convolution."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from .net import Net


def ones(net: Net, *shape: int, dtype: str = "float32") -> Any:
    """Counted numbers, as those tests feed them."""
    return net.feed(
        np.arange(1, 1 + np.prod(shape)).reshape(shape).astype(dtype),
        f"input{len(net.feeds) + 1}",
    )


def fed(net: Net, *shape: int) -> Any:
    return net.feed(net.floats(*shape), f"input{len(net.feeds) + 1}")


def number(net: Net, value: Any, dtype: str = "int32") -> Any:
    return net.feed(np.asarray(value, dtype), f"input{len(net.feeds) + 1}")


def variable(net: Net, name: str, *shape: int) -> Any:
    """A variable as a freezer leaves it."""
    return tf.identity(tf.constant(net.floats(*shape), name=name), f"{name}/read")


def conv(net: Net, x: Any, filters: int, size: int = 1, **more: Any) -> Any:
    name = f"conv2d_{net.whole(0, 999)}"
    kernel = variable(net, f"{name}/kernel", size, size, int(x.shape[-1]), filters)
    y = tf.nn.conv2d(
        x,
        tf.cast(kernel, x.dtype),
        more.get("strides", 1),
        more.get("padding", "VALID"),
    )
    return tf.nn.bias_add(y, tf.cast(variable(net, f"{name}/bias", filters), x.dtype))


def quantised(net: Net, *shape: int) -> Any:
    """Weights as TransformGraph's quantize_weights leaves them."""
    levels = tf.constant(net.whole_numbers(256, *shape, dtype="uint8"))
    low, high = net.floats() - 1, net.floats() + 2
    return tf.quantization.dequantize(
        tf.bitcast(levels, tf.quint8), low, high, mode="MIN_FIRST"
    )


def flat(net: Net, x: Any) -> Any:
    """tf.contrib.layers.flatten, as it was written."""
    sizes = tf.shape(x)
    rest = tf.reduce_prod(tf.slice(sizes, [1], [len(x.shape) - 1]), [0])
    return tf.reshape(
        x, tf.concat([tf.slice(sizes, [0], [1]), tf.expand_dims(rest, 0)], 0)
    )
