"""A name that is taken gets the first number that is free."""

from __future__ import annotations

from graphscope.graph.names import Names, unused


def test_the_first_number_that_is_free() -> None:
    assert unused("a", set()) == "a"
    assert unused("a", {"a", "a_1", "a_3"}) == "a_2"
    assert unused("a", {"a"}, first=2) == "a_2"
    assert unused("a", {"a", "a_op1"}, form="{}_op{}") == "a_op2"


def test_each_name_is_given_once() -> None:
    names = Names(["a", "b_1"])
    assert [names.unique(each) for each in ("a", "a", "b", "b", "a_1", "c")] == [
        *("a_1", "a_2", "b", "b_2", "a_1_1", "c")
    ]
    assert Names(["a"], first=2).unique("a") == "a_2"


def test_many_of_one_name_take_no_time() -> None:
    names = Names()
    assert len({names.unique("Const") for _ in range(50_000)}) == 50_000
