"""Maps from images: pyramid pooling, fused resolutions, stages of heat maps, nested U's, heads over feature pyramids, super resolution."""

from __future__ import annotations

from typing import Any

import keras as k
import tensorflow as tf
from keras import layers as L

from . import architecture
from .legacy import layers, v1


@architecture(
    "PSPNet",
    "tf1",
    layers={"Conv2D": 7, "AveragePooling2D": 4, "Concatenate": 1},
    lines=70,
    ops=5,
)
def pspnet() -> Any:
    """hellochick/PSPNet-tensorflow: four averages, resized to the map and joined to it."""
    x = v1.placeholder(tf.float32, [None, 48, 48, 3], name="x")
    x = layers.conv2d(x, 8, 3, strides=2, padding="same", activation=tf.nn.relu)
    shape = x.shape.as_list()[1:3]
    made = [x]
    for size in (24, 12, 8, 4):
        y = v1.nn.avg_pool(x, [1, size, size, 1], [1, size, size, 1], "VALID")
        y = tf.nn.relu(layers.conv2d(y, 4, 1, use_bias=True, name=f"conv_pool{size}"))
        made.append(v1.image.resize_bilinear(y, shape, align_corners=True))
    x = tf.concat(made, axis=-1)
    x = layers.conv2d(x, 8, 3, padding="same", activation=tf.nn.relu)
    x = layers.conv2d(x, 5, 1)
    x = v1.image.resize_bilinear(x, [48, 48], align_corners=True)
    return tf.nn.softmax(x)


@architecture("OpenPose", "tf1", layers={"Conv2D": 15, "Concatenate": 2}, lines=43)
def openpose() -> Any:
    """Cao et al., arXiv 1611.08050: two branches, refined by a second stage that sees both."""

    def conv(x: Any, filters: int, size: int, name: str, relu: bool = True) -> Any:
        act = tf.nn.relu if relu else None
        return layers.conv2d(
            x, filters, size, padding="same", activation=act, name=name
        )

    x = v1.placeholder(tf.float32, [None, 32, 32, 3], name="image")
    x = conv(x, 8, 3, "conv1_1")
    x = v1.nn.max_pool(x, [1, 2, 2, 1], [1, 2, 2, 1], "SAME")
    features = conv(x, 8, 3, "conv4_4_CPM")
    outputs, x = [], features
    for stage, size in ((1, 3), (2, 7)):
        ends = []
        for branch, count in ((1, 6), (2, 4)):
            y = x
            for i in range(1, 3):
                y = conv(y, 8, size, f"Mconv{i}_stage{stage}_L{branch}")
            name = f"Mconv3_stage{stage}_L{branch}"
            ends.append(conv(y, count, 1, name, relu=False))
        outputs += ends
        x = tf.concat([*ends, features], 3, name=f"concat_stage{stage + 1}")
    return [*outputs[-2:], conv(x, 4, 1, "last")]


