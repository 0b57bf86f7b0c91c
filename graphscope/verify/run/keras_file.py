"""A Keras file -> what runs it: the Keras that wrote it, Keras 3 itself or tf_keras for Keras 2."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from ...errors import GraphscopeError, NotRunnable, UnsafeModel
from ...graph import Model
from ...graph.keras import KerasModel
from ...graph.keras.nouns import OwnFunction, every_layer
from ...read import load
from ...read.keras.model import config_path, weights_path
from ..import_tensorflow import import_tensorflow, silence
from .keras_config import check_keras_file
from .keras_runner import KerasRunner
from .runner import first_line

_OF_KERAS = ("keras", "tf_keras", "tensorflow.keras", "tensorflow.python.keras")
_PLAIN = frozenset({"builtins"})
_ZIP, _HDF5 = b"PK\x03\x04", b"\x89HDF"
_FAILURES = (
    ValueError,
    TypeError,
    OSError,
    KeyError,
    AttributeError,
    ImportError,
    IndexError,
    NotImplementedError,
    RuntimeError,
)


def open_keras_file(path: Path, trust: bool = False) -> KerasRunner:
    """The model in the file at ``path``, run by the Keras that wrote it.

    Raises NotRunnable where that is not installed or the file does not hold all of the model; UnsafeModel, unless
    ``trust``, where its config names what is not Keras's.
    """
    source = load(str(path))
    if source.topology is None:
        raise NotRunnable(
            f"{path} holds weights alone: put the model's JSON (to_json) beside it"
        )
    check_complete(source.topology, str(path), trust)
    if not trust:
        check_keras_file(path)
    import_tensorflow()
    keras, label = keras_of(source)
    try:
        with silence():
            model = _loaded(keras, path, source)
    except _FAILURES as error:
        raise NotRunnable(
            f"{path}: {label} cannot load it ({first_line(error)})"
        ) from None
    runner = KerasRunner(model, str(path))
    runner.below, runner.texts = bounds_of(source.topology), words_of(source.topology)
    return runner


def keras_of(model: Model) -> tuple[object, str]:
    """The package that reads the file, and what it is called."""
    if model.topology.generation > 2:
        import keras

        return keras, f"Keras {keras.__version__}"
    try:
        import tf_keras
    except ImportError:
        raise NotRunnable(
            "Keras 2 wrote it, and tf_keras, which can run it, is not installed: pip install tf-graphscope[tensorflow]"
        ) from None
    return tf_keras, f"tf_keras {tf_keras.__version__}"


def check_complete(topology: KerasModel, path: str, trust: bool) -> None:
    """Raise where the file does not hold all that the model computes, or its config reaches outside of Keras."""
    for layer in every_layer(topology):
        if layer.class_name == "Lambda" or layer.kind == "custom":
            raise NotRunnable(
                f"the code of {layer.name!r} ({layer.class_name}) is not in {path}, so there is nothing to run"
            )
        for value in layer.config.values():
            if isinstance(value, OwnFunction) and value != "hard_sigmoid":
                raise NotRunnable(
                    f"the function {str(value)!r} of {layer.name!r} is not in {path}, so there is nothing to run"
                )
    foreign = sorted(
        module
        for module in topology.modules
        if module.split(".")[0] not in _PLAIN and not module.startswith(_OF_KERAS)
    )
    if foreign and not trust:
        raise UnsafeModel(
            f"{path}: its config names {foreign[0]!r}, which is not Keras's; read it, then pass --trust to run it"
        )


def _loaded(keras: Any, path: Path, source: Model) -> Any:
    """The model, its weights in it."""
    head = _head(path)
    if head == _ZIP or head == _HDF5 and config_path(str(path)) is None:
        with _named(path, ".keras" if head == _ZIP else ".h5") as place:
            operations = _operations(source.topology)
            return keras.models.load_model(str(place), operations, compile=False)
    text = Path(config_path(str(path)) or path).read_text()
    document = json.loads(text)
    if "modelTopology" in document:
        return _from_manifest(keras, document["modelTopology"], source)
    model = keras.models.model_from_json(text)
    weights = path if head == _HDF5 else weights_path(str(path))
    if weights is None:
        raise ValueError("its weights do not lie beside it")
    is_numbered = str(weights).endswith(".weights.h5")
    with _named(Path(weights), ".weights.h5" if is_numbered else ".h5") as place:
        model.load_weights(str(place))
    return model


def _operations(topology: KerasModel) -> dict[str, object]:
    """The operations of the model by class: Keras 3 writes them into an ``.h5`` and does not know them when it reads it."""
    names = {e.class_name for e in every_layer(topology) if e.kind == "operation"}
    names -= {e.class_name for e in every_layer(topology) if e.kind == "layer"}
    if not names:
        return {}
    from keras.src import ops

    places = [vars(ops).get(each) for each in ("numpy", "nn", "math", "core")]
    pairs = ((name, getattr(place, name, None)) for place in places for name in names)
    return {name: layer for name, layer in pairs if layer is not None}


def _from_manifest(
    keras: ModuleType, topology: Mapping[str, object], source: Model
) -> object:
    """A TensorFlow.js layers model: its topology built by Keras, each variable given the weight of its name."""
    config = topology.get("model_config", topology)
    model = keras.models.model_from_json(json.dumps(config))
    for variable in model.weights:
        name = getattr(variable, "path", variable.name).removesuffix(":0")
        variable.assign(source.value(name))
    return model


def _head(path: Path) -> bytes:
    with open(path, "rb") as file:
        return file.read(4)


@contextmanager
def _named(path: Path, suffix: str) -> Iterator[Path]:
    """The file under a name that ends as Keras wants it."""
    if path.name.endswith(suffix):
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / f"model{suffix}"
        place.symlink_to(path.absolute())
        yield place


def bounds_of(topology: KerasModel) -> dict[str, int]:
    """How many things each input that is looked up counts: what is fed must be below."""
    bounds: dict[str, int] = {}
    for layer in topology.layers:
        if layer.class_name in ("Embedding", "ReversibleEmbedding"):
            size = layer.config.get("input_dim")
            for tensor in (t for call in layer.calls for t in call.tensors()):
                if isinstance(size, int):
                    bounds[tensor.layer] = min(size, bounds.get(tensor.layer, size))
    return bounds


def words_of(topology: KerasModel) -> tuple[bytes, ...]:
    """Words that its lookups know."""
    words: dict[bytes, None] = {}
    for layer in every_layer(topology):
        listed = layer.config.get("vocabulary")
        for word in listed[:20] if isinstance(listed, tuple) else ():
            words.setdefault(str(word).encode())
    return (*words, b"")


def is_keras_file(path: Path) -> bool:
    """Whether a file holds layers and no graph: a Keras file, or JSON that describes one."""
    if not path.is_file():
        return False
    if _head(path) in (_ZIP, _HDF5):
        return True
    if _head(path).lstrip()[:1] != b"{":
        return False
    try:
        return load(str(path)).topology is not None
    except GraphscopeError:
        return False
