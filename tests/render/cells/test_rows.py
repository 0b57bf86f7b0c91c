"""Rows: every weight counted once, inputs before what reads them."""

from __future__ import annotations

from graphscope.graph import Graph, Layer, Node, Tensor, WeightUse
from graphscope.render.cells.rows import rows_of
from tests.render.drawn import layer_graph, op_graph, random_graph


def test_one_row_a_layer() -> None:
    graph, specs = layer_graph()
    rows = {row.name: row for row in rows_of(graph, specs)}
    assert list(rows) == ["images", "conv1", "bn1", "relu1", "conv2", "add", "fc"]
    assert rows["conv1"].parameters == 3 * 3 * 3 * 8 + 8
    assert rows["conv1"].shape == (None, 28, 28, 8)
    assert rows["add"].inputs == ("conv2", "relu1")
    assert rows["images"].dtype == "float32"
    assert "padding" in rows["conv1"].telling


def test_op_rows_count_variables_and_constants() -> None:
    rows = {row.name: row.parameters for row in rows_of(op_graph())}
    assert rows["fc/kernel"] == 12 and rows["fc/bias"] == 3
    assert sum(rows.values()) == 15


def test_shared_weights_count_once() -> None:
    graph = Graph()
    use = {"kernel": WeightUse("w", (4, 4))}
    for name in ("a", "b"):
        graph.add(name, Layer("Dense", weights=use, output=Tensor(name)))
    first, second = rows_of(graph)
    assert (first.parameters, first.shared) == (16, 0)
    assert (second.parameters, second.shared) == (0, 16)


def test_among_layers_constants_count_in_what_reads_them() -> None:
    graph = op_graph()
    graph.add(
        "head",
        Layer("Dense", weights={"k": WeightUse("w", (3, 2))}, output=Tensor("o")),
        [Tensor("fc/Relu")],
    )
    rows = {row.name: row for row in rows_of(graph)}
    assert "fc/kernel" not in rows and "fc/bias/read" not in rows
    assert rows["fc/MatMul"].parameters == 12 and rows["fc/MatMul"].inputs == ("x",)
    assert sum(row.parameters for row in rows.values()) == 21


def test_layers_without_a_graph() -> None:
    layer = Layer("Dense", inputs={"x": Tensor("a", 1)}, output=Tensor("b"), name="fc")
    (row,) = rows_of([layer])
    assert (row.name, row.inputs) == ("fc", ("a:1",))


def test_inputs_stand_before_what_reads_them() -> None:
    graph = random_graph(300)
    place = {row.name: i for i, row in enumerate(rows_of(graph))}
    assert all(place[s] < place[t] for s, t, _ in graph.edges)


def test_loops_do_not_stop_it() -> None:
    graph = Graph()
    graph.add("a", Node("Merge"), [Tensor("b")])
    graph.add("b", Node("NextIteration"), [Tensor("a")])
    graph.add("c", Node("Foo"), [Tensor("c")])
    assert {row.name for row in rows_of(graph)} == {"a", "b", "c"}


def test_a_chain_of_20_000_nodes() -> None:
    graph = Graph()
    for i in range(20_000):
        graph.add(f"n{i}", Node("Relu"), [Tensor(f"n{i - 1}")] if i else [Tensor("n9")])
    assert len(rows_of(graph)) == 20_000
