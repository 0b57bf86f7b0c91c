"""What findings share, and that no graph, however broken, makes a diagnosis fail."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from graphscope.graph import Graph, Model, Node, Tensor
from graphscope.infer.finding import SEVERITIES, Case, Finding, listed
from graphscope.infer.findings import diagnose, families
from graphscope.infer.outputs.find import find_outputs
from tests.infer.training.training_zoo import BUILDERS, model_of


def test_names_are_listed_and_the_rest_counted() -> None:
    assert listed(["a"]) == "'a'"
    assert listed(["a", "b", "c"], 2) == "'a', 'b' and 1 more"
    assert listed([]) == ""


def test_a_finding_is_about_a_node_or_several() -> None:
    assert Finding("x", "info", "m", ("a",)).node == "a"
    assert Finding("x", "info", "m", ("a", "b")).node == ["a", "b"]
    assert Finding("x", "info", "m").node == []


def test_every_file_of_the_folder_is_a_family() -> None:
    names = {family.__name__.rpartition(".")[2] for family in families()}
    assert names == set(
        "checkpoint conversion deployment loops missing_nodes modes outputs registration unsafe weights".split()
    )


def test_without_outputs_the_likely_ones_are_looked_at() -> None:
    model, known = model_of(BUILDERS["classifier"])
    case = Case(model)
    assert {t.node for t in case.outputs} == known.best
    assert "gradients/grad_ys_0" not in case.path and "dense/kernel" in case.path
    assert case.freeze_command().endswith("--output dense_1/BiasAdd")


def test_asked_outputs_are_taken_as_they_are() -> None:
    model, _ = model_of(BUILDERS["classifier"])
    case = Case(model, ("dense/Relu:0", "nowhere"))
    assert case.outputs == (Tensor("dense/Relu"),)
    assert case.freeze_command().count("--output") == 2


def broken(graph: Graph, seed: int) -> Graph:
    """A copy with nodes dropped, ops swapped, attributes lost, inputs cut, crossed and looped."""
    chance = random.Random(seed)
    names = list(graph)
    made = Graph()
    for name in names:
        if chance.random() < 0.04:
            continue
        node, inputs = graph.node(name), list(graph.inputs(name))
        kind = chance.randrange(24)
        if kind == 0:
            node = replace(node, op=graph.op(chance.choice(names)))
        elif kind == 1:
            node = replace(node, attrs={})
        elif kind == 2:
            inputs = inputs[1:]
        elif kind == 3:
            inputs += [Tensor(chance.choice(names), chance.randrange(3))]
        elif kind == 4:
            node = replace(node, controls=(chance.choice(names), "nobody"))
        made.add(name, node, inputs)
    for name in [n for n, data in made.nodes(data=True) if "node" not in data]:
        made.add_node(name, node=Node("Const"))
    return made


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("name", ["gan", "estimator_like", "ctc_speech", "queue_fed"])
def test_broken_graphs_are_diagnosed_all_the_same(name: str, seed: int) -> None:
    model, known = model_of(BUILDERS[name])
    hurt = Model(broken(model.graph, seed), functions=model.functions)
    for candidate in find_outputs(hurt).outputs:
        assert candidate.tensor.node in hurt.graph and 0 <= candidate.score <= 1
    for finding in diagnose(hurt, outputs=[*known.best, "nowhere"]):
        assert finding.severity in SEVERITIES and finding.message
