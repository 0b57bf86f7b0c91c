"""Pooling, merging, reshaping, up-sampling, dropout, front ends, scales: the layers without a kernel."""

from __future__ import annotations

from typing import Any

import keras as k
import pytest
import tensorflow as tf

from .spelling import (
    NearMiss,
    Spelling,
    check_near_miss,
    check_spelling,
    const,
    found_in,
    image,
    keras,
    spell,
    v1,
    weight,
)

L = k.layers


def other(*shape: int | None) -> Any:
    return image(*shape, name="y")


def pool_line(kind: Any, axis: int = 1) -> Any:
    wide = tf.expand_dims(image(None, 9, 3), axis)
    window = [1, 1, 3, 1] if axis == 1 else [1, 3, 1, 1]
    return tf.squeeze(kind(wide, window, window, "VALID"), [axis])


def windows(reduce: Any, axis: Any = (2, 4), columns: int = 4) -> Any:
    """Windows of 4 rows and 2 columns as axes of their own."""
    t = image(None, 8, 2 * columns, 3)
    return reduce(tf.reshape(t, [-1, 2, 4, 4, 2, 3]), axis=list(axis))


def drop_scaled(keep: float = 0.75) -> Any:
    t = image(None, 12)
    uniform = tf.random.uniform(tf.shape(t))
    return t * tf.floor(keep + uniform) * (1 / 0.75)


def drop_tf1(keep: float = 0.75) -> Any:
    t = image(None, 12)
    uniform = tf.random.uniform(tf.shape(t))
    return tf.divide(t, tf.constant(0.75)) * tf.floor(keep + uniform)


def drop_fed_tf1() -> Any:
    t, keep = image(None, 12), v1.placeholder(tf.float32, [], "keep_prob")
    uniform = tf.random.uniform(tf.shape(t))
    return tf.divide(t, keep) * tf.floor(keep + uniform)


def drop_tf2(scale: float = 1 / 0.75) -> Any:
    t = image(None, 12)
    uniform = tf.random.uniform(tf.shape(t))
    return t * scale * tf.cast(uniform >= 0.25, tf.float32)


def drop_divided(kept: float = 0.75) -> Any:
    t = image(None, 12)
    uniform = tf.random.uniform(tf.shape(t))
    return t / kept * tf.cast(uniform >= 0.25, tf.float32)


def drop_fed(scaled: bool = True) -> Any:
    rate = v1.placeholder(tf.float32, [], "rate")
    t = image(None, 12)
    uniform = tf.random.uniform(tf.shape(t))
    mask = tf.cast(uniform >= rate, tf.float32)
    return t * (1 / (1 - rate)) * mask if scaled else t * (1 / rate) * mask


def drop_fed_keep(least: float = 1.0) -> Any:
    keep = v1.placeholder(tf.float32, [], "keep_prob")
    t = image(None, 12)
    uniform = tf.random.uniform(tf.shape(t))
    rate = least - keep
    return t * (1 / (1 - rate)) * tf.cast(uniform >= rate, tf.float32)


def spatial_dropout(*shape: Any, ones: Any = None) -> Any:
    """``noise_shape`` of 1 along the spatial axes, or along ``ones``."""
    t = image(*(shape or (None, 8, 8, 3)))
    rank = len(t.shape)
    shared = range(1, rank - 1) if ones is None else ones
    size = [1 if i in shared else t.shape[i] or tf.shape(t)[i] for i in range(rank)]
    return v1.nn.dropout(t, rate=0.5, noise_shape=size)


def shared_dropout() -> Any:
    return v1.nn.dropout(image(None, 12), rate=0.5, noise_shape=[1, 12])


def doubled(kind: Any, factor: int = 2) -> Any:
    t = image(None, None, None, 3)
    return kind(t, tf.shape(t)[1:3] * factor)


def resized(half: bool = True) -> Any:
    return tf.raw_ops.ResizeBilinear(
        images=image(), size=[5, 7], half_pixel_centers=half
    )


def nearest(half: bool = True) -> Any:
    return tf.raw_ops.ResizeNearestNeighbor(
        images=image(), size=[5, 7], half_pixel_centers=half
    )


