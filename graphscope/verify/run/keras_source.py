"""A folder with ``model.py`` and ``model.weights.h5``, as ``graphscope keras`` writes it -> a Keras model."""

from __future__ import annotations

import ast
import runpy
from pathlib import Path
from typing import Any

from ...errors import FormatError, GraphscopeError, UnsafeModel
from ..import_tensorflow import import_tensorflow, silence
from .allowed import inherited_names, refusals
from .keras_config import check_weights
from .runner import first_line

_FAILURES = (  # what building a model raises where its source is wrong
    AttributeError,
    ImportError,
    IndexError,
    KeyError,
    NameError,
    OSError,
    TypeError,
    ValueError,
)


def run_source(folder: Path, trust: bool = False) -> Any:
    """Build the model that ``model.py`` describes and load its weights.

    Raises UnsafeModel, unless ``trust``, where the source does more than build layers; FormatError where it is no Python.
    """
    path = folder / "model.py"
    if not trust:
        check_source(path)
    import_tensorflow()
    if not trust:
        check_source(path, inherited_names())
    try:
        with silence():
            module = runpy.run_path(str(path), run_name="model")
            built = module["build_model"]()
            for name in ("model.weights.h5", "model.keras"):
                if (folder / name).is_file():
                    if not trust and name.endswith(".h5"):
                        check_weights(folder / name)
                    built.load_weights(folder / name)
            if "load_weights" in module and (folder / "weights.npz").is_file():
                module["load_weights"](built, str(folder / "weights.npz"))
    except _FAILURES as error:
        raise GraphscopeError(f"{path}: does not build ({first_line(error)})") from None
    return built


def check_source(path: Path, inherited: frozenset[str] = frozenset()) -> None:
    """Raise UnsafeModel where the source says anything but what graphscope itself writes; see ``allowed.refusals``."""
    try:
        tree = ast.parse(path.read_text())
    except (SyntaxError, ValueError, RecursionError, MemoryError, OSError) as error:
        raise FormatError(f"{path}: is no Python ({error})") from None
    for line, word in refusals(tree, inherited):
        raise UnsafeModel(
            f"{path}, line {line}: {word!r} is more than building a model; read it, then pass --trust to run it"
        )
