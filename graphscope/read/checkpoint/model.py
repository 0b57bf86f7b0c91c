"""Weights alone -> Model: what both checkpoint formats share."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ...errors import FormatError, MissingWeight
from ...graph import Graph, Model, Variable, WeightUse
from ...wire import messages as proto
from ..variables.roles import WEIGHT, Role, roles_by_name
from ..weights.stored import StoredWeights
from .object_graph import (
    CONFIG_KEY,
    GRAPH_KEY,
    Trackable,
    trackables,
    trackables_of_keys,
)

if TYPE_CHECKING:
    from ...graph.keras import KerasModel
    from ..keras.unfold import Unfolded


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
    topology = keras_topology(configs, variables, source)
    unfolded = None if topology is None else _unfolded(topology, source)

    def guessed() -> Graph:
        from ..variables.skeleton import skeleton

        listed = sorted(variables, key=lambda each: _place(objects, each.name))
        full_names = _full_names(objects)
        return skeleton(listed, configs, full_names, in_order=bool(objects))

    return Model(
        graph=guessed if unfolded is None else unfolded.graph,  # type: ignore[arg-type]
        source=source,
        format=format,
        weights=weights,
        variables=variables,
        keys={variable.name: variable.name for variable in variables},
        signatures={} if unfolded is None else {"call": unfolded.signature},
        inferred=unfolded is None,
        layered=True,
        topology=topology,
        remarks=tuple(remarks),
    )


def _unfolded(topology: KerasModel, source: str) -> Unfolded:
    from ..keras.unfold import Unfolded

    return Unfolded(topology, source)


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
        remark = f"the object graph cannot be read, so that paths and roles are those that the keys tell: {error}"
        return trackables_of_keys(weights.stored), [remark]
    return trackables(message), []


def _configs(weights: StoredWeights, objects: dict[str, Trackable]) -> dict[str, str]:
    """Object path -> the JSON that Keras left there."""
    configs = {}
    for key, trackable in objects.items():
        if key.endswith(CONFIG_KEY):
            try:
                configs[trackable.path] = weights[key].item().decode("utf-8", "replace")
            except (FormatError, MissingWeight, KeyError):
                continue  # a shard that is not here: the names must do
    return configs


def keras_topology(
    configs: dict[str, str], variables: tuple[Variable, ...], what: str
) -> KerasModel | None:
    """The whole model where Keras (2.0 to 2.3) left its config in the checkpoint's root, its layers given their weights.

    None where it did not, or where what is there is of no use: the names must do then.
    """
    if not configs.get(""):
        return None
    from ...graph.keras.nouns import every_layer
    from ..keras.model import parse_json
    from ..keras.topology import read_topology
    from ..keras.weights import stored_order

    try:
        topology = read_topology(parse_json(configs[""], what), what, "2")
        parsed = {p: parse_json(text, what) for p, text in configs.items() if p}
        names = {_layer_name(config): path for path, config in parsed.items()}
    except FormatError:
        return None
    scopes = {f"{path}/": name for name, path in names.items() if name}
    layers = {layer.name: layer for layer in every_layer(topology)}
    for variable in variables:
        scope = max(
            (s for s in scopes if variable.path.startswith(s)), key=len, default=""
        )
        layer = layers.get(scopes.get(scope, ""))
        if layer is not None and ".OPTIMIZER_SLOT" not in variable.name:
            shape = tuple(size or 0 for size in variable.shape or ())
            path = variable.path.removeprefix(scope)
            layer.weights[path] = WeightUse(variable.name, shape)
    stored_order(topology, 2)
    return topology


def _layer_name(config: object) -> str:
    inner = config.get("config") if isinstance(config, dict) else None
    return str(inner.get("name", "")) if isinstance(inner, dict) else ""


def _place(objects: Mapping[str, Trackable], name: str) -> int:
    """Where the program made a variable; the order of the file where nothing tells."""
    return objects[name].place if name in objects else 0


def _full_names(objects: dict[str, Trackable]) -> dict[str, str]:
    return {key: trackable.full_name for key, trackable in objects.items()}


def stored_variables(
    weights: StoredWeights, objects: dict[str, Trackable]
) -> tuple[Variable, ...]:
    """The variables of a checkpoint with the roles that their names and objects tell."""
    shapes: dict[str, tuple[Any, Any]] = {
        name: (stored.dtype, stored.shape) for name, stored in weights.stored.items()
    }
    roles = roles_by_name(shapes)
    variables = []
    for name, stored in weights.stored.items():
        trackable = objects.get(name)
        role = roles[name]
        if trackable is not None:
            role = trackable.role or _by_path(trackable, stored.dtype, stored.shape)
        elif objects:
            role = Role("other")
        variables.append(
            Variable(
                name,
                stored.dtype,
                stored.shape,
                stored.nbytes,
                role.role,
                role.of,
                trackable.path if trackable else "",
                optimizer=role.optimizer,
                full_name=trackable.full_name if trackable else "",
            )
        )
    return tuple(variables)


def _by_path(trackable: Trackable, dtype: str, shape: object) -> Role:
    """The role that an object's path or the variable's own name gives it."""
    for name in (trackable.path, trackable.full_name):
        role = roles_by_name({name: (dtype, shape)})[name] if name else Role(WEIGHT)
        if role.role != WEIGHT:
            return Role(role.role)
    return Role(WEIGHT)
