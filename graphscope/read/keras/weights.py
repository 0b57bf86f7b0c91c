"""The datasets of a Keras file -> which weight of which layer each is.

Legacy files name each weight below its layer's group; Keras 3 numbers them below the path of the object that owns them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ...graph import Variable, WeightUse
from ...graph.keras import KerasModel
from ..variables.roles import AVERAGE, OTHER, SLOT, STATISTICS, STEP, WEIGHT
from ..weights.hdf5 import Dataset, Hdf5
from ..weights.stored import Stored
from .earlier.weights import in_keras_2
from .slots import Owner, Slot, class_of_place, legacy_order, owners_of, paths_of_class


class Weight(NamedTuple):
    """One dataset: its key among the model's weights, the layer that owns it, the path of the weight inside of the layer, its role;
    the layer's class where nothing but the group's name tells it.
    """

    key: str
    layer: str
    path: str
    role: str
    dataset: Dataset
    class_name: str = ""


def find_weights(
    file: Hdf5, model: KerasModel | None, generation: int = 3
) -> list[Weight]:
    """All weights of a file; those of the model's layers are told to them."""
    owners = owners_of(model, generation) if model else ()
    weights = _weights(file, owners, generation)
    _order(owners)
    return weights


def stored_order(model: KerasModel, generation: int) -> None:
    """Tell every layer in which order Keras 3 stores the weights that it has."""
    _order(owners_of(model, generation))


def _weights(file: Hdf5, owners: Sequence[Owner], generation: int) -> list[Weight]:
    if file.attribute("", "layer_names") is not None:
        return list(_named(file, "", owners, generation))
    if file.has("model_weights"):
        return [
            *_named(file, "model_weights", owners, generation),
            *_optimizer(file),
        ]
    return list(_numbered(file, owners)) if owners else _without_config(file)


def role_of(path: str) -> str:
    """What a weight is for, by its name."""
    last = path.rpartition("/")[2]
    if last in ("seed_generator_state", "StateVar") or "seed_generator" in path:
        return OTHER
    return STATISTICS if last.startswith(("moving_", "renorm_")) else WEIGHT


def _named(
    file: Hdf5, root: str, owners: Sequence[Owner], generation: int
) -> Iterator[Weight]:
    by_name = {owner.name: owner for owner in owners}
    visited: set[str] = set()
    backend = str(file.attribute(root, "backend") or "")
    for group in file.texts(root, "layer_names"):
        place = f"{root}/{group}".strip("/")
        names = file.texts(place, "weight_names")
        pairs = [(name, file.dataset(f"{place}/{name}")) for name in names]
        named = [(name, slot_of) for name, slot_of in pairs if slot_of is not None]
        owner = by_name.get(group)
        if owner and (generation == 1 or backend):
            named = in_keras_2(owner.layer, named, generation, backend)
        places = (
            assigned(owner, [(n, d.shape) for n, d in named], generation)
            if owner
            else [None] * len(named)
        )
        for (full, dataset), slot in zip(named, places):
            plain = re.sub(r":\d+\Z", "", full)
            key = plain if plain not in visited else f"{group}/{plain}"
            while key in visited:
                key += "_1"
            visited.add(key)
            yield _weight(key, group, plain, slot, dataset)


def _weight(
    key: str, group: str, plain: str, slot: Slot | Owner | None, dataset: Dataset
) -> Weight:
    if isinstance(slot, Slot):
        tell(slot, key, dataset.shape)
        return Weight(key, slot.name, slot.path, role_of(slot.path), dataset)
    last = plain.rpartition("/")[2]
    if isinstance(slot, Owner):
        path = plain.removeprefix(f"{slot.name}/")
        slot.layer.weights[path] = WeightUse(key, dataset.shape)
        return Weight(key, slot.name, path, role_of(plain), dataset)
    return Weight(key, group, last, role_of(plain), dataset)


def tell(slot: Slot, key: str, shape: tuple[int, ...]) -> None:
    """Give the layer its weight."""
    use = WeightUse(key, shape)
    slot.layer.weights[slot.path] = use
    if slot.same_as:
        slot.layer.weights[slot.same_as] = use


Shaped = tuple[str, tuple[int, ...]]


def assigned(
    owner: Owner, names: Sequence[Shaped], generation: int
) -> Sequence[Slot | Owner | None]:
    """The slot of each name of a layer's group, in its order; the owner itself where nobody knows what it owns."""
    slots = legacy_order(owner, generation)
    if len(slots) == len(names):
        return slots
    opened = list(_open_owners(owner))
    if not opened:
        return _by_last_name(slots, names)
    owners: list[Slot | Owner | None] = []
    rest = list(slots)
    for number, (name, _) in enumerate(names):
        inside = next((o for o in opened if _is_below(name, o)), None)
        needed = len(names) - number > len(rest)
        if needed and (
            inside is not None
            or not rest
            or len(opened) == 1
            and not _fits(rest[0], name)
        ):
            owners.append(inside or opened[0])
        else:
            owners.append(rest.pop(0) if rest else opened[0])
    return owners


