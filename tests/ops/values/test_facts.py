"""What is known of one tensor, and how two such agree."""

from __future__ import annotations

import numpy as np

from graphscope.graph import TensorSpec
from graphscope.ops import Partial
from graphscope.ops.values.facts import (
    Contents,
    Fact,
    join_facts,
    join_held,
    join_values,
    same_fact,
)

SPEC = TensorSpec("int32", (2,))


def test_elements_that_differ_are_unknown() -> None:
    joined = join_values(np.array([1, 2]), np.array([1, 3]))
    assert isinstance(joined, Partial) and joined.known.tolist() == [True, False]
    assert join_values(np.array([1]), np.array([2])) is None
    assert join_values(np.array([1]), np.array([1, 1])) is None
    assert join_values(np.array([1]), None) is None


def test_what_was_unknown_once_stays_so() -> None:
    partial = Partial(np.array([1, 2]), np.array([True, False]))
    joined = join_values(partial, np.array([1, 2]))
    assert isinstance(joined, Partial) and joined.known.tolist() == [True, False]


def test_a_list_without_elements_agrees_with_any() -> None:
    filled = Contents((TensorSpec("float32", (3,)),), 2)
    assert join_held(Contents(None, 2), filled) == filled
    assert join_held(Contents(array="a"), Contents(array="b")) is None
    other = Contents((TensorSpec("float32", (4,)),), 3)
    assert join_held(filled, other) == Contents((TensorSpec("float32", (None,)),), None)


def test_facts_are_the_same_whatever_lies_under_what_is_unknown() -> None:
    known = np.array([True, False])
    one = Fact(SPEC, Partial(np.array([1, 2]), known))
    other = Fact(SPEC, Partial(np.array([1, 9]), known))
    assert same_fact(one, other)
    assert not same_fact(one, Fact(SPEC, np.array([1, 2])))
    assert not same_fact(one, Fact(TensorSpec("int32", (3,)), one.value))


def test_joining_is_idempotent_and_forgets_what_differs() -> None:
    one = Fact(TensorSpec("float32", (2, 3)))
    other = Fact(TensorSpec("float32", (4, 3)))
    assert join_facts(one, one) is one
    assert join_facts(one, other).spec == TensorSpec("float32", (None, 3))
