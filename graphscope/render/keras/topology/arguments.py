"""A layer's config -> the arguments of its constructor that are worth writing: layers, initializers and the like as code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ....graph import TensorSpec
from ....graph.keras import KerasLayer
from ....graph.keras.nouns import OwnFunction
from ....graph.keras.operations import snake_case
from ....graph.keras.signatures import REQUIRED, layer_classes
from ..classes.config import written_arguments
from ..program.literals import Code, literal
from .missing import (
    missing_arguments,
    missing_class,
    own_function,
    retired_arguments,
    retired_class,
)

_OBJECTS: dict[str, dict[str, dict[str, Any]]] = {
    "initializers": {
        "Constant": {"value": 0.0},
        "GlorotNormal": {"seed": None},
        "GlorotUniform": {"seed": None},
        "HeNormal": {"seed": None},
        "HeUniform": {"seed": None},
        "Identity": {"gain": 1.0},
        "LecunNormal": {"seed": None},
        "LecunUniform": {"seed": None},
        "Ones": {},
        "Orthogonal": {"gain": 1.0, "seed": None},
        "RandomNormal": {"mean": 0.0, "stddev": 0.05, "seed": None},
        "RandomUniform": {"minval": -0.05, "maxval": 0.05, "seed": None},
        "TruncatedNormal": {"mean": 0.0, "stddev": 0.05, "seed": None},
        "VarianceScaling": {
            "scale": 1.0,
            "mode": "fan_in",
            "distribution": "truncated_normal",
            "seed": None,
        },
        "Zeros": {},
    },
    "constraints": {
        "MaxNorm": {"max_value": 2, "axis": 0},
        "MinMaxNorm": {"min_value": 0.0, "max_value": 1.0, "rate": 1.0, "axis": 0},
        "NonNeg": {},
        "UnitNorm": {"axis": 0},
    },
    "regularizers": {
        "L1": {"l1": 0.01},
        "L1L2": {"l1": 0.0, "l2": 0.0},
        "L2": {"l2": 0.01},
        "OrthogonalRegularizer": {"factor": 0.01, "mode": "rows"},
    },
}
_SCALINGS = {
    (1.0, "fan_avg", "uniform"): "GlorotUniform",
    (1.0, "fan_avg", "truncated_normal"): "GlorotNormal",
    (1.0, "fan_avg", "normal"): "GlorotNormal",
    (2.0, "fan_in", "uniform"): "HeUniform",
    (2.0, "fan_in", "truncated_normal"): "HeNormal",
    (2.0, "fan_in", "normal"): "HeNormal",
    (1.0, "fan_in", "uniform"): "LecunUniform",
    (1.0, "fan_in", "truncated_normal"): "LecunNormal",
    (1.0, "fan_in", "normal"): "LecunNormal",
}
_ALIASES = {
    "uniform": "random_uniform",
    "normal": "random_normal",
    "zero": "zeros",
    "one": "ones",
}


@dataclass
class Writing:
    """What writing arguments may need and add to: classes that the source defines, remarks, how a model is called for."""

    classes: dict[str, str]
    remarks: list[str]
    model: Callable[[KerasLayer], Code]


def constructor_arguments(
    layer: KerasLayer, writing: Writing, spec: TensorSpec | None = None
) -> dict[str, Any]:
    """The arguments in the order of Keras's signature, defaults left out; ``spec`` is what the layer yields."""
    if layer.kind != "layer":
        return missing_arguments(layer, spec)
    found = layer_classes().get(layer.class_name)
    known: Mapping[str, Any] = found.arguments if found else {}
    given = {}
    config = layer.config if known else retired_arguments(dict(layer.config))
    for key, value in config.items():
        if key == "dtype" or value is None and known.get(key, REQUIRED) is None:
            continue
        written = _written(layer, key, value, writing)
        if not _is_same(key, written, known.get(key, REQUIRED)):
            given[key] = written
    for key in ("activity_regularizer", "data_format"):
        if given.get(key) in (None, "channels_last"):
            given.pop(key, None)
    made = written_arguments(layer.class_name, given, arguments=known)
    if str(layer.config.get("dtype", "float32")) != "float32":
        made["dtype"] = layer.config["dtype"]
    if not layer.trainable:
        made["trainable"] = False
    return made


