"""Layers of two graphs, aligned: by structure whatever the names, by name where structure leaves a choice."""

from __future__ import annotations

import numpy as np
import pytest

from graphscope.analysis.diff.align import align
from graphscope.graph import Graph, Layer, Node, Tensor, WeightUse


def add(graph: Graph, name: str, op: str, *sources: str, **config: object) -> str:
    use = {"kernel": WeightUse(f"{name}/kernel", (3, int(str(config.get("units", 4)))))}
    weights = use if op in ("Dense", "Conv2D") else {}
    graph.add(name, Layer(op, config, weights=weights), map(Tensor, sources))
    return name


def resnet(blocks: int, prefix: str = "", last: str = "Dense") -> Graph:
    graph = Graph()
    graph.add(f"{prefix}x", Node("Placeholder"))
    x = add(graph, f"{prefix}stem", "Conv2D", f"{prefix}x")
    for i in range(blocks):
        y = add(graph, f"{prefix}b{i}_conv1", "Conv2D", x)
        y = add(graph, f"{prefix}b{i}_relu", "Activation", y)
        y = add(graph, f"{prefix}b{i}_conv2", "Conv2D", y)
        x = add(graph, f"{prefix}b{i}_add", "Add", y, x)
    add(graph, f"{prefix}head", last, add(graph, f"{prefix}pool", "Pool", x))
    return graph


def test_the_same_graph_is_itself() -> None:
    graph = resnet(4)
    assert align(graph, graph) == {name: name for name in graph}


def test_names_are_not_needed() -> None:
    pairs = align(resnet(6), resnet(6, "other/"))
    assert pairs == {name: f"other/{name}" for name in resnet(6)}


@pytest.mark.parametrize(("few", "many"), [(4, 5), (3, 9)])
def test_an_added_block_is_added_and_nothing_else(few: int, many: int) -> None:
    for prefix in ("", "other/"):
        pairs = align(resnet(few), resnet(many, prefix))
        assert len(pairs) == len(resnet(few))
        ends = ("x", "stem", "pool", "head")
        assert all(pairs[name] == f"{prefix}{name}" for name in ends)
        back = align(resnet(many, prefix), resnet(few))
        assert len(back) == len(resnet(few))


def test_a_layer_of_another_type_at_the_same_place() -> None:
    a, b = resnet(3), Graph()
    b.add("x", Node("Placeholder"))
    for name in a:
        if name != "x":
            op = "SeparableConv2D" if name == "b1_conv1" else a.op(name)
            sources = (t.node for t in a.inputs(name))
            add(b, name if name != "b1_conv1" else "sep", op, *sources)
    for target in ("b1_relu",):
        b.remove_edges_from(list(b.in_edges(target, keys=True)))
        b.add_edge("sep", target, key=0, port=0)
    b.remove_nodes_from([n for n in b if "node" not in b.nodes[n]])
    assert align(a, b) == {n: n for n in a if n != "b1_conv1"} | {"b1_conv1": "sep"}


def test_of_equal_branches_each_has_its_name() -> None:
    graph = Graph()
    graph.add("x", Node("Placeholder"))
    for i in range(6):
        add(graph, f"branch{i}", "Dense", "x", units=4)
    turned = Graph()
    turned.add("x", Node("Placeholder"))
    for i in reversed(range(6)):
        add(turned, f"branch{i}", "Dense", "x", units=4)
    assert align(graph, turned) == {name: name for name in graph}


def test_of_equal_branches_the_sizes_tell_which_is_which() -> None:
    graphs = []
    for prefix, sizes in (("a", (4, 8, 16)), ("b", (16, 4, 8))):
        graph = Graph()
        graph.add("x", Node("Placeholder"))
        for i, units in enumerate(sizes):
            add(graph, f"{prefix}{i}", "Dense", "x", units=units)
        graphs.append(graph)
    assert align(*graphs) == {"x": "x", "a0": "b1", "a1": "b2", "a2": "b0"}


def random_layers(seed: int, size: int = 80) -> Graph:
    random = np.random.default_rng(seed)
    ops = ("Dense", "Conv2D", "Add", "Activation", "Pool")
    graph, names = Graph(), ["x"]
    graph.add("x", Node("Placeholder"))
    for i in range(size):
        op = ops[random.integers(len(ops))]
        near = names[-6:]
        count = 2 if op == "Add" and len(near) > 1 else 1
        sources = random.choice(near, count, replace=False)
        names.append(
            add(graph, f"n{i}", op, *sources, units=int(random.integers(2, 9)))
        )
    return graph


@pytest.mark.parametrize("seed", range(6))
def test_renamed_and_shuffled_graphs_are_the_same(seed: int) -> None:
    """Every pair has one type, and the wiring of one is that of the other."""
    graph = random_layers(seed)
    random = np.random.default_rng(seed + 100)
    names = {n: f"m{k}" for n, k in zip(graph, random.permutation(len(graph)))}
    other = Graph()
    for name in random.permutation(list(graph)):
        inputs = [Tensor(names[t.node], t.port) for t in graph.inputs(str(name))]
        other.add(names[str(name)], graph.node(str(name)), inputs)
    pairs = align(graph, other)
    assert len(pairs) == len(graph) == len(set(pairs.values()))
    for one, two in pairs.items():
        assert graph.op(one) == other.op(two)
        assert [pairs[t.node] for t in graph.inputs(one)] == [
            t.node for t in other.inputs(two)
        ]


@pytest.mark.parametrize("seed", range(6))
def test_what_was_taken_out_is_what_is_missing(seed: int) -> None:
    """A node of one reader and one source is bypassed: everything else finds its partner, under its own name or not."""
    graph = random_layers(seed + 50)
    gone = next(
        n for n in list(graph)[20:] if len(graph.inputs(n)) == 1 and graph._succ[n]
    )
    other = Graph()
    (source,) = graph.inputs(gone)
    for name in graph:
        if name != gone:
            inputs = [source if t.node == gone else t for t in graph.inputs(name)]
            other.add(name, graph.node(name), inputs)
    pairs = align(graph, other)
    assert len(pairs) == len(other)
    assert sum(one == two for one, two in pairs.items()) > 0.9 * len(other)
