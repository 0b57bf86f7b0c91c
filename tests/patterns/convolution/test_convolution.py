"""Convolutions: ops, sandwiches, Keras layers; one, two and three axes, plain and transposed."""

from __future__ import annotations

from typing import Any

import keras as k
import pytest
import tensorflow as tf

from tests.patterns.spelling import (
    NearMiss,
    Spelling,
    check_near_miss,
    check_spelling,
    found_in,
    image,
    keras,
    spell,
    v1,
    weight,
)

L = k.layers


def on_image(make: Any) -> Any:
    return keras(make, None, 8, 8, 3)


def on_line(make: Any) -> Any:
    return keras(make, None, 9, 3)


def atrous(padding: str = "SAME", kernel: int = 3) -> Any:
    return tf.nn.atrous_conv2d(image(), weight("w", kernel, kernel, 3, 4), 2, padding)


def with_unknown_size() -> Any:
    return tf.nn.atrous_conv2d(
        image(None, None, None, 3), weight("w", 3, 3, 3, 4), 2, "SAME"
    )


def convolution(padding: str) -> Any:
    made = v1.nn.convolution(
        image(), weight("w", 3, 3, 3, 4), padding, dilation_rate=[2, 2]
    )
    return tf.nn.bias_add(made, weight("b", 4))


def wavenet(padding: str = "VALID") -> Any:
    return v1.nn.convolution(
        image(None, 12, 3), weight("w", 2, 3, 4), padding, dilation_rate=[4]
    )


def sandwich(rate: list[int], pads: Any, crops: Any) -> Any:
    split = tf.space_to_batch_nd(image(), rate, pads)
    inner = tf.nn.conv2d(split, weight("w", 3, 3, 3, 4), 1, "VALID")
    return tf.batch_to_space(inner, rate, crops)


def separable(pointwise: int = 1, rate: Any = None) -> Any:
    kernels = weight("d", 3, 3, 3, 2), weight("p", pointwise, pointwise, 6, 4)
    depthwise = v1.nn.depthwise_conv2d(
        image(), kernels[0], [1, 1, 1, 1], "SAME", rate=rate
    )
    return tf.nn.conv2d(depthwise, kernels[1], 1, "SAME")


def transposed(size: Any, padding: str = "SAME") -> Any:
    return tf.nn.conv2d_transpose(
        image(2, 8, 8, 3), weight("w", 3, 3, 4, 3), size, 2, padding
    )


def transposed_atrous(padding: str) -> Any:
    long = 8 if padding == "SAME" else 12
    return tf.nn.atrous_conv2d_transpose(
        image(2, 8, 8, 3), weight("w", 3, 3, 4, 3), [2, long, long, 4], 2, padding
    )


def transposed_sandwich(pads: Any, crops: Any) -> Any:
    split = tf.space_to_batch_nd(image(2, 8, 8, 3), [2, 2], pads)
    inner = tf.nn.conv2d_transpose(
        split, weight("w", 3, 3, 4, 3), [8, 6, 6, 4], 1, "VALID"
    )
    return tf.batch_to_space(inner, [2, 2], crops)


def squeezed(axis: int) -> Any:
    wide = tf.nn.conv2d(
        tf.expand_dims(image(None, 1, 3), 1), weight("w", 1, 1, 3, 4), 1, "SAME"
    )
    return tf.squeeze(wide, [axis])


