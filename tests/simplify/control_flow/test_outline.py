"""What of a loop is told without data: constants that its variables begin with, and that a turn changes."""

from __future__ import annotations

import numpy as np
import pytest

from graphscope.graph import Function, FunctionRef, Graph, Node, Tensor
from graphscope.simplify.control_flow.outline import first_values


def looping(*returns: int) -> tuple[Graph, dict[str, Function]]:
    """A loop over two variables, of which a turn returns these: 0 and 1 as they came, 2 the first one negated."""
    graph, body = Graph(), Graph()
    for n in range(2):
        value = np.array(float(n), np.float32)
        graph.add(f"first{n}", Node("Const", {"dtype": "float32", "value": value}))
        body.add(f"arg{n}", Node("_Arg", {"T": "float32", "index": n}))
    body.add("negated", Node("Neg", {"T": "float32"}), [Tensor("arg0")])
    names = ["arg0", "arg1", "negated"]
    function = Function(
        "body", body, ("arg0", "arg1"), tuple(Tensor(names[n]) for n in returns)
    )
    attrs = {"body": FunctionRef("body", {}), "cond": FunctionRef("cond", {})}
    graph.add("loop", Node("While", attrs), [Tensor("first0"), Tensor("first1")])
    return graph, {"body": function}


@pytest.mark.parametrize(
    ("returns", "firsts"),
    [
        ((2, 1), {"first0"}),
        ((0, 1), set()),  # a turn changes nothing
        ((1, 0), {"first0", "first1"}),  # it exchanges them
        ((2,), {"first0"}),  # damaged: fewer are returned than are taken
        ((), set()),
    ],
)
def test_a_variable_begins_with_a_constant_that_a_turn_replaces(
    returns: tuple[int, ...], firsts: set[str]
) -> None:
    graph, functions = looping(*returns)
    assert first_values(graph, functions) == firsts
    assert first_values(graph, functions, []) == frozenset()
    assert first_values(graph, {}) == frozenset()  # its body is not in the library
