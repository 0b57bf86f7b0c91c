"""Quantised exports of the nets above a megabyte among the eighteen: how small, and how far from the float source.

python -m tests.export.quantised FOLDER TARGET KIND [NAME ...]     FOLDER as for tests.export.eighteen
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from . import eighteen

LARGE = (
    "MobileNet v2",
    "EfficientNet",
    "Inception v3 (of facenet's size)",
    "inception v1, training",
    "DenseNet-121",
    "ResNet-50",
)
SUFFIXES = {"tflite": ".tflite"}


def quantised(folder: Path, name: str, target: str, kind: str) -> Any:
    """The report of one export; int8 is calibrated on eight random pictures."""
    number, path = [*eighteen.MODELS].index(name), eighteen.files(folder)[name]
    place = folder / f"{number:02}.{kind}{SUFFIXES.get(target, '')}"
    wishes: dict[str, Any] = {"quantize": kind}
    if kind == "int8":
        wishes["calibrate"] = str(_examples(name, path, place.with_suffix(".npz")))
    return eighteen.export(name, path, target, place, **wishes)


def _examples(name: str, path: str, place: Path) -> Path:
    from graphscope.export.frozen import freeze_signatures

    found = eighteen.analysed(name, path)
    frozen = freeze_signatures(found.flat, found.sure_outputs())
    _, signature = frozen.signature()
    rng = np.random.default_rng(0)
    arrays = {
        key: rng.normal(size=[8, *(signature.specs[t].shape or ())[1:]]).astype("f")
        for key, t in signature.inputs.items()
    }
    np.savez(place, **arrays)
    return place


def described(report: Any) -> str:
    proof, share = report.verified, report.bytes / report.bytes_before
    return f"{share:.3f} of {report.bytes_before / 1e6:.1f} MB, difference {proof.max_rel}, passed {proof.passed} (within {proof.within}) {proof.remarks}"


if __name__ == "__main__":
    from graphscope.verify.import_tensorflow import import_tensorflow

    import_tensorflow()
    place, target, kind, *names = sys.argv[1:]
    for each in names or LARGE:
        said = described(quantised(Path(place), each, target, kind))
        print(f"{target} {kind:8} {each:34} {said}", flush=True)
