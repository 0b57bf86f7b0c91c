"""tensorflow/models' research/slim/nets (Apache 2.0) and davidsandberg/facenet (MIT), after their files; tf_slim's own where it has them."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tests.architectures.legacy import slim  # before tf_slim's own nets
from tests.families.originals import image, original

v1 = tf.compat.v1
inception = importlib.import_module("tf_slim.nets.inception")
alexnet = importlib.import_module("tf_slim.nets.alexnet")
overfeat = importlib.import_module("tf_slim.nets.overfeat")
arg_scope, scope = slim.arg_scope, v1.variable_scope


@original("Inception v2 (slim), depth multiplier 0.25, 7 classes", slow=True)
def inception_v2() -> tuple[list[Any], list[Any]]:
    x = image(224, 224, 3)
    with arg_scope(inception.inception_v3_arg_scope()):
        y, _ = inception.inception_v2(x, 7, is_training=False, depth_multiplier=0.25)
    return [x], [y]


@original("Inception v3 (slim), depth multiplier 0.25, 6 classes", slow=True)
def inception_v3() -> tuple[list[Any], list[Any]]:
    """With the head beside the net, whose kernel the size of the images makes."""
    x = image(203, 203, 3)
    with arg_scope(inception.inception_v3_arg_scope()):
        y, ends = inception.inception_v3(x, 6, is_training=False, depth_multiplier=0.25)
    return [x], [y, ends["AuxLogits"]]


def _inception_scope() -> Any:
    """inception_utils.inception_arg_scope in inference, with all paddings SAME and strides 1 unless said."""
    return inception.inception_v3_arg_scope()


def _conv(x: Any, filters: int, size: Any, name: str, strides: int = 1) -> Any:
    padding = "VALID" if strides == 2 else "SAME"
    return slim.conv2d(x, filters, size, stride=strides, padding=padding, scope=name)


def _bare(x: Any, filters: int, size: Any, name: str) -> Any:
    return slim.conv2d(x, filters, size, padding="VALID", scope=name)


def _join(*branches: Callable[[], Any]) -> Any:
    ends = []
    for place, branch in enumerate(branches):
        with scope(f"Branch_{place}"):
            ends.append(branch())
    return tf.concat(ends, 3)


def _pooled(x: Any, filters: int) -> Any:
    y = slim.avg_pool2d(x, [3, 3], stride=1, padding="SAME")
    return _conv(y, filters, 1, "Conv2d_0b_1x1")


def _halved(x: Any) -> Any:
    return slim.max_pool2d(x, [3, 3], stride=2, padding="VALID")


def _stacked(x: Any, *steps: tuple[Any, ...]) -> Any:
    for step in steps:
        x = _conv(x, *step)
    return x


def _a(x: Any) -> Any:
    low = (64, 1, "Conv2d_0a_1x1")
    return _join(
        lambda: _conv(x, 96, 1, "Conv2d_0a_1x1"),
        lambda: _stacked(x, low, (96, 3, "Conv2d_0b_3x3")),
        lambda: _stacked(x, low, (96, 3, "Conv2d_0b_3x3"), (96, 3, "Conv2d_0c_3x3")),
        lambda: _pooled(x, 96),
    )


def _b(x: Any) -> Any:
    low = (192, 1, "Conv2d_0a_1x1")
    across, along = [1, 7], [7, 1]
    return _join(
        lambda: _conv(x, 384, 1, "Conv2d_0a_1x1"),
        lambda: _stacked(
            x, low, (224, across, "Conv2d_0b_1x7"), (256, along, "Conv2d_0c_7x1")
        ),
        lambda: _stacked(
            x,
            low,
            (192, along, "Conv2d_0b_7x1"),
            (224, across, "Conv2d_0c_1x7"),
            (224, along, "Conv2d_0d_7x1"),
            (256, across, "Conv2d_0e_1x7"),
        ),
        lambda: _pooled(x, 128),
    )


def _c(x: Any) -> Any:
    def second() -> Any:
        y = _conv(x, 384, 1, "Conv2d_0a_1x1")
        one = _conv(y, 256, [1, 3], "Conv2d_0b_1x3")
        return tf.concat([one, _conv(y, 256, [3, 1], "Conv2d_0c_3x1")], 3)

    def third() -> Any:
        y = _conv(x, 384, 1, "Conv2d_0a_1x1")
        y = _conv(y, 448, [3, 1], "Conv2d_0b_3x1")
        y = _conv(y, 512, [1, 3], "Conv2d_0c_1x3")
        one = _conv(y, 256, [1, 3], "Conv2d_0d_1x3")
        return tf.concat([one, _conv(y, 256, [3, 1], "Conv2d_0e_3x1")], 3)

    first = lambda: _conv(x, 256, 1, "Conv2d_0a_1x1")  # noqa: E731
    return _join(first, second, third, lambda: _pooled(x, 256))


def _v4_base(x: Any) -> tuple[Any, Any]:
    x = _conv(x, 32, 3, "Conv2d_1a_3x3", 2)
    x = _conv(_bare(x, 32, 3, "Conv2d_2a_3x3"), 64, 3, "Conv2d_2b_3x3")
    with scope("Mixed_3a"):
        x = _join(
            lambda y=x: _halved(y), lambda y=x: _conv(y, 96, 3, "Conv2d_0a_3x3", 2)
        )
    with scope("Mixed_4a"):

        def second(y: Any) -> Any:
            y = _conv(y, 64, 1, "Conv2d_0a_1x1")
            y = _conv(y, 64, [1, 7], "Conv2d_0b_1x7")
            y = _conv(y, 64, [7, 1], "Conv2d_0c_7x1")
            return _bare(y, 96, 3, "Conv2d_1a_3x3")

        x = _join(
            lambda y=x: _bare(_conv(y, 64, 1, "Conv2d_0a_1x1"), 96, 3, "Conv2d_1a_3x3"),
            lambda y=x: second(y),
        )
    with scope("Mixed_5a"):
        x = _join(
            lambda y=x: _conv(y, 192, 3, "Conv2d_1a_3x3", 2), lambda y=x: _halved(y)
        )
    for letter in "bcde":
        with scope(f"Mixed_5{letter}"):
            x = _a(x)
    with scope("Mixed_6a"):
        low, middle = (192, 1, "Conv2d_0a_1x1"), (224, 3, "Conv2d_0b_3x3")
        x = _join(
            lambda y=x: _conv(y, 384, 3, "Conv2d_1a_3x3", 2),
            lambda y=x: _stacked(y, low, middle, (256, 3, "Conv2d_1a_3x3", 2)),
            lambda y=x: _halved(y),
        )
    for letter in "bcdefgh":
        with scope(f"Mixed_6{letter}"):
            x = _b(x)
    side = x
    with scope("Mixed_7a"):
        x = _join(
            lambda y=x: _stacked(
                y, (192, 1, "Conv2d_0a_1x1"), (192, 3, "Conv2d_1a_3x3", 2)
            ),
            lambda y=x: _stacked(
                y,
                (256, 1, "Conv2d_0a_1x1"),
                (256, [1, 7], "Conv2d_0b_1x7"),
                (320, [7, 1], "Conv2d_0c_7x1"),
                (320, 3, "Conv2d_1a_3x3", 2),
            ),
            lambda y=x: _halved(y),
        )
    for letter in "bcd":
        with scope(f"Mixed_7{letter}"):
            x = _c(x)
    return x, side


def _auxiliary(x: Any, name: str, logits: str, classes: int) -> Any:
    with scope("AuxLogits"):
        x = slim.avg_pool2d(x, [5, 5], stride=3, padding="VALID")
        x = _conv(x, 128, 1, "Conv2d_1b_1x1")
        x = _bare(x, 768, x.get_shape()[1:3].as_list(), name)
        return _linear(slim.flatten(x), classes, logits)


def _linear(x: Any, units: int, name: str) -> Any:
    return slim.fully_connected(x, units, activation_fn=None, scope=name)


def _everywhere(x: Any) -> Any:
    return slim.flatten(tf.reduce_mean(x, [1, 2]))


@original("Inception v4 (slim), 5 classes", slow=True)
def inception_v4() -> tuple[list[Any], list[Any]]:
    x = image(171, 171, 3)
    inference = arg_scope([slim.batch_norm], is_training=False)
    with arg_scope(_inception_scope()), inference, scope("InceptionV4"):
        y, side = _v4_base(x)
        aux = _auxiliary(side, "Conv2d_2a", "Aux_logits", 5)
        with scope("Logits"):
            y = _linear(_everywhere(y), 5, "Logits")
    return [x], [y, aux]


def _block(
    x: Any, scale: float, one: tuple[Any, ...], *others: tuple[Any, ...], act: bool
) -> Any:
    """Inception-ResNet's blocks: branches, a convolution back to the width, a scaled sum."""
    branches = [lambda: _conv(x, *one)]
    branches += [lambda steps=steps: _stacked(x, *steps) for steps in others]
    mixed = _join(*branches)
    up = slim.conv2d(
        mixed, x.shape[3], 1, normalizer_fn=None, activation_fn=None, scope="Conv2d_1x1"
    )
    x = x + scale * up
    return tf.nn.relu(x) if act else x


