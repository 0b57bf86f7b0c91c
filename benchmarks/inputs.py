"""The inputs of the speed table, with random weights of fixed seeds: ``python benchmarks/inputs.py [FOLDER] [--only NAME ...]``.

Each is written once, by TensorFlow, slim or Keras in a process of its own (some minutes and 10 GB of disk for all of them), or byte by byte
where TensorFlow is not needed. What is there already stays; a run that was interrupted leaves nothing behind that looks whole.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from freeze import BUILD
from open_graph import write_heavy
from scaling import written
from side_by_side import environment

FOLDER = Path(tempfile.gettempdir()) / "graphscope-benchmarks"

TRAINING = """
import sys
import tensorflow.compat.v1 as tf
tf.disable_eager_execution()  # conds stay functions
tf.disable_resource_variables()
tf.set_random_seed(7)

def conv(x, filters, kernel, stride, name):
    with tf.variable_scope(name):
        weights = tf.get_variable("weights", [*kernel, x.shape[-1], filters], initializer=tf.truncated_normal_initializer(stddev=0.1))
        x = tf.nn.conv2d(x, weights, [1, stride, stride, 1], "SAME")
        with tf.variable_scope("BatchNorm"):
            beta = tf.get_variable("beta", [filters], initializer=tf.zeros_initializer())
            average = tf.get_variable("moving_mean", [filters], initializer=tf.zeros_initializer(), trainable=False)
            spread = tf.get_variable("moving_variance", [filters], initializer=tf.ones_initializer(), trainable=False)
            x, mean, variance = tf.nn.fused_batch_norm(x, tf.ones([filters]), beta, epsilon=0.001, is_training=True)
            for moving, batch in ((average, mean), (spread, variance)):
                tf.add_to_collection("update_ops", tf.assign_sub(moving, (moving - batch) * 0.0003))
        return tf.nn.relu(x)

def mixed(x, name, filters):
    with tf.variable_scope(name):
        one = conv(x, filters, [1, 1], 1, "b0")
        two = conv(conv(x, filters, [1, 1], 1, "b1_1"), filters, [3, 3], 1, "b1_2")
        three = conv(x, filters, [1, 1], 1, "b2_1")
        three = conv(conv(three, filters, [1, 7], 1, "b2_2"), filters, [7, 1], 1, "b2_3")
        four = conv(tf.nn.avg_pool2d(x, 3, 1, "SAME"), filters, [1, 1], 1, "b3")
        return tf.concat([one, two, three, four], 3)

path, blocks, histograms = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "gradients"
images = tf.placeholder(tf.float32, [None, 299, 299, 3], "images")
labels = tf.placeholder(tf.int64, [None], "labels")
x = conv(conv(images, 32, [3, 3], 2, "c1"), 32, [3, 3], 1, "c2")
x = tf.nn.max_pool2d(x, 3, 2, "VALID")
for number in range(blocks):
    x = mixed(x, f"Mixed_{number}", 48)
    if number in (3, 7):
        x = tf.nn.max_pool2d(x, 3, 2, "VALID")
x = tf.nn.dropout(tf.reduce_mean(x, [1, 2]), rate=0.2)
weights = tf.get_variable("logits/w", [x.shape[-1], 1001], initializer=tf.truncated_normal_initializer(stddev=0.1))
logits = tf.nn.xw_plus_b(x, weights, tf.get_variable("logits/b", [1001], initializer=tf.zeros_initializer()), name="logits")
tf.nn.softmax(logits, name="predictions")
loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))
loss += tf.add_n([1e-4 * tf.nn.l2_loss(each) for each in tf.trainable_variables()])
step = tf.train.get_or_create_global_step()
rate = tf.train.exponential_decay(0.1, step, 1000, 0.9)
optimizer = tf.train.RMSPropOptimizer(rate, momentum=0.9, epsilon=1.0)
pairs = optimizer.compute_gradients(loss)
applied = optimizer.apply_gradients(pairs, step)
averaged = tf.train.ExponentialMovingAverage(0.9999, step).apply(tf.trainable_variables())
for gradient, variable in pairs if histograms else ():
    tf.summary.histogram(variable.op.name + "/g", gradient)
