"""The HDF5 layout of Keras's weights -> which dataset is which weight of which layer.

Legacy files name each weight; Keras 3 numbers them, in the order in which the layer makes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from ...graph import Graph, Layer, Variable, WeightUse
from ..variables.roles import OTHER, SLOT, STATISTICS, STEP, WEIGHT
from ..weights.hdf5 import Dataset, Hdf5
from ..weights.stored import Stored

_CELL = ("kernel", "recurrent_kernel", "bias")
_NORMAL = ("gamma", "beta", "moving_mean", "moving_variance")
_ORDER = {
    "BatchNormalization": _NORMAL,
    "LayerNormalization": _NORMAL[:2],
    "GroupNormalization": _NORMAL[:2],
    "Embedding": ("embeddings",),
    "PReLU": ("alpha",),
    "LSTM": _CELL,
    "GRU": _CELL,
    "SimpleRNN": _CELL,
    "DepthwiseConv1D": ("kernel", "bias"),
    "DepthwiseConv2D": ("kernel", "bias"),
    "SeparableConv1D": ("depthwise_kernel", "pointwise_kernel", "bias"),
    "SeparableConv2D": ("depthwise_kernel", "pointwise_kernel", "bias"),
}
_CONVOLUTIONS = [f"Conv{n}D{kind}" for n in (1, 2, 3) for kind in ("", "Transpose")]
_MAY_LACK = {"gamma": "scale", "beta": "center", "bias": "use_bias"}


class Weight(NamedTuple):
    """One dataset: its key among the model's weights, the layer that owns it, what that layer calls it."""

    key: str
    layer: str
    name: str
    role: str
    dataset: Dataset


def find_weights(
    file: Hdf5, order: Sequence[tuple[str, str, Mapping[str, Any]]]
) -> list[Weight]:
    """All weights of a file; ``order`` has name, class and config of the layers, in the model's order."""
    if file.attribute("", "layer_names") is not None:
        return list(_named(file, "", order))
    if file.has("model_weights"):
        return [*_named(file, "model_weights", order), *_optimizer(file)]
    return list(_numbered(file, order))


def _named(
    file: Hdf5, root: str, order: Sequence[tuple[str, str, Any]]
) -> Iterator[Weight]:
    nested = {name.split("/")[0] for name, _, _ in order if "/" in name}
    seen: set[str] = set()
    for group in file.texts(root, "layer_names"):
        place = f"{root}/{group}".strip("/")
        for full in file.texts(place, "weight_names"):
            dataset = file.dataset(f"{place}/{full}")
            if dataset is None:
                continue
            plain = re.sub(r":\d+\Z", "", full)
            scope, _, last = plain.rpartition("/")
            inner = scope.removeprefix(f"{group}/").removeprefix(group)
            layer = f"{group}/{inner}".strip("/") if group in nested else group
            key = plain if plain not in seen else f"{group}/{plain}"
            seen.add(key)
            yield Weight(key, layer, last, _role(last), dataset)


def _optimizer(file: Hdf5) -> Iterator[Weight]:
    for full in file.texts("optimizer_weights", "weight_names"):
        dataset = file.dataset(f"optimizer_weights/{full}")
        if dataset is not None:
            key = re.sub(r":\d+\Z", "", full)
            last = key.rpartition("/")[2]
            role = STEP if last in ("iteration", "iterations", "iter") else SLOT
            yield Weight(f"optimizer_weights/{key}", "", last, role, dataset)


