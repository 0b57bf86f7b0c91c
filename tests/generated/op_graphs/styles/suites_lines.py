"""What the tests of converters and importers try, a line to a graph."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from ..net import variants
from ..parts import conv, fed, flat, number, ones, quantised, variable

v1 = tf.compat.v1
raw = tf.raw_ops

variants(
    "suite",
    {
        "keep_all": lambda n: v1.nn.dropout(tf.identity(fed(n, 1, 4, 4, 3)), number(n, 1.0, "float32")),
        "drop_none": lambda n: tf.nn.dropout(tf.identity(fed(n, 1, 4, 4, 3)), rate=tf.constant(0.0)),
        "fed_output_shape": lambda n: tf.nn.conv2d_transpose(ones(n, 2, 6, 4, 3), n.floats(3, 3, 2, 3), number(n, [2, 13, 9, 2]), 2, "VALID"),
        "clipped_by_fed": lambda n: tf.clip_by_value(ones(n, 3, 8), number(n, 8.5, "float32"), number(n, 16.5, "float32")),
        "thresholded": lambda n: (lambda x, t: x * tf.cast(x > t, tf.float32))(fed(n, 3, 3), n.pick([-1.0, 0.0, 0.5])),
        "leaky_with_a_reader": lambda n: (lambda x, y: [tf.maximum(y, x), y - 1.0])(*(lambda x: (x, 0.5 * x))(fed(n, 4, 3))),
        "leaky_order": lambda n: (lambda x: n.pick([lambda: tf.maximum(x, 0.01 * x), lambda: tf.maximum(x, x * 0.01), lambda: tf.maximum(0.01 * x, x)])() * 2.0)(fed(n, 1, 2, 3, 4)),
        "hot_whole": lambda n: tf.one_hot(number(n, [[0, 3, 7], [1, -1, 2]], n.pick(["int32", "int64"])), np.int32(20), np.int64(5), np.int64(1), axis=n.pick([-1, 0, 1, 2])),
        "vector_power": lambda n: tf.pow(n.feed(n.above(4), "x"), np.float32([2.0, 0.5, 1.0, 3.0])),
        "argmax_of_pools": lambda n: list(tf.nn.max_pool_with_argmax(ones(n, 1, 10, 5, 1), n.pick([2, 4]), n.pick([1, 2]), n.padding)),
        "cut_blocks": lambda n: v1.batch_to_space_nd(fed(n, 8, 3, *n.pick([(), (5,), (5, 4)])), [2] if n.chance(0.0) else [2], [[1, 0]]),
        "blocks": lambda n: v1.batch_to_space_nd(fed(n, 8, 3, 5, 2), [2, 2], [[1, 0], [2, 1]]),
        "padded_blocks": lambda n: v1.space_to_batch_nd(fed(n, 3, 5, 7, 2), [2, 2], n.pick([[[0, 1], [2, 1]], [[1, 0], [0, 1]]])),
        "reversed_nowhere": lambda n: tf.reverse(fed(n, *n.pick([(4,), (2, 3, 4)])), np.zeros(0, "int32")),
        "labels": lambda n: tf.nn.sparse_softmax_cross_entropy_with_logits(n.feed(np.int32([3, 2, 0, 4]), "label", [None]), n.feed(n.floats(4, 5), "logits", n.pick([[None, None], [None, 5]]))),
        "soft_labels": lambda n: tf.nn.softmax_cross_entropy_with_logits(n.feed(n.rng.dirichlet(np.ones(5), 4).astype("float32"), "label", [None, 5]), n.feed(n.floats(4, 5), "logits", [None, 5])),
        "half_conv": lambda n: tf.nn.relu(conv(n, n.feed(n.floats(1, 6, 5, 3).astype("float16"), "input"), 3)),
        "half_deconv": lambda n: tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d_transpose(n.feed(n.floats(1, 5, 6, 2).astype("float16"), "input"), n.floats(5, 3, 4, 2).astype("float16"), [1, 9, 8, 4], 1, "VALID"), n.floats(4).astype("float16"))),
        "byte_conv": lambda n: tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(fed(n, 1, 6, 5, 3), quantised(n, 1, 1, 3, 3), 1, "VALID"), quantised(n, 3))),
        "added_product": lambda n: (lambda x: (x * 0.31 + 2.0 * tf.tanh(conv(n, x, 4))) * tf.sigmoid(conv(n, x, 4)))(fed(n, 3, 2, 3, 4)),
        "pad_and_concat": lambda n: (lambda x: tf.concat([tf.pad(tf.nn.conv2d(x, n.floats(3, 1, 1, 4), 1, "VALID"), [[0, 0], [0, 2], [0, 0], [0, 0]]), x], 3))(fed(n, 1, 4, 5, 1)),
        "split_batch": lambda n: (lambda x: (lambda a, b: conv(n, a, 1) + conv(n, b, 1))(*tf.split(tf.concat(tf.split(x, 3, 3)[::-1], 3), 2, 0)))(fed(n, 4, 5, 6, 3)),
        "resized_twice": lambda n: v1.image.resize_nearest_neighbor(v1.image.resize_nearest_neighbor(conv(n, fed(n, 2, 10, 11, 3), 7), (15, 8)), (9, 12)),
        "resized_by_factors": lambda n: (lambda x: v1.image.resize_bilinear(x, [tf.shape(x)[1] * 2, tf.shape(x)[2] * 3]) - 0.3 + 0.3)(n.feed(n.floats(1, 3, 4, 5), "input", [None, 3, 4, 5])),
        "flattened": lambda n: flat(n, n.feed(n.floats(2, 2, 3), "input", n.pick([[None, 2, 3], [2, 2, 3]]))),
        "flattened_and_joined": lambda n: (lambda x: tf.nn.bias_add(tf.concat([flat(n, conv(n, x, 4)), flat(n, conv(n, x, 4))], 1), np.zeros(48, "float32")))(fed(n, 1, 2, 3, 4)),
        "flat_conv": lambda n: tf.matmul(tf.reshape(n.pick([tf.identity, lambda y: tf.transpose(y, [0, 1, 2, 3]), lambda y: tf.transpose(y, [0, 3, 1, 2])])(tf.nn.relu(conv(n, fed(n, 1, 2, 3, 4), 5))), [1, -1]), variable(n, "w", 30, 10)) + variable(n, "b", 10),
        "shifted": lambda n: tf.reshape(fed(n, 2, 3, 4) + variable(n, "shift", 2, 3, 4), n.pick([[4, 3, 2], [-1, 3], [3, 1, 8]])),
        "normalised_thrice": lambda n: tf.nn.l2_normalize(tf.nn.l2_normalize(tf.nn.l2_normalize(fed(n, 2, 3, 4), 1), -1), [0, 1]),
        "pooled_and_normalised": lambda n: tf.nn.l2_normalize(tf.nn.l2_normalize(tf.nn.avg_pool2d(fed(n, 2, 3, 4, 5), 1, 1, "SAME"), -1), [2, 3, 1]),
        "batch_statistics": lambda n: raw.FusedBatchNormV3(x=fed(n, 1, *n.pick([(3, 4), (1, 1)]), 5), scale=variable(n, "g", 5), offset=variable(n, "b", 5), mean=[], variance=[], epsilon=1e-5, is_training=True)[0],
        "no_gamma": lambda n: tf.nn.batch_normalization(fed(n, 1, 2, 3, 4), variable(n, "m", 4), tf.abs(variable(n, "v", 4)) + 0.1, variable(n, "b", 4), None, 1e-3),
        "head": lambda n: tf.reshape(tf.reduce_mean(conv(n, n.feed(n.floats(1, 2, 3, 4), "input", [None, 2, 3, 4]), 4), [1, 2]), [-1, 1, 1, 4]),
        "padded_by_random": lambda n: (lambda x: tf.concat([x, variable(n, "y", 1, 2, 3, 5)], -1))(conv(n, fed(n, 1, 2, 3, 4), 4)),
        "spread": lambda n: (lambda x: tf.nn.separable_conv2d(x, n.floats(3, 3, 2, 1), n.floats(1, 1, 2, 4), [1] * 4, "SAME", dilations=[2, 3]))(fed(n, 1, 11, 12, 2)),
        "spread_by_blocks": lambda n: tf.batch_to_space(tf.nn.depthwise_conv2d(tf.space_to_batch(fed(n, 1, 11, 12, 2), [2, 3], [[2, 3], [3, 3]]), n.floats(3, 3, 2, 1), [1] * 4, "VALID"), [2, 3], [[0, 1], [0, 0]]),
        "same_shape_again": lambda n: (lambda x: tf.reshape(tf.reshape(x, [-1, 6]), tf.shape(x)))(n.feed(n.floats(1, 2, 3), "input", [None, 2, 3])),
        "subtracted": lambda n: (lambda x: conv(n, x, 5) - x)(fed(n, 2, 3, 4, 5)),
        "swapped": lambda n: tf.reshape(tf.transpose(tf.nn.avg_pool2d(n.feed(n.floats(2, 4, 6, 3), "input", [None, 4, 6, 3]), 2, 2, "VALID"), [0, 3, 2, 1]), [-1, 18]),
        "two_of_rank": lambda n: tf.expand_dims(fed(n, 2, 3, 4), 0) * tf.reshape(fed(n, 2, 3, 4), [1, 2, 3, 4]),
        "twice_turned": lambda n: tf.transpose(tf.transpose(fed(n, 1, 1, 3, 3), [0, 3, 1, 2]), [0, 2, 3, 1]),
        "soft_axis": lambda n: (lambda x: (lambda e: e / tf.reduce_sum(e, -1, keepdims=True))(tf.exp(x - tf.reduce_max(x, -1, keepdims=True))))(n.feed(n.floats(2, 2, 3, 4), "input", [None, 2, 3, 4])),
        "dense_prelu": lambda n: (lambda x: tf.nn.relu(x) + -variable(n, "alpha", 1, 4, 6) * tf.nn.relu(-x))(n.feed(n.floats(2, 1, 4, 6), "input", [None, 1, 4, 6])),
        "sums_of_whole": lambda n: (lambda x, f: f(x, n.pick([0, 1, [0, 1]]), keepdims=n.chance()))(number(n, [[1, 2], [3, 4]], n.pick(["int32", "int64"])), n.pick([tf.reduce_sum, tf.reduce_max, tf.reduce_mean, tf.reduce_prod])),
        "double": lambda n: tf.matmul(n.feed(n.rng.normal(size=(2, 3)), "x"), n.rng.normal(size=(3, 4))) + n.rng.normal(size=4),
        "looked_up": lambda n: tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(np.int64([3, 5, 9]), np.float32([0.3, 0.5, 0.9])), -1.0).lookup(number(n, [5, 4, 3], "int64")) if False else tf.gather(np.float32([0.3, 0.5, 0.9]), number(n, [2, 0], "int64")),
        "truth_to_numbers": lambda n: [tf.cast(n.feed(n.rng.random((2, 3)) < 0.5, "x"), t) for t in (tf.float32, tf.int64)],
        "rounded": lambda n: n.pick([tf.round, tf.math.rint, tf.floor, tf.math.ceil])(n.feed(np.float32([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 3.49]), "x")),
        "hard_swish": lambda n: (lambda x: x * tf.nn.relu6(x + 3.0) * (1.0 / 6.0))(conv(n, fed(n, 1, 4, 4, 2), 3)),
        "matched_rows": lambda n: tf.linalg.matvec(fed(n, 2, 3, 4), fed(n, 2, 4)),
        "one_of_two": lambda n: tf.cond(number(n, True, "bool"), lambda: tf.identity(fed(n, 3)) * 2.0, lambda: tf.zeros([3])) if False else tf.where(number(n, True, "bool"), fed(n, 3) * 2.0, tf.zeros([3])),
        "by_condition": lambda n: (lambda x, y: tf.cond(tf.reduce_sum(x) > 0.0, lambda: x + y, lambda: x - y))(fed(n, 3), fed(n, 3)),
        "by_number": lambda n: (lambda x, i: tf.switch_case(i, [lambda: x + 1.0, lambda: x * 2.0, lambda: -x]))(fed(n, 3), number(n, n.whole(0, 2))),
        "counted_loop": lambda n: tf.while_loop(lambda i, a: i < 4, lambda i, a: (i + 1, a * 1.5 + tf.cast(i, tf.float32)), [tf.constant(0), fed(n, 3)])[1],
        "fed_loop": lambda n: (lambda k, x: tf.while_loop(lambda i, a: i < k, lambda i, a: (i + 1, tf.tanh(a) + x), [tf.constant(0), x]))(number(n, 3), fed(n, 2, 3)),
        "mapped": lambda n: tf.map_fn(lambda row: row * 2.0 + tf.reduce_max(row), fed(n, 4, 3)),
        "scanned": lambda n: tf.scan(lambda a, row: 0.5 * a + row, fed(n, 4, 3)),
    },
)  # fmt: skip