SPELLINGS = [
    spell(
        "keras",
        "conv2d",
        on_image(lambda: L.Conv2D(4, 3, strides=2, padding="same")),
        "kernel bias",
        filters=4,
        kernel_size=(3, 3),
        strides=(2, 2),
        padding="same",
        data_format="channels_last",
        dilation_rate=(1, 1),
        groups=1,
        use_bias=True,
    ),
    spell(
        "raw with add",
        "conv2d",
        lambda: tf.nn.conv2d(image(), weight("w", 3, 3, 3, 4), 1, "VALID")
        + weight("b", 4),
        "kernel bias",
        padding="valid",
    ),
    spell(
        "no bias",
        "conv2d",
        lambda: tf.nn.conv2d(image(), weight("w", 5, 3, 3, 4), [1, 2, 1, 1], "SAME"),
        "kernel",
        strides=(2, 1),
        kernel_size=(5, 3),
        use_bias=False,
    ),
    spell(
        "dilations as an attribute",
        "conv2d",
        lambda: tf.nn.conv2d(image(), weight("w", 3, 3, 3, 4), 1, "SAME", dilations=2),
        dilation_rate=(2, 2),
    ),
    spell(
        "grouped",
        "conv2d",
        lambda: tf.nn.conv2d(image(None, 8, 8, 6), weight("w", 3, 3, 2, 6), 1, "SAME"),
        groups=3,
    ),
    spell(
        "volume",
        "conv3d",
        keras(lambda: L.Conv3D(4, 2), None, 4, 4, 4, 3),
        "kernel bias",
        filters=4,
        kernel_size=(2, 2, 2),
    ),
    spell(
        "atrous",
        "dilated_conv2d",
        atrous,
        "kernel",
        dilation_rate=(2, 2),
        padding="same",
    ),
    spell("atrous, valid", "dilated_conv2d", lambda: atrous("VALID"), padding="valid"),
    spell(
        "atrous, even kernel",
        "dilated_conv2d",
        lambda: atrous("SAME", 2),
        padding="same",
    ),
    spell(
        "atrous on any size",
        "dilated_conv2d",
        with_unknown_size,
        dilation_rate=(2, 2),
        padding="same",
    ),
    spell(
        "convolution with rate and bias",
        "dilated_conv2d",
        lambda: convolution("SAME"),
        "kernel bias",
        padding="same",
    ),
    spell(
        "volume with rate",
        "dilated_conv3d",
        lambda: v1.nn.convolution(
            image(None, 6, 6, 6, 2),
            weight("w", 2, 2, 2, 2, 3),
            "SAME",
            dilation_rate=[2, 2, 2],
        ),
        padding="same",
        dilation_rate=(2, 2, 2),
    ),
    spell(
        "depthwise",
        "depthwise_conv2d",
        on_image(lambda: L.DepthwiseConv2D(3, depth_multiplier=2)),
        "kernel bias",
        depth_multiplier=2,
        kernel_size=(3, 3),
    ),
    spell(
        "depthwise dilated",
        "dilated_depthwise",
        on_image(lambda: L.DepthwiseConv2D(3, dilation_rate=2, padding="same")),
        "kernel bias",
        dilation_rate=(2, 2),
        padding="same",
    ),
    spell(
        "keras separable",
        "separable_conv2d",
        on_image(lambda: L.SeparableConv2D(4, 3)),
        "depthwise_kernel pointwise_kernel bias",
        filters=4,
    ),
    spell(
        "raw separable",
        "separable_conv2d",
        separable,
        "depthwise_kernel pointwise_kernel",
        depth_multiplier=2,
    ),
    spell(
        "separable dilated",
        "dilated_depthwise",
        lambda: separable(rate=[2, 2]),
        dilation_rate=(2, 2),
        padding="same",
    ),
    spell(
        "keras on a line",
        "conv1d",
        on_line(lambda: L.Conv1D(4, 3, strides=2)),
        "kernel bias",
        filters=4,
        kernel_size=(3,),
        strides=(2,),
        padding="valid",
    ),
    spell(
        "tf.nn.conv1d",
        "conv1d",
        lambda: tf.nn.conv1d(image(None, 9, 3), weight("w", 3, 3, 4), 1, "SAME"),
        "kernel",
        padding="same",
    ),
    spell(
        "causal",
        "causal",
        on_line(lambda: L.Conv1D(4, 3, padding="causal")),
        padding="causal",
    ),
    spell(
        "WaveNet's",
        "dilated_conv1d",
        wavenet,
        "kernel",
        dilation_rate=(4,),
        padding="valid",
    ),
    spell("dilated, same", "dilated_conv1d", lambda: wavenet("SAME"), padding="same"),
    spell(
        "causal and dilated",
        "causal",
        on_line(lambda: L.Conv1D(4, 3, padding="causal", dilation_rate=2)),
        "kernel bias",
        padding="causal",
        dilation_rate=(2,),
    ),
    spell(
        "depthwise on a line",
        "depthwise_conv1d",
        on_line(lambda: L.DepthwiseConv1D(3)),
        "kernel bias",
        depth_multiplier=1,
    ),
    spell(
        "transposed",
        "conv2d_transpose",
        on_image(lambda: L.Conv2DTranspose(4, 3, strides=2, padding="same")),
        "kernel bias",
        filters=4,
        strides=(2, 2),
        padding="same",
        output_padding=None,
    ),
    spell(
        "transposed, valid, any size",
        "conv2d_transpose",
        keras(lambda: L.Conv2DTranspose(4, 3, strides=2), None, None, None, 3),
        padding="valid",
        output_padding=None,
    ),
    spell(
        "transposed to an odd size",
        "conv2d_transpose",
        lambda: transposed([2, 15, 15, 4]),
        output_padding=(0, 0),
    ),
    spell(
        "transposed volume",
        "conv3d_transpose",
        keras(lambda: L.Conv3DTranspose(4, 2, strides=2), None, 3, 3, 3, 2),
        "kernel bias",
        filters=4,
    ),
]


