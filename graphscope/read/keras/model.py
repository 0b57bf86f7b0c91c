"""Config and HDF5 weights -> Model: what the Keras formats share."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...errors import FormatError
from ...graph import Graph, Layer, Model, Tensor, WeightUse
from ...graph.edit import fresh
from ...graph.keras import KerasModel
from ...graph.keras.batch_first import with_batch_first
from ...graph.keras.nouns import every_layer
from ...wire.nodes import put
from ...wire.source import Source, beside, exists, open_source
from ..options import Options
from ..variables.roles import STATISTICS, WEIGHT
from ..variables.skeleton import skeleton
from ..weights.hdf5 import Hdf5
from ..weights.stored import Stored, StoredWeights
from .topology import read_topology
from .unfold import Unfolded
from .weights import Weight, find_weights, stored_of, variables_of


def parse_json(text: str | bytes, what: str) -> Any:
    """The JSON document; raises FormatError where it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{what}: not JSON after all ({error})") from None


def model_of_keras(
    config: Any, file: Hdf5, source: Source, format: str, version: str
) -> Model:
    """The Model of a Keras file; without a config, one that is inferred from the weights' names."""
    described = None if config is not None else config_path(source.name)
    if described is not None:
        config = json.loads(bytes(open_source(described)[:]))
        version = version or str(config.get("keras_version") or "")
    if config is None:
        weights = find_weights(file, None)
        variables = variables_of(weights)
        return Model(
            graph=outline(weights),
            source=source.name,
            format=format,
            producer=f"Keras {version}" if version else "",
            weights=StoredWeights(stored_of(weights), source.name),
            variables=variables,
            keys={variable.name: variable.name for variable in variables},
            inferred=True,
            layered=True,
        )
    topology = read_topology(config, source.name, version)
    weights = find_weights(file, topology, topology.generation)
    return model_of_topology(
        topology, weights, stored_of(weights), source.name, format, version
    )


def outline(weights: Sequence[Weight]) -> Graph:
    """The layers of a file of weights alone, in its order: of the classes that it states, else those that names and shapes suggest."""
    groups: dict[str, list[Weight]] = {}
    for each in weights:
        if each.role in (WEIGHT, STATISTICS):
            groups.setdefault(each.layer, []).append(each)
    graph = Graph()
    if not any(each.class_name for group in groups.values() for each in group):
        return skeleton(variables_of(weights), in_order=_is_list(weights))
    for name, group in groups.items():
        if all(each.class_name for each in group):
            put(graph, fresh(graph, name), _of_class(name, group))
            continue
        suggested = skeleton(variables_of(group), in_order=True)
        for title in suggested:
            put(graph, fresh(graph, title), suggested.node(title))
    return graph


def _is_list(weights: Sequence[Weight]) -> bool:
    """Whether the file lists its layers; those that are attributes of a model are saved by name."""
    return not any("/vars/" in each.dataset.path for each in weights)


def _of_class(name: str, group: Sequence[Weight]) -> Layer:
    return Layer(
        group[0].class_name,
        weights={each.path: WeightUse(each.key, each.dataset.shape) for each in group},
        members=frozenset(each.key for each in group),
        output=Tensor(name),
        pattern="Keras weights",
        evidence=("the class that its group of weights is called after",),
        name=name,
    )


def config_path(source: str) -> str | None:
    """Where ``to_json`` wrote the model of a file of weights: ``net.json`` beside ``net.weights.h5``; None where nowhere."""
    if source.endswith(".json"):
        return source
    stem = re.sub(r"([._-]weights)?\.(h5|hdf5)\Z", "", source)
    for path in (f"{stem}.json", beside(source, "model.json")):
        is_there = stem != source and exists(path)
        if is_there and is_config(bytes(open_source(path)[:])):
            return path
    return None


def weights_path(source: str) -> str | None:
    """Where the weights lie that go with the JSON of a model; None where nowhere."""
    stem = re.sub(r"\.json\Z", "", source)
    paths = (f"{stem}.weights.h5", f"{stem}.h5", f"{stem}_weights.h5")
    return next((path for path in paths if exists(path)), None)


def is_config(text: str | bytes) -> bool:
    """Whether a text is the JSON of a Keras model, as ``to_json`` writes it."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return (
        isinstance(document, dict)
        and isinstance(document.get("class_name"), str)
        and isinstance(document.get("config"), dict | list)
    )


def read_json(source: Source, options: Options, format: str) -> Model:
    """What ``to_json`` wrote, with the weights that lie beside it, if any do."""
    config = parse_json(source.text(), source.name)
    if not isinstance(config, dict):
        raise FormatError(f"{source.name}: its JSON describes no Keras model")
    version = str(config.get("keras_version") or "")
    path = weights_path(source.name)
    if path is not None:
        file = Hdf5(open_source(path))
        return model_of_keras(config, file, source, format, version)
    topology = read_topology(config, source.name, version)
    return model_of_topology(topology, [], {}, source.name, format, version)


def with_weights_of(model: Model, path: str) -> Model:
    """The model with the weights of a Keras file that lies elsewhere."""
    file, version = Hdf5(open_source(path)), model.producer.removeprefix("Keras ")
    weights = find_weights(file, model.topology, model.topology.generation)
    return model_of_topology(
        model.topology, weights, stored_of(weights), path, model.format, version
    )


def model_of_topology(
    topology: KerasModel,
    weights: list[Weight],
    stored: Mapping[str, Stored],
    source: str,
    format: str,
    version: str,
) -> Model:
    """The Model of a description whose layers know their weights."""
    topology = with_batch_first(topology)
    unfolded = Unfolded(topology, source)
    variables = variables_of(weights)
    return Model(
        graph=unfolded.graph,
        source=source,
        format=format,
        producer=f"Keras {version}" if version else "",
        weights=StoredWeights(dict(stored), source),
        variables=variables,
        keys={variable.name: variable.name for variable in variables},
        signatures={"call": unfolded.signature},
        layered=True,
        topology=topology,
        remarks=tuple(dict.fromkeys(remarks_of(topology))),
    )


def remarks_of(topology: KerasModel) -> Iterator[str]:
    """What the config holds that is not Keras 3's, or not in the file."""
    for layer in every_layer(topology):
        if layer.class_name == "Lambda":
            yield f"{layer.name!r} is a Lambda: its Python code is in the file and is never run"
        elif layer.kind == "custom":
            yield f"{layer.name!r} is of a class {layer.class_name!r}, which is not in the file"
        for remark in layer.remarks:
            yield f"{layer.name!r}: {remark}"


def read_h5(source: Source, options: Options, format: str) -> Model:
    """A whole ``.h5`` file, with or without a config in it."""
    file = Hdf5(source)
    text = file.attribute("", "model_config")
    config = None if text is None else parse_json(text, source.name)
    version = file.attribute("", "keras_version")
    if version is None:
        version = file.attribute("model_weights", "keras_version")
    return model_of_keras(config, file, source, format, str(version or ""))
