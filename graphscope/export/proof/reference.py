"""The source of an export -> what can run it, the likeliest first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...graph import Tensor
from ...verify.feeds.draw import is_mask, looked_up
from ...verify.import_tensorflow import import_tensorflow, silence
from ...verify.run.opening import open_runner
from ...verify.run.runner import Runner
from ..frozen import Frozen
from .called import CalledRunner
from .endpoints import Endpoints


def references(
    source: object, frozen: Frozen, name: str, trust: bool
) -> Iterator[Runner]:
    """As a session runs it; a SavedModel of TensorFlow 2 then as its own loader does.

    What Keras 3 saves with ``tf.saved_model.save`` has variables twice, and a session restores those that no signature reads. Raises
    UnsafeModel, unless ``trust``, where running it could touch files.
    """
    yield open_runner(source, trust)
    folder = _saved_model(source)
    if folder is not None:
        yield _loaded(folder, frozen, name)


def _saved_model(source: object) -> Path | None:
    if not isinstance(source, str | Path):
        return None
    folder = Path(source) if Path(source).is_dir() else Path(source).parent
    return folder if (folder / "saved_model.pb").is_file() else None


def _loaded(folder: Path, frozen: Frozen, name: str) -> Runner:
    """The signature of that name as ``tf.saved_model.load`` gives it."""
    tf = import_tensorflow()
    with silence():
        function = tf.saved_model.load(str(folder)).signatures[name]
    dtypes = {
        k: spec.dtype for k, spec in function.structured_input_signature[1].items()
    }

    def call(feeds: Any) -> Any:
        arguments = {
            k: tf.constant(v, dtypes[k]) for k, v in feeds.items() if k in dtypes
        }
        return {key: value.numpy() for key, value in function(**arguments).items()}

    ends = Endpoints.of(frozen, frozen.signatures[name])
    graph = frozen.graph
    ports = {}
    for origin, port in ends.ports.items():
        node = Tensor.parse(ends.names[origin]).node
        bound, mask = looked_up(graph, node), is_mask(graph, node)
        ports[origin] = replace(port, below=bound, is_mask=mask)
    return CalledRunner(replace(ends, ports=ports), str(folder), "TensorFlow 2", call)
