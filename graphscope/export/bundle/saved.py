"""Frozen graph -> the files of a SavedModel: as an export of its own, or for a converter that reads one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from ...wire import messages as proto
from ..frozen import Frozen
from ..place import check_space
from .metagraph import to_meta_graph
from .writer import write_bundle

SAVED_MODEL = "saved_model.pb"


def write_saved_model(frozen: Frozen, folder: Path, constants: bool = False) -> None:
    """Write ``saved_model.pb`` and, unless ``constants``, ``variables/`` into a folder that is made where it is missing."""
    meta, variables = to_meta_graph(frozen, constants)
    weights = sum(value.nbytes for value in variables.values.values())
    check_space(folder, weights + meta.ByteSize())
    (folder / "variables").mkdir(parents=True)
    if variables.values:
        write_bundle(folder / "variables" / "variables", variables.values)
    message = proto.SavedModel(saved_model_schema_version=1)
    message.meta_graphs.append(meta)
    data = message.SerializeToString(deterministic=True)
    (folder / SAVED_MODEL).write_bytes(data)


@contextmanager
def saved_model(frozen: Frozen, beside: Path, constants: bool = False) -> Iterator[str]:
    """The folder of a SavedModel beside a path, as long as the context lasts."""
    parent = beside.absolute().parent
    with TemporaryDirectory(prefix=".graphscope.", dir=parent) as folder:
        write_saved_model(frozen, Path(folder), constants)
        yield folder
