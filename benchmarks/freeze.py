"""Freeze checkpoints with TensorFlow and with graphscope, side by side: time, peak memory, and whether both compute the same.

``python benchmarks/freeze.py [resnet50] [vgg16] [vgg16-training] [--keep FOLDER]``: builds each checkpoint once (slim's networks, random
weights), then freezes it with either tool in a fresh process and runs the two files on the same inputs. Needs 12 GB of disk and
6 GB of memory for VGG-16's training checkpoint. Times are from start of the process to its end, interpreter and imports included.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from side_by_side import environment

BUILD = """
import importlib, sys
import tf_keras.src.legacy_tf_layers as layers
for n in ("base", "convolutional", "core", "normalization", "pooling"):
    sys.modules["tf_keras.legacy_tf_layers." + n] = importlib.import_module("tf_keras.src.legacy_tf_layers." + n)
sys.modules["tf_keras.legacy_tf_layers"] = layers
import tensorflow.compat.v1 as tf, tf_slim as slim
from tf_slim.nets import resnet_v1, vgg
tf.disable_v2_behavior()
tf.set_random_seed(7)
name, path = sys.argv[1:]
x = tf.placeholder(tf.float32, [None, 224, 224, 3], name="images")
if name == "resnet50":
    with slim.arg_scope(resnet_v1.resnet_arg_scope()):
        net, _ = resnet_v1.resnet_v1_50(x, 1000, is_training=False)
else:
    with slim.arg_scope(vgg.vgg_arg_scope()):
        net, _ = vgg.vgg_16(x, 1000, is_training=False)
y = tf.nn.softmax(tf.reshape(net, [-1, 1000]), name="probabilities")
if name == "vgg16-training":
    tf.train.AdamOptimizer().minimize(tf.reduce_mean(y), global_step=tf.train.create_global_step())
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    tf.train.Saver().save(session, path)
"""
TENSORFLOW = """
import sys
import tensorflow.compat.v1 as tf
path, out = sys.argv[1:]
with tf.Graph().as_default(), tf.Session() as session:
    tf.train.import_meta_graph(path + ".meta", clear_devices=True).restore(session, path)
    frozen = tf.graph_util.convert_variables_to_constants(
        session, session.graph.as_graph_def(), ["probabilities"])
    with open(out, "wb") as file:
        file.write(frozen.SerializeToString())
"""
GRAPHSCOPE = """
import sys
from graphscope.freeze import freeze_model
from graphscope.read import load
freeze_model(load(sys.argv[1]), ["probabilities"], sys.argv[2])
"""
COMPARE = """
import sys
from graphscope.verify import compare
found = compare(*sys.argv[1:])
print(f"{found.max_rel:.1e}", "equal" if found.max_rel <= 1e-5 else "DIFFERENT")
"""
TASKS = ("resnet50", "vgg16", "vgg16-training")


class Cost(NamedTuple):
    seconds: float
    megabytes: float


def run(code: str, *arguments: str) -> tuple[Cost, str]:
    """Run a program in a process of its own: what it cost, and what it said."""
    begin = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment(),
        text=True,
    )
    said = process.stdout.read() if process.stdout else ""
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"a process of the benchmark failed with status {status}")
    return Cost(time.perf_counter() - begin, usage.ru_maxrss / 1024), said


def copy_seconds(path: Path, folder: Path) -> float:
    """How long the frozen file takes to be copied."""
    begin = time.perf_counter()
    shutil.copyfile(path, folder / "copy")
    return time.perf_counter() - begin


def measure(task: str, folder: Path) -> str:
    """One row of the table."""
    checkpoint = folder / task / "model.ckpt"
    if not checkpoint.with_suffix(".ckpt.index").exists():
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        run(BUILD, task, str(checkpoint))
    theirs, ours = folder / "tensorflow.pb", folder / "graphscope.pb"
    a, _ = run(TENSORFLOW, str(checkpoint), str(theirs))
    b, _ = run(GRAPHSCOPE, str(checkpoint), str(ours))
    copied = copy_seconds(ours, folder)
    _, said = run(COMPARE, str(theirs), str(ours))
    return (
        f"{task:15} {ours.stat().st_size / 1e6:6.0f} MB | {a.seconds:6.2f} s {a.megabytes:6.0f} MB "
        f"| {b.seconds:6.2f} s {b.megabytes:6.0f} MB | {a.seconds / b.seconds:5.1f} x {a.megabytes / b.megabytes:5.1f} x "
        f"| {copied:5.2f} s | {said.strip()}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tasks", nargs="*", default=TASKS)
    parser.add_argument("--keep", type=Path, help="keep the checkpoints there")
    options = parser.parse_args()
    print(
        "task            frozen    | TensorFlow         | graphscope         | faster  smaller | copy    | outputs"
    )
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for task in options.tasks:
            print(measure(task, folder), flush=True)
            for name in ("tensorflow.pb", "graphscope.pb", "copy"):
                (folder / name).unlink(missing_ok=True)


if __name__ == "__main__":
    main()