def _open_owners(owner: Owner) -> Iterator[Owner]:
    if owner.is_open:
        yield owner
    for part in owner.parts:
        yield from _open_owners(part)


def _is_below(name: str, owner: Owner) -> bool:
    return f"/{owner.layer.name}/" in f"/{name}"


def _fits(slot: Slot, name: str) -> bool:
    last = re.sub(r":\d+\Z", "", name).rpartition("/")[2]
    own_name = slot.path.rpartition("/")[2]
    return last == own_name or last.endswith(f"_{own_name}")


def _by_last_name(slots: Sequence[Slot], names: Sequence[Shaped]) -> list[Slot | None]:
    """Where a layer has other weights than its config says: those of the expected names, in order."""
    rest = list(slots)
    matches: list[Slot | None] = []
    for name, _ in names:
        slot = next((s for s in rest if _fits(s, name)), None)
        if slot is not None:
            rest.remove(slot)
        matches.append(slot)
    return matches


def _optimizer(file: Hdf5) -> Iterator[Weight]:
    for full in file.texts("optimizer_weights", "weight_names"):
        dataset = file.dataset(f"optimizer_weights/{full}")
        if dataset is not None:
            key = re.sub(r":\d+\Z", "", full)
            last = key.rpartition("/")[2]
            role = STEP if last in ("iteration", "iterations", "iter") else SLOT
            role = (
                AVERAGE if "/average/" in key else role
            )  # of an optimizer with use_ema
            yield Weight(f"optimizer_weights/{key}", "", last, role, dataset)


def _numbered(file: Hdf5, owners: Sequence[Owner]) -> Iterator[Weight]:
    """Keras 3: ``layers/conv2d/vars/0``."""
    slots = {
        normal_place(slot.stored): slot for owner in owners for slot in owner.slots()
    }
    containers = {normal_place(o.container): o for o in _every(owners)}
    for dataset in file.datasets():
        place = normal_place(dataset.path)
        if "/vars/" not in f"/{place}":
            continue
        if place.startswith("optimizer"):
            role = STEP if place.endswith("/0") else SLOT
            yield Weight(dataset.path, "", place.rpartition("/")[2], role, dataset)
            continue
        if place.startswith(("metrics", "compile_metrics")):
            yield Weight(dataset.path, "", place, OTHER, dataset)
            continue
        slot = slots.get(place)
        if slot is None:
            yield _loose(dataset, place, containers)
            continue
        key = f"{slot.name}/{slot.same_as or slot.path}"
        if slot.same_as and slot.same_as in slot.layer.weights:
            slot.layer.weights[slot.path] = slot.layer.weights[slot.same_as]
            continue
        if slot.path in slot.layer.weights:  # met before, as another object's
            continue
        tell(slot, key, dataset.shape)
        yield Weight(key, slot.name, slot.path, role_of(slot.path), dataset)


_CELL = ("kernel", "recurrent_kernel", "bias")  # as every cell of Keras makes them


def _without_config(file: Hdf5) -> list[Weight]:
    """The same of a file of weights alone: the objects' classes, after which their groups are called, tell what they own.

    Names are sorted in it; the addresses of the groups tell in which order the objects were saved.
    """
    weights = []
    datasets = list(file.datasets())
    counts = Counter(each.path.rpartition("/vars/")[0] for each in datasets)
    ages = _ages(file, datasets)
    for dataset in sorted(
        datasets, key=lambda each: ages[each.path.rpartition("/vars/")[0]]
    ):
        owner, _, number = dataset.path.rpartition("/vars/")
        if not owner:
            continue
        if owner.startswith("optimizer"):
            role = STEP if number == "0" else SLOT
            weights.append(Weight(dataset.path, "", number, role, dataset))
            continue
        if owner.startswith(("metrics", "compile_metrics")):
            weights.append(Weight(dataset.path, "", number, OTHER, dataset))
            continue
        layer, class_name, inside = _named_place(file, owner)
        weights.append(
            _placed(dataset, layer, class_name, inside, number, counts[owner])
        )
    return weights


def _ages(file: Hdf5, datasets: Sequence[Dataset]) -> dict[str, int]:
    """Owner -> where the last of its datasets begins: HDF5 fills holes before it, but never puts a newer one there."""
    ages: Counter[str] = Counter()
    for each in datasets:
        owner = each.path.rpartition("/vars/")[0]
        ages[owner] = max(ages[owner], file.address(each.path))
    return ages