def near(name: str, pattern: str, build: Any) -> NearMiss:
    return NearMiss(name, pattern, build)


def conv_first(width: int = 6) -> Any:
    return tf.nn.conv2d(
        image(None, 3, 6, width), weight("w", 3, 3, 3, 6), 1, "SAME", data_format="NCHW"
    )


def explicit(kind: str, channels: int = 0) -> Any:
    pads = [[0, 0], [1, 0], [2, 1], [channels, 0]]
    if kind == "Conv2D":
        return tf.nn.conv2d(image(), weight("w", 3, 3, 3, 4), 1, pads)
    flat = [each for row in pads for each in row]
    return tf.raw_ops.DepthwiseConv2dNative(
        input=image(),
        filter=weight("w", 3, 3, 3, 1),
        strides=[1, 1, 1, 1],
        padding="EXPLICIT",
        explicit_paddings=flat,
    )


SPELLINGS += [
    spell(
        "separable on a line",
        "separable_conv1d",
        on_line(lambda: L.SeparableConv1D(4, 3, depth_multiplier=2)),
        "depthwise_kernel pointwise_kernel bias",
        filters=4,
        kernel_size=(3,),
        depth_multiplier=2,
    ),
    spell(
        "transposed on a line",
        "conv1d_transpose",
        on_line(lambda: L.Conv1DTranspose(4, 3, strides=2, padding="same")),
        "kernel bias",
        filters=4,
        strides=(2,),
        output_padding=None,
    ),
    spell(
        "channels first",
        "conv2d",
        lambda: tf.nn.bias_add(conv_first(7), weight("b", 6), data_format="NCHW"),
        "kernel bias",
        data_format="channels_first",
        use_bias=True,
    ),
    spell(
        "explicit paddings",
        "explicit_conv",
        lambda: explicit("Conv2D"),
        "kernel",
        padding="valid",
    ),
    spell(
        "depthwise with explicit paddings",
        "explicit_depthwise",
        lambda: explicit("Depthwise"),
        "kernel",
        padding="valid",
    ),
]
SPELLINGS += [
    spell(
        "atrous, transposed",
        "dilated_transpose",
        lambda: transposed_atrous("SAME"),
        "kernel",
        dilation_rate=(2, 2),
        padding="same",
    ),
    spell(
        "atrous, transposed, valid",
        "dilated_transpose",
        lambda: transposed_atrous("VALID"),
        padding="valid",
    ),
    spell(
        "depthwise on a line, dilated",
        "depthwise_along_a_line",
        on_line(lambda: L.DepthwiseConv1D(3, dilation_rate=2, padding="same")),
        "kernel bias",
        dilation_rate=(2,),
        padding="same",
    ),
    spell(
        "separable on a line, dilated",
        "separable_along_a_line",
        on_line(lambda: L.SeparableConv1D(4, 3, dilation_rate=2)),
        "depthwise_kernel pointwise_kernel bias",
        dilation_rate=(2,),
    ),
]
NEAR_MISSES = [
    near(
        "cropped like neither",
        "dilated_transpose",
        lambda: transposed_sandwich([[0, 0], [0, 0]], [[1, 3], [1, 3]]),
    ),
    near(
        "depthwise over an image, dilated",
        "depthwise_along_a_line",
        lambda: v1.nn.depthwise_conv2d(
            image(), weight("w", 3, 3, 3, 1), [1, 1, 1, 1], "SAME", rate=[2, 2]
        ),
    ),
    near(
        "separable over an image, dilated",
        "separable_along_a_line",
        lambda: separable(rate=[2, 2]),
    ),
    near("separable over an image", "separable_conv1d", separable),
    near(
        "transposed over an image",
        "conv1d_transpose",
        lambda: transposed([2, 16, 16, 4]),
    ),
    near(
        "same padding",
        "explicit_conv",
        lambda: tf.nn.conv2d(image(), weight("w", 3, 3, 3, 4), 1, "SAME"),
    ),
    near(
        "depthwise with same padding",
        "explicit_depthwise",
        lambda: v1.nn.depthwise_conv2d(
            image(), weight("w", 3, 3, 3, 1), [1, 1, 1, 1], "SAME"
        ),
    ),
    near(
        "the kernel is an input",
        "conv2d",
        lambda: tf.nn.conv2d(image(), image(3, 3, 3, 4, name="k"), 1, "SAME"),
    ),
    near(
        "the kernel is an input, 3-D",
        "conv3d",
        lambda: tf.nn.conv3d(
            image(None, 4, 4, 4, 2), image(2, 2, 2, 2, 3, name="k"), [1] * 5, "SAME"
        ),
    ),
    near(
        "padded like neither",
        "dilated_conv2d",
        lambda: sandwich([2, 2], [[1, 3], [1, 3]], [[0, 0], [0, 0]]),
    ),
    near(
        "cropped at the start",
        "dilated_conv2d",
        lambda: sandwich([2, 2], [[2, 2], [2, 2]], [[1, 0], [1, 0]]),
    ),
    near(
        "another rate back",
        "dilated_conv3d",
        lambda: sandwich([2, 2], [[2, 2], [2, 2]], [[0, 0], [0, 0]]),
    ),
    near(
        "explicitly padded depthwise",
        "depthwise_conv2d",
        lambda: v1.nn.depthwise_conv2d(
            image(), image(3, 3, 3, 1, name="k"), [1, 1, 1, 1], "SAME"
        ),
    ),
    near(
        "kernel fed",
        "dilated_depthwise",
        lambda: v1.nn.depthwise_conv2d(
            image(), image(3, 3, 3, 1, name="k"), [1, 1, 1, 1], "SAME", rate=[2, 2]
        ),
    ),
    near("pointwise of 3", "separable_conv2d", lambda: separable(3)),
    near(
        "dilated pointwise of 3",
        "separable_conv2d",
        lambda: separable(3, [2, 2]),
    ),
    near("another axis squeezed", "conv1d", lambda: squeezed(2)),
    near(
        "padded on the right",
        "causal",
        lambda: tf.nn.conv1d(
            tf.pad(image(None, 9, 3), [[0, 0], [0, 2], [0, 0]]),
            weight("w", 3, 3, 4),
            1,
            "VALID",
        ),
    ),
    near(
        "not dilated",
        "dilated_conv1d",
        lambda: tf.nn.conv1d(image(None, 9, 3), weight("w", 3, 3, 4), 1, "SAME"),
    ),
    near(
        "half the reach",
        "causal",
        lambda: v1.nn.convolution(
            tf.pad(image(None, 12, 3), [[0, 0], [2, 0], [0, 0]]),
            weight("w", 2, 3, 4),
            "VALID",
            dilation_rate=[4],
        ),
    ),
    near(
        "depthwise squeezed elsewhere",
        "depthwise_conv1d",
        lambda: tf.squeeze(
            v1.nn.depthwise_conv2d(
                tf.expand_dims(image(None, 1, 3), 1),
                weight("w", 1, 1, 3, 1),
                [1, 1, 1, 1],
                "SAME",
            ),
            [2],
        ),
    ),
    near(
        "the gradient by a fed kernel",
        "conv2d_transpose",
        lambda: tf.nn.conv2d_transpose(
            image(2, 8, 8, 3), image(3, 3, 4, 3, name="k"), [2, 16, 16, 4], 2
        ),
    ),
    near(
        "the gradient by a fed volume",
        "conv3d_transpose",
        lambda: tf.nn.conv3d_transpose(
            image(2, 3, 3, 3, 2), image(2, 2, 2, 4, 2, name="k"), [2, 6, 6, 6, 4], 2
        ),
    ),
]


