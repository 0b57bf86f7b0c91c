"""Functions for repeated blocks: what they are given, however much that is."""

from __future__ import annotations

from graphscope.graph import Tensor
from graphscope.render.keras.blocks.functions import _inputs
from graphscope.render.keras.blocks.tree import Block
from graphscope.render.keras.blocks.unify import COUNTED, NUMBER, Field, Unifier
from graphscope.render.keras.program.literals import Code

X = Tensor("x")


def test_a_block_may_read_more_than_three_tensors() -> None:
    for count in range(7):
        block = Block("block", (), tuple(Tensor("t", n) for n in range(count)), X)
        assert len(set(_inputs(block))) == count


def test_a_number_that_an_inner_call_is_given_is_passed_on() -> None:
    """In one occurrence a call inside is given 3, in the other 5; beside it a name counts as well."""
    fields = [
        Field("name", "name", ("conv_3", "conv_5"), COUNTED),
        Field("inner", "n", (Code("n"), Code("n + 1")), NUMBER),
        Field("outer", "n", (4, 6), NUMBER),
    ]
    said = Unifier({"x"}).unify(fields)
    assert said["outer"] == Code("n + 1")
    assert said["name"] == Code('f"conv_{n}"')
    assert said["inner"] not in (Code("n"), Code("n + 1"))
