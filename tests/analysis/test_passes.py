"""The list of passes, what each must leave as it was, and what stands after one of them."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from graphscope.analysis.passes import in_order, passes_until
from graphscope.analysis.results import analyse
from graphscope.cli import cli
from graphscope.errors import BrokenPass, UnknownPass
from graphscope.graph import Graph, Model, Node, Tensor
from graphscope.graph.edit import duplicate, put
from graphscope.simplify.postconditions import check_pass, weights_of
from graphscope.simplify.state import Pass, State


def constant(*shape: int) -> Node:
    value = np.arange(np.prod(shape), dtype="float32").reshape(shape)
    return Node("Const", {"dtype": "float32", "value": value})


def dense() -> State:
    """``y = relu(x @ kernel + bias)``."""
    graph = Graph()
    graph.add("x", Node("Placeholder", {"dtype": "float32", "shape": (None, 2)}))
    graph.add("kernel", constant(2, 3))
    graph.add("bias", constant(3))
    typed = {"T": "float32"}
    graph.add("product", Node("MatMul", typed), [Tensor("x"), Tensor("kernel")])
    graph.add("sum", Node("BiasAdd", typed), [Tensor("product"), Tensor("bias")])
    graph.add("y", Node("Relu", typed), [Tensor("sum")])
    return State(Model(graph), graph, outputs=(Tensor("y"),))


def edited(state: State, edit: Callable[[Graph], Any]) -> State:
    graph = duplicate(state.graph)
    edit(graph)
    return state.become(graph)


def broken(edit: Callable[[Graph], Any], **options: Any) -> str:
    """What is said of a pass that does this to a dense layer."""
    before = dense()
    each = Pass(lambda state: edited(state, edit), **options)
    with pytest.raises(BrokenPass) as told:
        check_pass(each, before, each(before))
    return str(told.value)


def test_each_pass_has_a_name_of_its_own_and_shows_before_and_after() -> None:
    names = [each.name for each in in_order()]
    assert len(set(names)) == len(names) > 25
    for each in in_order():
        assert "->" in (inspect.getdoc(each.run) or ""), each.name
        (parameter,) = inspect.signature(each.run).parameters.values()
        assert parameter.annotation == inspect.signature(each.run).return_annotation


def test_no_rewrite_of_a_state_is_missing_from_the_list() -> None:
    """Every function ``(state: State) -> State`` of simplify and infer is in it, or a step that a docstring names."""
    root = Path(__file__).parents[2] / "graphscope"
    signature = re.compile(r"^def ([a-z]\w*)\(state: State\) -> State:", re.M)
    written = {
        name
        for part in ("simplify", "infer", "analysis")
        for path in (root / part).rglob("*.py")
        for name in signature.findall(path.read_text())
    }
    assert written == {each.name for each in in_order()}


def test_an_unknown_pass_is_answered_with_the_list() -> None:
    with pytest.raises(UnknownPass, match="no pass 'fold'.*inline_calls.*expand_fills"):
        passes_until("fold")


def test_a_pass_that_keeps_all_is_let_through() -> None:
    before = dense()
    check_pass(Pass(lambda state: state), before, edited(before, lambda graph: None))
    assert weights_of(before) == {"kernel", "bias"}


def test_a_lost_output_is_seen() -> None:
    assert "the output y:0 is lost" in broken(lambda graph: graph.remove_node("y"))


def test_a_lost_weight_is_seen_unless_there_is_a_reason() -> None:
    def forget(graph: Graph) -> None:
        put(graph, "y", graph.node("y"), [Tensor("product")])

    assert "the weight 'bias' is lost" in broken(forget)
    reason, before = Pass(lambda s: edited(s, forget), drops="a reason"), dense()
    check_pass(reason, before, reason(before))


def test_a_circle_an_input_too_few_and_a_name_of_nothing_are_seen() -> None:
    circle = broken(lambda g: put(g, "sum", g.node("sum"), map(Tensor, ("y", "bias"))))
    assert "the graph goes round in a circle" in circle
    gap = broken(lambda g: g.remove_edge("product", "sum", key=0))
    assert "'sum' lacks an input" in gap
    nothing = broken(lambda g: g.add_edge("nowhere", "y", key=1, port=0))
    assert "'y' reads 'nowhere', which is not there" in nothing


def test_what_was_broken_before_is_no_fault_of_the_pass() -> None:
    state = dense()
    before = edited(state, lambda g: g.add_edge("y", "product", key=2, port=0))
    check_pass(Pass(lambda s: s), before, edited(before, lambda graph: None))


def test_a_broken_pass_is_told_when_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from graphscope.analysis import passes

    def lose(state: State) -> State:
        return edited(state, lambda graph: graph.remove_node("y"))

    before = dense()
    monkeypatch.setenv("GRAPHSCOPE_CHECK", "1")
    with pytest.raises(BrokenPass, match="pass lose: the output y:0 is lost"):
        passes.check(Pass(lose), before, lose(before))
    monkeypatch.delenv("GRAPHSCOPE_CHECK")
    passes.check(Pass(lose), before, lose(before))


def test_opening_a_file_and_its_variables_run_no_pass(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from graphscope.analysis import documents, passes

    monkeypatch.setattr(passes, "passes_until", lambda name: pytest.fail(name))
    state = dense()
    found = analyse(replace(state.model, variables=()), outputs=["y"])
    assert found.model is not None
    from graphscope.graph import Variable

    named = replace(state.model, variables=(Variable("kernel", "float32", (2, 3), 24),))
    assert documents.describe_variables(analyse(named))["variables"]


def test_what_stands_after_a_pass_is_printed(tmp_path: Path) -> None:
    from graphscope.wire.write import to_graph_def

    path = tmp_path / "dense.pb"
    path.write_bytes(to_graph_def(dense().graph).SerializeToString())
    run = CliRunner().invoke
    found = run(cli, ["layers", str(path), "--stop-after", "find_layers", "--json"])
    document = json.loads(found.output)
    assert document["pass"] == "find_layers" and document["layers"] == ["dense"]
    assert [node["type"] for node in document["nodes"]].count("MatMul") == 1
    table = run(cli, ["layers", str(path), "--stop-after", "collapse_layers"])
    assert "Dense" in table.output and "MatMul" not in table.output
    wrong = run(cli, ["layers", str(path), "--stop-after", "fold"])
    assert wrong.exit_code == 1 and "the passes are inline_calls" in str(
        wrong.exception
    )


def test_an_analysis_infers_and_looks_at_layers_no_oftener_than_it_must(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a BERT: its graph is prepared for inference twice at most (again where it was rewritten), and no size of a layer
    graph is worked out again that a rewrite left as it was."""
    tf = pytest.importorskip("tensorflow")
    from graphscope.infer.shapes.forward import Inference
    from graphscope.match.view.symbolic_shapes import SymbolicView
    from tests.architectures.bert import Config, bert

    with tf.Graph().as_default() as graph:
        output = bert(None, Config(layers=2), True)[1].op.name
    path = tmp_path / "bert.pb"
    path.write_bytes(graph.as_graph_def().SerializeToString())
    prepared, worked_out = [], []
    prepare, work_out = Inference.__init__, SymbolicView._ruled

    def prepared_once(self: Any, *arguments: Any) -> None:
        prepared.append(1)
        prepare(self, *arguments)

    def worked_out_once(self: Any, name: str) -> Any:
        worked_out.append(name)
        return work_out(self, name)

    monkeypatch.setattr(Inference, "__init__", prepared_once)
    monkeypatch.setattr(SymbolicView, "_ruled", worked_out_once)
    found = analyse(str(path), outputs=[output])
    assert "MultiHeadAttention" in [layer.op for layer in found.layers]
    assert len(prepared) <= 2
    attention = [layer for layer in found.layers if layer.op == "MultiHeadAttention"]
    nodes = len(found.state_after("collapse_layers").graph) + len(attention)
    assert len(worked_out) <= 2 * nodes  # each took a mask's node in since
