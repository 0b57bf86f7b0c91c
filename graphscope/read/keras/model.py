"""Config and HDF5 weights -> Model: what the Keras formats share."""

from __future__ import annotations

import json
from typing import Any

from ...errors import FormatError
from ...graph import Model
from ...wire.source import Source
from ..options import Options
from ..variables.skeleton import skeleton
from ..weights.hdf5 import Hdf5
from ..weights.stored import StoredWeights
from .config import KerasGraph
from .weights import find_weights, stored_of, variables_of, with_weights


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
    made = KerasGraph(config, source.name) if config is not None else None
    weights = find_weights(file, made.order if made else ())
    variables = variables_of(weights)
    if made is not None:
        with_weights(made.graph, weights)
    remarks = [
        f"{name!r} is a Lambda: its Python code is in the file and is never run"
        for name in (made.lambdas if made else ())
    ]
    return Model(
        graph=made.graph if made else skeleton(variables),
        source=source.name,
        format=format,
        producer=f"Keras {version}" if version else "",
        weights=StoredWeights(stored_of(weights), source.name),
        variables=variables,
        keys={variable.name: variable.name for variable in variables},
        signatures={"call": made.signature} if made else {},
        inferred=made is None,
        layered=True,
        remarks=tuple(remarks),
    )


def read_h5(source: Source, options: Options, format: str) -> Model:
    """A whole ``.h5`` file, with or without a config in it."""
    file = Hdf5(source)
    told = file.attribute("", "model_config")
    config = None if told is None else parse_json(told, source.name)
    version = file.attribute("", "keras_version")
    if version is None:
        version = file.attribute("model_weights", "keras_version")
    return model_of_keras(config, file, source, format, str(version or ""))