def slim_flatten() -> Any:
    t = image(None, 4, 4, 3)
    return tf.reshape(t, tf.stack([tf.shape(t)[0], -1]))


def old_flatten() -> Any:
    t = image(None, 4, 4, 3)
    shape = tf.shape(t)
    return tf.reshape(
        t, tf.concat([tf.slice(shape, [0], [1]), [tf.reduce_prod(shape[1:])]], 0)
    )


def observed(second: float = 1.0) -> Any:
    steps = tf.constant(3.0)
    deviation = tf.sqrt(const(1, 3) / (steps + second))
    return (image(None, 3) - const(0, 3)) / deviation


def observed_folded() -> Any:
    return (image(None, 3) - const(0, 3)) * const(1, 3)


def repeated(first: int = 2) -> Any:
    return tf.repeat(image(None, None, None, 3), 2, first)


SPELLINGS = [
    spell(
        "max",
        "max_pooling_2d",
        lambda: tf.nn.max_pool2d(image(), 3, 2, "SAME"),
        op="MaxPooling2D",
        pool_size=(3, 3),
        strides=(2, 2),
        padding="same",
        data_format="channels_last",
    ),
    spell(
        "average",
        "average_pooling_2d",
        keras(lambda: L.AveragePooling2D(2), None, 8, 8, 3),
        pool_size=(2, 2),
        padding="valid",
    ),
    spell(
        "max of a volume",
        "max_pooling_3d",
        lambda: tf.nn.max_pool3d(image(None, 4, 4, 4, 2), 2, 2, "VALID"),
        strides=(2, 2, 2),
    ),
    spell(
        "average of a volume",
        "average_pooling_3d",
        lambda: tf.nn.avg_pool3d(image(None, 4, 4, 4, 2), 2, 2, "VALID"),
    ),
    spell(
        "max on a line",
        "max_pooling_1d",
        lambda: pool_line(tf.nn.max_pool2d),
        op="MaxPooling1D",
        pool_size=(3,),
        strides=(3,),
    ),
    spell(
        "keras max on a line",
        "max_pooling_1d",
        keras(lambda: L.MaxPooling1D(2), None, 8, 3),
        pool_size=(2,),
    ),
    spell(
        "average on a line",
        "average_pooling_1d",
        lambda: pool_line(tf.nn.avg_pool2d, 2),
        pool_size=(3,),
    ),
    spell(
        "global average",
        "global_average_2d",
        lambda: tf.reduce_mean(image(), [1, 2]),
        keepdims=False,
        data_format="channels_last",
    ),
    spell(
        "slim's global pool",
        "global_average_2d",
        lambda: tf.reduce_mean(image(), [1, 2], keepdims=True),
        keepdims=True,
    ),
    spell(
        "global max",
        "global_max_2d",
        lambda: tf.reduce_max(image(), [2, 1]),
        op="GlobalMaxPooling2D",
    ),
    spell(
        "global average of a line",
        "global_average_1d",
        lambda: tf.reduce_mean(image(None, 5, 12), 1),
        op="GlobalAveragePooling1D",
    ),
    spell(
        "global max of a line",
        "global_max_1d",
        lambda: tf.reduce_max(image(None, 5, 12), 1),
    ),
    spell(
        "global average of a volume",
        "global_average_3d",
        lambda: tf.reduce_mean(image(None, 4, 4, 4, 2), [1, 2, 3]),
    ),
    spell(
        "global max of a volume",
        "global_max_3d",
        lambda: tf.reduce_max(image(None, 4, 4, 4, 2), [-4, -3, -2]),
    ),
    spell("add", "add", lambda: image() + other(), op="Add"),
    spell("subtract", "subtract", lambda: image() - other()),
    spell("multiply", "multiply", lambda: image() * other()),
    spell("maximum", "maximum", lambda: tf.maximum(image(), other())),
    spell("minimum", "minimum", lambda: tf.minimum(image(), other())),
    spell("average of two", "average", lambda: (image() + other()) / 2.0),
    spell("add_n", "add_n", lambda: tf.add_n([image(), other(), image(name="z")])),
    spell("concat", "concatenate", lambda: tf.concat([image(), other()], 3), axis=-1),
    spell(
        "concat in the middle",
        "concatenate",
        lambda: tf.concat([image(), other()], 1),
        axis=1,
    ),
    spell("flatten", "flatten", lambda: tf.reshape(image(), [-1, 192])),
    spell("slim's flatten", "flatten", slim_flatten),
    spell("contrib's flatten", "flatten", old_flatten),
    spell("keras Flatten", "flatten", keras(lambda: L.Flatten(), None, 4, 4, 3)),
    spell(
        "reshape",
        "reshape",
        lambda: tf.reshape(image(None, 12), [-1, 3, 4]),
        target_shape=(3, 4),
    ),
    spell(
        "keras Reshape",
        "reshape",
        keras(lambda: L.Reshape((4, -1)), None, 12),
        target_shape=(4, 3),
    ),
    spell(
        "permute",
        "permute",
        lambda: tf.transpose(image(), [0, 3, 1, 2]),
        dims=(3, 1, 2),
    ),
    spell(
        "zero padding",
        "zero_padding_2d",
        lambda: tf.pad(image(), [[0, 0], [1, 2], [3, 3], [0, 0]]),
        padding=((1, 2), (3, 3)),
    ),
    spell(
        "padding of a line",
        "zero_padding_1d",
        lambda: tf.pad(image(None, 9, 3), [[0, 0], [1, 0], [0, 0]]),
        padding=(1, 0),
    ),
    spell(
        "padding of a volume",
        "zero_padding_3d",
        keras(lambda: L.ZeroPadding3D(1), None, 2, 2, 2, 1),
        padding=((1, 1), (1, 1), (1, 1)),
    ),
    spell(
        "cropping",
        "cropping_2d",
        keras(lambda: L.Cropping2D(((1, 2), (0, 1))), None, 8, 8, 3),
        cropping=((1, 2), (0, 1)),
    ),
    spell(
        "slice",
        "cropping_2d",
        lambda: image()[:, 1:6, 2:, :],
        cropping=((1, 2), (2, 0)),
    ),
    spell(
        "cropping of a line",
        "cropping_1d",
        lambda: image(None, 9, 3)[:, 1:-1],
        cropping=(1, 1),
    ),
    spell(
        "cropping of a volume",
        "cropping_3d",
        lambda: image(None, 4, 4, 4, 1)[:, 1:-1, 1:, :-1],
        cropping=((1, 1), (1, 0), (0, 1)),
    ),
    spell(
        "nearest to twice the shape",
        "upsampling_nearest",
        lambda: doubled(v1.image.resize_nearest_neighbor),
        size=(2, 2),
        interpolation="nearest",
    ),
    spell(
        "bilinear to twice the shape",
        "upsampling_bilinear",
        lambda: doubled(tf.image.resize),
        size=(2, 2),
    ),
    spell(
        "keras UpSampling2D",
        "upsampling_by_repetition",
        keras(lambda: L.UpSampling2D((2, 3)), None, None, None, 3),
        size=(2, 3),
    ),
    spell(
        "keras UpSampling1D",
        "upsampling_1d",
        keras(lambda: L.UpSampling1D(2), None, 5, 3),
        size=2,
    ),
    spell(
        "to a fixed size",
        "resizing_bilinear",
        resized,
        height=5,
        width=7,
        interpolation="bilinear",
    ),
    spell("nearest to a fixed size", "resizing_nearest", nearest, height=5, width=7),
    spell(
        "repeat vector",
        "repeat_vector",
        lambda: tf.tile(tf.expand_dims(image(None, 3), 1), [1, 4, 1]),
        n=4,
    ),
    spell(
        "dropout",
        "dropout",
        lambda: v1.nn.dropout(image(None, 12), rate=0.25),
        rate=0.25,
    ),
    spell("one mask for all", "dropout", shared_dropout, noise_shape=[1, 12]),
    spell(
        "dropped rows",
        "spatial_dropout_1d",
        lambda: spatial_dropout(None, 9, 3),
        rate=0.5,
    ),
    spell(
        "dropped channels",
        "spatial_dropout_2d",
        lambda: spatial_dropout(None, 8, 8, 3),
        rate=0.5,
        data_format="channels_last",
    ),
    spell(
        "dropped volumes",
        "spatial_dropout_3d",
        lambda: spatial_dropout(None, 4, 4, 4, 3),
        rate=0.5,
    ),
    spell(
        "noise that is multiplied",
        "gaussian_dropout",
        lambda: image(None, 12) * tf.random.normal([12], mean=1.0, stddev=0.5),
        rate=0.2,
    ),
    spell("dropout of 2.0", "dropout", drop_tf2, rate=0.25),
    spell("dropout of 1.13", "dropout_divided", drop_divided, rate=0.25),
    spell("dropout of 1.0", "dropout_v1", drop_tf1, rate=0.25),
    spell(
        "means of windows",
        "average_by_reshape",
        lambda: windows(tf.reduce_mean),
        pool_size=(4, 2),
    ),
    spell(
        "largest of windows",
        "max_by_reshape",
        lambda: windows(tf.reduce_max, axis=[-2, 2]),
        pool_size=(4, 2),
        strides=(4, 2),
    ),
    spell("dropout scaled after", "dropout_v1_scaled", drop_scaled, rate=0.25),
    spell("dropout of 1.0, fed", "dropout_v1_fed", drop_fed_tf1, rate=0.5),
    spell("dropout with a fed rate", "dropout_fed", drop_fed, rate=0.5),
    spell("dropout with a fed keep_prob", "dropout_fed_keep", drop_fed_keep, rate=0.5),
    spell(
        "gaussian noise",
        "gaussian_noise",
        lambda: image(None, 12) + tf.random.normal([12], stddev=0.1),
        stddev=0.1,
    ),
    spell(
        "to [-1, 1]",
        "rescaling",
        lambda: image() * (1 / 127.5) - 1.0,
        scale=1 / 127.5,
        offset=-1.0,
    ),
    spell("scale alone", "rescaling", lambda: image() * 2.0, scale=2.0, offset=0.0),
    spell("offset alone", "rescaling_offset", lambda: image() - 0.5, offset=-0.5),
    spell("divided", "rescaling_divided", lambda: image() / 255.0, scale=1 / 255),
    spell(
        "shifted",
        "rescaling_shifted",
        lambda: (image() - 128.0) * 0.5,
        scale=0.5,
        offset=-64.0,
    ),
    spell(
        "slim's preprocessing",
        "rescaling_shifted_divided",
        lambda: (image() - 128.0) / 128.0,
        scale=1 / 128,
        offset=-1.0,
    ),
    spell(
        "keras Normalization",
        "normalization",
        keras(
            lambda: L.Normalization(mean=[1.0, 2.0, 3.0], variance=[1.0, 4.0, 9.0]),
            None,
            3,
        ),
        mean=[1.0, 2.0, 3.0],
        variance=[1.0, 4.0, 9.0],
    ),
    spell(
        "keras Normalization, channels first",
        "normalization",
        keras(
            lambda: L.Normalization(axis=1, mean=[1.0, 2.0], variance=[1.0, 4.0]),
            None,
            2,
            4,
            5,
        ),
        axis=1,
        mean=[1.0, 2.0],
        variance=[1.0, 4.0],
    ),
    spell("observations, folded", "normalization_by_share", observed_folded, ""),
    spell("observations", "normalization_by_deviation", observed, ""),
    spell(
        "layer scale",
        "channel_scale",
        lambda: image() * weight("gamma", 3),
        "kernel",
        equation="abcd,d->abcd",
    ),
]


