"""A Python file that somebody builds a model with, or a Keras file -> the names and shapes of the weights that the model has."""

from __future__ import annotations

import runpy
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

from ..errors import GraphscopeError
from .import_tensorflow import import_tensorflow, silence
from .run.keras_file import is_keras_file, open_keras_file
from .run.keras_source import check_source
from .run.runner import first_line

BUILDERS = ("build_model", "create_model", "make_model", "get_model")
_FAILURES = (  # of somebody's own code
    ArithmeticError,
    AssertionError,
    AttributeError,
    ImportError,
    LookupError,
    NameError,
    OSError,
    RuntimeError,
    SyntaxError,
    SystemExit,
    TypeError,
    ValueError,
)
Listed = list[tuple[str, tuple[int, ...]]]


def is_built(path: Path) -> bool:
    """Whether the weights are those of a model that Python builds: of source, or of a Keras file."""
    return path.suffix == ".py" or is_keras_file(path)


def weight_list(path: Path, trust: bool = False) -> tuple[Listed, bool]:
    """The weights of the model, and whether they are a Keras model's (else the variables of a TensorFlow 1 graph).

    A source must hold ``model`` or one of ``BUILDERS`` without parameters, or leave variables in TensorFlow's default graph
    or in one that it holds. Raises UnsafeModel, unless ``trust``, where it does more than build layers.
    """
    if path.suffix != ".py":
        return _of_keras(open_keras_file(path, trust).keras), True
    if not trust:
        check_source(path)
    tf = import_tensorflow()
    try:
        with silence():
            names = runpy.run_path(str(path), run_name="model")
            model = names.get("model")
            for name in BUILDERS:
                if model is None and callable(names.get(name)):
                    model = names[name]()
    except (*_FAILURES, tf.errors.OpError) as error:
        raise GraphscopeError(f"{path}: does not run ({_word(error)})") from None
    if hasattr(model, "weights"):
        return _of_keras(model), True
    variables = _of_graphs(tf, names.values())
    if variables:
        return variables, False
    raise GraphscopeError(
        f"{path}: holds neither a Keras model called 'model', nor one of {', '.join(BUILDERS)}, nor leaves variables in "
        "TensorFlow's default graph: let it build its model when it is imported"
    )


def _word(error: BaseException) -> str:
    return first_line(error) if isinstance(error, Exception) else "it ends the program"


def _of_graphs(tf: ModuleType, values: Iterable[object]) -> Listed:
    """The variables of TensorFlow 1: of the default graph, or of the graphs that a program keeps."""
    graphs = [v for v in values if isinstance(v, tf.Graph)]
    graphs.append(tf.compat.v1.get_default_graph())
    listed: dict[str, tuple[int, ...]] = {}
    for graph in graphs:
        with graph.as_default():
            for variable in tf.compat.v1.global_variables():
                listed[variable.op.name] = tuple(variable.shape.as_list())
    return list(listed.items())


def _of_keras(model: Any) -> Listed:
    return [
        (str(getattr(w, "path", w.name)), tuple(map(int, w.shape)))
        for w in model.weights
    ]
