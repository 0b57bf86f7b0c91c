"""Nets that find things, after their authors' files: davidsandberg/facenet (MIT), mystic123/tensorflow-yolo-v3 and wizyoung/YOLOv3_TensorFlow (Apache 2.0), MarvinTeichmann/tensorflow-fcn (MIT)."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tests.architectures.legacy import slim
from tests.families.originals import image, original
from tests.families.originals.mobilenet import mobilenet_v1_base, mobilenet_v2_base

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


def _yolo(
    spp: bool, unit: int, classes: int, wizyoung: bool = False
) -> tuple[list[Any], list[Any]]:
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
    body, head = ("darknet-53", "yolo-v3")
    if wizyoung:
        body, head = ("darknet53_body", "yolov3_head")
    with scope("yolov3" if wizyoung else "detector"), scopes:
        with scope(body):
            y = x if wizyoung else x / 255.0
            route_1, route_2, y = _darknet(y, unit)
        with scope(head):
            route, y = _block(y, 16 * unit, spp)
            outputs.append(predictions(y))
            for skip, width in ((route_2, 8 * unit), (route_1, 4 * unit)):
                y = _fixed(route, width, 1)
                sizes = skip.shape.as_list()[1:3]
                y = v1.image.resize_nearest_neighbor(y, sizes, align_corners=wizyoung)
                route, y = _block(tf.concat([y, skip], 3), width, False)
                outputs.append(predictions(y))
    return [x], outputs


@original("YOLO v3, 4 classes, width 2 (published: 32)", slow=True, peak=255.0)
def yolo_v3() -> tuple[list[Any], list[Any]]:
    return _yolo(False, 2, 4)


@original(
    "YOLO v3, 3 classes, spatial pyramid, width 2 (published: 32)",
    slow=True,
    peak=255.0,
)
def yolo_v3_spp() -> tuple[list[Any], list[Any]]:
    return _yolo(True, 2, 3)


@original("YOLO v3, 5 classes, width 2 (published: 32)", slow=True)
def yolo_v3_wizyoung() -> tuple[list[Any], list[Any]]:
    return _yolo(False, 2, 5, wizyoung=True)


def _mobilenet_norms() -> Any:
    """hyperparams_builder's scope of the published configs, in inference."""
    norm = {"is_training": False, "center": True, "scale": True, "epsilon": 0.001}
    return slim.arg_scope(
        [slim.conv2d, slim.separable_conv2d],
        normalizer_fn=slim.batch_norm,
        normalizer_params=norm,
        activation_fn=tf.nn.relu6,
        padding="SAME",
    )


def _feature_maps(x: Any, base: str, alpha: float) -> list[Any]:
    """feature_map_generators.multi_resolution_feature_maps, of the maps that have no layer."""
    maps = []
    for index, depth in enumerate((512, 256, 256, 128), 2):
        low, high = max(int(depth / 2 * alpha), 16), max(int(depth * alpha), 16)
        x = slim.conv2d(x, low, 1, scope=f"{base}_1_Conv2d_{index}_1x1_{low}")
        name = f"{base}_2_Conv2d_{index}_3x3_s2_{high}"
        x = slim.conv2d(x, high, 3, stride=2, scope=name)
        maps.append(x)
    return maps


def _predictors(maps: list[Any], classes: int, size: int) -> list[Any]:
    """convolutional_box_predictor.ConvolutionalBoxPredictor before its reshapes."""
    outputs = []
    for place, each in enumerate(maps):
        boxes = 3 if place == 0 else 6
        with scope(f"BoxPredictor_{place}"):
            for name, depth in (
                ("BoxEncodingPredictor", 4 * boxes),
                ("ClassPredictor", (classes + 1) * boxes),
            ):
                y = slim.conv2d(each, depth, size, activation_fn=None, scope=name)
                outputs.append(y)
    return outputs


@original("SSD MobileNet v1, alpha 0.25, 3 classes", slow=True)
def ssd_mobilenet_v1() -> tuple[list[Any], list[Any]]:
    x = image(128, 128, 3)
    with scope("FeatureExtractor"), _mobilenet_norms(), scope("MobilenetV1"):
        ends = mobilenet_v1_base(x, 0.25)
        maps = [ends[11], ends[13]]
        maps += _feature_maps(ends[13], "Conv2d_13_pointwise", 0.25)
    return [x], _predictors(maps, 3, 1)


@original("SSD MobileNet v2, alpha 0.35, 2 classes", slow=True)
def ssd_mobilenet_v2() -> tuple[list[Any], list[Any]]:
    x = image(128, 128, 3)
    with scope("FeatureExtractor"), _mobilenet_norms(), scope("MobilenetV2"):
        wide: dict[str, Any] = {}
        y = mobilenet_v2_base(x, 0.35, wide=wide)
        y = slim.conv2d(y, 1280, 1, scope="Conv_1")
        maps = [wide["expanded_conv_13"], y, *_feature_maps(y, "layer_19", 0.35)]
    return [x], _predictors(maps, 2, 3)


def _pooled_image(x: Any, depth: int) -> Any:
    """model.extract_features: the whole image as one place, its convolution, and that for every place again."""
    sizes = x.shape.as_list()[1:3]
    y = tf.reduce_mean(x, [1, 2], keepdims=True)
    y = slim.conv2d(y, depth, 1, scope="image_pooling")
    return v1.image.resize_bilinear(y, sizes, align_corners=True)


