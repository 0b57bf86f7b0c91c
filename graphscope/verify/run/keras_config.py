"""A Keras file -> whether loading it does no more than build Keras's own layers and read the arrays that lie in it.

Keras makes whatever class a config names, of whatever module; which classes those may be is a closed list here. The weights are walked
by graphscope's own reader first: libhdf5 does not end on every damaged file.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...errors import FormatError, UnsafeModel
from ...read.weights.hdf5 import Hdf5
from ...wire.source import Source, open_source
from .allowed import vocabulary

_MORE = (
    "Functional Model Sequential InputLayer DTypePolicy DTypePolicyMap Policy __tensor__ __numpy__ __ellipsis__ __tuple__ "
    "__slice__ __keras_tensor__ TensorShape ThresholdedReLU LocallyConnected1D LocallyConnected2D CuDNNLSTM CuDNNGRU "
    "GroupedQueryAttention SyncBatchNormalization RandomHeight RandomWidth AddLoss AddMetric"
)
_CALLS = frozenset({"TFOpLambda", "SlicingOpLambda"})
_SPACES = frozenset("__operators__ image linalg math nn signal strings".split())
_PLAIN = frozenset("argsort einsum roll sort tensordot".split())
"""Functions of ``tf`` itself that a config may call, beside those that ``model.py`` may."""
_WITH_WORDS = frozenset("StringLookup IntegerLookup TextVectorization".split())
_MODULES = (
    "keras",
    "keras.models",
    "keras.dtype_policies",
    "keras.mixed_precision",
    "keras.src.models.functional",
    "keras.src.models.sequential",
    # where Keras 2 keeps them, as a package of its own and as part of Keras
    *(
        f"{package}.src.{module}"
        for package in ("tf_keras", "keras")
        for module in (
            "engine.functional",
            "engine.sequential",
            "layers.core.tf_op_layer",
        )
    ),
)
_OPERATIONS = tuple(
    f"keras.src.ops.{name}" for name in "core image linalg math nn numpy".split()
)
_WEIGHTS = "model.weights.h5"


def check_keras_file(path: Path) -> None:
    """Raise UnsafeModel where the file names what is none of Keras's own classes, FormatError where it is damaged."""
    source = open_source(str(path))
    if source.head(2) == b"PK":
        config = _archived(path)
    elif source.head(4) == b"\x89HDF":
        config = _attribute(source)
    else:
        config = _parsed(source.text(), source.name)
    for entry in _entries(config):
        name, module = entry.get("class_name"), entry.get("module")
        if not _is_known(str(name), module, entry.get("config")):
            raise UnsafeModel(
                f"{path}: its config names {name!r}{f' of {module!r}' if module else ''}, which is no class that Keras loads by "
                "itself: loading it may run code; pass --trust to load it all the same"
            )


def check_weights(path: Path) -> None:
    """Raise FormatError where an HDF5 file is damaged: all of its structure is walked."""
    for _ in Hdf5(open_source(str(path))).datasets():
        pass


def _attribute(source: Source) -> Any:
    file = Hdf5(source)
    for _ in file.datasets():
        pass
    text = file.attribute("", "model_config")
    return _parsed(str(text), source.name) if text is not None else {}


def _archived(path: Path) -> object:
    try:
        with zipfile.ZipFile(path) as archive:
            data = archive.read("config.json")
            if _WEIGHTS in archive.namelist():
                weights = Source(f"{path}!{_WEIGHTS}", archive.read(_WEIGHTS))
                for _ in Hdf5(weights).datasets():
                    pass
    except (zipfile.BadZipFile, KeyError, OSError, RuntimeError, ValueError) as error:
        raise FormatError(f"{path}: a damaged Keras archive ({error})") from None
    return _parsed(data, str(path))


def _parsed(text: str | bytes, name: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{name}: its config is no JSON ({error})") from None


def _entries(config: object) -> Iterator[dict[str, object]]:
    """All that names a class; what is only for training is not loaded."""
    stack = [config]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            if "class_name" in value:
                yield value
            stack += [v for k, v in value.items() if k != "compile_config"]
        elif isinstance(value, list):
            stack += value


def _is_known(name: str, module: object, config: object) -> bool:
    words = vocabulary()
    if module is not None and module not in (*words, *_MODULES, *_OPERATIONS):
        return False
    inner = config if isinstance(config, dict) else {}
    if name in _CALLS:  # Keras 2's calls of TensorFlow's own functions
        return _is_plain_function(str(inner.get("function", "")))
    if name in _WITH_WORDS:  # a text would be the path of a file that is read
        return bool(inner) and not isinstance(inner.get("vocabulary"), str)
    plain = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    spellings = (names for key, names in words.items() if key.startswith("keras"))
    is_own = name in _MORE.split() or any(name in names for names in spellings)
    return is_own or plain in words["keras.ops"]


def _is_plain_function(function: str) -> bool:
    """Whether a function of TensorFlow's, less its ``tf.``, only computes: ``math.add``, ``reshape``; not ``io.write_file``."""
    space, _, name = function.removeprefix("compat.v1.").rpartition(".")
    plain = name in _PLAIN or name in vocabulary()["tensorflow"]
    return space in _SPACES or not space and plain
