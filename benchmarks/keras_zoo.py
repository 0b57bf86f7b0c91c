"""Every model of keras.applications: saved by TensorFlow, recovered by graphscope in a process of its own, run, compared.

``python benchmarks/keras_zoo.py [--all] [--size N] [--form FORM] [MODEL ...]`` (default: the five of README from frozen
``.pb``, at their own input size). Seconds and memory are those of reading, recovering and writing; TensorFlow and
the comparison run elsewhere. A row for which TensorFlow or this machine's memory does not suffice says so.

For scale the same ResNet-50 is converted to ONNX by tf2onnx, where that is installed: ``pip install tf2onnx onnx``, in an
environment of its own if you like (``--onnx-python PATH``).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

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


ONNX = """
import sys
import tensorflow as tf, tf2onnx
graph = tf.compat.v1.GraphDef()
graph.ParseFromString(open(sys.argv[1], "rb").read())
tf2onnx.convert.from_graph_def(
    graph, input_names=[sys.argv[2]], output_names=sys.argv[3:], output_path=sys.argv[1] + ".onnx"
)
"""


def save(
    name: str, form: str, size: int | None, folder: Path
) -> tuple[str, list[str], Any, Any]:
    """The model in the form asked for: its path, its outputs (none where the file says them), what goes in and comes out."""
    import keras

    from tests.recovery import freeze_model, randomised, sample
    from tests.saving import FORMS

    build = getattr(keras.applications, name)
    options = {"input_shape": (size, size, 3)} if size else {}
    if form != "pb":
        shape = options.get("input_shape") or build(weights=None).input_shape[1:]
        shape = tuple(each or 224 for each in shape)
        made = FORMS[form](name, folder, input_shape=shape, classes=1000)
        return made.path, [], made.given, made.expected
    model = randomised(build, **options)
    _, outputs = freeze_model(model, folder / "frozen.pb")
    given = sample(model, 1)[0] if None not in model.input_shape[1:] else None
    expected = None if given is None else np.array(model(given, training=False))
    return str(folder / "frozen.pb"), [str(t) for t in outputs], given, expected


def row(name: str, form: str, size: int | None) -> dict[str, Any]:
    import keras

    from tests.recovery import built, scaled

    with tempfile.TemporaryDirectory() as made:
        path, outputs, given, expected = save(name, form, size, Path(made))
        keras.backend.clear_session()
        folder = Path(made) / "keras"
        cost = run(RECOVER, path, str(folder), *outputs)
        said = json.loads(cost.said)
        gap = float("nan")
        if given is not None:
            gap = scaled(expected, np.array(built(folder)(given, training=False)))
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


def compare_with_onnx(python: str) -> None:
    """ResNet-50 from one frozen file: recovered, and converted by tf2onnx."""
    import keras

    from tests.recovery import freeze_model, randomised

    found = subprocess.run(
        [python, "-c", "import tf2onnx"], capture_output=True, check=False
    )
    if found.returncode:
        print("\ntf2onnx is not installed: pip install tf2onnx onnx")
        return
    with tempfile.TemporaryDirectory() as made:
        path = Path(made) / "frozen.pb"
        inputs, outputs = freeze_model(randomised(keras.applications.ResNet50), path)
        keras.backend.clear_session()
        ours = run(RECOVER, str(path), f"{made}/keras", *map(str, outputs))
        theirs = run(ONNX, str(path), *map(str, (*inputs, *outputs)), python=python)
    own = json.loads(ours.said)["megabytes"]
    print("\nResNet-50 from one frozen .pb, the whole process")
    print(f"  graphscope to Keras {ours.seconds:8.2f} s {own:8.0f} MB")
    print(f"  tf2onnx to ONNX     {theirs.seconds:8.2f} s {theirs.megabytes:8.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*")
    parser.add_argument("--all", action="store_true", help="all classes")
    parser.add_argument("--size", type=int)
    parser.add_argument("--form", default="pb", help="pb, or a form of tests/saving.py")
    parser.add_argument("--onnx-python", default=sys.executable)
    given = parser.parse_args()
    print("  ".join(f"{column:>11}" for column in COLUMNS))
    for name in given.models or (_all() if given.all else DEFAULT):
        found = row(name, given.form, given.size)
        print("  ".join(f"{found[column]!s:>11}" for column in COLUMNS), flush=True)
    compare_with_onnx(given.onnx_python)


def _all() -> list[str]:
    import keras

    return [name for name in dir(keras.applications) if name[0].isupper()]


if __name__ == "__main__":
    main()
