"""Files -> Model: every TensorFlow file format, told from the bytes, read without TensorFlow."""

from __future__ import annotations

from ..errors import GraphscopeError
from ..graph import Model

__all__ = ["load"]


def load(
    path: object,
    *,
    checkpoint: object = None,
    graph: object = None,
    check: bool = False,
    tags: tuple[str, ...] = (),
) -> Model:
    """Read a model: a file, a checkpoint prefix, a folder or a URL; see ``read.loading.load``.

    >>> model = load("model.pb")
    >>> model, model.value("hidden/bias").shape
    (<Model 'model.pb': GraphDef, 0 variables>, (8,))
    """
    from .loading import load as load_model

    try:
        return load_model(
            path,
            checkpoint=checkpoint,
            graph=graph,
            check=check,
            tags=tags,
        )
    except GraphscopeError as error:
        error.file = error.file or str(path)
        raise
