"""Faster R-CNN of the detection API (Apache 2.0), after its feature extractor and box heads, on tf_slim's resnet_v1."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import tensorflow as tf

from tests.architectures.legacy import slim  # before tf_slim's own nets
from tests.families.originals import image, original

v1 = tf.compat.v1
resnet = importlib.import_module("tf_slim.nets.resnet_v1")
utils = importlib.import_module("tf_slim.nets.resnet_utils")
scope = v1.variable_scope
WIDTH = 2


def _block(name: str, units: int, inner: int, strides: int) -> Any:
    unit = {"depth": 4 * inner, "depth_bottleneck": inner}
    last = {**unit, "stride": strides}
    units_ = [{**unit, "stride": 1}] * (units - 1) + [last]
    return utils.Block(name, resnet.bottleneck, units_)


@contextmanager
def _arguments() -> Iterator[None]:
    """What the extractor sets for both stages, in inference."""
    with slim.arg_scope(utils.resnet_arg_scope()):
        with slim.arg_scope([slim.batch_norm], is_training=False):
            yield


def _first_stage(x: Any) -> Any:
    """resnet_v1_50 down to every sixteenth place, narrow: conv1 and its pool, four blocks; what block3 gives."""
    blocks = [
        _block("block1", 3, WIDTH, 2),
        _block("block2", 4, 2 * WIDTH, 2),
        _block("block3", 6, 4 * WIDTH, 2),
        _block("block4", 3, 8 * WIDTH, 1),
    ]
    with _arguments(), scope("FirstStageFeatureExtractor/resnet_v1_50") as outer:
        x = utils.conv2d_same(x, WIDTH, 7, stride=2, scope="conv1")
        x = slim.max_pool2d(x, [3, 3], stride=2, padding="SAME", scope="pool1")
        with slim.arg_scope([utils.stack_blocks_dense], outputs_collections="ends"):
            utils.stack_blocks_dense(x, blocks, 4)
        name = f"{outer.name}/block3"
        return slim.utils.convert_collection_to_dict("ends")[name]


@original(
    "Faster R-CNN (ResNet v1), 50 layers, 5 classes, width 2 (published: 64)",
    peak=100.0,
    part="ResNet v1 (slim)",
)
def faster_rcnn() -> tuple[list[Any], list[Any]]:
    """Both stages before a box is decoded or a crop is cut."""
    picture = image(65, 96, 3)
    features = _first_stage(picture - [[[123.68, 116.779, 103.939]]])
    y = slim.conv2d(features, 12, 3, activation_fn=tf.nn.relu6, scope="Conv")
    with scope("FirstStageBoxPredictor"):
        boxes, objects = (
            slim.conv2d(y, filters, 1, activation_fn=None, scope=name)
            for name, filters in (("BoxEncodingPredictor", 12), ("ClassPredictor", 6))
        )
    crops = image(7, 7, 16 * WIDTH)
    with _arguments(), scope("SecondStageFeatureExtractor/resnet_v1_50"):
        z = utils.stack_blocks_dense(crops, [_block("block4", 3, 8 * WIDTH, 1)])
    z = slim.flatten(tf.reduce_mean(z, [1, 2], keepdims=True))
    with scope("SecondStageBoxPredictor"):
        refined, classes = (
            slim.fully_connected(z, units, activation_fn=None, scope=name)
            for name, units in (("BoxEncodingPredictor", 20), ("ClassPredictor", 6))
        )
    return [picture, crops], [boxes, objects, refined, classes]
