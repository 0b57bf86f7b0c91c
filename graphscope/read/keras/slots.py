"""KerasModel -> the weights that its layers own: by what path, where Keras 3 stores each, in what order a legacy file lists them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

from ...graph.keras import KerasLayer, KerasModel
from ...graph.keras.operations import snake_case
from ...graph.keras.signatures import layer_classes
from ...graph.named_values import Config

_FIXED = frozenset(
    """moving_mean moving_variance moving_stddev renorm_mean renorm_stddev mean variance count vector_u
    real_kernel imag_kernel""".split()
)
_MAY_LACK = {
    "beta": "center",
    "bias": "use_bias",
    "gamma": "scale",
}
_LOCAL = ("kernel", "bias")


class Slot(NamedTuple):
    """One weight: the layer that owns it and that layer's name in the whole model, its path inside of the layer, whether it is
    trained, and where Keras 3 stores it (``layers/dense/vars/0``).
    """

    layer: KerasLayer
    name: str
    path: str
    is_trained: bool
    stored: str
    same_as: str = ""  # the path under which it is met again


@dataclass(frozen=True)
class Owner:
    """A layer, or what owns weights inside of one: its own weights, then its parts. ``is_open``: nobody knows what it owns."""

    layer: KerasLayer
    name: str
    container: str
    trainable: bool
    own: tuple[Slot, ...] = ()
    parts: tuple[Owner, ...] = field(default=())
    is_open: bool = False

    def slots(self) -> Iterator[Slot]:
        """All, its own before those of its parts."""
        yield from self.own
        for part in self.parts:
            yield from part.slots()


def owners_of(model: KerasModel, generation: int = 3) -> tuple[Owner, ...]:
    """One owner a layer of the model; those of nested models are their parts."""
    return tuple(_of_model(model, "", "", generation))


def _of_model(
    model: KerasModel, prefix: str, container: str, generation: int
) -> Iterator[Owner]:
    objects = [each for each in model.layers if each.kind != "operation"]
    for layer, place in zip(objects, _places([_python_name(o) for o in objects])):
        inner = f"{container}layers/{place}"
        yield _owner(layer, layer, prefix + layer.name, "", inner, generation)


def _python_name(layer: KerasLayer) -> str:
    layer_class = layer_classes().get(layer.class_name)
    return layer_class.python_name if layer_class else layer.class_name


def _places(class_names: Sequence[str]) -> list[str]:
    """What Keras calls the objects of a list: ``dense``, ``dense_1``."""
    counts: dict[str, int] = {}
    places = []
    for name in map(snake_case, class_names):
        number = counts[name] = counts.get(name, -1) + 1
        places.append(f"{name}_{number}" if number else name)
    return places


def _owner(
    outer: KerasLayer,
    layer: KerasLayer,
    name: str,
    inside: str,
    container: str,
    generation: int,
) -> Owner:
    """``outer`` is the layer of the model that all of it counts for, ``inside`` the path that leads from it to ``layer``."""
    trainable = layer.trainable
    if layer.model is not None:
        model = layer.model
        trainable = trainable and model.trainable
        if layer is outer:
            parts = tuple(_of_model(model, f"{name}/", f"{container}/", generation))
            return Owner(layer, name, container, trainable, (), parts)
        objects = [each for each in model.layers if each.kind != "operation"]
        places = [f"layers/{p}" for p in _places([_python_name(o) for o in objects])]
        pairs = list(zip(places, objects))
    else:
        pairs = _inner_layers(layer)
    parts = tuple(
        _owner(outer, each, name, f"{inside}{at}/", f"{container}/{at}", generation)
        for at, each in pairs
    )
    paths = _own_paths(layer)
    groups = list(dict.fromkeys(p.rpartition("/")[0] for p in paths if "/" in p))
    named = [p for p in paths if "/" not in p]
    own = _slots(outer, layer, name, inside, container, named)
    more = tuple(
        Owner(
            outer,
            name,
            f"{container}/{group}",
            layer.trainable,
            _slots(
                outer,
                layer,
                name,
                f"{inside}{group}/",
                f"{container}/{group}",
                [p.rpartition("/")[2] for p in paths if p.rpartition("/")[0] == group],
            ),
        )
        for group in groups
    )
    is_open = layer.kind == "custom"
    return Owner(outer, name, container, trainable, own, (*parts, *more), is_open)


def _slots(
    outer: KerasLayer,
    layer: KerasLayer,
    name: str,
    inside: str,
    container: str,
    names: Sequence[str],
) -> tuple[Slot, ...]:
    return tuple(
        Slot(
            outer,
            name,
            f"{inside}{each}",
            each not in _FIXED and layer.trainable,
            f"{container}/vars/{number}",
            f"{inside}layer/{each}" if _is_borrowed(layer, each) else "",
        )
        for number, each in enumerate(names)
    )


def _is_borrowed(layer: KerasLayer, name: str) -> bool:
    """Whether the weight is the wrapped layer's: SpectralNormalization keeps its layer's kernel as one of its own."""
    return layer.class_name == "SpectralNormalization" and name != "vector_u"


def _inner_layers(layer: KerasLayer) -> list[tuple[str, KerasLayer]]:
    """The layers in a layer's config that own weights, each with the path that leads to it."""
    config, name = layer.config, layer.class_name
    if name == "Bidirectional":
        forward = config.get("layer")
        backward = config.get("backward_layer") or forward
        pairs = [("forward_layer", forward), ("backward_layer", backward)]
    elif name in ("TimeDistributed", "SpectralNormalization"):
        pairs = [("layer", config.get("layer"))]
    elif name == "RNN":
        pairs = [("cell", config.get("cell"))]
    else:
        key = {"StackedRNNCells": "cells", "Pipeline": "layers"}.get(name, "")
        listed = config.get(key, ()) if key else ()
        objects = [o for o in listed if isinstance(o, KerasLayer)]
        places = _places([_python_name(o) for o in objects])
        pairs = [(f"{key}/{place}", o) for place, o in zip(places, objects)]
    return [(at, each) for at, each in pairs if isinstance(each, KerasLayer)]


