"""What a family leaves open at its ends: a head cut off or replaced, a scope around it, averages saved without their weights."""

from __future__ import annotations

from typing import Any

import pytest

from graphscope.families import Family, families
from graphscope.families.notation.sequences import SequenceNet
from graphscope.families.solve import solve
from graphscope.families.weight_index import AVERAGE, WeightIndex
from graphscope.graph import Variable
from graphscope.read.variables.roles import AVERAGE as AVERAGE_ROLE
from tests.families.test_perturbed import NAMED, VALUES, Shapes, index

MORE: dict[str, dict[str, Any]] = {
    "MobileNet v2 (slim)": {"alpha": 1.0, "last": 1280, "classes": 7},
    "MobileNet v3 (slim)": {"alpha": 1.0, "minimal": False, "last": 1024, "classes": 7},
    "Inception v4 (slim)": {"auxiliary": False, "classes": 7},
    "Inception-ResNet v2 (slim)": {
        "a": 10,
        "b": 20,
        "c": 9,
        "auxiliary": False,
        "classes": 7,
    },
    "ConvNeXt": {
        "member": "small",
        "nested": False,
        "preprocessing": True,
        "classes": 7,
    },
}


def values_of(family: Family) -> dict[str, Any]:
    values = dict(VALUES.get(family.title) or MORE[family.title])
    if family.title == "MobileNet v3 (slim)":
        values["member"] = VALUES["MobileNet v3"]["member"]
    return values


def skeleton(family: Family, values: dict[str, Any]) -> Shapes:
    net = SequenceNet(None, "", family.roles)
    family.build(net, **values)
    return dict(net.bound)


def titles(shapes: Shapes) -> list[str]:
    return [claim.family.title for claim in solve(index(shapes))[0]]


LISTED = [*NAMED, *(each for each in families() if each.title in MORE)]
HEADED = [
    each
    for each in LISTED
    if each.unknowns.get("classes") and each.unknowns["classes"].values
]


@pytest.mark.parametrize("family", HEADED, ids=lambda each: each.title)
def test_a_head_may_be_cut_off_or_replaced(family: Family) -> None:
    whole = values_of(family)
    for classes in (None, 3, 21843):
        (claim,), _ = solve(index(skeleton(family, whole | {"classes": classes})))
        assert claim.family is family and claim.values["classes"] == classes


@pytest.mark.parametrize("family", LISTED, ids=lambda each: each.title)
def test_a_scope_around_it_and_a_tower_beside_it(family: Family) -> None:
    shapes = skeleton(family, values_of(family))
    inner = {
        name: shape for name, shape in shapes.items() if not name.startswith("../")
    }
    if len(inner) < len(shapes):
        return  # its head lies beside it
    around = {f"tower/net/{name}": shape for name, shape in shapes.items()}
    assert titles(around) == [family.title]
    two = around | {f"other/{name}": shape for name, shape in shapes.items()}
    claims, _ = solve(index(two))
    assert {claim.family.title for claim in claims} == {family.title}
    assert {claim.root for claim in claims} == {"tower/net", "other"}


@pytest.mark.parametrize("family", LISTED, ids=lambda each: each.title)
def test_averages_alone_stand_for_the_weights(family: Family) -> None:
    shapes = skeleton(family, values_of(family))
    variables = [
        Variable(f"{n}{AVERAGE}", "float32", s, 0, role=AVERAGE_ROLE)
        for n, s in shapes.items()
    ]
    claims, _ = solve(WeightIndex(variables))
    assert [claim.family.title for claim in claims] == [family.title]
