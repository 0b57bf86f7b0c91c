"""Copies of what a family's file holds, each changed in one place: no family is claimed that the change does not leave."""

from __future__ import annotations

import random
from importlib import import_module
from typing import Any

import pytest

from graphscope.families import Family, families
from graphscope.families.notation.sequences import SequenceNet
from graphscope.families.solve import solve
from graphscope.families.weight_index import WeightIndex
from graphscope.graph import Variable

Shapes = dict[str, tuple[int, ...]]


def _member(module: str, name: str) -> Any:
    """A published member of a family."""
    module_ = import_module(f"graphscope.families.catalogue.keras.{module}")
    members = getattr(module_, "MEMBERS", None) or module_._MEMBERS
    return next(each for each in members if each.name == name)


VALUES: dict[str, dict[str, Any]] = {
    "MobileNet": {"width": 16, "classes": 7},
    "MobileNet v1 (slim)": {"blocks": 13, "width": 32, "classes": 11},
    "MobileNet v2": {"alpha": 0.5, "classes": 9},
    "VGG (slim)": {"depth": (2, 2, 3, 3, 3), "width": 64, "hidden": 96, "classes": 5},
    "ResNet v1": {"units": (3, 4, 6, 3), "classes": 5},
    "ResNet v2": {"units": (3, 4, 6, 3), "classes": 5},
    "ResNet v1 (slim)": {"units": (3, 4, 6, 3), "width": 64, "classes": 7},
    "ResNet v2 (slim)": {"units": (3, 4, 23, 3), "width": 64, "classes": 7},
    "Xception": {"classes": 3},
    "MobileNet v3": {
        "member": _member("mobilenet_v3", "small"),
        "alpha": 1.0,
        "minimal": False,
        "keras_2": True,
        "classes": 6,
    },
    "EfficientNet v2": {"member": _member("efficientnet_v2", "B1"), "classes": 6},
    "NASNet-A": {"member": _member("nasnet", "mobile"), "classes": 8},
    "TextCNN": {
        "sizes": (3, 4, 5),
        "vocabulary": 50,
        "width": 16,
        "filters": 12,
        "classes": 5,
    },
    "char-RNN": {"cells": 2, "cell": "lstm_cell", "vocabulary": 40, "width": 16},
    "Inception v1 (slim)": {"classes": 12},
    "FaceNet (Inception-ResNet v1)": {
        "a": 5,
        "b": 10,
        "c": 5,
        "embedding": 128,
        "classes": None,
    },
}
KINDS = ("width", "dropped", "added", "rank", "role", "gap", "every use")


def skeleton(family: Family) -> Shapes:
    """The names and shapes that a file of the family has."""
    net = SequenceNet(None, "", family.roles)
    family.build(net, **VALUES[family.title])
    return dict(net.bound)


def index(shapes: Shapes) -> WeightIndex:
    return WeightIndex(Variable(n, "float32", s, 0) for n, s in shapes.items())


def perturbed(shapes: Shapes, kind: str, rng: random.Random) -> Shapes:
    changed = dict(shapes)
    name = rng.choice([n for n, s in shapes.items() if s])
    shape = list(shapes[name])
    if kind == "width":
        place = rng.randrange(len(shape))
        shape[place] = 2 * shape[place] + 1
        changed[name] = tuple(shape)
    elif kind == "dropped":
        del changed[name]
    elif kind == "added":
        changed[f"{name}_extra"] = shapes[name]
    elif kind == "rank":
        changed[name] = (1, *shape)
    elif kind == "role":
        scope, _, last = name.rpartition("/")
        changed[f"{scope}/odd_{last}"] = changed.pop(name)
    elif kind == "gap":
        scope = name.rpartition("/")[0]
        changed = {n: s for n, s in shapes.items() if not n.startswith(f"{scope}/")}
    else:
        size = rng.choice(
            [size for each in shapes.values() for size in each if size > 3]
        )
        changed = {
            n: tuple(s + 3 if s == size else s for s in each)
            for n, each in shapes.items()
        }
    return changed


NAMED = [family for family in families() if family.title in VALUES]


@pytest.mark.parametrize("family", NAMED, ids=lambda each: each.title)
def test_a_skeleton_is_known_and_a_changed_one_is_not(family: Family) -> None:
    shapes = skeleton(family)
    exact, _ = solve(index(shapes))
    assert [claim.family.title for claim in exact] == [family.title]
    rng = random.Random(7)
    for number in range(28):
        kind = KINDS[number % len(KINDS)]
        changed = perturbed(shapes, kind, rng)
        claims, _ = solve(index(changed))
        for claim in claims:
            # only what the family itself leaves open may differ: another member of it
            assert claim.family.title == family.title, (kind, str(claim))
            assert claim.outside or claim.values != VALUES[family.title], kind
