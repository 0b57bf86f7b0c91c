"""Every model of keras.applications: frozen by TensorFlow, recovered by graphscope in a process of its own, run, compared.

``python benchmarks/keras_zoo.py [--size N] [--form pb|savedmodel|checkpoint] [MODEL ...]`` (default: the five of README
from frozen ``.pb``, at their own input size). Seconds and memory are those of reading, recovering and writing; TensorFlow
and the comparison run elsewhere.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

from side_by_side import run  # noqa: E402

DEFAULT = ["ResNet50", "VGG16", "InceptionV3", "MobileNetV2", "DenseNet121"]
COLUMNS = "model form ops layers weights loc difference seconds MB".split()
RECOVER = """
import json, math, sys
from graphscope.analysis import Analysis
from graphscope.read import load
path, folder, outputs = sys.argv[1], sys.argv[2], sys.argv[3:]
found = Analysis(load(path), outputs=outputs)
report = found.write_keras(folder)


def resource_peak():
    # of this process alone: what wait4 says includes the parent, in which TensorFlow is loaded
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))


loose = sum(1 for step in report.source.program.steps if step.constructor == "Weight")
owned = sum(
    math.prod(use.shape)
    for step in report.source.program.steps
    if step.constructor != "Weight" and step.layer in ("", step.node)
    for use in step.weights.values()
)
print(json.dumps({
    "ops": len(found.graph), "layers": report.layers, "unexplained": len(report.unexplained),
    "owned": owned, "parameters": report.parameters, "loose": loose,
    "loc": report.source.lines_of_code,
    "megabytes": resource_peak(),
}))
"""


def save(model: Any, form: str, folder: Path) -> tuple[str, list[str]]:
    """Write the model in the form asked for; returns its path and its outputs (none where the file says them)."""
    import tensorflow as tf

    from tests.recovery import freeze_model

    if form == "pb":
        _, outputs = freeze_model(model, folder / "frozen.pb")
        return str(folder / "frozen.pb"), [str(tensor) for tensor in outputs]
    if form == "savedmodel":
        model.export(folder / "saved", verbose=False)
        return str(folder / "saved"), []
    specs = [tf.TensorSpec(t.shape, t.dtype) for t in model.inputs]
    arrays = model.get_weights()
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        given = [tf.compat.v1.placeholder(s.dtype, s.shape, "images") for s in specs]
        again = type(model).from_config(model.get_config())
        result = tf.identity(again(given[0], training=False), "result")
        values = [variable.value for variable in again.variables]
        session.run(tf.compat.v1.global_variables_initializer())
        for variable, value in zip(values, arrays):
            variable.load(value, session)
        saver = tf.compat.v1.train.Saver(values)
        return saver.save(session, str(folder / "model.ckpt")), [result.name]


def row(name: str, form: str, size: int | None) -> dict[str, Any]:
    import keras

    from tests.recovery import built, difference, randomised, sample

    options = {"input_shape": (size, size, 3)} if size else {}
    model = randomised(getattr(keras.applications, name), **options)
    with tempfile.TemporaryDirectory() as made:
        path, outputs = save(model, form, Path(made))
        folder = Path(made) / "keras"
        cost = run(RECOVER, path, str(folder), *outputs)
        said = json.loads(cost.said)
        keras.backend.clear_session()
        inputs = sample(model) if size or None not in model.inputs[0].shape[1:] else []
        gap = difference(model, built(folder), inputs) if inputs else float("nan")
    return {
        "model": name,
        "form": form,
        "ops": said["ops"],
        "layers": said["layers"],
        "weights": f"{100 * said['owned'] / max(said['parameters'], 1):.1f}%",
        "loc": said["loc"],
        "difference": f"{gap:.1e}",
        "seconds": f"{cost.seconds:.2f}",
        "MB": f"{said['megabytes']:.0f}",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", default=DEFAULT)
    parser.add_argument("--size", type=int)
    parser.add_argument(
        "--form", default="pb", choices=["pb", "savedmodel", "checkpoint"]
    )
    given = parser.parse_args()
    print("  ".join(f"{column:>11}" for column in COLUMNS))
    for name in given.models:
        found = row(name, given.form, given.size)
        print("  ".join(f"{found[column]!s:>11}" for column in COLUMNS), flush=True)


if __name__ == "__main__":
    main()