def transposed_squeezed(axis: int) -> Any:
    made = tf.nn.conv2d_transpose(
        tf.expand_dims(image(2, 1, 3), 1), weight("w", 1, 1, 4, 3), [2, 1, 1, 4], 1
    )
    return tf.squeeze(made, [axis])


SPELLINGS += [
    spell(
        "put on a line",
        "conv_along_a_line",
        on_line(lambda: L.Conv1D(4, 3, strides=2)),
        "kernel bias",
        op="Conv1D",
        strides=(2,),
    ),
    spell(
        "transposed, put on a line",
        "transposed_along_a_line",
        on_line(lambda: L.Conv1DTranspose(4, 3, strides=2, padding="valid")),
        op="Conv1DTranspose",
        padding="valid",
        output_padding=None,
    ),
]


def deep_sandwich(bias: Any = None, kernel: int = 3, rate: Any = (2, 2)) -> Any:
    """A depthwise convolution between blocks; the bias is inside."""
    pads = [[2, 2], [2, 2]][: len(rate)]
    split = tf.space_to_batch_nd(image(), list(rate), pads)
    inner = v1.nn.depthwise_conv2d(
        split, weight("w", kernel, kernel, 3, 1), [1, 1, 1, 1], "VALID"
    )
    if bias is not None:
        inner = inner + weight("b", *bias)
    crops = [[0, 0], [0, 0]][: len(rate)]
    return tf.batch_to_space(inner, list(rate), crops)


