"""Frames of TensorFlow 1 and functional loops -> one node each; what is no loop stays, and is said in one line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import networkx as nx
import pytest

import graphscope
from graphscope.errors import NotExpressible
from graphscope.graph import Graph, Node, Tensor
from graphscope.simplify.control_flow.lift import lift_loops
from graphscope.simplify.control_flow.lifted import Lifted
from graphscope.wire import messages as proto
from tests.cli.test_cli import run_main
from tests.render.keras.loop_models import frozen_v1
from tests.render.keras.test_loops import GRAPHS

CONTROL_FLOW = {"Enter", "Exit", "Merge", "Switch", "NextIteration", "LoopCond"}


def lifted(name: str, folder: Path, v2: bool = False) -> Lifted:
    names = frozen_v1(GRAPHS[name][0], folder / "model.pb", v2)
    found = graphscope.analyse(folder / "model.pb", outputs=names)
    result: Lifted = found.lifted
    return result


def ops_of(graph: Graph) -> set[str]:
    return {graph.op(name) for name in graph}


@pytest.mark.parametrize("name", ["counted", "nested", "lengths", "greedy", "scan"])
def test_a_frame_becomes_one_call(name: str, tmp_path: Path) -> None:
    found = lifted(name, tmp_path)
    assert not found.broken
    assert nx.is_directed_acyclic_graph(found.graph)
    assert not ops_of(found.graph) & CONTROL_FLOW
    assert not any(op.startswith("Tensor") for op in ops_of(found.graph))
    (region,) = found.regions
    assert found.graph.op(region.node) == "PartitionedCall"
    for function in found.functions.values():
        assert not [op for op in ops_of(function.graph) if op.startswith("TensorArray")]


def test_the_inner_loop_is_a_loop_of_the_body(tmp_path: Path) -> None:
    found = lifted("nested", tmp_path)
    (region,) = found.regions
    whole = found.functions[region.function].graph
    (outer,) = whole.by_op("While")
    body = found.functions[whole.attrs(outer)["body"].name].graph
    assert len(list(body.by_op("While"))) == 1


def test_what_stays_the_same_in_every_turn_is_returned_as_it_came(
    tmp_path: Path,
) -> None:
    found = lifted("nested", tmp_path)
    whole = found.functions[found.regions[0].function].graph
    (outer,) = whole.by_op("While")
    body = found.functions[whole.attrs(outer)["body"].name]
    same = [t.node for t in body.returns if t.node in body.arguments]
    assert len(same) == 1 and "kernel" in same[0]


def test_a_cond_in_a_body_is_an_if(tmp_path: Path) -> None:
    found = lifted("guarded", tmp_path)
    ops = set().union(*(ops_of(f.graph) for f in found.functions.values()))
    assert "If" in ops and "SelectV2" not in ops


def test_the_array_that_two_loops_share_keeps_them_together(tmp_path: Path) -> None:
    (region,) = lifted("shared array", tmp_path).regions
    assert len(region.loops) == 2


def test_a_loop_that_feeds_another_is_a_node_of_its_own(tmp_path: Path) -> None:
    found = lifted("two", tmp_path)
    assert [region.loops for region in found.regions] == [
        ("first/rnn/while",),
        ("second/rnn/while",),
    ]


def test_a_graph_without_loops_is_the_same_object() -> None:
    graph = Graph()
    graph.add("x", Node("Placeholder", {"dtype": "float32"}))
    graph.add("y", Node("Relu", {"T": "float32"}), [Tensor("x")])
    assert lift_loops(graph, {}, [Tensor("y")]).graph is graph


def damaged(folder: Path, damage: Callable[[Any], None]) -> tuple[Path, list[str]]:
    names = frozen_v1(GRAPHS["counted"][0], folder / "model.pb")
    message = proto.parse("GraphDef", (folder / "model.pb").read_bytes(), "model.pb")
    damage(message)
    path = folder / "damaged.pb"
    path.write_bytes(message.SerializeToString())
    return path, names


def node_of(message: Any, op: str) -> Any:
    return next(node for node in message.node if node.op == op)


def without_condition(message: Any) -> None:
    node_of(message, "LoopCond").op = "Identity"


def merge_of_one(message: Any) -> None:
    del node_of(message, "Merge").input[1]


def never_back(message: Any) -> None:
    node_of(message, "NextIteration").op = "Identity"


def fed_from_outside(message: Any) -> None:
    node_of(message, "NextIteration").input[0] = "x"


def exit_of_nothing(message: Any) -> None:
    node_of(message, "Exit").input[0] = "while/Merge"


def round_in_a_circle(message: Any) -> None:
    add = next(node for node in message.node if node.op in ("AddV2", "Add", "Mul"))
    add.input[0] = add.name


@pytest.mark.parametrize(
    "damage",
    [
        without_condition,
        never_back,
        fed_from_outside,
        exit_of_nothing,
        round_in_a_circle,
    ],
)
def test_what_is_no_loop_is_said_in_one_line(
    damage: Callable[[Any], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, names = damaged(tmp_path, damage)
    options = ["--output", names[0]]
    folder = tmp_path / "keras"
    status, _, said = run_main(capsys, "keras", path, "-o", folder, *options)
    assert status == 1
    assert len(said.strip().splitlines()) == 1, said
    assert "loop" in said, said
    assert not (folder / "model.py").exists()
    assert run_main(capsys, "inspect", path, *options)[0] == 0


def test_a_merge_of_one_is_no_merge(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, _ = damaged(tmp_path, merge_of_one)
    status, _, said = run_main(capsys, "inspect", path)
    assert status == 1 and "(Merge) has 1 inputs, expected 2" in said, said


def test_why_a_frame_is_no_loop(tmp_path: Path) -> None:
    path, names = damaged(tmp_path, without_condition)
    found = graphscope.analyse(path, outputs=names)
    with pytest.raises(NotExpressible, match="0 LoopCond nodes where it needs one"):
        found.write_keras(tmp_path / "keras")
    assert "broken-loop" in {finding.id for finding in found.findings}
