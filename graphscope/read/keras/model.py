"""Config and HDF5 weights -> Model: what the Keras formats share."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ...errors import FormatError
from ...graph import Model
from ...graph.keras import KerasModel
from ...graph.keras.nouns import every_layer
from ...wire.source import Source
from ..options import Options
from ..variables.skeleton import skeleton
from ..weights.hdf5 import Hdf5
from ..weights.stored import Stored, StoredWeights
from .topology import generation_of, read_topology
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
    if config is None:
        weights = find_weights(file, None)
        variables = variables_of(weights)
        return Model(
            graph=skeleton(variables),
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
    weights = find_weights(file, topology, generation_of(config, version))
    return model_of_topology(
        topology, weights, stored_of(weights), source.name, format, version
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
    told = file.attribute("", "model_config")
    config = None if told is None else parse_json(told, source.name)
    version = file.attribute("", "keras_version")
    if version is None:
        version = file.attribute("model_weights", "keras_version")
    return model_of_keras(config, file, source, format, str(version or ""))