def _own_paths(layer: KerasLayer) -> list[str]:
    """The paths of the weights that no layer of its config owns."""
    config, name = layer.config, layer.class_name
    if layer.kind != "layer" or layer.model is not None:
        return []
    if name == "SpectralNormalization":
        inner = config.get("layer")
        embeds = isinstance(inner, KerasLayer) and inner.class_name == "Embedding"
        return ["embeddings" if embeds else "kernel", "vector_u"]
    if name.startswith("LocallyConnected"):
        return [n for n in _LOCAL if n == "kernel" or config.get("use_bias", True)]
    layer_class = layer_classes().get(name)
    paths = layer_class.weights if layer_class else ()
    return [path for path in paths if _has(layer, path)]


def _has(layer: KerasLayer, path: str) -> bool:
    """Whether the layer's config lets it own the weight."""
    config, name = layer.config, layer.class_name
    last = path.rpartition("/")[2]
    if "_dense/" in path or path.startswith("gate"):
        if "gate_dense" in path and not config.get("use_gate"):
            return False
        return last != "bias" or config.get("use_bias", True) is not False
    rule = _OWNERS.get(name)
    owns = rule(config, last) if rule is not None else None
    if owns is not None:
        return owns
    return config.get(_MAY_LACK.get(last, ""), True) is not False


def _attention(config: Config, last: str) -> bool:
    if last == "scale":
        return bool(config.get("use_scale"))
    return bool(config.get("score_mode", "dot") == "concat")


def _batch_normalization(config: Config, last: str) -> bool | None:
    is_renorm = last.startswith("renorm") or "stddev" in last
    return bool(config.get("renorm")) if is_renorm else None


_OWNERS: Mapping[str, Callable[[Config, str], bool | None]] = {
    "EinsumDense": lambda config, last: (
        last != "bias" or config.get("bias_axes") is not None
    ),
    "Attention": _attention,
    "AdditiveAttention": lambda config, last: (
        config.get("use_scale", True) is not False
    ),
    "Normalization": lambda config, last: config.get("mean") is None,
    "ReversibleEmbedding": lambda config, last: (
        last == "embeddings" or config.get("tie_weights", True) is False
    ),
    "BatchNormalization": _batch_normalization,
    # no argument of it switches its weight off
    "RMSNormalization": lambda config, last: (
        True if last in ("gamma", "scale") else None
    ),
}
"""Whether a layer of the class owns a weight of that last name; None where only the arguments that switch a weight off tell."""


@cache
def _class_names() -> Mapping[str, str]:
    return {snake_case(name): name for name in layer_classes()}


def class_of_place(place: str) -> str:
    """The class that an object's group is called after: ``batch_normalization_1`` is a BatchNormalization."""
    return _class_names().get(re.sub(r"_\d+\Z", "", place), "")


def paths_of_class(class_name: str, count: int = 0) -> tuple[str, ...]:
    """The paths of the weights that a layer of the class owns, where it owns ``count`` of them (0: all that it may).

    A BatchNormalization of three has no gamma (``scale=False``), one of two only its statistics; of any other class the
    last ones are the optional ones (a bias).
    """
    signature = layer_classes().get(class_name)
    paths = tuple(p.lstrip("_") for p in signature.weights) if signature else ()
    if class_name == "BatchNormalization" and 0 < count < 4:  # without renorm
        return paths[4 - count : 4]
    return paths


def legacy_order(owner: Owner, generation: int) -> list[Slot]:
    """The weights of one layer in the order of its group in an ``.h5`` file: those that are trained, then the others."""
    if generation < 3:
        slots = [*_trained_2(owner), *_fixed_2(owner)]
    elif not owner.trainable:
        slots = list(owner.slots())
    else:
        every = list(owner.slots())
        slots = [s for s in every if s.is_trained] + [
            s for s in every if not s.is_trained
        ]
    return _once(slots)


def _trained_2(owner: Owner) -> list[Slot]:
    if not owner.trainable:
        return []
    own = [s for s in owner.own if s.path.rpartition("/")[2] not in _FIXED]
    return own + [slot for part in owner.parts for slot in _trained_2(part)]


def _fixed_2(owner: Owner) -> list[Slot]:
    fixed = [s for s in owner.own if s.path.rpartition("/")[2] in _FIXED]
    if owner.trainable:
        return fixed + [slot for part in owner.parts for slot in _fixed_2(part)]
    trained = [s for s in owner.own if s not in fixed]
    inner = [[*_trained_2(part), *_fixed_2(part)] for part in owner.parts]
    return [*trained, *fixed, *(slot for each in inner for slot in each)]


def _once(slots: Sequence[Slot]) -> list[Slot]:
    """Each weight where it is first met."""
    visited: set[tuple[str, str]] = set()
    unique = []
    for slot in slots:
        key = (slot.name, slot.same_as or slot.path)
        if key not in visited:
            visited.add(key)
            unique.append(slot)
    return unique
