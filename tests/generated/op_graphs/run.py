"""``python -m tests.generated.op_graphs.run FOLDER OUT.jsonl``: what becomes of each graph of a folder, in one process.

A graph is ``NAME.pb`` beside ``NAME.npz`` (``in_NODE``: what is fed, ``out_TENSOR``: what TensorFlow gives; ``/`` as
``|``). A run that was cut short goes on where it ended; the graph that ended it counts as crashed. With
``KERAS_BACKEND=jax`` or ``torch`` the portable ones are run there.
"""

from __future__ import annotations

import json
import os
import runpy
import signal
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from graphscope.analysis.results import Analysis
from graphscope.errors import GraphscopeError
from graphscope.graph import Tensor
from graphscope.read import load
from graphscope.render.keras import KerasReport
from graphscope.verify.differences import difference
from graphscope.verify.run.keras_source import run_source

SECONDS = 60
ELSEWHERE = os.environ.get("KERAS_BACKEND", "tensorflow") != "tensorflow"
TOLERANCE = {"float16": 5e-3, "bfloat16": 3e-2}
Arrays = dict[str, np.ndarray]


@contextmanager
def at_most(seconds: int) -> Iterator[None]:
    """Raise TimeoutError after so many seconds of this process's own time, which no other process's load lengthens."""

    def stop(*_: Any) -> None:
        raise TimeoutError(f"more than {seconds} s")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def numbers(path: Path) -> tuple[Arrays, Arrays]:
    """What is fed, by node, and what TensorFlow gives, by tensor."""
    stored = dict(np.load(path, allow_pickle=True))
    stored = {key.replace("|", "/"): value for key, value in stored.items()}
    fed = {k[3:]: v for k, v in stored.items() if k.startswith("in_")}
    results = {k[4:]: v for k, v in stored.items() if k.startswith("out_")}
    return fed, results or {"y:0": stored["out"]}


def outcome(path: Path, folder: Path) -> dict[str, Any]:
    """``how`` it ended (equal, WRONG, or the stage at which it failed), whether it is portable, and the reason."""
    feeds, expected = numbers(path.with_suffix(".npz"))
    row: dict[str, Any] = {"name": path.stem, "how": "analysis"}
    with at_most(SECONDS):
        try:
            analysis = Analysis(load(str(path)), outputs=[*expected])
            report = analysis.write_keras(folder)
            row |= {"how": "build", "lines": report.source.lines_of_code}
            row["foreign"] = sorted(report.not_portable.values())
            strings = any(e.dtype == "string" for e in report.source.program.inputs)
            row["portable"] = "tf." not in code_of(report) and not strings
            if ELSEWHERE and not row["portable"]:
                return row | {"how": "not portable"}
            model = built_elsewhere(folder) if ELSEWHERE else run_source(folder)
            row["how"] = "run"
            row |= judged(computed(model, report, feeds), expected)
            if row["how"] == "WRONG" and not ELSEWHERE:
                row["proof"] = analysis.prove(folder).verdict
        except (Exception, SystemExit) as error:
            row["reason"] = reason(error)
    if not ELSEWHERE:
        row["found"] = finds_outputs(path, expected)
    return row


def built_elsewhere(folder: Path) -> Any:
    """The model on the backend that the environment names."""
    model = runpy.run_path(str(folder / "model.py"))["build_model"]()
    model.load_weights(folder / "model.weights.h5")
    return model


def code_of(report: KerasReport) -> str:
    """The source without its docstring."""
    return report.source.text.split('"""', 2)[2]


def finds_outputs(path: Path, expected: Arrays) -> bool:
    """Whether the outputs are found without being named."""
    try:
        outputs = Analysis(load(str(path))).outputs
    except GraphscopeError:
        return False
    return {Tensor.parse(str(t)) for t in expected} <= {
        Tensor.parse(str(t)) for t in outputs
    }


def computed(model: Any, report: KerasReport, feeds: Arrays) -> list[np.ndarray]:
    import keras

    arrays = []
    for each in report.source.program.inputs:
        value = feeds.get(each.tensor.node)
        arrays.append(np.zeros(1, "float32") if value is None else value)
    if not ELSEWHERE:
        import tensorflow as tf

        arrays = [tf.constant(value) for value in arrays]
    answer = model(arrays[0] if len(arrays) == 1 else arrays)
    answers = answer if isinstance(answer, list | tuple) else [answer]
    return [_array(keras.ops.convert_to_numpy(x) if ELSEWHERE else x) for x in answers]


def _array(value: Any) -> np.ndarray:
    """The elements; of strings all bytes, of which numpy's own type drops the last ones that are 0."""
    if getattr(value, "dtype", None) == "string":
        return np.asarray(value.numpy(), object)
    return np.asarray(value)


def judged(results: list[np.ndarray], expected: Arrays) -> dict[str, Any]:
    worst, reasons = 0.0, []
    for (name, want), got in zip(expected.items(), results, strict=True):
        gap = difference(want, got)[1]
        kinds = {x.dtype.kind.replace("S", "O") for x in (want, got)}
        if gap > TOLERANCE.get(want.dtype.name, 1e-4) or len(kinds) > 1:
            reasons.append(
                f"{name}: {want.dtype}{list(want.shape)} for {got.dtype}{list(got.shape)}, {gap:.2g} apart"
            )
        worst = max(worst, gap)
    if reasons:
        return {"how": "WRONG", "reason": "; ".join(reasons)}
    return {"how": "equal", "worst": worst}


def reason(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if "graphscope/" in f.filename] or frames
    at = f" at {Path(ours[-1].filename).name}:{ours[-1].lineno}"
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}{at}"


def run_all(folder: Path, out: Path, chosen: Sequence[str] = ()) -> None:
    """One line of JSON for each graph of the folder that ``out`` does not have yet; of names that begin with one of ``chosen``."""
    import tensorflow  # noqa: F401  not within the time of the first graph

    lines = out.read_text().splitlines() if out.exists() else []
    done = {json.loads(line)["name"] for line in lines}
    begun = out.with_suffix(".now")
    with out.open("a") as file:
        for path in sorted(folder.glob("*.pb")):
            name = path.stem
            if name in done or chosen and not name.startswith(tuple(chosen)):
                continue
            if begun.exists() and begun.read_text() == name:
                said = {"name": name, "how": "crash", "reason": "the process ended"}
            else:
                begun.write_text(name)
                with tempfile.TemporaryDirectory() as place:
                    said = outcome(path, Path(place))
            file.write(json.dumps(said) + "\n")
            file.flush()


def main() -> None:
    folder, out = Path(sys.argv[1]), Path(sys.argv[2])
    run_all(folder, out, sys.argv[3:])
    summary(out)


def summary(out: Path) -> None:
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    ended = Counter(row["how"] for row in rows)
    portable = sum(row.get("portable", False) for row in rows)
    print(
        len(rows),
        dict(ended),
        f"{portable} portable",
        f"{sum(map(bool, (r.get('found') for r in rows)))} outputs found",
    )


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    main()