def _placed(
    dataset: Dataset, layer: str, class_name: str, inside: str, number: str, count: int
) -> Weight:
    """The weight of a layer of that class which stands under a number at a place inside of it."""
    group = f"{inside}/" if inside else ""
    listed = paths_of_class(class_name, 0 if inside else count)
    paths = [path for path in listed if path.rpartition("/")[0] == inside]
    if not paths and inside.endswith("cell"):
        paths = list(_CELL)  # of a wrapper: the file names neither layer nor class
    place = int(number) if number.isdecimal() and len(number) < 10 else len(paths)
    is_named = place < len(paths)
    last = paths[place].rpartition("/")[2] if is_named else f"vars/{number}"
    role = role_of(f"{group}{last}") if paths or not class_name else OTHER
    path = f"{group}{last}"
    return Weight(f"{layer}/{path}", layer, path, role, dataset, class_name)


def _named_place(file: Hdf5, owner: str) -> tuple[str, str, str]:
    """The name of the layer that a path of objects leads to, its class, and the path inside of it."""
    names: list[str] = []
    class_name, parts = "", normal_place(owner).split("/")
    plain = owner.split("/")
    for end in range(1, len(parts) + 1, 2):
        if parts[end - 1] != "layers" or end >= len(parts):
            if not names:
                return _attribute_place(parts)
            return "/".join(names), class_name, "/".join(parts[end - 1 :])
        name = file.attribute("/".join([*plain[: end + 1], "vars"]), "name")
        names.append(str(name or parts[end]))
        class_name = class_of_place(parts[end])
    return "/".join(names) or "/".join(parts), class_name, ""


def _attribute_place(parts: Sequence[str]) -> tuple[str, str, str]:
    """The same of a model whose layers are its attributes: ``encoder/dense_1``; no class where its author named it."""
    for end in range(1, len(parts) + 1):
        class_name = class_of_place(parts[end - 1])
        if class_name:
            return "/".join(parts[:end]), class_name, "/".join(parts[end:])
    return "/".join(parts), "", ""


def _loose(dataset: Dataset, place: str, containers: Mapping[str, Owner]) -> Weight:
    """A dataset that no slot expects: a custom layer's, or state that is no weight."""
    scope = place
    while scope and scope not in containers:
        scope = scope.rpartition("/")[0]
    if not scope:
        return Weight(dataset.path, "", place, role_of(place), dataset)
    owner = containers[scope]
    path = place.removeprefix(f"{scope}/")
    role = role_of(path)
    key = f"{owner.name}/{path}"
    if role == WEIGHT and not owner.is_open:
        role = OTHER
    if role != OTHER:
        owner.layer.weights[path] = WeightUse(key, dataset.shape)
    return Weight(key, owner.name, path, role, dataset)


def _every(owners: Sequence[Owner]) -> Iterator[Owner]:
    for owner in owners:
        yield owner
        yield from _every(owner.parts)


def normal_place(path: str) -> str:
    """A path of objects in the one spelling in which the versions of Keras agree."""
    parts = path.replace("_layer_checkpoint_dependencies", "layers").split("/")
    return "/".join(part.lstrip("_") for part in parts)


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


def _order(owners: Sequence[Owner]) -> None:
    for owner in owners:
        for slot in owner.slots():
            if slot.path in slot.layer.weights and slot.path not in slot.layer.stored:
                slot.layer.stored.append(slot.path)
    for owner in _every(owners):
        stored = owner.layer.stored
        stored.extend(path for path in owner.layer.weights if path not in stored)


def match_names(model: KerasModel, names: Sequence[Shaped], generation: int) -> None:
    """Tell the layers of a model their weights among those of a list that follows the layers' order.

    Names begin with their layer's, but for those of models within models, which come in their place.
    """
    owners = owners_of(model, generation)
    rest = list(names)
    left = []
    for owner in owners:
        own = [each for each in rest if each[0].startswith(f"{owner.name}/")]
        if owner.layer.model is not None and not own:
            left.append(owner)
            continue
        rest = [each for each in rest if each not in own]
        _tell_all(owner, own, generation)
    for owner in left:
        count = len(legacy_order(owner, generation))
        _tell_all(owner, rest[:count], generation)
        rest = rest[count:]
    _order(owners)


def _tell_all(owner: Owner, names: Sequence[Shaped], generation: int) -> None:
    for (name, shape), slot in zip(names, assigned(owner, names, generation)):
        if isinstance(slot, Slot):
            tell(slot, name, shape)
        elif isinstance(slot, Owner):
            slot.layer.weights[name.removeprefix(f"{slot.name}/")] = WeightUse(
                name, shape
            )