def _numbered(
    file: Hdf5, order: Sequence[tuple[str, str, Mapping[str, Any]]]
) -> Iterator[Weight]:
    """Keras 3: ``layers/conv2d/vars/0``; the group's own ``name``, or its place in the order, tells the layer."""
    classes = {name: (op, config) for name, op, config in order}
    paths = _paths(order)
    for dataset in file.datasets():
        if "/vars/" not in f"/{dataset.path}":
            continue
        owner, _, number = dataset.path.rpartition("/vars/")
        if owner.startswith("optimizer"):
            role = STEP if number == "0" else SLOT
            yield Weight(dataset.path, "", number, role, dataset)
            continue
        layer = _told(file, owner) or paths.get(owner) or owner.replace("layers/", "")
        op, config = classes.get(layer, ("", {}))
        if not op and "/" in layer:  # a cell within its layer
            outer = layer.rpartition("/")[0]
            op, config = classes.get(outer, ("", {}))
            layer = outer if op else layer
        if not order:
            op = _class_of(owner)
        names = _names(op, config)
        place = int(number) if number.isdigit() else len(names)
        name = names[place] if place < len(names) else f"vars/{number}"
        yield Weight(f"{layer}/{name}", layer, name, _role(name), dataset)


def _told(file: Hdf5, owner: str) -> str:
    """The layers' own names along a path of containers, where Keras wrote them down."""
    names = []
    parts = owner.split("/")
    for end in range(1, len(parts) + 1):
        if parts[end - 1] in ("layers", "_layer_checkpoint_dependencies"):
            continue
        name = file.attribute("/".join([*parts[:end], "vars"]), "name")
        if not name:
            return ""
        names.append(str(name))
    return "/".join(names)


def _paths(order: Sequence[tuple[str, str, Any]]) -> dict[str, str]:
    """Container path -> layer, by Keras's numbering of classes (``conv2d``, ``conv2d_1``) in the model's order."""
    counts: dict[str, int] = {}
    found = {}
    for name, op, _ in order:
        base = re.sub(
            r"(?<=[a-z0-9])(?=[A-Z])", "_", re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", op)
        )
        base = base.lower()
        number = counts[base] = counts.get(base, -1) + 1
        place = f"layers/{base}_{number}" if number else f"layers/{base}"
        found[place] = name
        found[f"{place}/cell"] = name
    return found


def _class_of(owner: str) -> str:
    """The class that a container is named after: ``layers/batch_normalization_1`` is a BatchNormalization."""
    parts = [p for p in owner.split("/") if p not in ("layers", "cell", "vars")]
    plain = re.sub(r"_\d+\Z", "", parts[-1]).replace("_", "") if parts else ""
    known = {name.lower(): name for name in (*_ORDER, "Dense", *_CONVOLUTIONS)}
    return known.get(plain, "")


def _names(op: str, config: Mapping[str, Any]) -> list[str]:
    names = _ORDER.get(op, ("kernel", "bias") if op else ())
    return [n for n in names if config.get(_MAY_LACK.get(n, ""), True) is not False]


def _role(name: str) -> str:
    return (
        STATISTICS
        if name.startswith("moving_")
        else OTHER if name == "seed_generator_state" else WEIGHT
    )


def with_weights(graph: Graph, weights: Sequence[Weight]) -> None:
    """Tell the layers of a graph that was just made which weights are theirs."""
    uses: dict[str, dict[str, WeightUse]] = {}
    for each in weights:
        if each.layer in graph:
            use = WeightUse(each.key, each.dataset.shape)
            uses.setdefault(each.layer, {})[each.name] = use
    for name in graph:
        payload = graph.node(name)
        owner = name if name in uses else re.sub(r"_call\d+\Z", "", name)
        if owner in uses and isinstance(payload, Layer):
            members = frozenset(use.node for use in uses[owner].values())
            made = replace(payload, weights=uses[owner], members=members)
            graph.nodes[name]["node"] = made


def variables_of(weights: Sequence[Weight]) -> tuple[Variable, ...]:
    """The variable list of a Keras file."""
    return tuple(
        Variable(
            each.key,
            each.dataset.dtype,
            each.dataset.shape,
            each.dataset.stored.nbytes,
            each.role,
        )
        for each in weights
    )


def stored_of(weights: Sequence[Weight]) -> dict[str, Stored]:
    """The values, lazily."""
    return {each.key: each.dataset.stored for each in weights}
