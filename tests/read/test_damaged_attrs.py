"""Attributes that contradict their op: one clear line, never a traceback further on."""

from __future__ import annotations

import pytest

from graphscope.errors import GraphError, MissingAttribute
from graphscope.wire import messages as proto
from graphscope.wire.attrs import Attrs


def held(name: str, **value: object) -> Attrs:
    """The attributes of a Conv2D node with one attribute of our choice."""
    node = proto.NodeDef(name="conv", op="Conv2D")
    node.attr[name].CopyFrom(proto.AttrValue(**value))
    return Attrs(node.attr, node=node)


def test_a_value_of_the_declared_type_is_given() -> None:
    assert held("padding", s=b"SAME")["padding"] == "SAME"
    assert held("T", type=1)["T"] == "float32"
    strides = proto.AttrValue.FromString(
        proto.AttrValue(list={"i": [1, 2]}).SerializeToString()
    )
    assert held("strides", list=strides.list)["strides"] == (1, 2)


@pytest.mark.parametrize(
    "name, value",
    [
        ("padding", {"i": 3}),
        ("T", {"f": 1.0}),
        ("strides", {"i": 2}),
        ("strides", {"list": {"s": [b"x"]}}),
    ],
)
def test_a_value_of_another_type_names_node_and_attribute(
    name: str, value: dict
) -> None:
    with pytest.raises(GraphError, match=f"'conv' .Conv2D.: attribute '{name}'"):
        held(name, **value)[name]


def test_what_is_missing_is_a_key_error_that_reads_as_a_sentence() -> None:
    attrs = held("padding", s=b"SAME")
    assert attrs.get("T") is None and "T" not in attrs
    with pytest.raises(
        MissingAttribute, match="^node 'conv' .Conv2D. has no attribute 'T'"
    ):
        attrs["T"]


def test_an_empty_value_is_none() -> None:
    attrs = held("T")
    assert "T" not in attrs and not list(attrs) and len(attrs) == 0


def test_attributes_that_no_op_declares_may_be_anything() -> None:
    assert held("_mine", i=3)["_mine"] == 3