def _repeat(
    x: Any, times: int, name: str, outer: str, scale: float, *steps: Any
) -> Any:
    with scope(outer):
        for place in range(1, times + 1):
            with scope(f"{name}_{place}"):
                x = _block(x, scale, *steps, act=True)
    return x


def _stem(x: Any) -> Any:
    x = _conv(x, 32, 3, "Conv2d_1a_3x3", 2)
    x = _conv(_bare(x, 32, 3, "Conv2d_2a_3x3"), 64, 3, "Conv2d_2b_3x3")
    return _bare(_bare(_halved(x), 80, 1, "Conv2d_3b_1x1"), 192, 3, "Conv2d_4a_3x3")


@original("Inception-ResNet v2 (slim), 4 classes", slow=True)
def inception_resnet_v2() -> tuple[list[Any], list[Any]]:
    x = image(171, 171, 3)
    inference = arg_scope([slim.batch_norm], is_training=False)
    a = "Conv2d_0a_1x1"
    with arg_scope(_inception_scope()), inference, scope("InceptionResnetV2"):
        y = _halved(_stem(x))
        with scope("Mixed_5b"):
            y = _join(
                lambda x=y: _conv(x, 96, 1, "Conv2d_1x1"),
                lambda x=y: _stacked(x, (48, 1, a), (64, 5, "Conv2d_0b_5x5")),
                lambda x=y: _stacked(
                    x, (64, 1, a), (96, 3, "Conv2d_0b_3x3"), (96, 3, "Conv2d_0c_3x3")
                ),
                lambda x=y: _pooled(x, 64),
            )
        deep = ((32, 1, a), (48, 3, "Conv2d_0b_3x3"), (64, 3, "Conv2d_0c_3x3"))
        flat = ((32, 1, a), (32, 3, "Conv2d_0b_3x3"))
        y = _repeat(y, 10, "block35", "Repeat", 0.17, (32, 1, "Conv2d_1x1"), flat, deep)
        with scope("Mixed_6a"):
            last = (384, 3, "Conv2d_1a_3x3", 2)
            y = _join(
                lambda x=y: _conv(x, *last),
                lambda x=y: _stacked(x, (256, 1, a), (256, 3, "Conv2d_0b_3x3"), last),
                lambda x=y: _halved(x),
            )
        lines = ((128, 1, a), (160, [1, 7], "Conv2d_0b_1x7"))
        lines += ((192, [7, 1], "Conv2d_0c_7x1"),)
        one = (192, 1, "Conv2d_1x1")
        y = side = _repeat(y, 20, "block17", "Repeat_1", 0.10, one, lines)
        aux = _auxiliary(side, "Conv2d_2a_5x5", "Logits", 4)
        with scope("Mixed_7a"):
            name = "Conv2d_1a_3x3"
            y = _join(
                lambda x=y: _stacked(x, (256, 1, a), (384, 3, name, 2)),
                lambda x=y: _stacked(x, (256, 1, a), (288, 3, name, 2)),
                lambda x=y: _stacked(
                    x, (256, 1, a), (288, 3, "Conv2d_0b_3x3"), (320, 3, name, 2)
                ),
                lambda x=y: _halved(x),
            )
        lines = ((192, 1, a), (224, [1, 3], "Conv2d_0b_1x3"))
        lines += ((256, [3, 1], "Conv2d_0c_3x1"),)
        y = _repeat(y, 9, "block8", "Repeat_2", 0.20, one, lines)
        with scope("Block8"):
            y = _block(y, 1.0, one, lines, act=False)
        y = _conv(y, 1536, 1, "Conv2d_7b_1x1")
        with scope("Logits"):
            y = _linear(_everywhere(y), 4, "Logits")
    return [x], [y, aux]


