"""Training graphs of TF-slim's families, frozen for inference: they compute what the author's evaluation graph computes."""

from __future__ import annotations

import importlib
import sys

import numpy as np
import pytest
import tensorflow as tf

from graphscope.freeze import freeze_model
from graphscope.infer.outputs.find import find_outputs
from graphscope.read import load
from graphscope.verify.differences import difference

v1 = tf.compat.v1


@pytest.fixture(scope="module")
def slim():
    """tf_slim, with the layers of TensorFlow 1 that it stands on."""
    name = "tf_keras.legacy_tf_layers"
    sys.modules[name] = importlib.import_module("tf_keras.src.legacy_tf_layers")
    for part in ("base", "convolutional", "core", "normalization", "pooling"):
        module = importlib.import_module(f"tf_keras.src.legacy_tf_layers.{part}")
        sys.modules[f"{name}.{part}"] = module
    return importlib.import_module("tf_slim")


def small(slim, x, training):
    """One convolution of each habit: batch norm by cond on a placeholder or by a Python bool, dropout."""
    options = {"is_training": training, "scale": True, "decay": 0.9}
    with slim.arg_scope([slim.conv2d], normalizer_fn=slim.batch_norm):
        with slim.arg_scope([slim.batch_norm], **options):
            h = slim.conv2d(x, 8, 3, stride=2)
            h = slim.separable_conv2d(h, 12, 3, 1, normalizer_fn=slim.batch_norm)
            h = slim.conv2d(h, 8, 3, normalizer_params={**options, "fused": False})
    h = slim.dropout(slim.flatten(h), 0.5, is_training=training)
    h = slim.layer_norm(slim.fully_connected(h, 16))
    return slim.fully_connected(h, 5, activation_fn=None)


def net(module, function, scope=None):
    def build(slim, x, training):
        nets = importlib.import_module(f"tf_slim.nets.{module}")
        with slim.arg_scope(getattr(nets, scope)() if scope else {}):
            found = getattr(nets, function)(x, 10, is_training=training)[0]
        return tf.reshape(found, [-1, 10])

    return build


FAMILIES = {
    "alexnet_v2": (net("alexnet", "alexnet_v2", "alexnet_v2_arg_scope"), 224),
    "inception_v1": (
        net("inception_v1", "inception_v1", "inception_v1_arg_scope"),
        224,
    ),
    "inception_v2": (
        net("inception_v2", "inception_v2", "inception_v2_arg_scope"),
        224,
    ),
    "inception_v3": (
        net("inception_v3", "inception_v3", "inception_v3_arg_scope"),
        299,
    ),
    "overfeat": (net("overfeat", "overfeat", "overfeat_arg_scope"), 231),
    "resnet_v1_50": (net("resnet_v1", "resnet_v1_50", "resnet_arg_scope"), 64),
    "resnet_v1_101": (net("resnet_v1", "resnet_v1_101", "resnet_arg_scope"), 64),
    "resnet_v2_50": (net("resnet_v2", "resnet_v2_50", "resnet_arg_scope"), 64),
    "vgg_16": (net("vgg", "vgg_16", "vgg_arg_scope"), 224),
}


def check(slim, build, size, folder, mode=None):
    """Save the training graph, evaluate the evaluation graph on its checkpoint, freeze the training graph."""
    v1.disable_control_flow_v2()
    path, given = str(folder / "m.ckpt"), np.random.default_rng(0)
    given = given.normal(size=(2, size, size, 3)).astype("f")
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [None, size, size, 3], name="x")
        training = True if mode is None else v1.placeholder(tf.bool, [], name="mode")
        logits = tf.identity(build(slim, x, training), name="logits")
        labels = v1.placeholder(tf.int64, [None], name="labels")
        loss = v1.losses.sparse_softmax_cross_entropy(labels, logits)
        with tf.control_dependencies(v1.get_collection(v1.GraphKeys.UPDATE_OPS)):
            v1.train.MomentumOptimizer(0.1, 0.9).minimize(loss)
        v1.summary.scalar("loss", loss)
        session.run(v1.global_variables_initializer())
        for number, variable in enumerate(
            v1.moving_average_variables() or v1.global_variables()
        ):
            if "moving" in variable.op.name:
                rng = np.random.default_rng(number)
                variable.load(rng.uniform(0.5, 1.5, variable.shape.as_list()), session)
        v1.train.Saver().save(session, path)
    with tf.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [None, size, size, 3], name="x")
        logits = build(slim, x, False)
        v1.train.Saver().restore(session, path)
        expected = session.run(logits, {x: given})
    model = load(path)
    report = freeze_model(model, ["logits"], folder / "f.pb")
    assert report.inputs == ("x:0",)
    with tf.Graph().as_default() as graph, v1.Session() as session:
        message = v1.GraphDef.FromString((folder / "f.pb").read_bytes())
        tf.import_graph_def(message, name="")
        found = session.run("logits:0", {"x:0": given})
    del graph
    assert difference(expected, found)[1] <= 1e-5
    return model


@pytest.mark.parametrize("mode", [None, "placeholder"])
def test_a_network_with_every_habit_of_slim(slim, tmp_path, mode):
    model = check(slim, small, 16, tmp_path, mode)
    found = find_outputs(model).best()
    assert [str(c.tensor) for c in found] == ["logits:0"]


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILIES)
def test_the_training_graph_of_a_family(slim, tmp_path, name):
    check(slim, *FAMILIES[name], tmp_path)
