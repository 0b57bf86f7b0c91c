"""``model.py``'s model and the weights file beside it -> one ``model.keras``, as Keras 3 packs it; Keras is not imported."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from ....wire.beside import beside
from ..program.program import Program
from .layer_config import Shapes, model_config

VERSION = "3.15.0"  # the Keras whose classes and layout this package knows


def write_archive(program: Program, shapes: Shapes, weights: Path, path: Path) -> None:
    """Write ``path``, a zip of the description and of the ``weights``, a ``model.weights.h5``.

    Raises NotExpressible where Keras's own layers do not make up the model, or ``weights`` is no HDF5; nothing is written then.
    """
    config = model_config(program, shapes)
    documents = {"metadata.json": {"keras_version": VERSION}, "config.json": config}
    with beside(path) as unfinished, ZipFile(unfinished, "w", ZIP_STORED) as archive:
        for name, document in documents.items():  # no date: the same bytes each time
            archive.writestr(ZipInfo(name), json.dumps(document))
        member = ZipInfo(weights.name)
        with weights.open("rb") as source:
            with archive.open(member, "w", force_zip64=True) as target:
                shutil.copyfileobj(source, target)