for variable in tf.trainable_variables():
    tf.summary.histogram(variable.op.name, variable)
with tf.control_dependencies([applied, averaged, *tf.get_collection("update_ops")]):
    tf.no_op("train")
tf.summary.merge_all()
saver, initialise = tf.train.Saver(), tf.global_variables_initializer()
with tf.Session() as session:
    session.run([variable.initializer for variable in tf.trainable_variables()])
    session.run(initialise)
    saver.save(session, path)
"""
INCEPTION = """
import sys
import keras, tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2
keras.utils.set_random_seed(7)
model = keras.applications.InceptionV3(weights=None)
function = tf.function(lambda x: model(x, training=False))
function = function.get_concrete_function(tf.TensorSpec([None, 299, 299, 3], tf.float32))
with open(sys.argv[1], "wb") as file:
    file.write(convert_variables_to_constants_v2(function).graph.as_graph_def().SerializeToString())
"""
MATRICES = """
import sys
import tensorflow.compat.v1 as tf
tf.disable_v2_behavior()
tf.set_random_seed(7)
x = tf.placeholder(tf.float32, [None, 5000], "x")
for number in range(24):
    x = tf.matmul(x, tf.get_variable(f"w{number}", [5000, 5000], initializer=tf.random_normal_initializer()))
tf.identity(x, "y")
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    tf.train.Saver().save(session, sys.argv[1])
"""


def build(code: str, *arguments: str) -> None:
    """Run a program that writes an input; raises CalledProcessError where it fails."""
    command = [sys.executable, "-c", code, *arguments]
    subprocess.run(command, check=True, env=environment(), stderr=subprocess.DEVNULL)


def _chain(folder: Path) -> None:
    written("nodes", 30_000, folder)


def _slim(name: str) -> Callable[[Path], None]:
    return lambda folder: build(BUILD, name, str(folder / "model.ckpt"))


INPUTS: dict[str, tuple[str, Callable[[Path], None]]] = {
    "training": (
        "model.ckpt.meta",
        lambda folder: build(TRAINING, str(folder / "model.ckpt"), "18", "gradients"),
    ),
    "training_small": (
        "model.ckpt.meta",
        lambda folder: build(TRAINING, str(folder / "model.ckpt"), "12", "weights"),
    ),
    "inception": (
        "frozen.pb",
        lambda folder: build(INCEPTION, str(folder / "frozen.pb")),
    ),
    "chain": ("nodes_30000.pb", _chain),
    "heavy": ("frozen.pb", lambda folder: write_heavy(folder / "frozen.pb")),
    "resnet50": ("model.ckpt", _slim("resnet50")),
    "vgg16": ("model.ckpt", _slim("vgg16")),
    "vgg16-training": ("model.ckpt", _slim("vgg16-training")),
    "matrices": (
        "model.ckpt",
        lambda folder: build(MATRICES, str(folder / "model.ckpt")),
    ),
}
"""What each folder's model is called, and what writes it there."""


def path_of(name: str, folder: Path) -> Path:
    """The model of that name, written now if it is not there."""
    file, write = INPUTS[name]
    own = folder / name
    if not own.exists():
        unfinished = folder / f"{name}.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        write(unfinished)
        (unfinished / "checkpoint").unlink(missing_ok=True)  # names this folder
        unfinished.rename(own)
    return own / file


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    parser.add_argument("--only", nargs="+", choices=list(INPUTS), default=INPUTS)
    asked = parser.parse_args()
    for name in asked.only:
        print(path_of(name, asked.folder), flush=True)


if __name__ == "__main__":
    main()
