"""One op or idea to a graph, over several dtypes, constants beside placeholders, loops and recurrence of TensorFlow 1."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from ..net import Net, style, variants

v1 = tf.compat.v1
NUMBERS = "float32 float32 float64 int32 int64".split()


def array(net: Net, *shape: int, dtype: str = "") -> np.ndarray:
    dtype = dtype or net.pick(NUMBERS)
    return (net.rng.normal(size=shape) * 3 + 1).astype(dtype)


@style
def reduced(net: Net) -> Any:
    kinds = "sum mean max min prod euclidean_norm variance std logsumexp".split()
    name = net.pick(kinds)
    of_floats = name in ("euclidean_norm", "variance", "std", "logsumexp", "mean")
    x = net.feed(array(net, 2, 3, 4, dtype="float32" if of_floats else ""))
    over = net.pick([None, 0, 1, -1, [0, 2], [1, 2], [0, 1, 2], []])
    return getattr(tf, f"reduce_{name}", None or getattr(tf.math, f"reduce_{name}"))(
        x, over, net.chance()
    )


@style
def fed_axis(net: Net) -> Any:
    x = net.feed(net.floats(2, 3, 4))
    over = net.feed(np.int32(net.whole(0, 2)), "axis")
    kind = net.whole(0, 7)
    if kind == 0:
        return tf.expand_dims(x, over)
    if kind == 1:
        return tf.reduce_sum(x, over, keepdims=net.chance())
    if kind == 2:
        return tf.argmax(x, over)
    if kind == 3:
        return tf.cumsum(x, over)
    if kind == 4:
        return tf.concat([x, x], over)
    if kind == 5:
        return tf.reverse(x, [over])
    if kind == 6:
        return tf.gather(x, [1, 0], axis=over)
    return tf.roll(x, 1, over)


@style
def fed_shape(net: Net) -> Any:
    kind = net.whole(0, 7)
    if kind == 0:
        return tf.reshape(
            net.feed(net.floats(2, 6)), net.feed(np.int32([3, -1]), "shape")
        )
    if kind == 1:
        return tf.fill(net.feed(np.int32([2, 3]), "dims"), 1.5)
    if kind == 2:
        return tf.tile(
            net.feed(net.floats(2, 3)), net.feed(np.int32([1, 2]), "multiples")
        )
    if kind == 3:
        return tf.pad(
            net.feed(net.floats(2, 3)), net.feed(np.int32([[0, 1], [2, 0]]), "pads")
        )
    if kind == 4:
        return tf.slice(
            net.feed(net.floats(3, 4)),
            net.feed(np.int32([1, 0]), "begin"),
            net.feed(np.int32([2, -1]), "size"),
        )
    if kind == 5:
        return tf.range(
            net.feed(np.int32(1)), net.feed(np.int32(7)), net.feed(np.int32(2))
        )
    if kind == 6:
        return tf.transpose(
            net.feed(net.floats(2, 3, 4)), net.feed(np.int32([2, 0, 1]), "perm")
        )
    return tf.broadcast_to(net.feed(net.floats(3)), net.feed(np.int32([2, 3]), "shape"))


@style
def segments(net: Net) -> Any:
    x = net.feed(
        array(
            net, 5, *net.pick([[], [2], [2, 3]]), dtype=net.pick(["float32", "int32"])
        )
    )
    name = net.pick("sum max min prod mean".split())
    if net.chance():
        at: Any = (
            net.feed(np.int32([0, 0, 1, 2, 2]), "ids")
            if net.chance()
            else np.int32([0, 0, 1, 2, 2])
        )
        return getattr(tf.math, f"segment_{name}")(x, at)
    name = net.pick("sum max min prod".split())
    at = np.int32([2, 0, 1, 0, 3])
    at = net.feed(at, "ids") if net.chance() else at
    count: Any = net.feed(np.int32(5), "count") if net.chance(0.3) else 5
    return getattr(tf.math, f"unsorted_segment_{name}")(x, at, count)


@style
def scattered(net: Net) -> Any:
    x = net.feed(net.floats(4, 3))
    at = np.int32([[0], [2]])
    at = net.feed(at, "at") if net.chance() else at
    new = net.feed(net.floats(2, 3), "new")
    names = "update add sub max min".split()
    if net.chance(0.3):
        return tf.scatter_nd(at, new, [5, 3])
    return getattr(tf, f"tensor_scatter_nd_{net.pick(names)}")(x, at, new)


@style
def matrices(net: Net) -> Any:
    x = net.floats(*net.pick([[], [2]]), 3, 3) + np.eye(3, dtype="float32") * 4
    fed = net.feed(x.astype(net.pick(["float32", "float64"])))
    kinds = [
        tf.linalg.inv, tf.linalg.det, lambda x: tf.linalg.logdet(tf.matmul(x, x, transpose_b=True)), tf.linalg.diag_part,
        lambda x: tf.linalg.band_part(x, 1, 0), lambda x: tf.linalg.cholesky(tf.matmul(x, x, transpose_b=True)),
        lambda x: tf.linalg.slogdet(x)[1], tf.linalg.trace, lambda x: tf.linalg.solve(x, x[..., :2]), tf.linalg.matrix_transpose,
        lambda x: tf.linalg.set_diag(x, tf.reduce_sum(x, -1)), lambda x: tf.linalg.lu(x)[0],
        lambda x: tf.linalg.triangular_solve(x, x), lambda x: tf.linalg.svd(x, compute_uv=False), tf.linalg.diag, tf.linalg.adjoint,
        lambda x: tf.linalg.qr(x)[1],
    ]  # fmt: skip
    return net.pick(kinds)(fed)


@style
def losses(net: Net) -> Any:
    labels, scores = net.feed(net.above(4, 3), "labels"), net.feed(
        net.floats(4, 3), "predictions"
    )
    names = "absolute_difference cosine_distance hinge_loss huber_loss log_loss mean_squared_error mean_pairwise_squared_error sigmoid_cross_entropy softmax_cross_entropy".split()
    name = net.pick(names)
    kind = net.pick(list(v1.losses.Reduction.all()))
    more: dict[str, Any] = (
        {} if name == "mean_pairwise_squared_error" else {"reduction": kind}
    )
    if net.chance(0.3) and name != "mean_pairwise_squared_error":
        more["weights"] = (
            net.above(4, 1)
            if "cross" not in name or name == "sigmoid_cross_entropy"
            else net.above(4)
        )
    if name == "cosine_distance":
        more["axis"] = 1
    if name == "log_loss":
        scores = tf.sigmoid(scores)
    return getattr(v1.losses, name)(labels, scores, **more)


@style
def recurrent(net: Net) -> Any:
    v1.disable_control_flow_v2()
    x = net.feed(net.floats(2, 4, 3), "input")
    kernels = {"w": net.floats(6, 12), "b": net.floats(12)}
    h = c = tf.zeros([2, 3])
    for step in range(4):
        z = tf.matmul(tf.concat([x[:, step], h], 1), kernels["w"]) + kernels["b"]
        i, j, f, o = tf.split(z, 4, 1)
        c = c * tf.sigmoid(f + 1.0) + tf.sigmoid(i) * tf.tanh(j)
        h = tf.tanh(c) * tf.sigmoid(o)
    return h if net.chance() else tf.stack([h, c], 1)


@style
def looped(net: Net) -> Any:
    x = net.feed(net.floats(2, 3), "input")
    turns = net.pick([3, 4])
    w = net.floats(3, 3, scale=0.5)
    kind = net.whole(0, 2)
    if kind == 0:
        return tf.while_loop(
            lambda i, y: i < turns,
            lambda i, y: (i + 1, tf.tanh(tf.matmul(y, w))),
            [0, x],
        )[1]
    if kind == 1:
        limit = net.feed(np.float32(20.0), "limit")
        return tf.while_loop(
            lambda y: tf.reduce_sum(y) < limit, lambda y: (y + 1.0,), [x]
        )[0]
    rows = tf.TensorArray(tf.float32, 2)
    rows = tf.while_loop(
        lambda i, a: i < 2, lambda i, a: (i + 1, a.write(i, x[i] * 2.0)), [0, rows]
    )[1]
    return rows.stack()


@style
def conditional(net: Net) -> Any:
    x = net.feed(net.floats(2, 3), "input")
    claim = (
        net.feed(np.array(net.chance()), "flag")
        if net.chance()
        else tf.reduce_sum(x) > 0.0
    )
    return v1.cond(claim, lambda: tf.nn.relu(x) + 1.0, lambda: x * 2.0)


@style
def only_flags(net: Net) -> Any:
    flag = net.feed(np.array(net.chance()), "flag")
    if net.chance():
        return tf.where(flag, net.floats(3), net.floats(3))
    return (
        tf.cast(flag, tf.float32) * net.floats(2)
        if net.chance()
        else tf.logical_not(flag)
    )


@style
def ranked(net: Net) -> Any:
    x = net.feed(net.floats(3, 5))
    k: Any = net.feed(np.int32(2), "k") if net.chance(0.3) else net.whole(1, 3)
    kind = net.whole(0, 5)
    if kind == 0:
        return list(tf.math.top_k(x, k))
    if kind == 1:
        return tf.math.in_top_k(np.int32([0, 2, 4]), x, 2)
    if kind == 2:
        return tf.sort(x, direction=net.pick(["ASCENDING", "DESCENDING"]))
    if kind == 3:
        return tf.argsort(x)
    if kind == 4:
        return tf.raw_ops.NthElement(input=x, n=k, reverse=net.chance())
    return tf.searchsorted(np.float32([[0, 1, 2]] * 3), x, net.pick(["left", "right"]))


@style
def counted(net: Net) -> Any:
    x = net.feed(net.whole_numbers(5, 7))
    kind = net.whole(0, 5)
    if kind == 0:
        return tf.math.bincount(
            x, minlength=net.pick([None, 6]), maxlength=net.pick([None, 4])
        )
    if kind == 1:
        return list(tf.unique(x))
    if kind == 2:
        return list(tf.unique_with_counts(x))
    if kind == 3:
        return list(v1.setdiff1d(x, np.int32([1, 3])))
    if kind == 4:
        return tf.histogram_fixed_width(tf.cast(x, tf.float32), [0.0, 5.0], 4)
    return tf.math.confusion_matrix(x, x[::-1], 5)


@style
def patterns_of_truth(net: Net) -> Any:
    x, y = net.feed(array(net, 2, 3, dtype="int32")), net.feed(
        array(net, 2, 3, dtype="int32")
    )
    op = net.pick(
        [tf.less, tf.greater, tf.equal, tf.not_equal, tf.less_equal, tf.greater_equal]
    )
    claim = op(x, y)
    return net.pick(
        [
            lambda: claim,
            lambda: tf.reduce_all(claim),
            lambda: tf.reduce_any(claim, 1),
            lambda: tf.where(claim, x, y),
            lambda: tf.where(claim),
            lambda: tf.boolean_mask(x, claim),
            lambda: tf.math.count_nonzero(claim, 0),
        ]
    )()


@style
def images(net: Net) -> Any:
    x = net.feed(net.rng.uniform(0, 1, (2, 5, 6, 3)).astype("float32"))
    kinds = [
        tf.image.rgb_to_hsv, tf.image.hsv_to_rgb, lambda x: tf.image.adjust_contrast(x, 1.5), lambda x: tf.image.adjust_saturation(x, 0.6),
        lambda x: tf.image.adjust_hue(x, 0.1), lambda x: tf.image.central_crop(x, 0.5), tf.image.flip_left_right, tf.image.rgb_to_grayscale,
        lambda x: tf.image.resize(x, [7, 4], "bilinear"), lambda x: tf.image.resize(x, [7, 4], "bicubic"), lambda x: tf.image.resize(x, [7, 4], "area"),
        lambda x: tf.image.per_image_standardization(x), lambda x: tf.image.extract_patches(x, [1, 2, 2, 1], [1, 1, 1, 1], [1, 2, 2, 1], "VALID"),
        lambda x: tf.image.rgb_to_yiq(x), lambda x: tf.image.rgb_to_yuv(x), lambda x: tf.image.adjust_gamma(x, 1.2), lambda x: tf.image.total_variation(x),
        lambda x: tf.image.psnr(x, x * 0.5, 1.0), lambda x: tf.image.sobel_edges(x), lambda x: tf.image.rot90(x),
    ]  # fmt: skip
    return net.pick(kinds)(x)


@style
def typed(net: Net) -> Any:
    x = net.feed(array(net, 2, 3, dtype=net.pick(["float32", "int32", "float64"])))
    kind = net.pick(["float16", "float64", "int64", "int32", "uint8", "bool", "int8"])
    y = tf.cast(x, kind)
    return y if net.chance() else tf.cast(y, tf.float32) + 1.0


@style
def filtered(net: Net) -> Any:
    x = net.feed(net.floats(2, 9, 3), "input", net.pick([[2, 9, 3], [None, 9, 3]]))
    kind = net.whole(0, 4)
    if kind == 0:
        return tf.nn.conv1d(x, net.floats(3, 3, 4), net.whole(1, 2), net.padding)
    if kind == 1:
        return tf.nn.conv1d(x, net.floats(2, 3, 4), 1, net.padding, dilations=2)
    if kind == 2:
        return tf.nn.conv1d(
            tf.transpose(x, [0, 2, 1]),
            net.floats(2, 3, 4),
            1,
            net.padding,
            data_format="NCW",
        )
    if kind == 3:
        y = tf.expand_dims(x, 1)
        return tf.squeeze(
            tf.nn.separable_conv2d(
                y, net.floats(1, 3, 3, 1), net.floats(1, 1, 3, 2), [1, 1, 1, 1], "SAME"
            ),
            1,
        )
    return tf.nn.pool(x, [2], net.pick(["MAX", "AVG"]), [2], net.padding)


@style
def empties(net: Net) -> Any:
    x = net.feed(np.zeros(net.pick([[2, 0], [0], [0, 3]]), "float32"))
    kinds = [
        lambda x: tf.reduce_min(x, -1),
        lambda x: tf.reduce_max(x, -1),
        tf.reduce_sum,
        lambda x: tf.concat([x, x], -1),
        tf.reduce_prod,
        lambda x: tf.reduce_mean(x, 0),
    ]
    return net.pick(kinds)(x)


@style
def trained_branch(net: Net) -> Any:
    x = net.feed(net.floats(4, 6), "input", [None, 6])
    x = tf.nn.dropout(x, rate=0.0) if net.chance() else x
    x = tf.nn.relu(v1.nn.xw_plus_b(x, net.floats(6, 5), net.floats(5)))
    x = tf.nn.softmax(v1.nn.xw_plus_b(x, net.floats(5, 3), net.floats(3)))
    return [x, tf.argmax(x, 1)] if net.chance() else x


@style
def static_batch(net: Net) -> Any:
    x = net.feed(net.floats(4, 5), "input", net.pick([[4, 5], [None, 5]]))
    other = net.pick(
        [
            lambda: tf.reduce_max(x, 0, keepdims=True),
            lambda: net.feed(net.floats(1, 5), "row", [1, 5]),
            lambda: net.floats(1, 5),
            lambda: tf.reduce_mean(x, keepdims=True),
            lambda: x[:1],
        ]
    )()
    return net.pick(
        [tf.add, tf.subtract, tf.multiply, tf.maximum, tf.minimum, tf.divide]
    )(x, other)


variants(
    "dl4j",
    {
        "identity_n": lambda n: tf.identity_n([n.feed(n.floats(2)), n.feed(n.floats(3))]),
        "zeros_like": lambda n: tf.zeros_like(n.feed(array(n, 2, 3))),
        "ones_like": lambda n: tf.ones_like(n.feed(array(n, 2, 3))),
        "rank": lambda n: tf.rank(n.feed(array(n, 2, 3))),
        "size": lambda n: tf.size(n.feed(array(n, 2, 3))),
        "shape": lambda n: tf.shape(n.feed(array(n, 2, 3))),
        "shape_n": lambda n: tf.shape_n([n.feed(n.floats(2, 3)), n.feed(n.floats(1))]),
        "bitcast": lambda n: tf.bitcast(n.feed(n.floats(2, 3)), tf.int32),
        "bits": lambda n: n.pick([tf.bitwise.bitwise_and, tf.bitwise.bitwise_or, tf.bitwise.bitwise_xor, tf.bitwise.left_shift, tf.bitwise.right_shift])(n.feed(n.whole_numbers(9, 3)), n.feed(n.whole_numbers(4, 3))),
        "invert": lambda n: tf.bitwise.invert(n.feed(n.whole_numbers(9, 3))),
        "accumulate": lambda n: tf.math.accumulate_n([n.feed(n.floats(2, 3)), n.feed(n.floats(2, 3))]),
        "add_n": lambda n: tf.add_n([n.feed(array(n, 2, 3, dtype="int32")), n.feed(array(n, 2, 3, dtype="int32"))]),
        "check": lambda n: tf.debugging.check_numerics(n.feed(n.floats(3)), "bad"),
        "cross": lambda n: tf.linalg.cross(n.feed(n.floats(4, 3)), n.feed(n.floats(4, 3))),
        "meshgrid": lambda n: tf.meshgrid(n.feed(n.floats(2)), n.feed(n.floats(3)), indexing=n.pick(["xy", "ij"])),
        "parallel": lambda n: tf.parallel_stack([n.feed(n.floats(3), shape=[3]), n.feed(n.floats(3), shape=[3])]),
        "permutation": lambda n: tf.math.invert_permutation(n.feed(n.rng.permutation(4).astype(n.pick(["int32", "int64"])))),
        "sequence_mask": lambda n: tf.sequence_mask(n.feed(n.whole_numbers(4, 3)), n.pick([None, 5])),
        "reverse_sequence": lambda n: tf.reverse_sequence(n.feed(n.floats(3, 4)), np.int32([1, 3, 4]), 1, 0),
        "stitch": lambda n: tf.dynamic_stitch([np.int32([0, 2]), np.int32([1])], [n.feed(n.floats(2, 2)), n.feed(n.floats(1, 2))]),
        "partition": lambda n: tf.dynamic_partition(n.feed(n.floats(5)), np.int32([0, 1, 0, 1, 1]), 2),
        "space": lambda n: tf.nn.space_to_depth(n.feed(n.floats(1, 4, 4, 2)), 2),
        "lin_space": lambda n: tf.linspace(n.feed(np.float32(0.0)), n.feed(np.float32(5.0)), n.pick([5, 3])),
        "one_hot": lambda n: tf.one_hot(n.feed(n.whole_numbers(4, *n.pick([[], [3], [2, 2]]))), 4, axis=n.pick([-1, 0]), on_value=n.pick([None, 2.0])),
        "embedding": lambda n: tf.nn.embedding_lookup(n.floats(6, 3), n.feed(n.whole_numbers(6, 4))),
        "gather_nd": lambda n: tf.gather_nd(n.feed(n.floats(3, 4)), np.int32([[0, 1], [2, 3]]), batch_dims=0),
        "quant": lambda n: tf.quantization.fake_quant_with_min_max_args(n.feed(n.floats(3)), -1.0, 1.0, 8),
        "quant_vars": lambda n: tf.quantization.fake_quant_with_min_max_vars_per_channel(n.feed(n.floats(2, 3)), np.float32([-1, -2, 0]), np.float32([1, 2, 1])),
        "special": lambda n: n.pick([tf.math.lgamma, tf.math.digamma, tf.math.erf, tf.math.erfc, tf.math.bessel_i0, tf.math.softsign, tf.math.asinh, tf.math.cosh, tf.math.log1p, tf.math.expm1, tf.math.ndtri])(n.feed(n.rng.uniform(0.1, 0.9, (2, 3)).astype("float32"))),
        "gamma": lambda n: n.pick([tf.math.igamma, tf.math.igammac, tf.math.zeta, tf.math.polygamma, tf.math.xlogy, tf.math.xdivy, tf.math.pow, tf.math.floordiv, tf.math.floormod, tf.math.atan2, tf.math.divide_no_nan, tf.math.nextafter, tf.math.truediv])(n.feed(np.ceil(n.above(3)) + 1), n.feed(n.above(3))),
        "betainc": lambda n: tf.math.betainc(n.feed(n.above(3)), n.feed(n.above(3)), np.float32([0.2, 0.5, 0.8])),
        "nms": lambda n: tf.image.non_max_suppression(n.feed(np.sort(n.rng.uniform(0, 1, (5, 2, 2)), 1).reshape(5, 4).astype("float32")), n.feed(n.above(5)), 3),
        "boxes": lambda n: v1.image.draw_bounding_boxes(n.feed(n.floats(1, 6, 6, 3)), np.float32([[[0.1, 0.2, 0.7, 0.9]]])),
        "crops": lambda n: tf.image.crop_and_resize(n.feed(n.floats(1, 6, 6, 3)), n.feed(np.float32([[0.1, 0.2, 0.7, 0.9]])), np.int32([0]), [3, 3]),
        "argmax_pool": lambda n: list(tf.nn.max_pool_with_argmax(n.feed(n.floats(1, 4, 4, 2)), 2, 2, "SAME")),
        "moments": lambda n: tf.nn.moments(n.feed(n.floats(4, 3)), n.pick([[0], [1], [0, 1]])),
        "sufficient": lambda n: [t for t in tf.nn.sufficient_statistics(n.feed(n.floats(4, 3), shape=[4, 3]), [0]) if t is not None],
        "normalize": lambda n: tf.nn.normalize_moments(n.feed(np.float32(4)), n.feed(n.floats(3)), n.feed(n.above(3)), None),
        "erosion": lambda n: tf.nn.erosion2d(n.feed(n.floats(1, 5, 5, 2)), n.floats(2, 2, 2), [1, 1, 1, 1], "SAME", "NHWC", [1, 1, 1, 1]),
        "ctc": lambda n: tf.nn.ctc_greedy_decoder(n.feed(n.floats(5, 1, 4)), np.int32([5]))[1],
        "strings": lambda n: tf.strings.to_number(n.feed(np.array([b"1.5", b"2"], object))),
        "join": lambda n: tf.strings.join([n.feed(np.array([b"a", b"b"], object)), tf.constant([b"x", b"y"])]),
        "complex": lambda n: tf.abs(tf.complex(n.feed(n.floats(3)), n.feed(n.floats(3)))),
        "fft": lambda n: tf.abs(tf.signal.rfft(n.feed(n.floats(2, 8)))),
        "stft": lambda n: tf.abs(tf.signal.stft(n.feed(n.floats(2, 64)), 16, 8)),
        "mfcc": lambda n: tf.signal.mfccs_from_log_mel_spectrograms(n.feed(n.floats(2, 5, 8))),
        "dct": lambda n: tf.signal.dct(n.feed(n.floats(2, 8)), norm=n.pick([None, "ortho"])),
        "frames": lambda n: tf.signal.frame(n.feed(n.floats(2, 20)), 6, 3),
        "pairs": lambda n: tf.tensordot(n.feed(n.floats(2, 3, 4)), n.feed(n.floats(4, 3, 2)), [[1, 2], [1, 0]]),
        "xw": lambda n: v1.nn.relu_layer(n.feed(n.floats(2, 3)), n.floats(3, 4), n.floats(4)),
        "const_range": lambda n: tf.cast(tf.range(5), tf.float32) * n.feed(n.floats(5)),
        "stop": lambda n: tf.stop_gradient(n.feed(n.floats(3))) * 2.0,
        "stored": lambda n: tf.concat([n.feed(n.floats(2, 3)), tf.constant(n.floats(2, 20))], 1),
    },
)  # fmt: skip
