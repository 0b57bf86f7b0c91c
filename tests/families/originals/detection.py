"""Nets that find things, after their authors' files: davidsandberg/facenet (MIT), mystic123/tensorflow-yolo-v3 (Apache 2.0)."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tests.architectures.legacy import slim
from tests.families.originals import image, original

v1 = tf.compat.v1
scope = v1.variable_scope


def _conv(x: Any, size: int, filters: int, name: str, padding: str = "VALID") -> Any:
    with scope(name):
        w = v1.get_variable("weights", [size, size, x.shape[-1], filters])
        y = tf.nn.conv2d(x, w, [1, 1, 1, 1], padding)
        return tf.nn.bias_add(y, v1.get_variable("biases", [filters]))


def _fc(x: Any, units: int, name: str) -> Any:
    with scope(name):
        x = slim.flatten(x)
        w = v1.get_variable("weights", [x.shape[1], units])
        return v1.nn.xw_plus_b(x, w, v1.get_variable("biases", [units]))


def _prelu(x: Any, name: str) -> Any:
    with scope(name):
        alpha = v1.get_variable("alpha", [x.shape[-1]])
        return tf.nn.relu(x) + alpha * -tf.nn.relu(-x)


def _pool(x: Any, size: int, padding: str = "SAME") -> Any:
    return v1.nn.max_pool(x, [1, size, size, 1], [1, 2, 2, 1], padding)


@original("MTCNN, proposals, refinement, output")
def mtcnn() -> tuple[list[Any], list[Any]]:
    """detect_face.py: PNet, RNet, ONet."""
    small, cut, large = image(31, 31, 3), image(24, 24, 3), image(48, 48, 3)
    with scope("pnet"):
        x = _pool(_prelu(_conv(small, 3, 10, "conv1"), "PReLU1"), 2)
        x = _prelu(_conv(x, 3, 16, "conv2"), "PReLU2")
        x = _prelu(_conv(x, 3, 32, "conv3"), "PReLU3")
        p = [tf.nn.softmax(_conv(x, 1, 2, "conv4-1")), _conv(x, 1, 4, "conv4-2")]
    with scope("rnet"):
        x = _pool(_prelu(_conv(cut, 3, 28, "conv1"), "prelu1"), 3)
        x = _pool(_prelu(_conv(x, 3, 48, "conv2"), "prelu2"), 3, "VALID")
        x = _prelu(_conv(x, 2, 64, "conv3"), "prelu3")
        x = _prelu(_fc(x, 128, "conv4"), "prelu4")
        r = [tf.nn.softmax(_fc(x, 2, "conv5-1")), _fc(x, 4, "conv5-2")]
    with scope("onet"):
        x = _pool(_prelu(_conv(large, 3, 32, "conv1"), "prelu1"), 3)
        x = _pool(_prelu(_conv(x, 3, 64, "conv2"), "prelu2"), 3, "VALID")
        x = _pool(_prelu(_conv(x, 3, 64, "conv3"), "prelu3"), 2)
        x = _prelu(_conv(x, 2, 128, "conv4"), "prelu4")
        x = _prelu(_fc(x, 256, "conv5"), "prelu5")
        o = [tf.nn.softmax(_fc(x, 2, "conv6-1")), _fc(x, 4, "conv6-2")]
        o.append(_fc(x, 10, "conv6-3"))
    return [small, cut, large], [*p, *r, *o]


def _fixed(x: Any, filters: int, size: int, strides: int = 1) -> Any:
    if strides > 1:
        before = (size - 1) // 2
        edges = [before, size - 1 - before]
        x = tf.pad(x, [[0, 0], edges, edges, [0, 0]])
    padding = "SAME" if strides == 1 else "VALID"
    return slim.conv2d(x, filters, size, stride=strides, padding=padding)


def _darknet(x: Any, unit: int) -> tuple[Any, Any, Any]:
    x = _fixed(x, unit, 3)
    routes = []
    for stage, repeats in enumerate((1, 2, 8, 8, 4)):
        x = _fixed(x, unit * 2 ** (stage + 1), 3, 2)
        for _ in range(repeats):
            low = _fixed(x, unit * 2**stage, 1)
            x = _fixed(low, unit * 2 ** (stage + 1), 3) + x
        routes.append(x)
    return routes[2], routes[3], x


def _block(x: Any, filters: int, spp: bool) -> tuple[Any, Any]:
    x = _fixed(_fixed(_fixed(x, filters, 1), 2 * filters, 3), filters, 1)
    if spp:
        pools = [slim.max_pool2d(x, k, 1, "SAME") for k in (13, 9, 5)]
        x = _fixed(tf.concat([*pools, x], 3), filters, 1)
    route = _fixed(_fixed(x, 2 * filters, 3), filters, 1)
    return route, _fixed(route, 2 * filters, 3)


def _yolo(spp: bool, unit: int, classes: int) -> tuple[list[Any], list[Any]]:
    x = image(64, 64, 3)
    norm = {"epsilon": 1e-5, "scale": True, "is_training": False}
    scopes = slim.arg_scope(
        [slim.conv2d],
        normalizer_fn=slim.batch_norm,
        normalizer_params=norm,
        biases_initializer=None,
        activation_fn=lambda t: tf.nn.leaky_relu(t, alpha=0.1),
    )

    def predictions(t: Any) -> Any:
        return slim.conv2d(
            t,
            3 * (5 + classes),
            1,
            normalizer_fn=None,
            activation_fn=None,
            biases_initializer=tf.zeros_initializer(),
        )

    outputs = []
    with scope("detector"), scopes:
        with scope("darknet-53"):
            route_1, route_2, y = _darknet(x / 255.0, unit)
        with scope("yolo-v3"):
            route, y = _block(y, 16 * unit, spp)
            outputs.append(predictions(y))
            for skip, width in ((route_2, 8 * unit), (route_1, 4 * unit)):
                y = _fixed(route, width, 1)
                y = v1.image.resize_nearest_neighbor(y, skip.shape.as_list()[1:3])
                route, y = _block(tf.concat([y, skip], 3), width, False)
                outputs.append(predictions(y))
    return [x], outputs


@original("YOLO v3, 4 classes, width 2 (published: 32)", peak=255.0)
def yolo_v3() -> tuple[list[Any], list[Any]]:
    return _yolo(False, 2, 4)


@original(
    "YOLO v3, 3 classes, spatial pyramid, width 2 (published: 32)",
    slow=True,
    peak=255.0,
)
def yolo_v3_spp() -> tuple[list[Any], list[Any]]:
    return _yolo(True, 2, 3)
