"""The families of TF-slim, from the checkpoints of evaluation and of training: their layers, their outputs, few lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tf_slim")

import tensorflow as tf  # noqa: E402

from graphscope.analysis.results import Analysis  # noqa: E402
from graphscope.read import load  # noqa: E402

from .architectures.legacy import slim, tensorflow_1, v1  # noqa: E402
from .freeze.test_slim import FAMILIES, net  # noqa: E402
from .recovery import built, scaled  # noqa: E402

# family: most lines of code; what is built how, and its input size, say the tests of freezing
LINES = {
    "alexnet_v2": 60,
    "inception_v1": 75,
    "inception_v2": 100,
    "inception_v3": 130,
    "overfeat": 60,
    "resnet_v1_50": 80,
    "resnet_v1_101": 80,
    "resnet_v2_50": 110,
    "vgg_16": 75,
}
WIDER = {
    "resnet_v1_152": (net("resnet_v1", "resnet_v1_152", "resnet_arg_scope"), 64),
    "resnet_v2_101": (net("resnet_v2", "resnet_v2_101", "resnet_arg_scope"), 64),
    "resnet_v2_152": (net("resnet_v2", "resnet_v2_152", "resnet_arg_scope"), 64),
    "vgg_a": (net("vgg", "vgg_a", "vgg_arg_scope"), 224),
    "vgg_19": (net("vgg", "vgg_19", "vgg_arg_scope"), 224),
}
MODES = {"evaluation": False, "training": True, "switched": None}


def save(build: Any, size: int, training: bool | None, folder: Path) -> str:
    """The checkpoint that a script of TensorFlow 1 leaves; ``training`` None: a placeholder switches the mode."""
    with tensorflow_1(), v1.Session() as session:
        images = v1.placeholder(tf.float32, [None, size, size, 3], "images")
        mode = (
            v1.placeholder(tf.bool, [], "is_training") if training is None else training
        )
        logits = build(slim, images, mode)
        tf.nn.softmax(logits, name="probabilities")
        if training is not False:
            labels = v1.placeholder(tf.int64, [None], "labels")
            v1.losses.sparse_softmax_cross_entropy(labels, logits)
            loss = v1.losses.get_total_loss()
            with tf.control_dependencies(v1.get_collection(v1.GraphKeys.UPDATE_OPS)):
                v1.train.MomentumOptimizer(0.1, 0.9).minimize(loss)
            v1.summary.scalar("loss", loss)
        session.run(v1.global_variables_initializer())
        for number, variable in enumerate(v1.global_variables()):
            _stir(variable, number, session)
        return str(v1.train.Saver().save(session, str(folder / "model.ckpt")))


def _stir(variable: Any, number: int, session: Any) -> None:
    """Statistics and offsets that show every mistake; kernels keep what slim gave them."""
    rng, shape = np.random.default_rng(number), variable.shape.as_list()
    if variable.op.name.endswith("moving_variance"):
        variable.load(rng.uniform(0.5, 1.5, shape), session)
    elif variable.op.name.endswith(("moving_mean", "beta", "biases")):
        variable.load(rng.normal(0, 0.1, shape), session)


def evaluate(build: Any, size: int, path: str, given: np.ndarray) -> np.ndarray:
    """What the author's evaluation graph says, with the weights of the checkpoint."""
    with tensorflow_1(), v1.Session() as session:
        images = v1.placeholder(tf.float32, [None, size, size, 3])
        scores = tf.nn.softmax(build(slim, images, False))
        v1.train.Saver().restore(session, path)
        return np.asarray(session.run(scores, {images: given}))


def check(
    build: Any, size: int, training: bool | None, lines: int, folder: Path
) -> None:
    path = save(build, size, training, folder)
    given = np.random.default_rng(0).normal(size=(2, size, size, 3)).astype("float32")
    found = Analysis(load(path))
    assert [str(t) for t in found.sure_outputs()] == ["probabilities:0"]
    report = found.write_keras(folder / "keras")
    steps = report.source.program.steps
    assert not any(step.constructor == "Weight" for step in steps)
    assert not report.not_portable
    made = built(folder / "keras")
    expected = evaluate(build, size, path, given)
    assert scaled(expected, np.array(made(given, training=False))) < 1e-4
    assert report.source.lines_of_code <= lines


def tiny(slim: Any, x: Any, training: Any) -> Any:
    """A net with slim's habits: two units in scopes, batch norm, dropout."""
    norm = {"is_training": training, "scale": True, "decay": 0.9}
    with slim.arg_scope(
        [slim.conv2d], normalizer_fn=slim.batch_norm, normalizer_params=norm
    ):
        x = slim.conv2d(x, 8, 3, stride=2, scope="stem")
        for number in range(3):
            with v1.variable_scope(f"unit_{number}"):
                y = slim.conv2d(x, 4, 1, scope="conv1")
                y = slim.conv2d(y, 8, 3, activation_fn=None, scope="conv2")
                x = tf.nn.relu(x + y)
    x = tf.reduce_mean(x, [1, 2])
    x = slim.dropout(x, 0.8, is_training=training, scope="dropout")
    return slim.fully_connected(x, 5, activation_fn=None, scope="logits")


@pytest.mark.parametrize("mode", MODES)
def test_habits_of_slim(mode: str, tmp_path: Path) -> None:
    check(tiny, 16, MODES[mode], 40, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("name", [*FAMILIES, *WIDER])
def test_family(name: str, mode: str, tmp_path: Path) -> None:
    build, size = (FAMILIES | WIDER)[name]
    check(build, size, MODES[mode], LINES.get(name, 110), tmp_path)
