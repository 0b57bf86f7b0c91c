"""Export checkpoints with graphscope and with its rivals, side by side: time, peak memory, latency in wasm, and whether both compute the same.

``python benchmarks/export.py [mobilenet] [inception] [vgg16] [--keep FOLDER] [--converter FOLDER]``: builds each checkpoint once
(slim's networks, random weights), then makes a SavedModel and a TensorFlow.js model of it with either tool in fresh processes, freezing
included. ``--converter`` is where the ``tensorflowjs`` package lies (``pip install --no-deps --target FOLDER tensorflowjs``): it imports
tensorflow_decision_forests and tensorflow_hub, which die with the TensorFlow of today, so both are stubbed here. Times are from start of the
process to its end, interpreter and imports included. The latencies need Node and the packages of tests/package.json.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

_QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
ROOT = Path(__file__).parent.parent

BUILD = """
import importlib, sys
import tf_keras.src.legacy_tf_layers as layers
for n in ("base", "convolutional", "core", "normalization", "pooling"):
    sys.modules["tf_keras.legacy_tf_layers." + n] = importlib.import_module("tf_keras.src.legacy_tf_layers." + n)
sys.modules["tf_keras.legacy_tf_layers"] = layers
import tensorflow.compat.v1 as tf, tf_slim as slim
from tf_slim.nets import inception_v3, vgg
tf.disable_v2_behavior()
name, path = sys.argv[1:]
x = tf.placeholder(tf.float32, [None, 224, 224, 3], name="images")
if name == "mobilenet":
    import tf_keras
    session = tf.Session(); from tf_keras.src import backend; backend.set_session(session); backend.set_learning_phase(0)
    model = tf_keras.applications.MobileNetV2(weights=None, input_tensor=x, classifier_activation=None)
    net = model.output
elif name == "inception":
    with slim.arg_scope(inception_v3.inception_v3_arg_scope()):
        net, _ = inception_v3.inception_v3(x, 128, is_training=False)
else:
    with slim.arg_scope(vgg.vgg_arg_scope()):
        net, _ = vgg.vgg_16(x, 1000, is_training=False)
y = tf.nn.softmax(net, name="probabilities")
with (session if name == "mobilenet" else tf.Session()) as session:
    session.run(tf.global_variables_initializer())
    tf.train.Saver().save(session, path)
"""
TENSORFLOW = """
import sys
import tensorflow.compat.v1 as tf
path, out = sys.argv[1:]
with tf.Graph().as_default() as graph, tf.Session() as session:
    tf.train.import_meta_graph(path + ".meta", clear_devices=True).restore(session, path)
    tensor = graph.get_tensor_by_name
    tf.saved_model.simple_save(session, out, {"images": tensor("images:0")}, {"probabilities": tensor("probabilities:0")})
"""
CONVERTER = """
import sys, types
for name in ("tensorflow_decision_forests", "tensorflow_hub"):
    sys.modules[name] = types.ModuleType(name)
sys.path.append(sys.argv[3])
import tensorflow.compat.v1 as tf
path, out = sys.argv[1:3]
with tf.Graph().as_default(), tf.Session() as session:
    tf.train.import_meta_graph(path + ".meta", clear_devices=True).restore(session, path)
    frozen = tf.graph_util.convert_variables_to_constants(session, session.graph.as_graph_def(), ["probabilities"])
    open(out + ".pb", "wb").write(frozen.SerializeToString())
