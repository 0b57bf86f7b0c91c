"""Thirty models that were not among the eighteen: published architectures, and what the generators draw from seeds no test has.

python -m tests.export.heldout FOLDER [TARGET ...]     a line for each export, and how many are equal
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from graphscope.analysis import analyse
from graphscope.errors import GraphscopeError

SUFFIXES = {"tflite": ".tflite", "onnx": ".onnx"}
ARCHITECTURES = (
    "unet vae dcgan dqn siamese text_cnn wavenet wide_and_deep yolo vit style_transfer segmentation policy pointnet graph_convolution "
    "autoencoder audio transformer detection classification dense_prediction"
).split()
COUNT, SEEDS = 18, range(70_001, 70_005)


def sources(folder: Path) -> dict[str, tuple[Path, list[str]]]:
    """The path and the outputs of each, by its name; written where they are not there yet."""
    from tests.architectures import architectures
    from tests.architectures.forms import write
    from tests.generated.keras_models import random_model
    from tests.generated.loops import random_loops
    from tests.generated.raw_graphs import random_graph
    from tests.recovery import freeze_model

    models: dict[str, tuple[Path, list[str]]] = {}
    nets = {name: net for name, net in architectures().items() if not net.slow}
    for module in ARCHITECTURES:
        name = next((each for each in nets if each.startswith(f"{module}.")), "")
        if name and len(models) < COUNT:
            place = _place(folder, name)
            path, outputs = write(nets[name], "pb", place)
            models[name] = Path(path), outputs
    for seed in SEEDS:
        place = _place(folder, f"keras {seed}") / "frozen.pb"
        _, outputs = freeze_model(random_model(seed), place)
        models[f"keras {seed}"] = place, [str(each) for each in outputs]
        for kind, build in (("raw", random_graph), ("loops", random_loops)):
            place = _place(folder, f"{kind} {seed}") / "frozen.pb"
            models[f"{kind} {seed}"] = place, build(seed, place)
    return models


def _place(folder: Path, name: str) -> Path:
    place = folder / name.replace(" ", "_")
    place.mkdir(parents=True, exist_ok=True)
    return place


def _feeds(path: Path) -> str:
    """Examples that lie beside a model, where drawn ones mean nothing to it."""
    examples = path.with_name("feeds.npz")
    return str(examples) if examples.is_file() else ""


def equal(
    folder: Path, models: dict[str, tuple[Path, list[str]]], target: str
) -> list[str]:
    """The names of those whose export to ``target`` is proven equal; a line on stdout for each."""
    names = []
    for name, (path, outputs) in models.items():
        start = time.perf_counter()
        place = folder / f"{name.replace(' ', '_')}.{target}{SUFFIXES.get(target, '')}"
        try:
            found = analyse(path, outputs=outputs)
            report = found.export(place, target, force=True, feeds=_feeds(path))
            proof = report.verified
            names += [name] if proof.passed else []
            said = f"{proof.passed} {proof.max_rel} {' '.join(proof.remarks)[:200]}"
        except GraphscopeError as error:
            said = f"ERROR {str(error)[:300]}"
        seconds = time.perf_counter() - start
        print(f"{target:10} {name:34} {seconds:6.1f} s  {said}", flush=True)
    print(f"{target}: {len(names)} of {len(models)} equal", flush=True)
    return names


if __name__ == "__main__":
    root = Path(sys.argv[1])
    written = sources(root)
    for each in sys.argv[2:] or ["savedmodel", "tfjs", "tflite", "onnx", "openvino"]:
        equal(root, written, each)
