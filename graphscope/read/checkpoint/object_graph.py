"""The trackable object graph of a TF2 checkpoint: object paths, slots and owners of its variables.

Source: tensorflow/core/protobuf/trackable_object_graph.proto.
"""

from __future__ import annotations

from collections import deque
from typing import Any, NamedTuple

from ..variables.roles import METRIC, OTHER, SLOT, STEP, TABLE, Role

GRAPH_KEY = "_CHECKPOINTABLE_OBJECT_GRAPH"
CONFIG_KEY = "/.ATTRIBUTES/OBJECT_CONFIG_JSON"
_SUFFIX = "/.ATTRIBUTES/"


class Trackable(NamedTuple):
    """One checkpoint key as the object graph describes it."""

    path: str
    full_name: str
    role: Role | None


def object_paths(nodes: Any) -> list[str]:
    """The shortest path of names from the root to each object; "" for those that nothing leads to."""
    paths: list[str | None] = [None] * len(nodes)
    if not paths:
        return []
    paths[0] = ""
    waiting = deque([0])
    while waiting:
        number = waiting.popleft()
        for child in nodes[number].children:
            if 0 <= child.node_id < len(paths) and paths[child.node_id] is None:
                base = paths[number]
                paths[child.node_id] = (
                    f"{base}/{child.local_name}" if base else child.local_name
                )
                waiting.append(child.node_id)
    return [path or "" for path in paths]


def trackables(message: Any) -> dict[str, Trackable]:
    """Checkpoint key -> what the object graph says of it."""
    nodes = message.nodes
    paths = object_paths(nodes)
    slots: dict[int, tuple[int, str]] = {}
    optimizers: list[str] = []
    for number, node in enumerate(nodes):
        for slot in node.slot_variables:
            of = slot.original_variable_node_id
            slots[slot.slot_variable_node_id] = (of, paths[number])
        if node.slot_variables:
            optimizers.append(paths[number])
    keys = {
        number: node.attributes[0].checkpoint_key
        for number, node in enumerate(nodes)
        if len(node.attributes)
    }
    found = {}
    for number, node in enumerate(nodes):
        for attribute in node.attributes:
            role = _role(attribute.checkpoint_key, paths[number], optimizers)
            if number in slots:
                of, optimizer = slots[number]
                role = Role(SLOT, keys.get(of, ""), optimizer)
            path = paths[number] or attribute.checkpoint_key.partition(_SUFFIX)[0]
            found[attribute.checkpoint_key] = Trackable(path, attribute.full_name, role)
    return found


def _role(key: str, path: str, optimizers: list[str]) -> Role | None:
    last = path.rpartition("/")[2]
    if ".OPTIMIZER_SLOT" in key:
        return Role(SLOT, "")
    if "keras_api/metrics" in key or "compiled_metrics" in key or "/_metrics/" in key:
        return Role(METRIC)
    if "/.ATTRIBUTES/table" in key or "/.ATTRIBUTES/_table" in key:
        return Role(TABLE)
    if not key.endswith("VARIABLE_VALUE"):
        return Role(OTHER)
    if last in ("save_counter", "iter", "_iterations", "iterations", "global_step"):
        return Role(STEP)
    components = path.split("/")
    if any(path.startswith(f"{o}/") for o in optimizers) or any(
        name in ("optimizer", "_optimizer", "inner_optimizer")
        for name in components[:-1]
    ):
        return Role(SLOT, "", components[0])
    return None
