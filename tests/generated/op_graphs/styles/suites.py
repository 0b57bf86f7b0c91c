"""What the tests of converters and importers try and the other styles do not, after reading tf2onnx's and OpenCV's.

Outputs by the handful, sizes that are fed, borders padded unevenly, weights of eight bits, layers of TensorFlow 1 whose mode is fed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from ..net import Net, variants
from ..parts import conv, fed, number, ones, variable

v1 = tf.compat.v1
raw = tf.raw_ops


def defun_dropout(net: Net) -> Any:
    training = net.feed(np.False_, "isTraining", [])

    @tf.function
    def dropout(x: Any, training: Any) -> Any:
        return tf.cond(
            training, lambda: v1.nn.dropout(x, rate=0.1), lambda: tf.identity(x)
        )

    return tf.nn.relu(dropout(conv(net, fed(net, 1, 10, 10, 3), 3), training))


def mode_norm(net: Net) -> Any:
    """tf.layers.batch_normalization whose mode is fed, of old and of new."""
    training = net.feed(np.False_, "isTraining", [])
    x = fed(net, 1, 2, 3, 4)
    mean, variance = tf.nn.moments(x, [0, 1, 2])
    stored = (
        variable(net, "moving_mean", 4),
        tf.abs(variable(net, "moving_variance", 4)) + 0.1,
    )
    if net.chance():
        v1.disable_control_flow_v2()
    pick = v1.cond if net.chance() else tf.cond
    try:
        mean, variance = pick(training, lambda: (mean, variance), lambda: stored)
    finally:
        v1.enable_control_flow_v2()
    return tf.nn.batch_normalization(
        x, mean, variance, variable(net, "beta", 4), variable(net, "gamma", 4), 1e-3
    )


def block_lstm(net: Net) -> Any:
    steps, batch, width, units = 4, 2, 6, 5
    x = fed(net, steps, batch, width)
    zeros = tf.zeros([batch, units])
    out = raw.BlockLSTM(
        seq_len_max=np.int64(steps), x=x, cs_prev=zeros, h_prev=zeros, w=variable(net, "kernel", width + units, 4 * units),
        wci=variable(net, "w_i", units), wcf=variable(net, "w_f", units), wco=variable(net, "w_o", units), b=variable(net, "bias", 4 * units),
        forget_bias=0.9, cell_clip=0.4, use_peephole=True,
    ).h  # fmt: skip
    last = tf.reshape(tf.slice(out, [steps - 1, 0, 0], [1, -1, units]), [-1, units])
    return tf.nn.sigmoid(
        tf.matmul(last, variable(net, "w", units, 2)) + variable(net, "b", 2)
    )


def unpooled(net: Net) -> Any:
    x = fed(net, 1, 7, 7, 3)
    pool = tf.nn.max_pool2d(x, 2, 2, "VALID")
    return raw.MaxPoolGrad(
        orig_input=x,
        orig_output=pool,
        grad=conv(net, pool, 3),
        ksize=[1, 2, 2, 1],
        strides=[1, 2, 2, 1],
        padding="VALID",
    )


def instance_norm(net: Net) -> Any:
    x = fed(net, 1, 3, 4, 5)
    mean, variance = tf.nn.moments(x, [1, 2], keepdims=True)
    return tf.nn.batch_normalization(
        x, mean, variance, variable(net, "beta", 5), variable(net, "gamma", 5), 1e-5
    )


def slim_softmax(net: Net) -> Any:
    x = conv(net, net.feed(net.floats(1, 2, 3, 4), "input", [None, 2, 3, 4]), 3)
    return tf.reshape(tf.nn.softmax(tf.reshape(x, [-1, 3])), tf.shape(x))


def gemm(net: Net) -> Any:
    m, n, k = (net.whole(1, 9) for _ in range(3))
    a, b, c = fed(net, m, n), fed(net, n, k), fed(net, m, k)
    kinds = [
        lambda: 1.0 * tf.matmul(a, b) + 2.0 * c,
        lambda: tf.matmul(a, b) + 2.0 * c,
        lambda: tf.matmul(a, b) + c,
    ]
    return net.pick(kinds)()


def masked_slices(net: Net) -> Any:
    x = ones(net, 5, 6)
    mask = net.pick(
        ["begin_mask", "end_mask", "shrink_axis_mask", "ellipsis_mask", "new_axis_mask"]
    )
    return tf.strided_slice(x, [0, 1], [3, 4], [1, 1], **{mask: 2})


def fed_slices(net: Net) -> Any:
    x, y = ones(net, 1, 2, 3, 4, 5, 6), number(net, 1)
    cuts = [
        lambda: x[0:y, ..., y, y:, :y], lambda: x[0:y, y, y:, :y, ...], lambda: x[..., 0:y, y, y:, :y], lambda: x[:, y:2],
        lambda: x[:, y:, :y], lambda: x[:, -y], lambda: x[:, :, y:y + 1, tf.newaxis], lambda: x[:, :, ::y],
    ]  # fmt: skip
    return net.pick(cuts)()


def where_of_ranks(net: Net) -> Any:
    x = net.feed(net.floats(10), "x")
    wide = net.floats(10, 2), net.floats(10, 2)
    kinds = [
        lambda: v1.where(x >= 0, *wide), lambda: tf.where(x > -1, *net.floats(2, 10)), lambda: tf.where(number(net, 6.0, "float32") >= 0, *net.floats(2, 10)),
        lambda: tf.where(tf.reshape(x, [1, 1, 10]) >= 0, 1.0, x), lambda: tf.where(x > 0), lambda: tf.where(number(net, [[0, 1], [2, 0]])),
    ]  # fmt: skip
    return net.pick(kinds)()


def fed_resize(net: Net) -> Any:
    x, size = ones(net, 3, 10, 8, 5), number(net, net.pick([[20, 16], [5, 16], [7, 3]]))
    how = net.pick(
        [
            v1.image.resize_bilinear,
            v1.image.resize_nearest_neighbor,
            v1.image.resize_bicubic,
        ]
    )
    return how(x, size, align_corners=net.chance(0.3), half_pixel_centers=False)


def uneven(net: Net, first: bool) -> Any:
    """Convolutions, pools and their turns with borders padded by hand."""
    form, sides = (
        ("NCHW", [[0, 0], [0, 0], [2, 1], [2, 1]])
        if first
        else ("NHWC", [[0, 0], [2, 1], [2, 1], [0, 0]])
    )
    x = fed(net, *([1, 2, 3, 4] if first else [1, 3, 4, 2]))
    strides = [1, 1, 3, 2] if first else [1, 3, 2, 1]
    if net.chance():
        return tf.nn.conv2d(x, net.floats(3, 3, 2, 3), strides, sides, form)
    pads = (
        [[0, 0], [0, 0], [1, 0], [1, 1]] if first else [[0, 0], [1, 0], [1, 1], [0, 0]]
    )
    return tf.nn.max_pool2d(x, 2, strides, pads, form)


def uneven_turned(net: Net) -> Any:
    x = fed(net, 1, 2, 3, 3)
    return v1.nn.conv2d_backprop_input(
        [1, 3, 4, 2],
        net.floats(3, 3, 2, 3),
        x,
        [1, 3, 2, 1],
        [[0, 0], [2, 1], [2, 1], [0, 0]],
    )


def eyes(net: Net) -> Any:
    dtype = net.pick(["int32", "int64", "float32"])
    if net.chance():
        x = number(net, 5, dtype)
        return [
            tf.eye(tf.cast(x, tf.int32), dtype=t)
            for t in (tf.int32, tf.int64, tf.float32)
        ]
    x = number(net, [3, 6], dtype)
    return [
        tf.eye(tf.cast(x[0], tf.int32), tf.cast(x[1], tf.int32), dtype=t)
        for t in (tf.int32, tf.float32)
    ]


def ranges(net: Net) -> Any:
    kinds = [
        lambda: tf.range(-5.0, 5.0, number(net, 1.5, "float32")), lambda: tf.range(number(net, 2.5, "float32"), 5.0, 10.0),
        lambda: tf.range(number(net, 7)), lambda: tf.range(number(net, 7), number(net, 1), number(net, -2)), lambda: tf.range(2, number(net, 9), 3) * 2,
    ]  # fmt: skip
    return net.pick(kinds)()


def constants(net: Net) -> Any:
    """Graphs without an input."""
    kinds = [
        lambda: tf.range(0, -5.0, -2) * 2.0, lambda: tf.stack([tf.constant(net.floats(3, 4)) for _ in range(3)], net.whole(0, 1)),
        lambda: tf.unstack(tf.constant(net.floats(3, 2, 4)), axis=net.whole(0, 1)), lambda: tf.fill([2, 3], 4.0) + net.floats(3),
    ]  # fmt: skip
    return net.pick(kinds)()


def joined_empties(net: Net) -> Any:
    kinds = [
        lambda: tf.concat([fed(net, 3), tf.zeros([0])], 0), lambda: tf.concat([fed(net, 1, 3), tf.zeros([1, 0])], 1),
        lambda: tf.concat([fed(net, 3), tf.zeros([0]), fed(net, 3)], 0), lambda: tf.concat([fed(net, 2, 3), fed(net, 2, 3), fed(net, 2, 3)], net.pick([0, -1])),
    ]  # fmt: skip
    return net.pick(kinds)()


def turned_sequences(net: Net) -> Any:
    shape = net.pick([(3, 3, 3), (3, 3), (3, 3, 4, 2, 2)])
    time = net.whole(0, 1)
    lengths: Any = (
        np.int32([2, 3, 1])
        if net.chance()
        else number(net, [2, 3, 1], net.pick(["int32", "int64"]))
    )
    return tf.reverse_sequence(
        fed(net, *shape), lengths, seq_axis=time, batch_axis=1 - time
    )


def suppressed(net: Net) -> Any:
    boxes = net.feed(net.rng.random((10, 4)).astype("float32"), "boxes")
    scores = net.feed(net.rng.random(10).astype("float32"), "scores")
    kinds = [
        lambda: [tf.image.non_max_suppression(boxes, scores, k) for k in (5, 0)],
        lambda: tf.image.non_max_suppression_padded(
            boxes, scores, 5, pad_to_max_output_size=True
        ),
        lambda: tf.image.non_max_suppression_with_scores(
            boxes, scores, 5, soft_nms_sigma=0.5
        ),
        lambda: list(
            tf.image.combined_non_max_suppression(
                tf.reshape(boxes, [1, 10, 1, 4]), tf.reshape(scores, [1, 10, 1]), 4, 6
            )
        ),
    ]
    return net.pick(kinds)()


def reduced_bools(net: Net) -> Any:
    x, keep = net.feed(net.rng.random((4, 5)) < 0.7, "x"), net.chance()
    reduce = net.pick([tf.reduce_all, tf.reduce_any])
    return reduce(x, keepdims=keep), reduce(x, [0], keepdims=keep)


def segments(net: Net) -> Any:
    x, n = fed(net, 5, 3), 4
    ids = np.int32([0, 0, 1, 3, 3])
    kinds = [
        *(
            lambda f=f: f(x, number(net, ids))
            for f in (
                tf.math.segment_sum,
                tf.math.segment_mean,
                tf.math.segment_max,
                tf.math.segment_min,
                tf.math.segment_prod,
            )
        ),
        *(
            lambda f=f: f(x, number(net, [3, -1, 0, 0, 2]), n)
            for f in (
                tf.math.unsorted_segment_sum,
                tf.math.unsorted_segment_mean,
                tf.math.unsorted_segment_max,
                tf.math.unsorted_segment_prod,
            )
        ),
        lambda: tf.math.unsorted_segment_sum(
            x, number(net, [3, 1, 0, 0, 2]), number(net, 4)
        ),
        *(
            lambda f=f: f(x, number(net, [4, 0, 2]), number(net, [0, 0, 1]))
            for f in (
                tf.sparse.segment_sum,
                tf.sparse.segment_mean,
                tf.sparse.segment_sqrt_n,
            )
        ),
        lambda: tf.sparse.segment_sum(
            x, number(net, [4, 0, 2]), number(net, [0, 0, 2]), num_segments=4
        ),
    ]
    return net.pick(kinds)()


def scattered(net: Net) -> Any:
    x, at, new = fed(net, 4, 3), number(net, [[2], [0]]), fed(net, 2, 3)
    kinds = [
        lambda: tf.tensor_scatter_nd_update(x, at, new), lambda: tf.tensor_scatter_nd_add(x, at, new), lambda: tf.tensor_scatter_nd_sub(x, at, new),
        lambda: tf.tensor_scatter_nd_max(x, at, new), lambda: tf.scatter_nd(at, new, number(net, [5, 3])), lambda: tf.scatter_nd(np.int32([[1], [1]]), new, [4, 3]),
        lambda: raw.TensorScatterUpdate(tensor=x, indices=number(net, [[2, 1], [0, 0]]), updates=fed(net, 2)),
    ]  # fmt: skip
    return net.pick(kinds)()


def diagonals(net: Net) -> Any:
    x = fed(net, 2, 4, 5)
    k = net.pick([0, 1, -1, (-1, 1)])
    kinds = [
        lambda: tf.linalg.diag_part(x, k=k, padding_value=7.0), lambda: tf.linalg.diag(fed(net, 2, 3), k=net.pick([0, 1, -1]), padding_value=2.0),
        lambda: tf.linalg.set_diag(x, fed(net, 2, 4), k=0), lambda: tf.linalg.diag_part(x, k=number(net, 1)), lambda: raw.MatrixDiagPart(input=x[:, :, :4]),
        lambda: [tf.linalg.band_part(x, -1, 0), tf.linalg.band_part(x, 0, -1)], lambda: tf.linalg.band_part(x, number(net, 1, "int64"), np.int64(2)),
        lambda: tf.linalg.set_diag(x, fed(net, 2, 3, 4), k=(-1, 1), align="LEFT_RIGHT"), lambda: tf.linalg.diag(fed(net, 2, 2, 3), k=(0, 1)),
    ]  # fmt: skip
    return net.pick(kinds)()


def ragged(net: Net) -> Any:
    x = fed(net, 6, 2)
    lengths = number(net, [2, 0, 3, 1], "int64")
    rows = tf.RaggedTensor.from_row_lengths(x, lengths, validate=False)
    kinds = [
        lambda: rows.to_tensor(), lambda: rows.to_tensor(9.0), lambda: tf.reduce_sum(rows, 1), lambda: tf.gather(rows, np.int64([2, 0])).to_tensor(),
        lambda: tf.ragged.range(number(net, [3, 0, 2])).to_tensor(), lambda: rows.row_lengths(), lambda: rows.value_rowids(), lambda: rows.row_splits,
        lambda: tf.RaggedTensor.from_tensor(fed(net, 3, 4), lengths=number(net, [1, 4, 2], "int64")).values, lambda: tf.ragged.map_flat_values(tf.nn.relu, rows).to_tensor(),
        lambda: tf.concat([rows, rows], 0).to_tensor(), lambda: rows.with_values(x * 2.0).to_tensor(shape=[None, 4, 2]),
    ]  # fmt: skip
    return net.pick(kinds)()


def sparse(net: Net) -> Any:
    at = np.int64([[0, 1], [1, 0], [2, 2]])
    x = tf.SparseTensor(number(net, at, "int64"), fed(net, 3), np.int64([3, 4]))
    kinds = [
        lambda: tf.sparse.to_dense(x), lambda: tf.sparse.to_dense(x, 5.0), lambda: tf.sparse.sparse_dense_matmul(x, fed(net, 4, 2)), lambda: tf.sparse.reduce_sum(x, 1),
        lambda: tf.sparse.fill_empty_rows(x, 0.0)[0].values, lambda: tf.sparse.to_dense(tf.sparse.reshape(x, [4, 3])), lambda: tf.sparse.softmax(x).values,
        lambda: tf.nn.safe_embedding_lookup_sparse(net.floats(5, 3), tf.SparseTensor(number(net, at[:2], "int64"), number(net, [2, 4], "int64"), np.int64([2, 3]))),
    ]  # fmt: skip
    return net.pick(kinds)()


def whole_ops(net: Net) -> Any:
    x, y = number(net, [7, -7, 8, 0]), number(net, [2, 2, -3, 5])
    kinds = [
        lambda: raw.Div(x=x, y=y), lambda: tf.math.floordiv(x, y), lambda: tf.math.floormod(x, y), lambda: raw.TruncateDiv(x=x, y=y), lambda: raw.TruncateMod(x=x, y=y),
        lambda: tf.sign(x), lambda: tf.nn.leaky_relu(x, net.pick([0.1, -0.1, 1.0])), lambda: tf.clip_by_value(x, -2, 5), lambda: tf.nn.relu(x), lambda: tf.argmax(x), lambda: tf.pow(x, 2),
        lambda: tf.invert_permutation(number(net, [2, 0, 1])) if hasattr(tf, "invert_permutation") else tf.math.invert_permutation(number(net, [2, 0, 1])),
        lambda: list(tf.unique(x)), lambda: list(tf.unique_with_counts(x)), lambda: tf.searchsorted(np.int32([1, 3, 7]), x), lambda: raw.Bucketize(input=x, boundaries=[-1.0, 3.0]),
        lambda: tf.bitwise.left_shift(tf.abs(x), np.int32(2)), lambda: tf.math.bincount(tf.abs(x), minlength=3, maxlength=6), lambda: tf.reduce_prod(x), lambda: tf.cumsum(x, reverse=True, exclusive=True),
    ]  # fmt: skip
    return net.pick(kinds)()


def not_numbers(net: Net) -> Any:
    """Where functions have no value: what comes out is no number there, and the same elsewhere."""
    x = ones(net, 3, 4)
    f = net.pick(
        [tf.asin, tf.acos, tf.atanh, tf.acosh, tf.math.log, tf.sqrt, tf.math.rsqrt]
    )
    return (
        f(x - 6.0)
        if net.chance()
        else [tf.math.is_nan(f(x - 6.0)), tf.math.is_inf(x / (x - 3.0))]
    )


def images(net: Net) -> Any:
    x = net.feed(net.rng.random((1, 6, 7, 3)).astype("float32"), "x")
    boxes = net.feed(
        np.sort(net.rng.random((3, 2, 2)), 1).reshape(3, 4).astype("float32"), "boxes"
    )
    kinds = [
        lambda: tf.image.crop_and_resize(x, boxes, np.int32([0, 0, 0]), [4, 5], net.pick(["bilinear", "nearest"]), 0.5), lambda: tf.image.adjust_hue(x, 0.1), lambda: tf.image.adjust_saturation(x, 1.5),
        lambda: tf.image.rgb_to_hsv(x), lambda: tf.image.rgb_to_grayscale(x), lambda: tf.image.rgb_to_yuv(x), lambda: tf.image.per_image_standardization(x), lambda: tf.image.resize(x, [3, 4], "area"),
        lambda: tf.image.resize(x, [9, 8], "lanczos3", antialias=net.chance()), lambda: tf.image.pad_to_bounding_box(x, 1, 2, 9, 10), lambda: tf.image.rot90(x, 3), lambda: list(tf.image.image_gradients(x)),
        lambda: tf.image.sobel_edges(x), lambda: tf.image.total_variation(x), lambda: tf.image.ssim(x, tf.reverse(x, [1]), 1.0, filter_size=3), lambda: tf.image.central_crop(x, 0.5), lambda: tf.image.adjust_gamma(x, 2.0),
        lambda: tf.image.convert_image_dtype(x, tf.uint8), lambda: tf.image.extract_glimpse(x, [3, 3], np.float32([[0.1, 0.2]])), lambda: tf.nn.space_to_depth(x[:, :, :6], 2), lambda: tf.image.flip_left_right(x),
    ]  # fmt: skip
    return net.pick(kinds)()


def volumes(net: Net) -> Any:
    x = fed(net, 1, 4, 6, 5, 3)
    kinds = [
        lambda: tf.nn.conv3d(x, net.floats(2, 3, 4, 3, 2), [1, *net.pick([(1, 1, 1), (2, 1, 2)]), 1], net.padding), lambda: tf.nn.max_pool3d(x, [3, 2, 3], [1, 2, 1], "SAME"),
        lambda: tf.nn.avg_pool3d(x, [3, 3, 2], [2, 1, 1], "VALID"), lambda: tf.nn.conv3d_transpose(x, net.floats(2, 2, 2, 4, 3), [1, 8, 12, 10, 4], 2, "SAME"),
        lambda: v1.nn.batch_normalization(x, variable(net, "m", 3), tf.abs(variable(net, "v", 3)) + 0.1, variable(net, "b", 3), variable(net, "g", 3), 1e-3),
        lambda: tf.nn.conv3d_transpose(x, net.floats(3, 3, 3, 2, 3), tf.stack([tf.shape(x)[0], 8, 12, 10, 2]), 2, "SAME"), lambda: tf.nn.conv3d(x, net.floats(2, 2, 2, 3, 2), [1] * 5, "SAME", dilations=[1, 1, 2, 2, 1]),
    ]  # fmt: skip
    return net.pick(kinds)()


def products(net: Net) -> Any:
    equations = "ij,jk->ik bij,bjk->bik bhwc,hkc->bhwk abc,cd->abd ij->ji ijk->kij ii->i ij,ij->ij i,j->ij bij,bij-> ...ij,...jk->...ik bqhd,bkhd->bhqk"
    equation = net.pick(equations.split())
    terms, sizes = equation.split("->")[0].split(","), dict(
        zip("abcdhijkqw", (2, 3, 4, 5, 2, 3, 3, 4, 3, 2))
    )
    operands = [
        fed(net, *(2 if c == "." else sizes[c] for c in t.replace("...", ".")))
        for t in terms
    ]
    return tf.einsum(equation, *operands)


variants(
    "suite",
    {
        "defun_dropout": defun_dropout, "mode_norm": mode_norm, "block_lstm": block_lstm, "unpooled": unpooled, "instance_norm": instance_norm, "slim_softmax": slim_softmax, "gemm": gemm,
        "masked_slices": masked_slices, "fed_slices": fed_slices, "where_of_ranks": where_of_ranks, "fed_resize": fed_resize, "uneven_first": lambda n: uneven(n, True), "uneven_last": lambda n: uneven(n, False),
        "uneven_turned": uneven_turned, "eyes": eyes, "ranges": ranges, "constants": constants, "joined_empties": joined_empties, "turned_sequences": turned_sequences, "suppressed": suppressed,
        "reduced_bools": reduced_bools, "segments": segments, "scattered": scattered, "diagonals": diagonals, "ragged": ragged, "sparse": sparse, "whole_ops": whole_ops, "not_numbers": not_numbers,
        "images": images, "volumes": volumes, "products": products,
    },
)  # fmt: skip
