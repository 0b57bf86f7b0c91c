"""Keras, as a source and as a target: layers become ops by Keras's own export; a model.py is proven as the other targets are."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from functools import partial
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ..errors import GraphscopeError
from ..verify import Verification, apart
from ..verify.import_tensorflow import silence
from ..verify.run.opening import open_runner
from .options import Options
from .place import check_free, size_of, write_beside
from .report import ExportReport, Proof

NAME = "keras"
_BOUND = 1e-4
_ARCHIVES = (b"PK\x03\x04", b"\x89HDF")


@contextmanager
def saved_by_keras(
    source: str,
    write: Callable[[Path], object],
    trust: bool = False,
    whole: bool = True,
) -> Iterator[str]:
    """A SavedModel, as long as the context lasts, of a file that holds layers and no ops.

    Keras loads its own files; of others, and of those not ``whole`` but weights alone, ``write`` leaves the ``model.py`` that is built.
    Raises GraphscopeError where TensorFlow is missing or neither can be loaded.
    """
    with TemporaryDirectory(prefix="graphscope.") as folder:
        saved = Path(folder) / "saved"
        what = Path(source)
        if not whole or not _is_keras_file(what):
            what = Path(folder) / "source"
            write(what)
        apart(partial(_save, what, saved, trust))
        yield str(saved)


def _is_keras_file(path: Path) -> bool:
    if not path.is_file():
        return False
    with open(path, "rb") as file:
        head = file.read(4)
    if head == _ARCHIVES[0]:
        with zipfile.ZipFile(path) as archive:
            return "config.json" in archive.namelist()
    return head == _ARCHIVES[1]


def _save(what: Path, saved: Path, trust: bool) -> None:
    runner: Any = open_runner(what, trust)
    with silence(), redirect_stdout(StringIO()):  # both Keras tell of it at length
        runner.keras.export(str(saved))  # a SavedModel; Keras 2 takes nothing else


def export_keras(
    source: str,
    place: str | Path,
    write: Callable[[Path], Any],
    prove: Callable[[Path], Verification] | None,
    force: bool = False,
    **wishes: Any,
) -> ExportReport:
    """Write Keras source and weights into the folder ``place`` by ``write``, and prove it there by ``prove``."""
    path, options = Path(place), Options(**wishes)
    for name in sorted(options.asked()):
        raise GraphscopeError(f"--{name} is not for --to {NAME}")
    check_free(path, source, force, lambda folder: (folder / "model.py").is_file())

    def make(part: Path) -> tuple[object, Proof | None]:
        return write(part), _proof(prove(part)) if prove is not None else None

    report, proof = write_beside(path, make)
    return ExportReport(
        path=str(path),
        target=NAME,
        signatures={},
        inputs=(),
        outputs=(),
        bytes=size_of(path),
        bytes_before=0,
        weights=report.choice_of_weights,
        remarks=tuple(report.document().get("remarks", ())),
        verified=proof,
    )


def _proof(verification: Verification) -> Proof:
    return Proof(
        "Keras",
        verification.max_rel,
        _BOUND,
        None,
        verification.passed,
        verification.outputs,
        verification.remarks,
    )
