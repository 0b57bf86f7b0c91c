"""``tf.layers``, ``tf.contrib.layers`` (TF-slim) and the defaults of TensorFlow 1, on a TensorFlow that has dropped them."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import tensorflow as tf

v1 = tf.compat.v1
_PARTS = ("base", "convolutional", "core", "normalization", "pooling")


def _legacy_layers() -> SimpleNamespace:
    name, found = "tf_keras.legacy_tf_layers", {}
    sys.modules[name] = importlib.import_module("tf_keras.src.legacy_tf_layers")
    for part in _PARTS:
        module = importlib.import_module(f"tf_keras.src.legacy_tf_layers.{part}")
        sys.modules[f"{name}.{part}"] = module
        found |= {k: getattr(module, k) for k in dir(module) if k.islower()}
    return SimpleNamespace(**found)


layers: Any = (
    _legacy_layers()
)  # layers.conv2d, layers.dense, layers.batch_normalization
slim: Any = importlib.import_module("tf_slim")


@contextmanager
def tensorflow_1() -> Iterator[Any]:
    """A new default graph with reference variables and Switch/Merge control flow, as TensorFlow 1 made it."""
    from tensorflow.python.ops import control_flow_v2_toggles as flow
    from tensorflow.python.ops import resource_variables_toggle as variables

    resources, v2 = (
        variables.resource_variables_enabled(),
        flow.control_flow_v2_enabled(),
    )
    v1.disable_resource_variables()
    v1.disable_control_flow_v2()
    try:
        with tf.Graph().as_default() as graph:
            v1.set_random_seed(0)
            yield graph
    finally:
        if resources:
            v1.enable_resource_variables()
        if v2:
            v1.enable_control_flow_v2()
