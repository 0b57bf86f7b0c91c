"""``python -m tests.backends.record FOLDER [zoo|nets|graphs] ...``: written models, inputs for them and TensorFlow's numbers, for ``tests.backends.run``.

``zoo``: keras.applications, frozen, small inputs; ``nets``: the published nets of the tests; ``graphs=FOLDER:COUNT``: so many of the op
graphs that ``tests.generated.op_graphs.write`` left, of those that call themselves portable.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from graphscope.analysis.results import Analysis
from graphscope.errors import GraphscopeError
from graphscope.read import load
from graphscope.verify.run.keras_source import run_source

from ..architectures import architectures
from ..architectures.forms import write
from .trained_nets import OTHERS


def record(
    path: str, outputs: Iterable[object], folder: Path, given: Any = None
) -> bool:
    """Write the model at ``path`` into the folder with what TensorFlow makes of ``given``; whether it calls itself portable."""
    report = Analysis(load(path), outputs=[str(each) for each in outputs]).write_keras(
        folder
    )
    if report.not_portable:
        return False
    model = run_source(folder)
    if given is None:
        given = [drawn(each, seed) for seed, each in enumerate(model.inputs)]
    results = model(given[0] if len(given) == 1 else given, training=False)
    save(folder, given, results if isinstance(results, list | tuple) else [results])
    return True


def save(
    folder: Path, given: Sequence[np.ndarray], wanted: Sequence[np.ndarray]
) -> None:
    np.savez(folder / "given.npz", *given)
    np.savez(folder / "want.npz", *map(np.array, wanted))


def drawn(tensor: Any, seed: int) -> np.ndarray:
    """Something for a symbolic input; open sizes are those of a sequence or an image."""
    least = 8 if len(tensor.shape) < 3 else 32
    shape = [size or (least if axis else 2) for axis, size in enumerate(tensor.shape)]
    rng = np.random.default_rng(seed)
    if "int" in tensor.dtype or tensor.dtype == "bool":
        return rng.integers(0, 2, shape).astype(tensor.dtype)
    return rng.uniform(size=shape).astype(tensor.dtype)


def record_net(name: str, folder: Path, form: str = "pb") -> bool:
    """A published net of the tests, by its name."""
    net = {**architectures(), **OTHERS}[name]
    folder.mkdir()
    path, outputs = write(net, form, folder)
    return record(str(path), outputs, folder)


def record_zoo(name: str, size: int, folder: Path) -> bool:
    """A model of keras.applications with weights at random, frozen by TensorFlow."""
    import keras

    from ..recovery import freeze_model, randomised

    folder.mkdir()
    build = getattr(keras.applications, name)
    model = randomised(build, input_shape=(size, size, 3), classes=10)
    _, outputs = freeze_model(model, folder / "frozen.pb")
    keras.backend.clear_session()
    done = record(str(folder / "frozen.pb"), outputs, folder)
    (folder / "frozen.pb").unlink()
    keras.backend.clear_session()
    return done


def record_graph(path: Path, folder: Path) -> bool:
    """An op graph, its numbers being those that TensorFlow gave when it was drawn."""
    from ..generated.op_graphs.run import numbers

    fed, wanted = numbers(path.with_suffix(".npz"))
    report = Analysis(load(str(path)), outputs=[*wanted]).write_keras(folder)
    inputs = report.source.program.inputs
    if report.not_portable or any(each.dtype == "string" for each in inputs):
        return False
    nothing = np.zeros(1, "float32")
    save(
        folder,
        [fed.get(each.tensor.node, nothing) for each in inputs],
        [*wanted.values()],
    )
    return True


def record_graphs(source: Path, count: int, folder: Path) -> None:
    paths = sorted(source.glob("*.pb"))
    random.Random(0).shuffle(paths)
    written = 0
    for path in paths:
        if written == count:
            return
        try:
            written += record_graph(path, folder / path.stem)
        except GraphscopeError as error:
            print(f"{path.stem}: {error}", file=sys.stderr)


def main() -> None:
    from ..test_zoo import ROWS, SLOW_ROWS
    from .test_backends import NETS, SLOW

    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for each in sys.argv[2:]:
        kind, _, detail = each.partition("=")
        if kind == "zoo":
            for name, (size, _) in sorted({**ROWS, **SLOW_ROWS}.items()):
                if not detail or name in detail.split(","):
                    print(name, record_zoo(name, size, folder / name), flush=True)
        elif kind == "nets":
            for name in (*NETS, *SLOW):
                record_net(name, folder / name.replace(".", "_"))
        elif kind == "graphs":
            source, _, count = detail.rpartition(":")
            record_graphs(Path(source), int(count), folder)


if __name__ == "__main__":
    main()
