"""Weights alone -> Model: what both checkpoint formats share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from ...errors import FormatError, MissingWeight
from ...graph import Graph, Layer, Model, Variable, WeightUse
from ...wire import messages as proto
from ..keras.config import KerasGraph
from ..keras.model import parse_json
from ..variables.roles import WEIGHT, Role, roles_by_name
from ..variables.skeleton import skeleton
from ..weights.stored import StoredWeights
from .object_graph import (
    CONFIG_KEY,
    GRAPH_KEY,
    Trackable,
    trackables,
    trackables_of_keys,
)


def model_of_weights(
    weights: StoredWeights,
    source: str,
    format: str,
    saved: Mapping[str, Trackable] = MappingProxyType({}),
) -> Model:
    """The Model of a checkpoint that no graph goes with; its graph is built from the variable list.

    ``saved`` is what a SavedModel's own object graph says of the keys, for where the checkpoint's cannot be read.
    """
    objects, remarks = _objects(weights, saved)
    variables = stored_variables(weights, objects)
    if objects:
        format = f"{format} (object-based)"
    configs = _configs(weights, objects)
    made = keras_graph(configs, variables, source)

    def guessed() -> Graph:
        return skeleton(variables, configs, _full_names(objects))

    return Model(
        graph=guessed if made is None else made.graph,  # type: ignore[arg-type]
        source=source,
        format=format,
        weights=weights,
        variables=variables,
        keys={variable.name: variable.name for variable in variables},
        signatures={} if made is None else {"call": made.signature},
        inferred=made is None,
        layered=True,
        remarks=tuple(remarks),
    )


def _objects(
    weights: StoredWeights, saved: Mapping[str, Trackable]
) -> tuple[dict[str, Trackable], list[str]]:
    if GRAPH_KEY not in weights:
        return {}, []
    try:
        data = weights[GRAPH_KEY].item()
        message = proto.parse("TrackableObjectGraph", data, GRAPH_KEY)
    except (FormatError, MissingWeight) as error:
        if saved:
            return dict(saved), []
        said = f"the object graph cannot be read, so that paths and roles are those that the keys tell: {error}"
        return trackables_of_keys(weights.stored), [said]
    return trackables(message), []


def _configs(weights: StoredWeights, objects: dict[str, Trackable]) -> dict[str, str]:
    """Object path -> the JSON that Keras left there."""
    found = {}
    for key, known in objects.items():
        if key.endswith(CONFIG_KEY):
            try:
                found[known.path] = weights[key].item().decode("utf-8", "replace")
            except (FormatError, MissingWeight, KeyError):
                continue  # a shard that is not here: the names must do
    return found


def keras_graph(
    configs: dict[str, str], variables: tuple[Variable, ...], what: str
) -> KerasGraph | None:
    """The whole model where Keras (2.0 to 2.3) left its config in the checkpoint's root, its layers given their weights.

    None where it did not, or where what is there is of no use: the names must do then.
    """
    if not configs.get(""):
        return None
    try:
        made = KerasGraph(parse_json(configs[""], what), what)
        names = {_layer_name(parse_json(configs[p], what)): p for p in configs if p}
    except FormatError:
        return None
    owned: dict[str, dict[str, WeightUse]] = {}
    for variable in variables:
        scope, _, last = variable.path.rpartition("/")
        shape = tuple(size or 0 for size in variable.shape or ())
        owned.setdefault(scope, {})[last] = WeightUse(variable.name, shape)
    for name in made.graph:
        payload, scope = made.graph.node(name), names.get(name, "")
        if isinstance(payload, Layer) and scope and scope in owned:
            uses = owned[scope]
            members = frozenset(use.node for use in uses.values())
            given = replace(payload, weights=uses, members=members)
            made.graph.nodes[name]["node"] = given
    return made


def _layer_name(config: Any) -> str:
    inner = config.get("config") if isinstance(config, dict) else None
    return str(inner.get("name", "")) if isinstance(inner, dict) else ""


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
                full_name=known.full_name if known else "",
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