def biased_sandwich(bias: tuple[int, ...], strides: Any = 1) -> Any:
    split = tf.space_to_batch_nd(image(), [2, 2], [[2, 2], [2, 2]])
    inner = tf.nn.conv2d(split, weight("w", 3, 3, 3, 4), strides, "VALID")
    return tf.batch_to_space(inner + weight("b", *bias), [2, 2], [[0, 0], [0, 0]])


SPELLINGS += [
    spell(
        "a bias inside the blocks",
        "dilated_conv2d",
        lambda: biased_sandwich((4,)),
        "kernel bias",
        padding="same",
        use_bias=True,
    ),
    spell(
        "a bias inside the blocks of each channel",
        "dilated_depthwise",
        lambda: deep_sandwich((3,)),
        "kernel bias",
        padding="same",
    ),
]
NEAR_MISSES += [
    near("a bias of rows", "dilated_conv2d", lambda: biased_sandwich((4, 1, 1))),
    near("steps inside", "dilated_conv2d", lambda: biased_sandwich((4,), 2)),
    near("a bias of rows", "dilated_depthwise", lambda: deep_sandwich((4, 1, 1))),
    near("blocks of rows", "dilated_depthwise", lambda: deep_sandwich(rate=(2,))),
    near("a point", "dilated_depthwise", lambda: deep_sandwich(kernel=1)),
]
NEAR_MISSES += [
    near(f"{form}, squeezed", form, build)
    for form, build in {
        "conv_along_a_line": lambda: squeezed(2),
        "transposed_along_a_line": lambda: transposed_squeezed(2),
        "separable_along_a_line": lambda: tf.squeeze(
            v1.nn.separable_conv2d(
                tf.expand_dims(image(None, 1, 3), 1),
                weight("d", 1, 1, 3, 2),
                weight("p", 1, 1, 6, 4),
                [1, 1, 1, 1],
                "SAME",
            ),
            [2],
        ),
    }.items()
]


@pytest.mark.parametrize("spelling", SPELLINGS, ids=str)
def test_a_spelling_is_found_and_sound(spelling: Spelling) -> None:
    check_spelling(spelling)


@pytest.mark.parametrize("miss", NEAR_MISSES, ids=str)
def test_a_near_miss_is_not_found(miss: NearMiss) -> None:
    check_near_miss(miss)


def test_a_vector_added_along_the_columns_is_no_bias() -> None:
    found = found_in(lambda: conv_first() + weight("b", 6))
    layer = next(each for each in found.layers if each.op == "Conv2D")
    assert "bias" not in layer.weights and not layer.attrs["use_bias"]
