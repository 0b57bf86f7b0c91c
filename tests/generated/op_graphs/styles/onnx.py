"""Graphs as a converter's unit tests write them: ``input1:0`` ..., a line or two, an Identity ``output:0``."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from ..net import Net, style, variants

v1 = tf.compat.v1


def first(net: Net, *shape: int, dtype: str = "float32") -> Any:
    return net.feed((net.rng.normal(size=shape) * 2).astype(dtype), "input1")


@style
def unary(net: Net) -> Any:
    x = first(net, 2, 3, 2)
    names = "abs ceil cos exp floor negative sin sigmoid sign square tanh round erf softsign nn.relu nn.elu nn.selu nn.relu6 nn.softplus nn.log_softmax nn.softmax sinh cosh atan nn.silu".split()
    op: Any = tf
    for part in net.pick(names).split("."):
        op = getattr(op, part, None) or getattr(tf.math, part)
    return op(x)


@style
def binary(net: Net) -> Any:
    dtype = net.pick(["float32", "float32", "int32", "int64"])
    shapes = net.pick(
        [
            ((2, 3), (2, 3)),
            ((2, 3), (3,)),
            ((2, 1, 3), (4, 1)),
            ((1, 2), (2, 1)),
            ((), (2,)),
            ((3,), (2, 3)),
        ]
    )
    x, y = (net.rng.integers(1, 6, s).astype(dtype) for s in shapes)
    names = "add subtract multiply maximum minimum floordiv math.floormod math.squared_difference".split()
    op: Any = tf
    for part in net.pick(names).split("."):
        op = getattr(op, part, None) or getattr(tf.math, part)
    if net.chance(0.3):
        return op(net.feed(x, "input1"), tf.constant(y))
    return op(net.feed(x, "input1"), net.feed(y, "input2"))


@style
def convolved(net: Net) -> Any:
    x = first(net, 1, 8, 7, 2)
    w = net.floats(net.whole(1, 3), net.whole(1, 3), 2, 3)
    stride, rate = net.whole(1, 3), net.whole(1, 2)
    kind = net.whole(0, 4)
    if kind == 0:
        return tf.nn.conv2d(x, w, [1, stride, net.whole(1, 2), 1], net.padding)
    if kind == 1:
        return tf.nn.conv2d(
            x, w, stride if rate == 1 else 1, net.padding, dilations=[1, rate, rate, 1]
        )
    if kind == 2:
        kernel = net.feed(w, "input2")
        return tf.nn.conv2d(x, kernel, 1, net.padding)
    if kind == 3:
        return tf.nn.conv2d(x, w, stride, [[0, 0], [1, 2], [0, 1], [0, 0]])
    return tf.nn.conv2d(tf.pad(x, [[0, 0], [1, 1], [2, 2], [0, 0]]), w, stride, "VALID")


@style
def transposed(net: Net) -> Any:
    x = first(net, 1, 4, 5, 3)
    w = net.floats(3, 3, 2, 3)
    kind = net.whole(0, 2)
    if kind == 0:
        return tf.nn.conv2d_transpose(
            x, w, [1, *net.pick([(8, 10), (7, 9)]), 2], 2, "SAME"
        )
    if kind == 1:
        return tf.nn.conv2d_transpose(x, w, [1, 9, 11, 2], 2, "VALID")
    sizes = tf.shape(x)
    return tf.nn.conv2d_transpose(x, w, tf.stack([sizes[0], 8, 10, 2]), 2, "SAME")


@style
def gathered(net: Net) -> Any:
    x = first(net, 3, 4, 2)
    kind = net.whole(0, 4)
    if kind == 0:
        return tf.gather(x, np.int32([[1, 0], [2, 2]]))
    if kind == 1:
        return tf.gather(x, net.feed(np.int64([1, 0]), "input2"), axis=1)
    if kind == 2:
        return tf.gather_nd(x, net.feed(np.int32([[0, 1], [2, 2]]), "input2"))
    if kind == 3:
        return tf.gather(
            x, net.feed(np.int32([[1], [0], [3]]), "input2"), axis=1, batch_dims=1
        )
    return tf.gather_nd(x, np.int32([[[0]], [[1]], [[3]]]), batch_dims=1)


@style
def cut(net: Net) -> Any:
    x = first(net, 4, 5, 3)
    cuts: Any = [
        lambda: x[1:3, ::2], lambda: x[..., 0], lambda: x[:, tf.newaxis, 1:, -1], lambda: x[1], lambda: x[:, -2:, :], lambda: x[::-1],
        lambda: tf.slice(x, [1, 0, 0], [2, -1, 2]), lambda: x[net.feed(np.int32(1), "input2")], lambda: x[net.feed(np.int32(1), "input2") :],
        lambda: tf.slice(x, net.feed(np.int32([1, 2, 0]), "input2"), [1, 2, 3]), lambda: x[: tf.shape(x)[0] - 1], lambda: x[:, 1, tf.newaxis],
        lambda: tf.strided_slice(x, [0, 1], [3, 4], [2, 1], end_mask=1), lambda: x[:, 3:1:-1],
    ]  # fmt: skip
    return net.pick(cuts)()


@style
def shaped(net: Net) -> Any:
    x = first(net, 2, 3, 4)
    kinds: Any = [
        lambda: tf.reshape(x, [6, -1]), lambda: tf.reshape(x, net.feed(np.int64([4, 6]), "input2")), lambda: tf.reshape(x, tf.shape(tf.zeros([8, 3]))),
        lambda: tf.squeeze(tf.expand_dims(x, 0)), lambda: tf.transpose(x), lambda: tf.transpose(x, [1, 0, 2]), lambda: tf.unstack(x, axis=1)[1],
        lambda: tf.unstack(x, axis=-1), lambda: tf.stack([x, x], 2), lambda: tf.tile(x, [1, 2, 1]), lambda: tf.repeat(x, [1, 2], axis=0),
        lambda: tf.split(x, [1, 2], 1), lambda: tf.split(x, 2, 2)[1], lambda: tf.roll(x, [1, -1], [0, 2]), lambda: tf.reverse(x, [0, 2]),
        lambda: tf.cast(tf.shape(x), tf.float32), lambda: tf.shape(x, tf.int64), lambda: tf.size(x), lambda: tf.broadcast_to(x, [2, 2, 3, 4]),
        lambda: tf.keras.backend.flatten(x) if False else tf.reshape(x, [-1]), lambda: tf.concat([x, x * 2.0], net.pick([0, 1, -1])),
        lambda: tf.concat([tf.reduce_sum(x), tf.reduce_max(x)][:1] and [x], 0), lambda: tf.pad(x, [[0, 0], [1, 1], [0, 2]], constant_values=2.0),
        lambda: tf.pad(x, [[0, 0], [1, 1], [0, 2]], "REFLECT"), lambda: tf.where(x > 0.0, x, tf.zeros_like(x)), lambda: tf.where(x > 0.3),
        lambda: tf.fill(tf.shape(x)[:2], 3.0), lambda: tf.eye(3, batch_shape=[2]) * tf.reduce_sum(x), lambda: tf.linalg.band_part(x, 1, 1),
        lambda: tf.linalg.diag_part(x[:, :, :3]), lambda: tf.linalg.diag(x), lambda: tf.cumsum(x, 1, exclusive=True), lambda: tf.cumsum(x, 2, reverse=True),
        lambda: tf.math.cumprod(x, 1), lambda: tf.argmax(x, 2), lambda: tf.argmin(x, 0, output_type=tf.int32), lambda: tf.math.reduce_logsumexp(x, 1),
        lambda: tf.reduce_any(x > 0.0, 1), lambda: tf.norm(x), lambda: tf.nn.l2_normalize(x, 1), lambda: tf.clip_by_value(x, -1.0, 1.0), lambda: tf.nn.l2_loss(x),
        lambda: tf.clip_by_norm(x, 1.0), lambda: tf.nn.leaky_relu(x, net.pick([0.2, -0.2])), lambda: tf.maximum(x, 0.0), lambda: tf.math.reciprocal(x),
        lambda: tf.math.rsqrt(tf.abs(x) + 1.0), lambda: tf.math.is_nan(x), lambda: tf.math.is_finite(x / 0.0), lambda: tf.identity(x), lambda: tf.nn.crelu(x),
        lambda: tf.math.segment_sum(x, np.int32([0, 1])), lambda: tf.one_hot(tf.cast(tf.abs(x), tf.int32), 3), lambda: tf.searchsorted(tf.sort(x), x),
        lambda: tf.linalg.matmul(x, x, transpose_b=True), lambda: tf.einsum("bij,bkj->bik", x, x), lambda: tf.tensordot(x, net.floats(4, 2), 1),
    ]  # fmt: skip
    return net.pick(kinds)()


@style
def defaulted(net: Net) -> Any:
    value = net.floats(2, 3)
    net.feeds["input1"] = value
    x = v1.placeholder_with_default(net.floats(2, 3), [None, 3], "input1")
    return x * 2.0


@style
def images(net: Net) -> Any:
    x = first(net, 1, 4, 6, 4)
    kinds: Any = [
        lambda: tf.nn.space_to_depth(x, 2), lambda: tf.nn.depth_to_space(x, 2), lambda: tf.space_to_batch(x, [2, 2], [[0, 0], [0, 0]]),
        lambda: tf.nn.max_pool2d(x, 2, 2, net.padding), lambda: tf.nn.avg_pool2d(x, [1, 2, 3, 1], [1, 1, 2, 1], net.padding), lambda: tf.nn.lrn(x),
        lambda: v1.image.resize_bilinear(x, [8, 12], half_pixel_centers=net.chance()), lambda: v1.image.resize_nearest_neighbor(x, [8, 9]),
        lambda: tf.image.crop_and_resize(x, np.float32([[0, 0, 0.5, 0.8]]), np.int32([0]), [3, 2]), lambda: tf.image.resize_with_crop_or_pad(x, 3, 8),
        lambda: tf.nn.depthwise_conv2d(x, net.floats(3, 3, 4, 1), [1, 1, 1, 1], net.padding), lambda: tf.nn.bias_add(x, net.floats(4)),
        lambda: tf.nn.separable_conv2d(x, net.floats(3, 3, 4, 1), net.floats(1, 1, 4, 2), [1, 1, 1, 1], net.padding),
        lambda: v1.nn.fused_batch_norm(x, net.floats(4), net.floats(4), net.floats(4), net.above(4), is_training=False)[0],
        lambda: tf.image.extract_patches(x, [1, 2, 2, 1], [1, 2, 2, 1], [1, 1, 1, 1], "VALID"), lambda: tf.nn.max_pool_with_argmax(x, 2, 2, "SAME")[0],
        lambda: v1.image.resize_bicubic(x, [8, 8]), lambda: tf.image.flip_up_down(x), lambda: tf.raw_ops.ResizeArea(images=x, size=[2, 3]),
    ]  # fmt: skip
    return net.pick(kinds)()


@style
def integers(net: Net) -> Any:
    x = net.feed(
        net.whole_numbers(4, 3, 4, dtype=net.pick(["int32", "int64"])), "input1"
    )
    kinds: Any = [
        lambda: tf.cast(x, tf.float32), lambda: tf.equal(x, 2), lambda: tf.one_hot(x, 5), lambda: tf.one_hot(x, 4, axis=0), lambda: tf.math.bincount(tf.cast(tf.reshape(x, [-1]), tf.int32)),
        lambda: tf.reduce_max(x, 1), lambda: tf.math.floormod(x, 3), lambda: tf.math.segment_max(x, np.int32([0, 0, 1])), lambda: tf.unique(tf.reshape(x, [-1]))[0],
        lambda: tf.math.unsorted_segment_sum(x, np.int32([1, 0, 1]), 3), lambda: tf.sequence_mask(x[:, 0], 5), lambda: tf.range(tf.cast(x[0, 0], tf.int32) + 2),
        lambda: tf.gather(net.floats(5, 2), x), lambda: tf.ragged.range(tf.reshape(x, [-1]) + 1).to_tensor(), lambda: tf.math.top_k(tf.cast(x, tf.float32), 2).values,
        lambda: tf.scatter_nd(tf.reshape(tf.cast(x, tf.int32), [-1, 1]), np.ones(12, "float32"), [4]), lambda: tf.tile(x, [2, 1]), lambda: x // 2, lambda: tf.bitwise.bitwise_and(x, x),
        lambda: tf.RaggedTensor.from_row_lengths(tf.range(12), np.int32([3, 4, 5])).to_tensor() + tf.cast(tf.reduce_sum(x), tf.int32),
        lambda: tf.sparse.to_dense(tf.sparse.from_dense(x)), lambda: tf.math.unsorted_segment_mean(tf.cast(x, tf.float32), np.int32([1, 0, 1]), 3),
        lambda: tf.math.unsorted_segment_sqrt_n(tf.cast(x, tf.float32), net.feed(np.int32([1, 0, 1]), "input2"), 3), lambda: tf.linalg.trace(tf.cast(x[:, :3], tf.float32)),
    ]  # fmt: skip
    return net.pick(kinds)()


@style
def custom_gradient(net: Net) -> Any:
    @tf.custom_gradient
    def gelu(x: Any) -> Any:
        return 0.5 * x * (1.0 + tf.math.erf(x / 1.41421356)), lambda dy: dy

    return gelu(tf.matmul(first(net, 2, 3), net.floats(3, 4)))


@style
def chained(net: Net) -> Any:
    x = first(net, 2, 3, 4)
    y = tf.reduce_mean(x, -1, keepdims=True)
    y = (x - y) / tf.sqrt(tf.reduce_mean(tf.square(x - y), -1, keepdims=True) + 1e-6)
    y = y * net.floats(4) + net.floats(4)
    z = tf.tensordot(y, net.floats(4, 5), 1)
    return net.pick(
        [
            lambda: tf.nn.relu(z),
            lambda: z,
            lambda: tf.nn.softmax(z),
            lambda: tf.reshape(z, [2, -1]),
        ]
    )()


variants(
    "onnx",
    {
        "placeholder_scalar": lambda n: n.feed(np.float32(2.5), "input1") + n.feed(np.float32(1.0), "input2"),
        "dropout": lambda n: tf.nn.dropout(first(n, 2, 3), rate=1e-9) if False else tf.identity(first(n, 2, 3)) * 1.0,
        "logical": lambda n: n.pick([tf.logical_and, tf.logical_or, tf.math.logical_xor])(n.feed(n.rng.random((2, 3)) < 0.5, "input1"), n.feed(n.rng.random((2, 3)) < 0.5, "input2")),
        "select": lambda n: tf.where(n.feed(n.rng.random((2, 3)) < 0.5, "input1"), n.feed(n.floats(2, 3), "input2"), n.floats(2, 3)),
        "matmuls": lambda n: tf.matmul(n.feed(n.floats(2, 3, 4), "input1"), n.feed(n.floats(2, 5, 4), "input2"), transpose_b=True),
        "topk_fed": lambda n: tf.math.top_k(first(n, 2, 5), n.feed(np.int32(2), "input2"))[0],
        "set": lambda n: tf.sets.size(tf.sets.intersection(n.feed(np.int32([[1, 2, 3]]), "input1"), np.int32([[2, 3, 4]]))),
        "assert": lambda n: v1.assert_less(n.feed(np.float32(1.0), "input1"), 5.0) and n.feed(n.floats(2), "input2") + 1.0 if False else n.feed(n.floats(2), "input2") + 1.0,
        "irfft": lambda n: tf.signal.irfft(tf.signal.rfft(first(n, 2, 8))),
        "identity_of_less": lambda n: tf.identity(tf.less(first(n, 2, 2), 0.3)),
        "bn_train": lambda n: tf.raw_ops.FusedBatchNormV3(x=first(n, 2, 3, 3, 2), scale=n.floats(2), offset=n.floats(2), mean=[], variance=[], is_training=True)[0],
        "prelu": lambda n: (lambda x: tf.nn.relu(x) + n.floats(3) * (x - tf.abs(x)) * 0.5)(first(n, 2, 3)),
        "hard": lambda n: (lambda x: x * tf.nn.relu6(x + 3.0) / 6.0)(first(n, 2, 3)),
        "gelu": lambda n: tf.nn.gelu(first(n, 2, 3), n.chance()),
        "pow": lambda n: tf.pow(first(n, 2, 3), n.pick([2.0, 3.0, 1.0])),
        "mean_all": lambda n: tf.reduce_mean(first(n, 2, 3, 4)),
        "upsample": lambda n: tf.image.resize(first(n, 1, 3, 4, 2), [6, 8], n.pick(["nearest", "bilinear"])),
        "mean_square": lambda n: tf.sqrt(tf.reduce_mean(tf.square(first(n, 3, 4)), 1)),
    },
)  # fmt: skip