@original(
    "FaceNet (Inception-ResNet v1), 128 numbers a face, 9 people",
    slow=True,
)
def facenet() -> tuple[list[Any], list[Any]]:
    """models/inception_resnet_v1.py, and train_softmax.py's embeddings and logits."""
    x = image(107, 107, 3)
    norm = {"epsilon": 0.001, "is_training": False}
    a = "Conv2d_0a_1x1"
    with arg_scope(
        [slim.conv2d, slim.fully_connected],
        normalizer_fn=slim.batch_norm,
        normalizer_params=norm,
    ):
        with scope("InceptionResnetV1"):
            y = _conv(_stem(x), 256, 3, "Conv2d_4b_3x3", 2)
            deep = ((32, 1, a), (32, 3, "Conv2d_0b_3x3"), (32, 3, "Conv2d_0c_3x3"))
            one = (32, 1, "Conv2d_1x1")
            y = _repeat(y, 5, "block35", "Repeat", 0.17, one, deep[:2], deep)
            with scope("Mixed_6a"):
                y = _join(
                    lambda x=y: _conv(x, 384, 3, "Conv2d_1a_3x3", 2),
                    lambda x=y: _stacked(
                        x,
                        (192, 1, a),
                        (192, 3, "Conv2d_0b_3x3"),
                        (256, 3, "Conv2d_1a_3x3", 2),
                    ),
                    lambda x=y: _halved(x),
                )
            lines = ((128, 1, a), (128, [1, 7], "Conv2d_0b_1x7"))
            lines += ((128, [7, 1], "Conv2d_0c_7x1"),)
            one = (128, 1, "Conv2d_1x1")
            y = _repeat(y, 10, "block17", "Repeat_1", 0.10, one, lines)
            with scope("Mixed_7a"):
                name = "Conv2d_1a_3x3"
                y = _join(
                    lambda x=y: _stacked(x, (256, 1, a), (384, 3, name, 2)),
                    lambda x=y: _stacked(x, (256, 1, a), (256, 3, name, 2)),
                    lambda x=y: _stacked(
                        x, (256, 1, a), (256, 3, "Conv2d_0b_3x3"), (256, 3, name, 2)
                    ),
                    lambda x=y: _halved(x),
                )
            lines = ((192, 1, a), (192, [1, 3], "Conv2d_0b_1x3"))
            lines += ((192, [3, 1], "Conv2d_0c_3x1"),)
            one = (192, 1, "Conv2d_1x1")
            y = _repeat(y, 5, "block8", "Repeat_2", 0.20, one, lines)
            with scope("Block8"):
                y = _block(y, 1.0, one, lines, act=False)
            prelogits = _linear(_everywhere(y), 128, "Bottleneck")
    embeddings = tf.nn.l2_normalize(prelogits, 1, 1e-10)
    return [x], [embeddings, _linear(prelogits, 9, "Logits")]


@original("AlexNet v2 (slim), 4 classes", slow=True)
def alexnet_v2() -> tuple[list[Any], list[Any]]:
    x = image(224, 224, 3)
    with arg_scope(alexnet.alexnet_v2_arg_scope()):
        return [x], [alexnet.alexnet_v2(x, 4, is_training=False)[0]]


@original("OverFeat (slim), 3 classes", slow=True)
def overfeat_231() -> tuple[list[Any], list[Any]]:
    x = image(231, 231, 3)
    with arg_scope(overfeat.overfeat_arg_scope()):
        return [x], [overfeat.overfeat(x, 3, is_training=False)[0]]


@original("LeNet (slim), 6 classes")
def lenet() -> tuple[list[Any], list[Any]]:
    x = image(28, 28, 1)
    with scope("LeNet"):
        y = slim.max_pool2d(slim.conv2d(x, 32, [5, 5], scope="conv1"), [2, 2], 2)
        y = slim.max_pool2d(slim.conv2d(y, 64, [5, 5], scope="conv2"), [2, 2], 2)
        y = slim.fully_connected(slim.flatten(y), 1024, scope="fc3")
        return [x], [_linear(y, 6, "fc4")]