from tensorflowjs.converters import tf_saved_model_conversion_v2 as conversion
conversion.convert_tf_frozen_model(out + ".pb", "probabilities", out)
"""
GRAPHSCOPE = """
import sys
from graphscope.analysis import analyse
analyse(sys.argv[1], outputs=["probabilities"]).export(sys.argv[2], sys.argv[3], verify=False)
"""
COMPARE = """
import sys
from graphscope.verify import compare
found = compare(*sys.argv[1:])
print(f"{found.max_rel:.1e}", "equal" if found.max_rel <= 1e-4 else "DIFFERENT")
"""
TASKS = ("mobilenet", "inception", "vgg16")


class Cost(NamedTuple):
    """Seconds from start to end, seconds of the processors (which a busy machine does not stretch), peak memory."""

    seconds: float
    cpu: float
    megabytes: float


def run(code: str, *arguments: str) -> tuple[Cost | None, str]:
    """Run a program in a process of its own: what it cost (None where it failed), and what it said."""
    begin = time.perf_counter()
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            stdout=subprocess.PIPE,
            stderr=errors,
            env={**os.environ, **_QUIET},
            text=True,
        )
        said = process.stdout.read() if process.stdout else ""
        _, status, usage = os.wait4(process.pid, 0)
        if status:
            errors.seek(0)
            return None, errors.read().strip().splitlines()[-1][:120]
    seconds = time.perf_counter() - begin
    cost = Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
    return cost, said.strip()


def latency(ours: Path, theirs: Path) -> str:
    """Milliseconds of the processors that one picture costs in Node's wasm backend, the runs of both interleaved."""
    modules = ROOT / "tests" / "node_modules"
    if not (modules / "@tensorflow" / "tfjs").is_dir():
        return "latency not measured: npm ci --prefix tests"
    script = Path(__file__).with_name("latency.cjs")
    line = ["node", str(script), str(modules), "40", str(ours), str(theirs)]
    done = subprocess.run(line, capture_output=True, text=True)
    if done.returncode:
        return f"latency failed: {done.stderr.strip().splitlines()[-1][:80]}"
    (low, quartile), (their_low, their_quartile) = json.loads(done.stdout)
    return (
        f"CPU ms a picture in wasm, lowest and quartile: ours {low:.1f} {quartile:.1f}, theirs {their_low:.1f} {their_quartile:.1f}: "
        f"{low / their_low:.2f} {quartile / their_quartile:.2f} of it"
    )


def row(
    task: str, target: str, theirs: Cost | None, ours: Cost | None, said: str
) -> str:
    cells = [f"{task:10} {target:10}"]
    for cost in (theirs, ours):
        cells.append(
            f"{cost.seconds:6.2f} s {cost.cpu:6.2f} s {cost.megabytes:6.0f} MB"
            if cost
            else f"{'failed':>27}"
        )
    if theirs and ours:
        cells.append(
            f"{theirs.seconds / ours.seconds:5.1f} x {theirs.cpu / ours.cpu:5.1f} x {theirs.megabytes / ours.megabytes:5.1f} x"
        )
    return " | ".join([*cells, said])


def measure(task: str, folder: Path, converter: str) -> None:
    """The rows of one checkpoint."""
    checkpoint = folder / task / "model.ckpt"
    if not checkpoint.with_suffix(".ckpt.index").exists():
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        built, reason = run(BUILD, task, str(checkpoint))
        if built is None:
            raise SystemExit(f"{task}: {reason}")
    for target, rival in (("savedmodel", TENSORFLOW), ("tfjs", CONVERTER)):
        with tempfile.TemporaryDirectory(dir=folder) as place:
            theirs, ours = Path(place) / "theirs", Path(place) / "ours"
            extra = [] if target == "savedmodel" else [converter]
            a, reason = run(rival, str(checkpoint), str(theirs), *extra)
            b, _ = run(GRAPHSCOPE, str(checkpoint), str(ours), target)
            if target == "savedmodel":
                said = run(COMPARE, str(theirs), str(ours))[1] if a else reason
            else:
                said = latency(ours, theirs) if a else reason
            print(row(task, target, a, b, said), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tasks", nargs="*", default=TASKS)
    parser.add_argument("--keep", type=Path, help="keep the checkpoints there")
    parser.add_argument("--converter", default="", help="where tensorflowjs lies")
    options = parser.parse_args()
    print(
        "checkpoint target     | rival: time, CPU, peak      | graphscope                  | faster, CPU, smaller    |"
    )
    compileall.compile_dir(ROOT / "graphscope", quiet=1)  # as pip does
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for task in options.tasks:
            measure(task, folder, options.converter)


if __name__ == "__main__":
    main()