def bottleneck(x: Any, filters: int, name: str) -> Any:
    y = x
    for i, (width, size) in enumerate(
        ((filters // 2, 1), (filters // 2, 3), (filters, 1))
    ):
        y = L.ReLU()(L.BatchNormalization()(y))
        y = L.Conv2D(width, size, padding="same", name=f"{name}_conv{i}")(y)
    if x.shape[-1] != filters:
        x = L.Conv2D(filters, 1, name=f"{name}_skip")(x)
    return L.Add()([x, y])


def hourglass_module(x: Any, depth: int, filters: int, name: str) -> Any:
    up = bottleneck(x, filters, f"{name}_up{depth}")
    low = bottleneck(L.MaxPool2D(2)(x), filters, f"{name}_low{depth}")
    if depth > 1:
        low = hourglass_module(low, depth - 1, filters, name)
    else:
        low = bottleneck(low, filters, f"{name}_mid")
    low = bottleneck(low, filters, f"{name}_out{depth}")
    return L.Add()([up, L.UpSampling2D(2)(low)])


@architecture(
    "stacked hourglass", "tf2", layers={"UpSampling2D": 4}, lines=48, slow=True
)
def hourglass() -> Any:
    """Newell et al., arXiv 1603.06937: two of depth two, with the heat maps fed back."""
    inputs = k.Input((32, 32, 3))
    x = L.ReLU()(
        L.BatchNormalization()(L.Conv2D(8, 7, strides=2, padding="same")(inputs))
    )
    outputs = []
    for stack in range(2):
        y = hourglass_module(x, 2, 8, f"hg{stack}")
        y = L.ReLU()(L.BatchNormalization()(L.Conv2D(8, 1)(y)))
        maps = L.Conv2D(4, 1, name=f"heatmap{stack}")(y)
        outputs.append(maps)
        if not stack:
            x = L.Add()([x, L.Conv2D(8, 1)(y), L.Conv2D(8, 1)(maps)])
    return k.Model(inputs, outputs)


@architecture("HRNet fuse", "tf2", layers={"UpSampling2D": 3}, lines=40)
def hrnet() -> Any:
    """Sun et al., arXiv 1902.09212: three resolutions, each the sum of all."""

    def conv_bn(
        x: Any, filters: int, size: int, strides: int = 1, relu: bool = True
    ) -> Any:
        x = L.Conv2D(filters, size, strides, "same", use_bias=False)(x)
        x = L.BatchNormalization()(x)
        return L.ReLU()(x) if relu else x

    inputs = k.Input((32, 32, 3))
    widths = (4, 8, 16)
    branches = [conv_bn(inputs, widths[0], 3, 2)]
    for width in widths[1:]:
        branches.append(conv_bn(branches[-1], width, 3, 2))
    fused = []
    for i, width in enumerate(widths):
        terms = []
        for j, x in enumerate(branches):
            if j > i:
                x = conv_bn(x, width, 1, relu=False)
                x = L.UpSampling2D(2 ** (j - i), interpolation="nearest")(x)
            for step in range(i - j):
                last = step == i - j - 1
                x = conv_bn(x, width if last else widths[j], 3, 2, relu=not last)
            terms.append(x)
        fused.append(L.ReLU()(L.Add()(terms)))
    return k.Model(inputs, fused)


def rsu(x: Any, mid: int, out: int, depth: int) -> Any:
    """A residual U-block of U^2-Net (arXiv 2005.09007)."""

    def conv(y: Any, filters: int, rate: int = 1) -> Any:
        y = L.Conv2D(filters, 3, padding="same", dilation_rate=rate)(y)
        return L.ReLU()(L.BatchNormalization()(y))

    start = conv(x, out)
    levels = [conv(start, mid)]
    for _ in range(depth - 2):
        levels.append(conv(L.MaxPool2D(2, padding="same")(levels[-1]), mid))
    y = conv(levels[-1], mid, 2)
    for i, level in enumerate(reversed(levels)):
        y = conv(L.Concatenate()([y, level]), out if i == depth - 2 else mid)
        if i < depth - 2:
            y = L.UpSampling2D(2, interpolation="bilinear")(y)
    return L.Add()([y, start])


@architecture("U2-Net", "tf2", layers={"Add": 3}, lines=58, slow=True)
def u2net() -> Any:
    inputs = k.Input((32, 32, 3))
    one = rsu(inputs, 4, 8, 4)
    two = rsu(L.MaxPool2D(2)(one), 4, 8, 3)
    up = L.UpSampling2D(2, interpolation="bilinear")(two)
    last = rsu(L.Concatenate()([up, one]), 4, 8, 4)
    sides = [L.Conv2D(1, 3, padding="same")(x) for x in (last, two)]
    sides[1] = L.UpSampling2D(2, interpolation="bilinear")(sides[1])
    fused = L.Conv2D(1, 1)(L.Concatenate()(sides))
    return k.Model(inputs, [L.Activation("sigmoid")(x) for x in (fused, *sides)])


@architecture(
    "EfficientDet head",
    "tf2",
    layers={"SeparableConv2D": 10},
    lines=126,
    ops=38,
    share=0.99,
    slow=True,
)
def efficientdet() -> Any:
    """A weighted feature pyramid (fast normalised fusion) and heads that share their convolutions over all levels."""

    class Fuse(L.Layer):
        def build(self, input_shape: Any) -> None:
            count = len(input_shape)
            self.w = self.add_weight(shape=(count,), initializer="ones", name="w")

        def call(self, inputs: Any) -> Any:
            w = tf.nn.relu(self.w)
            total = tf.add_n([w[i] * x for i, x in enumerate(inputs)])
            return total / (tf.reduce_sum(w) + 1e-4)

    inputs = [k.Input((s, s, 8), name=f"p{i}") for i, s in ((3, 16), (4, 8), (5, 4))]
    p3, p4, p5 = inputs

    def node(parts: list[Any]) -> Any:
        x = L.Activation("swish")(Fuse()(parts))
        x = L.SeparableConv2D(8, 3, padding="same")(x)
        return L.BatchNormalization(epsilon=1e-3)(x)

    up4 = node([p4, L.UpSampling2D()(p5)])
    out3 = node([p3, L.UpSampling2D()(up4)])
    out4 = node([p4, up4, L.MaxPool2D(3, 2, "same")(out3)])
    out5 = node([p5, L.MaxPool2D(3, 2, "same")(out4)])
    outputs = []
    for name, count in (("class", 18), ("box", 36)):
        convs = [
            L.SeparableConv2D(8, 3, padding="same", name=f"{name}-{i}") for i in (0, 1)
        ]
        last = L.SeparableConv2D(count, 3, padding="same", name=f"{name}-predict")
        levels = []
        for x in (out3, out4, out5):
            for conv in convs:
                x = L.Activation("swish")(L.BatchNormalization()(conv(x)))
            levels.append(L.Reshape((-1, count // 9))(last(x)))
        outputs.append(L.Concatenate(axis=1)(levels))
    outputs[0] = L.Activation("sigmoid")(outputs[0])
    return k.Model(inputs, outputs)


@architecture(
    "SRGAN generator",
    "tf1",
    layers={"Conv2D": 9, "PReLU": 5, "BatchNormalization": 5},
    lines=30,
    ops=2,
)
def srgan(training: bool = False) -> Any:
    """brade31919/SRGAN-tensorflow: PReLU by its arithmetic, pixels shuffled up twice."""

    def prelu(x: Any, name: str) -> Any:
        with v1.variable_scope(name):
            alphas = v1.get_variable("alpha", x.get_shape()[-1])
        return tf.nn.relu(x) + tf.multiply(alphas, x - tf.abs(x)) * 0.5

    def conv(x: Any, size: int, filters: int, name: str) -> Any:
        return layers.conv2d(x, filters, size, padding="same", name=name)

    def norm(x: Any, name: str) -> Any:
        return layers.batch_normalization(
            x, epsilon=0.001, training=training, name=name
        )

    x = v1.placeholder(tf.float32, [None, 12, 12, 3], name="inputs_raw")
    x = first = prelu(conv(x, 9, 8, "input_stage/conv"), "input_stage/prelu")
    for i in (1, 2):
        y = prelu(norm(conv(x, 3, 8, f"r{i}/conv_1"), f"r{i}/bn_1"), f"r{i}/prelu")
        x = norm(conv(y, 3, 8, f"r{i}/conv_2"), f"r{i}/bn_2") + x
    x = norm(conv(x, 3, 8, "resblock_output/conv"), "resblock_output/bn") + first
    for i in (1, 2):
        x = tf.nn.depth_to_space(conv(x, 3, 16, f"subpixel{i}/conv"), 2)
        x = prelu(x, f"subpixel{i}/prelu")
    x = conv(x, 9, 3, "output_stage/conv")
    if training:
        target = v1.placeholder(tf.float32, [None, 48, 48, 3])
        loss = tf.reduce_mean(tf.reduce_sum(tf.square(x - target), [3]))
        with tf.control_dependencies(v1.get_collection(v1.GraphKeys.UPDATE_OPS)):
            v1.train.AdamOptimizer(1e-4, 0.9).minimize(loss)
    return x
