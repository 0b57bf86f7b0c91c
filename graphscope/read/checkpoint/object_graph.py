"""The trackable object graph of a TF2 checkpoint or SavedModel: object paths, slots and owners of its variables.

Source: tensorflow/core/protobuf/trackable_object_graph.proto and saved_object_graph.proto, whose nodes have the same
``children`` and ``slot_variables``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from ...graph.named_values import Message
from ..variables.roles import AVERAGE, METRIC, OTHER, SLOT, STEP, TABLE, WEIGHT, Role

GRAPH_KEY = "_CHECKPOINTABLE_OBJECT_GRAPH"
CONFIG_KEY = "/.ATTRIBUTES/OBJECT_CONFIG_JSON"
SLOT_MARK = "/.OPTIMIZER_SLOT/"
_SUFFIX = "/.ATTRIBUTES/"
_STEPS = frozenset("save_counter iter _iterations iterations global_step".split())
_HYPERPARAMETERS = frozenset(
    "learning_rate _learning_rate decay momentum beta_1 rho".split()
)
_OPTIMIZERS = frozenset("optimizer _optimizer inner_optimizer".split())
_METRICS = frozenset(
    "metrics _metrics compiled_metrics _compile_metrics _loss_tracker".split()
)
_LISTS = frozenset(
    "variables trainable_variables non_trainable_variables _variables _trainable_variables _non_trainable_variables "
    "_all_variables weights keras_api".split()
)
_SEEDS = frozenset("seed_generator _seed_generator seed_generators".split())


class Trackable(NamedTuple):
    """One checkpoint key as the object graph describes it."""

    path: str
    full_name: str
    role: Role | None
    place: int = 0  # in the order in which a walk through the objects meets it


class SlotOf(NamedTuple):
    """The object that a slot variable belongs to (None: of no one variable), and the path of its optimizer."""

    weight: int | None
    optimizer: str


class Objects:
    """The objects of a file by number: where each stands, and which are an optimizer's.

    A shared variable has several paths. Its own is the shortest that leads through the model; lists of variables are
    gone through only for what nothing else leads to, and optimizers last.
    """

    def __init__(self, nodes: Any) -> None:
        self.nodes = nodes
        self.children = [
            [
                (c.local_name, c.node_id)
                for c in n.children
                if 0 <= c.node_id < len(nodes)
            ]
            for n in nodes
        ]
        self.optimizers = frozenset(filter(self._is_optimizer, range(1, len(nodes))))

    def _is_optimizer(self, number: int) -> bool:
        if len(self.nodes[number].slot_variables):
            return True
        names = {name for name, _ in self.children[number]}
        steps = bool(names & {"iter", "iterations"}) and bool(names & _HYPERPARAMETERS)
        return "_iterations" in names or steps

    @cached_property
    def paths(self) -> tuple[str, ...]:
        """The path of each object; "" for the root and for what nothing leads to."""
        return self._walk[0]

    @cached_property
    def of_optimizers(self) -> frozenset[int]:
        """The objects that only an optimizer leads to."""
        return self._walk[1]

    @cached_property
    def _walk(self) -> tuple[tuple[str, ...], frozenset[int]]:
        paths: dict[int, str] = {}
        later: tuple[deque[tuple[str, int]], ...] = (deque(), deque(), deque())
        last: set[int] = set()
        later[0].append(("", 0))
        for turn, waiting in enumerate(later):
            while waiting:
                path, number = waiting.popleft()
                if number in paths or number >= len(self.nodes):
                    continue
                paths[number] = path
                if turn == 2:
                    last.add(number)
                for name, child in self.children[number]:
                    place = max(turn, self._turn(name, child))
                    later[place].append((f"{path}/{name}" if path else name, child))
        ordered = tuple(paths.get(number, "") for number in range(len(self.nodes)))
        return ordered, frozenset(last)

    @cached_property
    def places(self) -> dict[int, int]:
        """The rank of each object in the order of its making: what owns it first, then its children as they were set."""
        ranks: dict[int, int] = {}
        waiting = [0]
        while waiting:
            number = waiting.pop()
            if number in ranks or number >= len(self.nodes):
                continue
            ranks[number] = len(ranks)
            path = self.paths[number]
            own = [
                child
                for name, child in self.children[number]
                if self.paths[child] == (f"{path}/{name}" if path else name)
            ]
            waiting.extend(reversed(own))
        return ranks

    def _turn(self, name: str, child: int) -> int:
        return 2 if child in self.optimizers else int(name in _LISTS)

    @cached_property
    def slots(self) -> dict[int, SlotOf]:
        """Slot variable -> whose it is: as the optimizer lists them (Keras 2), or its lists side by side (Keras 3)."""
        slots_: dict[int, SlotOf] = {}
        for number, node in enumerate(self.nodes):
            for slot in node.slot_variables:
                of = slot.original_variable_node_id
                slots_[slot.slot_variable_node_id] = SlotOf(of, self.paths[number])
        for number in self.optimizers:
            lists = {name: self._listed(child) for name, child in self.children[number]}
            trained = lists.get("_trainable_variables", [])
            for name, listed in lists.items():
                if trained and name not in _LISTS and len(listed) == len(trained):
                    for slot, of in zip(listed, trained):
                        slots_.setdefault(slot, SlotOf(of, self.paths[number]))
        return slots_

    def _listed(self, number: int) -> list[int]:
        numbered = [
            (int(n), c)
            for n, c in self.children[number]
            if n.isdecimal() and len(n) < 10
        ]
        return [child for _, child in sorted(numbered)]

    def role(self, number: int, key: str) -> Role | None:
        """What an object that a checkpoint keeps under a key is for, the owner of a slot left open; None: unknown."""
        role = role_of_key(key, self.paths[number])
        if role is None and number in self.of_optimizers:
            if self.paths[number].split("/")[-2:-1] == ["_trainable_variables"]:
                return Role(WEIGHT)  # of a model that does not track it: Keras 3
            return Role(SLOT, "", self.paths[number].partition("/")[0])
        return role


def object_paths(nodes: Sequence[Message]) -> list[str]:
    """The shortest path of names from the root to each object: what checkpoint keys are made of; "" for the root and
    for those that nothing leads to."""
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


def trackables(message: Message) -> dict[str, Trackable]:
    """Checkpoint key -> what the object graph says of it."""
    objects = Objects(message.nodes)
    keys = {
        number: node.attributes[0].checkpoint_key
        for number, node in enumerate(message.nodes)
        if len(node.attributes)
    }
    by_key = {}
    for number, node in enumerate(message.nodes):
        for attribute in node.attributes:
            key = attribute.checkpoint_key
            role, slot = objects.role(number, key), objects.slots.get(number)
            if slot is not None:
                weight = keys.get(slot.weight or 0, "")
                name = key.partition(_SUFFIX)[0].rpartition("/")[2]
                role = _slot_role(name, weight, slot.optimizer)
            elif "/average/" in attribute.full_name and role and role.role == SLOT:
                role = Role(AVERAGE)
            path = objects.paths[number] or key.partition(_SUFFIX)[0]
            place = objects.places.get(number, len(message.nodes))
            by_key[key] = Trackable(path, attribute.full_name, role, place)
    return by_key


def trackables_of_keys(keys: Collection[str]) -> dict[str, Trackable]:
    """The same of a checkpoint whose object graph is not at hand: the keys are paths themselves.

    ``a/b/.OPTIMIZER_SLOT/optimizer/m/.ATTRIBUTES/VARIABLE_VALUE`` is the slot ``m`` of the variable at ``a/b``.
    """
    return {key: _of_key(key, keys) for key in keys if _SUFFIX in key}


def _of_key(key: str, keys: Collection[str]) -> Trackable:
    path = key.partition(_SUFFIX)[0]
    weight, mark, slot = path.partition(SLOT_MARK)
    if not mark:
        return Trackable(path, "", role_of_key(key, path) or _role_of_path(path))
    owner = f"{weight}{_SUFFIX}VARIABLE_VALUE"
    optimizer, _, name = slot.rpartition("/")
    return Trackable(
        path, "", _slot_role(name, owner if owner in keys else "", optimizer)
    )


def _slot_role(name: str, weight: str, optimizer: str) -> Role:
    """A slot by its name: what an averaging optimizer calls ``average`` stands in for the weight."""
    return Role(AVERAGE, weight) if name == "average" else Role(SLOT, weight, optimizer)


def _role_of_path(path: str) -> Role | None:
    """An optimizer's, where the path leads through one; of Keras 3 it has the first path to every trained weight too."""
    above = path.split("/")[:-1]
    if "_trainable_variables" in above or not _OPTIMIZERS & set(above):
        return None
    return Role(SLOT, "", above[0])


def role_of_key(key: str, path: str) -> Role | None:
    """The role that a checkpoint key or the path of its object tells alone; None where they tell none."""
    *above, last = path.split("/")
    if ".OPTIMIZER_SLOT" in key:
        return Role(SLOT, "")
    if _METRICS & set(above):
        return Role(METRIC)
    if "/.ATTRIBUTES/table" in key or "/.ATTRIBUTES/_table" in key:
        return Role(TABLE)
    if not key.endswith("VARIABLE_VALUE") or _SEEDS & set(above):
        return Role(OTHER)
    return Role(STEP) if last in _STEPS else None


def variables_of(nodes: Sequence[Message]) -> Iterator[tuple[int, str]]:
    """The variables among a SavedModel's objects, each with the key that its checkpoint keeps it under."""
    for number, path in enumerate(object_paths(nodes)):
        if nodes[number].WhichOneof("kind") == "variable":
            yield number, f"{path}{_SUFFIX}VARIABLE_VALUE"
