"""Eighteen models of the kinds that people deploy, as files, and how each is asked for: what the counts of every target are taken over.

python -m tests.export.eighteen FOLDER [TARGET ...]     writes the files that are not there yet, exports and proves them all
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

KEYWORDS = "ARM-software+ML-KWS-for-MCU/Pretrained_models"
CIFAR = "dotnet+machinelearning-testdata/Microsoft.ML.TensorFlow.TestModels/cifar_model/frozen_model.pb"
MTCNN = "blaueck+tf-mtcnn/mtcnn.pb"
PITCH = "spotify+basic-pitch/basic_pitch/saved_models/icassp_2022/nmp"


@dataclass(frozen=True)
class Asked:
    """One model: ``make`` leaves it in a folder and gives its path; ``feeds`` are examples where random ones mean nothing."""

    make: Callable[[Path], str]
    outputs: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    shapes: dict[str, Any] = field(default_factory=dict)
    feeds: Callable[[], dict[str, Any]] | None = None


def _corpus(path: str, folder: Path) -> str:
    from tests.conftest import CORPUS

    return str(CORPUS / path)


def _demo(folder: Path) -> str:
    line = [sys.executable, "-m", "graphscope.cli.demo.train", str(folder)]
    subprocess.run(line, check=True, capture_output=True)
    return str(next(folder.glob("*.index"))).removesuffix(".index")


def _zoo(name: str, form: str, size: int, folder: Path) -> str:
    from tests import saving

    options = {"input_shape": (size, size, 3)}
    return str(getattr(saving, form)(name, folder, **options).path)


def _slim(name: str, folder: Path) -> str:
    from tests.freeze.test_slim import FAMILIES
    from tests.test_zoo_slim import save

    return save(FAMILIES[name][0], 224, True, folder)


def _published(name: str, folder: Path) -> str:
    from tests.architectures import architectures
    from tests.architectures.forms import write

    return str(write(architectures()[name], "checkpoint", folder)[0])


def _graph(build: Callable[[], None], folder: Path) -> str:
    from .models import freeze_to

    return str(freeze_to(folder / "graph.pb", build))


def _loop() -> None:
    import tensorflow as tf

    from .models import values

    v1 = tf.compat.v1
    x = v1.placeholder(tf.float32, [None, 8], name="x")
    weight = tf.constant(values(8, 8) / 2)
    _, y = v1.while_loop(
        lambda i, _: i < 4,
        lambda i, h: (i + 1, tf.tanh(h @ weight)),
        [tf.constant(0), x],
    )
    tf.identity(y, name="y")


def _table() -> None:
    import tensorflow as tf

    v1 = tf.compat.v1
    words = v1.placeholder(tf.string, [None], name="words")
    filling = tf.lookup.KeyValueTensorInitializer(
        ["cat", "dog", "emu"], tf.constant([4, 5, 6], tf.int64)
    )
    table = tf.lookup.StaticHashTable(filling, 0)
    tf.identity(tf.cast(table.lookup(words), tf.float32) * 0.5, name="scores")


def _faces() -> dict[str, Any]:
    """Low thresholds, so that noise has sixty faces: else nothing is compared."""
    image = np.random.default_rng(0).uniform(0, 255, (160, 160, 3)).astype("f")
    sizes = {"min_size": np.float32(40), "factor": np.float32(0.709)}
    return {"input": image, "thresholds": np.array([0.01, 1e-3, 1e-3], "f"), **sizes}


def _words() -> dict[str, Any]:
    return {"words": np.array([b"cat", b"emu", b"owl", b"dog"])}


MODELS: dict[str, Asked] = {
    "demo checkpoint": Asked(_demo),
    "cifar": Asked(partial(_corpus, CIFAR)),
    **{
        f"keywords {name}": Asked(
            partial(_corpus, f"{KEYWORDS}/{name}/{name}_S.pb"), inputs=("Mfcc",)
        )
        for name in ("CNN", "DNN", "CRNN", "LSTM")
    },
    "while loop": Asked(partial(_graph, _loop), outputs=("y",)),
    "hash table": Asked(partial(_graph, _table), outputs=("scores",), feeds=_words),
    "mtcnn": Asked(partial(_corpus, MTCNN), feeds=_faces),
    "BERT": Asked(partial(_published, "bert.classifier")),
    "GPT-2": Asked(partial(_published, "gpt2.logits")),
    "MobileNet v2": Asked(partial(_zoo, "MobileNetV2", "checkpoint", 224)),
    "EfficientNet": Asked(partial(_zoo, "EfficientNetB0", "saved_model", 224)),
    "basic-pitch": Asked(partial(_corpus, PITCH)),
    "ResNet-50": Asked(partial(_zoo, "ResNet50", "exported", 224)),
    "Inception v3 (of facenet's size)": Asked(
        partial(_zoo, "InceptionV3", "checkpoint", 160)
    ),
    "inception v1, training": Asked(partial(_slim, "inception_v1")),
    "DenseNet-121": Asked(partial(_zoo, "DenseNet121", "saved_model", 128)),
}


def files(folder: Path) -> dict[str, str]:
    """The path of every model, each made once."""
    paths = {}
    for number, (name, asked) in enumerate(MODELS.items()):
        place = folder / f"{number:02}"
        note = place / "path.txt"
        if not note.exists():
            place.mkdir(parents=True, exist_ok=True)
            note.write_text(asked.make(place))
        paths[name] = note.read_text()
    return paths


def analysed(name: str, path: str) -> Any:
    """The analysis of one model, as it is asked for."""
    from graphscope.analysis import analyse

    asked = MODELS[name]
    options = {"inputs": asked.inputs, "shapes": asked.shapes}
    return analyse(path, outputs=asked.outputs, **options)


def export(name: str, path: str, target: str, place: Path, **wishes: Any) -> Any:
    """The report of one export."""
    asked = MODELS[name]
    if asked.feeds is not None:
        np.savez(place.with_suffix(".npz"), **asked.feeds())
        wishes["feeds"] = str(place.with_suffix(".npz"))
    return analysed(name, path).export(place, target, force=True, **wishes)


def prove(name: str, path: str, target: str, place: Path) -> tuple[bool, str]:
    """Whether one export is equal in its runtime, and what there is to say of it; ``chromium-wasm`` and the like run TensorFlow.js there."""
    where, _, backend = target.partition("-")
    if where == "chromium":
        return _prove_in_chromium(name, path, backend, place)
    suffix = {"tflite": ".tflite", "onnx": ".onnx"}.get(target, "")
    proof = export(name, path, target, place.with_name(place.name + suffix)).verified
    said = f"{proof.max_rel} {proof.runtime} {proof.milliseconds} ms"
    return bool(proof.passed), f"{said} {' '.join(proof.remarks)[:200]}"


def _prove_in_chromium(
    name: str, path: str, backend: str, place: Path
) -> tuple[bool, str]:
    from .runtimes import in_browser

    asked = MODELS[name]
    export(name, path, "tfjs", place, verify=False)
    examples = {f"{key}:0": value for key, value in (asked.feeds or dict)().items()}
    found = analysed(name, path)
    result, runner = in_browser(found, place, backend, examples=examples)
    said = f"{result.max_rel} {runner.runtime} {runner.elapsed} ms"
    return result.passed, f"{said} {' '.join(result.remarks)[:200]}"


def equal(folder: Path, target: str) -> list[str]:
    """The models whose export to ``target`` is proven equal; a line on stdout for each."""
    from graphscope.errors import GraphscopeError
    from graphscope.verify.import_tensorflow import import_tensorflow

    notes = [folder / f"{number:02}" / "path.txt" for number in range(len(MODELS))]
    if not all(note.exists() for note in notes):
        place = f"Path({str(folder)!r})"
        code = f"from pathlib import Path; from tests.export.eighteen import files; files({place})"
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    import_tensorflow()  # once: a proof in a child process would import it each time
    names = []
    for number, (name, path) in enumerate(files(folder).items()):
        start = time.perf_counter()
        try:
            passed, said = prove(name, path, target, folder / f"{number:02}.{target}")
        except GraphscopeError as error:  # what is refused is counted, too
            passed, said = False, f"ERROR {str(error)[:300]}"
        names += [name] if passed else []
        print(
            f"{target:15} {name:34} {time.perf_counter() - start:6.1f} s  {passed} {said}",
            flush=True,
        )
    print(f"{target}: {len(names)} of {len(MODELS)} equal", flush=True)
    return names


if __name__ == "__main__":
    for each in sys.argv[2:] or ["savedmodel", "tfjs", "tflite", "onnx", "openvino"]:
        equal(Path(sys.argv[1]), each)