def _is_same(key: str, value: object, default: object) -> bool:
    if not key.endswith("initializer") or not isinstance(value, str | None):
        return False
    return _plain_name(value) == _plain_name(default)


def _plain_name(value: object) -> str:
    text = str(value).lower()
    return _ALIASES.get(text, text)


def _written(layer: KerasLayer, key: str, value: object, writing: Writing) -> Any:
    """One argument as a plain value or code."""
    if isinstance(value, KerasLayer):
        return layer_text(value, writing)
    if isinstance(value, OwnFunction):
        return own_function(value, writing.classes)
    if isinstance(value, tuple) and any(isinstance(v, KerasLayer) for v in value):
        texts = [layer_text(v, writing) for v in value if isinstance(v, KerasLayer)]
        return Code(f"[{', '.join(texts)}]")
    if isinstance(value, Mapping) and "class_name" in value:
        return _object(layer, key, value, writing)
    return value


def _object(
    layer: KerasLayer, key: str, value: Mapping[str, object], writing: Writing
) -> Any:
    """An initializer, a regularizer, a constraint; None, and a remark, where Keras does not have it."""
    name = str(value["class_name"]).rpartition(">")[2]
    config = value.get("config")
    given = dict(config) if isinstance(config, Mapping) else {}
    module = next((m for m in _OBJECTS if key.endswith(m[:-1])), "")
    name, given = _scaling(name, given)
    for known in _OBJECTS.get(module, {}):
        if known.lower() == name.lower().replace("_", ""):
            return _constructed(module, known, given)
    writing.remarks.append(
        f"the {key} of {layer.name!r}, {name}, is not Keras's: left out"
    )
    return None


def _scaling(name: str, given: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """What Keras 2 spelled as a VarianceScaling, by its name."""
    if name != "VarianceScaling":
        return name, given
    what = (given.get("scale"), given.get("mode"), given.get("distribution"))
    known = _SCALINGS.get(what)  # type: ignore[arg-type]
    return (known, {"seed": given.get("seed")}) if known else (name, given)


def _constructed(module: str, name: str, given: Mapping[str, object]) -> Any:
    defaults = _OBJECTS[module][name]
    told = {
        key: given[key]
        for key, default in defaults.items()
        if key in given and not _equal(given[key], default)
    }
    if module == "regularizers" and name in ("L1", "L2", "L1L2"):
        kept = {key: _short(given[key]) for key in defaults if given.get(key)}
        return {"class_name": name, "config": kept} if kept else None
    if not told:
        return snake_case(name)
    inside = ", ".join(f"{key}={literal(value)}" for key, value in told.items())
    return Code(f"{module}.{name}({inside})")


def _equal(value: object, default: object) -> bool:
    return bool(value == default) and isinstance(value, bool) == isinstance(
        default, bool
    )


def _short(value: object) -> Any:
    return float(value) if isinstance(value, int | float) else value


def layer_text(layer: KerasLayer, writing: Writing) -> Code:
    """The constructor of a layer that stands in the config of another."""
    if layer.model is not None:
        return writing.model(layer)
    if layer.kind != "layer":
        head = missing_class(layer, writing.classes)
    else:
        found = layer_classes().get(layer.class_name)
        head = (
            f"layers.{found.name}" if found else retired_class(layer, writing.classes)
        )
    given = constructor_arguments(layer, writing)
    found = layer_classes().get(layer.class_name)
    known = found.arguments if found else {}
    texts = []
    for place, (key, value) in enumerate(given.items()):
        bare = known.get(key) is REQUIRED and list(known)[place : place + 1] == [key]
        texts.append(literal(value) if bare else f"{key}={literal(value)}")
    return Code(f"{head}({', '.join(texts)})")
