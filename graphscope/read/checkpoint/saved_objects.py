"""The object graph of a SavedModel -> what it says of the model's variables, with their checkpoint or without it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ...graph import Model, Variable
from ...wire import messages as proto
from ..variables.restore_ops import VARIABLE_OPS, wired
from ..variables.roles import METRIC, SLOT, Role
from .object_graph import Objects, Trackable, variables_of

_METRIC = "_tf_keras_metric"


class SavedObjects:
    """The objects of a SavedModel's meta graph; all of them are empty where TensorFlow 1 wrote it."""

    def __init__(self, meta: Any) -> None:
        self.nodes = meta.object_graph_def.nodes
        self.objects = Objects(self.nodes)
        self.keys = dict(variables_of(self.nodes))

    def trackables(self) -> dict[str, Trackable]:
        """Checkpoint key -> what the objects say of the variable that it fills."""
        metrics = self._of_metrics()
        by_key = {}
        for number, key in self.keys.items():
            role, slot = self.objects.role(number, key), self.objects.slots.get(number)
            if slot is not None:
                owner = self.keys.get(-1 if slot.weight is None else slot.weight, "")
                role = Role(SLOT, owner, slot.optimizer)
            elif number in metrics:
                role = Role(METRIC)
            name = self.nodes[number].variable.name
            by_key[key] = Trackable(self.objects.paths[number], name, role)
        return by_key

    def _of_metrics(self) -> set[int]:
        return {
            child
            for number, node in enumerate(self.nodes)
            if node.user_object.identifier == _METRIC
            for _, child in self.objects.children[number]
        }

    def trained(self) -> dict[str, bool]:
        """Object path -> whether Keras or tf.Module trains the variable there."""
        paths = self.objects.paths
        return {paths[n]: self.nodes[n].variable.trainable for n in self.keys}

    def keys_by_name(self) -> dict[str, set[str]]:
        """The name of a variable in the graph -> the checkpoint keys of the variables of that name."""
        keys: dict[str, set[str]] = {}
        for number, key in self.keys.items():
            keys.setdefault(self.nodes[number].variable.name, set()).add(key)
        return keys

    def _is_text(self, number: int) -> bool:
        return bool(self.nodes[number].variable.dtype == proto.dtype_number("string"))

    def keys_of_nodes(
        self, model: Model, known: Mapping[str, str], stored: Any
    ) -> dict[str, str]:
        """Keys for variables that no restore op fills: those of the objects that bear their names.

        ``tf.saved_model.save`` of a Keras 3 model writes each variable twice; what it restores is not what the
        signature reads. TensorFlow's own loader goes by the objects. The variable that holds the name of an asset may bear
        the name of a weight.
        """
        by_name, node_keys = self.keys_by_name(), {}
        texts = {key for n, key in self.keys.items() if self._is_text(n)}
        for node in model.graph.by_op(*VARIABLE_OPS):
            attrs = model.graph.attrs(node)
            name, is_text = (
                str(attrs.get("shared_name") or node),
                attrs.get("dtype") == "string",
            )
            fitting = (k for k in by_name.get(name, ()) if (k in texts) == is_text)
            keys = [key for key in fitting if key in stored]
            if known.get(node) not in stored and len(keys) == 1:
                (node_keys[node],) = keys
        return node_keys


def without_values(model: Model, saved: SavedObjects) -> Model:
    """The Model with what the objects say of its variables, each of them once; no checkpoint is at hand."""
    stored = set(saved.keys.values())
    keys = wired(model.graph, model.functions)
    keys |= saved.keys_of_nodes(model, keys, stored)
    trackables, trained = saved.trackables(), saved.trained()
    named: dict[str, str] = {}
    for variable in sorted(model.variables, key=lambda v: _is_copy(v, model, saved)):
        key = keys.get(variable.name, "")
        named.setdefault(key if key in stored else variable.name, variable.name)
    variables = tuple(
        (
            _with_role(variable, trackables[key], trained, named)
            if (key := keys.get(variable.name, "")) in stored
            else variable
        )
        for variable in model.variables
        if named.get(key := keys.get(variable.name, ""), variable.name) == variable.name
    )
    keys = {node: named[key] for node, key in keys.items() if key in named}
    return replace(model, variables=variables, keys={**model.keys, **keys})


def _is_copy(variable: Variable, model: Model, saved: SavedObjects) -> bool:
    """Whether no object bears the name of a variable's node: Keras 3 leaves such a node beside that of the model."""
    attrs = model.graph.attrs(variable.name)
    name = attrs.get("shared_name") or variable.name
    return name not in saved.keys_by_name()


def _with_role(
    variable: Variable,
    trackable: Trackable,
    trained: Mapping[str, bool],
    named: Mapping[str, str],
) -> Variable:
    role = trackable.role or Role(variable.role, variable.of, variable.optimizer)
    return replace(
        variable,
        role=role.role,
        of=named.get(role.of, role.of),
        optimizer=role.optimizer,
        path=trackable.path,
        trainable=trained.get(trackable.path, variable.trainable),
    )
