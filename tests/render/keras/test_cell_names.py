"""What a printed cell is called: the one scope of its ops, else that of its loop."""

from __future__ import annotations

import pytest

from graphscope.graph import RNN, Function, Graph, Node
from graphscope.render.keras.loops.cell import _title


def title(scope: str, *nodes: str) -> str:
    graph = Graph()
    for name in nodes:
        graph.add(name, Node("Tanh", {"T": "float32"}))
    return _title(RNN("RNN", scope=scope, function=Function("step", graph, (), ())))


@pytest.mark.parametrize(
    ("nodes", "name"),
    [
        (("rnn/while/minimal_cell/MatMul", "rnn/while/minimal_cell/Tanh"), "minimal"),
        (("rnn/while/one/MatMul", "rnn/while/two/Tanh"), "rnn"),  # two scopes: neither
        (("rnn/while/MatMul", "rnn/while/Tanh"), "rnn"),  # none
        (("while/cell/Tanh",), "loop"),  # what is left is no name
        ((), "rnn"),
    ],
)
def test_a_cell_is_called_by_the_one_scope_that_all_of_it_is_in(
    nodes: tuple[str, ...], name: str
) -> None:
    assert title("net/rnn/while", *nodes) == name


def test_a_loop_without_a_scope_is_called_a_loop() -> None:
    assert title("while_1", "while_1/Tanh") == "loop"
