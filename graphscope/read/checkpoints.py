"""Weights alone -> Model: what both checkpoint formats share."""

from __future__ import annotations

from typing import Any

from ..errors import FormatError, MissingWeight
from ..graph import Model, Variable
from . import proto
from .objects import CONFIG_KEY, GRAPH_KEY, Trackable, trackables
from .roles import WEIGHT, Role, roles_by_name
from .skeleton import skeleton
from .weights import StoredWeights


def model_of_weights(weights: StoredWeights, source: str, format: str) -> Model:
    """The Model of a checkpoint that no graph goes with; its graph is built from the variable list."""
    objects, remarks = _objects(weights)
    variables = stored_variables(weights, objects)
    if objects:
        format = f"{format} (object-based)"
    return Model(
        graph=skeleton(variables, _configs(weights, objects), _full_names(objects)),
        source=source,
        format=format,
        weights=weights,
        variables=variables,
        keys={variable.name: variable.name for variable in variables},
        inferred=True,
        layered=True,
        remarks=tuple(remarks),
    )


def _objects(weights: StoredWeights) -> tuple[dict[str, Trackable], list[str]]:
    if GRAPH_KEY not in weights:
        return {}, []
    try:
        data = weights[GRAPH_KEY].item()
        message = proto.parse("TrackableObjectGraph", data, GRAPH_KEY)
    except (FormatError, MissingWeight) as error:
        return {}, [f"the object graph cannot be read: {error}"]
    return trackables(message), []


def _configs(weights: StoredWeights, objects: dict[str, Trackable]) -> dict[str, str]:
    """Object path -> the JSON that Keras left there."""
    found = {}
    for key, known in objects.items():
        if key.endswith(CONFIG_KEY) and known.path:
            try:
                found[known.path] = weights[key].item().decode("utf-8", "replace")
            except (FormatError, MissingWeight, KeyError):
                continue  # a shard that is not here: the names must do
    return found


def _full_names(objects: dict[str, Trackable]) -> dict[str, str]:
    return {key: known.full_name for key, known in objects.items()}


def stored_variables(
    weights: StoredWeights, objects: dict[str, Trackable]
) -> tuple[Variable, ...]:
    """The variables of a checkpoint with the roles that their names and objects tell."""
    shapes: dict[str, tuple[Any, Any]] = {
        name: (stored.dtype, stored.shape) for name, stored in weights.stored.items()
    }
    roles = roles_by_name(shapes)
    made = []
    for name, stored in weights.stored.items():
        known = objects.get(name)
        role = roles[name]
        if known is not None:
            role = known.role or _by_path(known, stored.dtype, stored.shape)
        elif objects:
            role = Role("other")
        made.append(
            Variable(
                name,
                stored.dtype,
                stored.shape,
                stored.nbytes,
                role.role,
                role.of,
                known.path if known else "",
                optimizer=role.optimizer,
            )
        )
    return tuple(made)


def _by_path(known: Trackable, dtype: str, shape: Any) -> Role:
    """The role that an object's path or the variable's own name gives it."""
    for name in (known.path, known.full_name):
        role = roles_by_name({name: (dtype, shape)})[name] if name else Role(WEIGHT)
        if role.role != WEIGHT:
            return Role(role.role)
    return Role(WEIGHT)
