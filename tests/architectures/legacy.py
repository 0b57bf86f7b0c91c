"""``tf.layers``, ``tf.contrib.layers`` (TF-slim) and the defaults of TensorFlow 1, on a TensorFlow that has dropped them."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import tensorflow as tf
from tensorflow.python.framework import ops
from tensorflow.python.ops import control_flow_ops
from tensorflow.python.ops import control_flow_v2_toggles as flow
from tensorflow.python.ops import resource_variables_toggle as variables

v1 = tf.compat.v1


def _legacy_layers() -> SimpleNamespace:
    """``layers.conv2d``, ``layers.dense`` and so on; TF-slim finds the same modules."""
    name, found = "tf_keras.legacy_tf_layers", {}
    sys.modules[name] = importlib.import_module("tf_keras.src.legacy_tf_layers")
    for part in ("base", "convolutional", "core", "normalization", "pooling"):
        module = importlib.import_module(f"tf_keras.src.legacy_tf_layers.{part}")
        sys.modules[f"{name}.{part}"] = module
        found |= {k: getattr(module, k) for k in dir(module) if k.islower()}
    return SimpleNamespace(**found)


layers: Any = _legacy_layers()
ops.Tensor, control_flow_ops.cond = tf.Tensor, v1.cond  # where TF-slim looks for them
slim: Any = importlib.import_module("tf_slim")


@contextmanager
def tensorflow_1() -> Iterator[Any]:
    """A new default graph with reference variables and Switch/Merge control flow, as TensorFlow 1 made it."""
    resources = variables.resource_variables_enabled()
    functional = flow.control_flow_v2_enabled()
    v1.disable_resource_variables()
    v1.disable_control_flow_v2()
    try:
        with tf.Graph().as_default() as graph:
            v1.set_random_seed(0)
            yield graph
    finally:
        if resources:
            v1.enable_resource_variables()
        if functional:
            v1.enable_control_flow_v2()
