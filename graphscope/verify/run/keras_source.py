"""A folder with ``model.py`` and ``model.weights.h5``, as ``graphscope keras`` writes it -> a Keras model."""

from __future__ import annotations

import ast
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...errors import FormatError, GraphscopeError, UnsafeModel
from ...infer.safety import danger_of
from ..import_tensorflow import import_tensorflow, silence
from .runner import first_line

_MODULES = {"__future__", "keras", "math", "numpy", "tensorflow", "typing"}
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
_BUILTINS = frozenset(
    "exec eval compile open __import__ getattr setattr globals locals vars input breakpoint delattr".split()
)
_PARTS = frozenset(
    "py_function numpy_function io gfile load_library load_op_library saving utils load loads save savez "
    "savez_compressed savetxt loadtxt genfromtxt fromfile tofile memmap fromregex DataSource ctypeslib f2py "
    "distutils load_model save_model export saved_model tools lib compat experimental data".split()
)


def run_source(folder: Path, trust: bool = False) -> Any:
    """Build the model that ``model.py`` describes and load its weights.

    Raises UnsafeModel, unless ``trust``, where the source does more than build layers; FormatError where it is no Python.
    """
    path = folder / "model.py"
    if not trust:
        check_source(path)
    import_tensorflow()
    try:
        with silence():
            module = runpy.run_path(str(path), run_name="model")
            built = module["build_model"]()
            for name in ("model.weights.h5", "model.keras"):
                if (folder / name).is_file():
                    built.load_weights(folder / name)
            if "load_weights" in module and (folder / "weights.npz").is_file():
                module["load_weights"](built, str(folder / "weights.npz"))
    except _FAILURES as error:
        raise GraphscopeError(f"{path}: does not build ({first_line(error)})") from None
    return built


def check_source(path: Path) -> None:
    """Raise UnsafeModel where the source imports or names what could touch files, the network or Python itself."""
    try:
        tree = ast.parse(path.read_text())
    except (SyntaxError, ValueError) as error:
        raise FormatError(f"{path}: is no Python ({error})") from None
    registered = {id(part) for part in (*_registrations(tree), *_arguments(tree))}
    for node in ast.walk(tree):
        if id(node) in registered:
            continue
        for word in _words(node):
            if _is_doubtful(node, word):
                raise UnsafeModel(
                    f"{path}, line {getattr(node, 'lineno', 1)}: {word!r} is more than building a model; "
                    "read it, then pass --trust to run it"
                )


def _registrations(tree: ast.AST) -> Iterator[ast.AST]:
    """The parts of what is harmless: registering a layer class under its name, reading the arrays that are asked for."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node) == "np.load(path)":
            yield from ast.walk(node.func)  # which unpickles nothing by itself
        for decorator in node.decorator_list if isinstance(node, ast.ClassDef) else ():
            function = decorator.func if isinstance(decorator, ast.Call) else decorator
            if ast.unparse(function) == "keras.saving.register_keras_serializable":
                yield from ast.walk(function)


def _arguments(tree: ast.AST) -> Iterator[ast.AST]:
    """Where a function's body names what it was given, whatever else bears that name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            given = {each.arg for each in (*node.args.args, *node.args.kwonlyargs)}
            for part in (p for line in node.body for p in ast.walk(line)):
                if isinstance(part, ast.Name) and part.id in given:
                    yield part


def _words(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [node.module or "", *(alias.name for alias in node.names)]
    if isinstance(node, ast.Attribute):
        return [node.attr]
    return [node.id] if isinstance(node, ast.Name) else []


def _is_doubtful(node: ast.AST, word: str) -> bool:
    if isinstance(node, ast.ImportFrom) and word != node.module:
        return word in _BUILTINS | _PARTS | {"*"} or bool(danger_of(word))
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return word.split(".")[0] not in _MODULES
    private = word.startswith("__") and word not in ("__file__", "__name__")
    if private and not _is_construction(node):
        return True
    if isinstance(node, ast.Attribute):
        return word in _BUILTINS | _PARTS or bool(danger_of(word))
    return word in _BUILTINS


def _is_construction(node: ast.AST) -> bool:
    """Whether this is ``super().__init__``, with which every layer class begins."""
    return isinstance(node, ast.Attribute) and ast.unparse(node) == "super().__init__"