@original("DeepLab v3 (MobileNet v2), alpha 0.5, 4 classes", slow=True, output_stride=8)
def deeplab_mobilenet_v2() -> tuple[list[Any], list[Any]]:
    """model.py with feature_extractor.py's MobileNet v2, no atrous rates, no decoder."""
    x = image(65, 65, 3)
    with _mobilenet_norms(), scope("MobilenetV2"):
        y = mobilenet_v2_base((2.0 / 255.0) * x - 1.0, 0.5, 8)
    norm = {"is_training": False, "epsilon": 1e-5, "scale": True}
    with slim.arg_scope(
        [slim.conv2d],
        activation_fn=tf.nn.relu,
        normalizer_fn=slim.batch_norm,
        normalizer_params=norm,
        padding="SAME",
    ):
        branches = [_pooled_image(y, 256), slim.conv2d(y, 256, 1, scope="aspp0")]
        y = slim.conv2d(tf.concat(branches, 3), 256, 1, scope="concat_projection")
    with scope("logits"):
        return [x], [slim.conv2d(y, 4, 1, activation_fn=None, scope="semantic")]


def _stage(x: Any, features: Any, stage: int, branch: int, unit: int) -> Any:
    def conv(y: Any, size: int, filters: int, name: str, relu: bool = True) -> Any:
        y = _conv(y, size, filters, name, "SAME")
        return tf.nn.relu(y) if relu else y

    maps = 38 if branch == 1 else 19
    if stage == 1:
        for place in (1, 2, 3):
            x = conv(x, 3, 2 * unit, f"conv5_{place}_CPM_L{branch}")
        x = conv(x, 1, 8 * unit, f"conv5_4_CPM_L{branch}")
        return conv(x, 1, maps, f"conv5_5_CPM_L{branch}", False)
    for place in range(1, 6):
        x = conv(x, 7, 2 * unit, f"Mconv{place}_stage{stage}_L{branch}")
    x = conv(x, 1, 2 * unit, f"Mconv6_stage{stage}_L{branch}")
    return conv(x, 1, maps, f"Mconv7_stage{stage}_L{branch}", False)


@original("OpenPose, width 2 (published: 64)")
def openpose() -> tuple[list[Any], list[Any]]:
    """tf-pose-estimation's network_cmu.py (Apache 2.0), narrow."""
    unit, x = 2, image(32, 32, 3)
    y = x
    for block, (repeats, width) in enumerate(((2, 1), (2, 2), (4, 4), (2, 8)), 1):
        y = _pool(y, 2, "VALID") if block > 1 else y
        for place in range(1, repeats + 1):
            name = f"conv{block}_{place}"
            y = tf.nn.relu(_conv(y, 3, width * unit, name, "SAME"))
    y = tf.nn.relu(_conv(y, 3, 4 * unit, "conv4_3_CPM", "SAME"))
    features = tf.nn.relu(_conv(y, 3, 2 * unit, "conv4_4_CPM", "SAME"))
    joint = features
    for stage in range(1, 7):
        ends = [_stage(joint, features, stage, branch, unit) for branch in (1, 2)]
        joint = tf.concat([*ends, features], 3)
    return [x], ends


def _score(x: Any, name: str, classes: int, size: int = 1) -> Any:
    return _conv(x, size, classes, name, "SAME")


def _upscore(x: Any, name: str, like: Any, size: int, strides: int) -> Any:
    classes = x.shape[-1]
    with scope(name):
        w = v1.get_variable("up_filter", [size, size, classes, classes])
    shape = [*like.shape[:3], classes]
    return tf.nn.conv2d_transpose(x, w, shape, [1, strides, strides, 1], "SAME")


@original("FCN-8s (VGG-16), 5 classes, width 4 (published: 64)", peak=128.0)
def fcn8() -> tuple[list[Any], list[Any]]:
    """MarvinTeichmann/tensorflow-fcn (MIT), FCN8VGG.build: VGG's own colours, blue first."""
    rgb = image(64, 96, 3)
    red, green, blue = tf.split(rgb, 3, 3)
    x = tf.concat([blue - 103.939, green - 116.779, red - 123.68], 3)
    pools = []
    for block, depth in enumerate((2, 2, 3, 3, 3), 1):
        for place in range(1, depth + 1):
            with scope(f"conv{block}_{place}"):
                width = 4 * min(2 ** (block - 1), 8)
                w = v1.get_variable("filter", [3, 3, x.shape[-1], width])
                b = v1.get_variable("biases", [width])
                x = tf.nn.relu(tf.nn.conv2d(x, w, 1, "SAME") + b)
        x = _pool(x, 2)
        pools.append(x)
    for name, size in (("fc6", 7), ("fc7", 1)):
        x = tf.nn.relu(_score(x, name, 20, size))
    x = _score(x, "score_fr", 5)
    x = _upscore(x, "upscore2", pools[3], 4, 2) + _score(pools[3], "score_pool4", 5)
    x = _upscore(x, "upscore4", pools[2], 4, 2) + _score(pools[2], "score_pool3", 5)
    return [rgb], [_upscore(x, "upscore32", rgb, 16, 8)]