def near(name: str, pattern: str, build: Any) -> NearMiss:
    return NearMiss(name, pattern, build)


NEAR_MISSES = [
    near(
        "statistics along two axes",
        "normalization",
        lambda: (image() - weight("mean", 1, 8, 1, 3))
        / tf.maximum(tf.sqrt(tf.abs(weight("variance", 1, 8, 1, 3))), 1e-7),
    ),
    near(
        "over channels",
        "max_pooling_2d",
        lambda: tf.raw_ops.MaxPool(
            input=image(), ksize=[1, 1, 1, 3], strides=[1, 1, 1, 3], padding="VALID"
        ),
    ),
    near(
        "with its places",
        "average_pooling_2d",
        lambda: tf.nn.max_pool2d(image(), 2, 2, "VALID"),
    ),
    near(
        "max is no average",
        "max_pooling_3d",
        lambda: tf.nn.avg_pool3d(image(None, 4, 4, 4, 2), 2, 2, "VALID"),
    ),
    near(
        "average is no max",
        "average_pooling_3d",
        lambda: tf.nn.max_pool3d(image(None, 4, 4, 4, 2), 2, 2, "VALID"),
    ),
    near(
        "pool over the new axis",
        "max_pooling_1d",
        lambda: tf.squeeze(
            tf.nn.max_pool2d(
                tf.expand_dims(image(None, 9, 3), 1), [1, 1, 9, 1], 1, "VALID"
            ),
            [2],
        ),
    ),
    near(
        "squeezed elsewhere",
        "average_pooling_1d",
        lambda: tf.squeeze(
            tf.nn.avg_pool2d(
                tf.expand_dims(image(None, 9, 3), 1), [1, 1, 9, 1], 1, "VALID"
            ),
            [2],
        ),
    ),
    near(
        "over the batch", "global_average_2d", lambda: tf.reduce_mean(image(), [0, 1])
    ),
    near("over channels too", "global_max_2d", lambda: tf.reduce_max(image(), [1, 3])),
    near(
        "over the last of four", "global_average_1d", lambda: tf.reduce_mean(image(), 3)
    ),
    near(
        "over the batch alone",
        "global_max_1d",
        lambda: tf.reduce_max(image(None, 5, 12), 0),
    ),
    near(
        "three of four", "global_average_3d", lambda: tf.reduce_mean(image(), [1, 2, 3])
    ),
    near(
        "the batch and two",
        "global_max_3d",
        lambda: tf.reduce_max(image(None, 4, 4, 4, 2), [0, 1, 2]),
    ),
    near("ranks differ", "add", lambda: image() + other(8, 3)),
    near("a constant", "subtract", lambda: image() - const(0, 3)),
    near("other rank", "multiply", lambda: image() * other(8, 3)),
    near("with a constant", "maximum", lambda: tf.maximum(image(), const(0, 3))),
    near("with another constant", "minimum", lambda: tf.minimum(image(), const(0, 3))),
    near("a third", "average", lambda: (image() + other()) / 3.0),
    near("ranks of a sum differ", "add_n", lambda: image() + other() + image(name="z")),
    near("along the batch", "concatenate", lambda: tf.concat([image(), other()], 0)),
    near("half of each", "flatten", lambda: tf.reshape(image(), [-1, 96])),
    near("batch mixed in", "reshape", lambda: tf.reshape(image(None, 12), [-1, 3, 2])),
    near("batch moved", "permute", lambda: tf.transpose(image(), [1, 0, 2, 3])),
    near(
        "mirrored",
        "zero_padding_2d",
        lambda: tf.pad(image(), [[0, 0], [1, 1], [1, 1], [0, 0]], "REFLECT"),
    ),
    near(
        "channels padded",
        "zero_padding_2d",
        lambda: tf.pad(image(), [[0, 0], [1, 1], [1, 1], [0, 1]]),
    ),
    near(
        "padded with ones",
        "zero_padding_1d",
        lambda: tf.pad(
            image(None, 9, 3), [[0, 0], [1, 0], [0, 0]], constant_values=1.0
        ),
    ),
    near(
        "batch padded",
        "zero_padding_3d",
        lambda: tf.pad(
            image(None, 2, 2, 2, 1), [[1, 0], [1, 0], [0, 0], [0, 0], [0, 0]]
        ),
    ),
    near("every second", "cropping_2d", lambda: image()[:, ::2, 1:]),
    near("batch cut", "cropping_1d", lambda: image(4, 9, 3)[1:, 1:]),
    near("one entry", "cropping_3d", lambda: image(None, 4, 4, 4, 1)[:, 1]),
    near(
        "aligned corners",
        "upsampling_nearest",
        lambda: tf.raw_ops.ResizeNearestNeighbor(
            images=image(), size=[16, 16], align_corners=True
        ),
    ),
    near(
        "no half pixels",
        "upsampling_bilinear",
        lambda: tf.raw_ops.ResizeBilinear(images=image(), size=[16, 16]),
    ),
    near(
        "of whole numbers",
        "resizing_bilinear",
        lambda: tf.raw_ops.ResizeBilinear(
            images=tf.cast(image(), tf.int32), size=[5, 7], half_pixel_centers=True
        ),
    ),
    near(
        "of half precision",
        "upsampling_bilinear",
        lambda: tf.raw_ops.ResizeBilinear(
            images=tf.cast(image(), tf.float16), size=[16, 16], half_pixel_centers=True
        ),
    ),
    near("repeated once", "upsampling_by_repetition", repeated),
    near(
        "the last axis repeated",
        "upsampling_1d",
        lambda: tf.repeat(image(None, 5, 3), 2, 2),
    ),
    near("fixed without half pixels", "resizing_bilinear", lambda: resized(False)),
    near("nearest without half pixels", "resizing_nearest", lambda: nearest(False)),
    near(
        "features repeated",
        "repeat_vector",
        lambda: tf.tile(tf.expand_dims(image(None, 3), 2), [1, 1, 4]),
    ),
    near(
        "every element",
        "spatial_dropout_1d",
        lambda: spatial_dropout(None, 9, 3, ones=()),
    ),
    near("whole rows", "spatial_dropout_2d", lambda: spatial_dropout(ones=(1,))),
    near("an image", "spatial_dropout_3d", spatial_dropout),
    near(
        "noise of mean 2",
        "gaussian_dropout",
        lambda: image(None, 12) * tf.random.normal([12], mean=2.0, stddev=0.5),
    ),
    near("wrong scale", "dropout", lambda: drop_tf2(2.0)),
    near("wrong divisor", "dropout_divided", lambda: drop_divided(0.5)),
    near("another keep", "dropout_v1", lambda: drop_tf1(0.5)),
    near("over rows", "average_by_reshape", lambda: windows(tf.reduce_mean, [1, 4])),
    near(
        "windows and places", "max_by_reshape", lambda: windows(tf.reduce_max, [1, 3])
    ),
    near(
        "windows across rows",
        "max_by_reshape",
        lambda: windows(tf.reduce_max, columns=8),
    ),
    near("another scale", "dropout_v1_scaled", lambda: drop_scaled(0.5)),
    near("constant keep", "dropout_v1_fed", drop_tf1),
    near("scaled by the rate", "dropout_fed", lambda: drop_fed(False)),
    near("two less keep", "dropout_fed_keep", lambda: drop_fed_keep(2.0)),
    near(
        "uniform noise",
        "gaussian_noise",
        lambda: image(None, 12) + tf.random.uniform([12]) * 0.1,
    ),
    near("scaled by another", "rescaling", lambda: image() * other() + 1.0),
    near(
        "integers", "rescaling_offset", lambda: v1.placeholder(tf.int32, [None, 3]) + 1
    ),
    near("divides the constant", "rescaling_divided", lambda: 255.0 / image()),
    near("shifted by another", "rescaling_shifted", lambda: (image() - other()) * 0.5),
    near(
        "shifted by another, divided",
        "rescaling_shifted_divided",
        lambda: (image() - other()) / 128.0,
    ),
    near(
        "least deviation",
        "normalization",
        lambda: (image(None, 3) - const(0, 3)) / tf.maximum(tf.sqrt(const(1, 3)), 1e-2),
    ),
    near(
        "times a variable",
        "normalization_by_share",
        lambda: (image(None, 3) - const(0, 3)) * weight("d", 3),
    ),
    near(
        "by a variable",
        "normalization_by_deviation",
        lambda: (image(None, 3) - const(0, 3)) / weight("d", 3),
    ),
    near("scale of a row", "channel_scale", lambda: image() * weight("gamma", 8, 1)),
]


def test_a_dropout_whose_rate_is_fed_says_so_and_has_one_input() -> None:
    (layer,) = found_in(drop_fed_keep).layers
    assert "keep_prob:0" in layer.evidence[0]
    assert list(layer.inputs) == ["x"]


@pytest.mark.parametrize("spelling", SPELLINGS, ids=str)
def test_a_spelling_is_found_and_sound(spelling: Spelling) -> None:
    check_spelling(spelling)


@pytest.mark.parametrize("miss", NEAR_MISSES, ids=str)
def test_a_near_miss_is_not_found(miss: NearMiss) -> None:
    check_near_miss(miss)
