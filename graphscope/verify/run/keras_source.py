"""A folder with ``model.py`` and ``model.weights.h5``, as ``graphscope keras`` writes it -> a Keras model."""

from __future__ import annotations

import ast
import runpy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ...errors import FormatError, GraphError, GraphscopeError, UnsafeModel
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
    """The model that ``model.py`` describes with its weights; raises as ``run_module``."""
    return run_module(folder, trust)[1]


def run_signatures(folder: Path, trust: bool = False) -> Mapping[str, Any]:
    """The models that the source has for signatures, by their names, none where it has but one; raises as ``run_module``."""
    module, built = run_module(folder, trust)
    try:
        return module["signatures"](built) if "signatures" in module else {}
    except _FAILURES as error:
        place = folder / "model.py"
        raise GraphscopeError(
            f"{place}: does not build ({first_line(error)})"
        ) from None


def run_signature(folder: Path, name: str = "", trust: bool = False) -> Any:
    """The model of one signature, where the source has one for each, else the model; raises as ``run_module``."""
    if not name or "signatures" not in defined_in(folder / "model.py"):
        return run_source(folder, trust)
    models = run_signatures(folder, trust)
    if name not in models:
        names = ", ".join(map(repr, models))
        raise GraphError(f"no signature {name!r} in {folder}; it has {names}")
    return models[name]


def defined_in(path: Path) -> set[str]:
    """The functions that a source defines; nothing is run."""
    body = _parsed(path).body
    return {each.name for each in body if isinstance(each, ast.FunctionDef)}


def run_module(folder: Path, trust: bool = False) -> tuple[Mapping[str, Any], Any]:
    """Run ``model.py``; what it defines, and the model that it builds, its weights in it.

    Raises UnsafeModel, unless ``trust``, where the source does more than build layers; FormatError where it is no Python.
    """
    path = folder / "model.py"
    if not trust:
        check_source(path)
    import_tensorflow()
    if not trust:
        check_source(path, inherited_names())
    try:
        with silence(), _settings_restored():
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
    return module, built


@contextmanager
def _settings_restored() -> Iterator[None]:
    """Keras's settings are afterwards what they were before, whatever the source said last."""
    import keras

    policy, places = keras.config.dtype_policy(), keras.config.image_data_format()
    try:
        yield
    finally:
        keras.config.set_dtype_policy(policy)
        keras.config.set_image_data_format(places)


def check_source(path: Path, inherited: frozenset[str] = frozenset()) -> None:
    """Raise UnsafeModel where the source says anything but what graphscope itself writes; see ``allowed.refusals``."""
    for line, word in refusals(_parsed(path), inherited):
        raise UnsafeModel(
            f"{path}, line {line}: {word!r} is more than building a model; read it, then pass --trust to run it"
        )


def _parsed(path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_text())
    except (SyntaxError, ValueError, RecursionError, MemoryError, OSError) as error:
        raise FormatError(f"{path}: is no Python ({error})") from None
