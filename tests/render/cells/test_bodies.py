"""What a loop, a condition or a cell computes in a turn: drawn beside its box, listed below the table."""

from __future__ import annotations

from graphscope.graph import (
    RNN,
    Function,
    FunctionRef,
    Graph,
    Layer,
    Loop,
    Node,
    Tensor,
)
from graphscope.render import Drawing
from graphscope.render.cells.bodies import bodies_of
from graphscope.render.dot import to_dot
from graphscope.render.markdown import to_markdown


def step(ops: int = 3) -> Function:
    """``h' = tanh(x kernel + h)``, and further ops in a row; the output is the state."""
    graph = Graph()
    for name in ("x", "h", "w"):
        graph.add(name, Node("_Arg"))
    graph.add("while/turn/MatMul", Node("MatMul"), [Tensor("x"), Tensor("w")])
    graph.add(
        "while/turn/Add", Node("AddV2"), [Tensor("while/turn/MatMul"), Tensor("h")]
    )
    last = "while/turn/Add"
    for number in range(ops - 2):
        graph.add(f"while/turn/t{number}", Node("Tanh"), [Tensor(last)])
        last = f"while/turn/t{number}"
    return Function("step", graph, ("x", "h", "w"), (Tensor(last), Tensor(last)))


def cell(ops: int = 3) -> RNN:
    return RNN(
        "RNN",
        {"return_sequences": True},
        function=step(ops),
        arguments=("inputs", "state", "kernel"),
        parts=(3,),
        sizes=(3,),
        name="own",
    )


def loop() -> Loop:
    """``while i < n: i = i + i * n``: n does not change."""
    body = Graph()
    body.add("i", Node("_Arg"))
    body.add("n", Node("_Arg"))
    body.add("Mul", Node("Mul"), [Tensor("i"), Tensor("n")])
    body.add("Add", Node("AddV2"), [Tensor("i"), Tensor("Mul")])
    turn = Function("turn", body, ("i", "n"), (Tensor("Add"), Tensor("n")))
    whole = Graph()
    for name in ("a", "b"):
        whole.add(name, Node("_Arg"))
    while_op = Node("While", {"body": FunctionRef("turn", {})})
    whole.add("while", while_op, [Tensor("a"), Tensor("b")])
    function = Function("whole", whole, ("a", "b"), (Tensor("while"),))
    return Loop("Loop", {"ops": 2}, function=function, library={"turn": turn})


def one(payload: Layer) -> Graph:
    graph = Graph()
    graph.add("images", Layer("InputLayer"))
    graph.add("own", payload, [Tensor("images")])
    graph.add("dense", Layer("Dense", {"units": 3}), [Tensor("own")])
    return graph


def test_a_cell_names_its_ends_and_holds_its_weights() -> None:
    (body,) = bodies_of(cell())
    assert body.title == "each step"
    ops = {name: body.graph.op(name) for name in body.graph}
    assert ops["inputs"] == ops["state"] == "Placeholder"
    assert ops["kernel"] == "VariableV2"
    assert body.marks == {"t0": "output, next state"}


def test_what_no_turn_changes_is_no_argument() -> None:
    (body,) = bodies_of(loop())
    assert body.title == "each turn" and body.marks == {"Add": "next i"}
    assert body.graph.op("n") == "VariableV2" and body.graph.op("i") == "Placeholder"


def test_a_condition_that_passes_one_of_two_on_tells_nothing() -> None:
    graph = Graph()
    graph.add("a", Node("_Arg"))
    branch = Function("branch", graph, ("a",), (Tensor("a"),))
    node = Node("If", {"then_branch": FunctionRef("branch", {})})
    assert not bodies_of(node, {"branch": branch})


def test_a_small_body_stands_beside_its_box_and_a_long_one_in_words() -> None:
    source = to_dot(one(cell()))
    assert "cluster_body0" in source and "each step of own" in source
    assert "next state" in source
    source = to_dot(one(cell(200)))
    assert "cluster_body" not in source
    assert "each step: MatMul" in source and "Tanh" in source


def test_bodies_are_listed_below_the_table() -> None:
    text = to_markdown(Drawing(one(cell())))
    assert "### Each step of own" in text
    assert "| t0 | Tanh | ? | Add | output, next state |" in text
    assert "200 ops: " in to_markdown(Drawing(one(cell(200))))
