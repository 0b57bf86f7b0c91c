"""A graph is taken by networkx as one of its own, and says of itself what networkx's would."""

from __future__ import annotations

import pickle
import random
import subprocess
import sys

import networkx as nx
import pytest

from graphscope.graph import Graph, Node, Tensor
from graphscope.graph.order import (
    components,
    descendants,
    first_readers,
    is_acyclic,
    sources_first,
)
from graphscope.render.cells.order import in_order


def drawn(seed: int, circle: bool = False) -> Graph:
    """A random graph with parallel edges, its nodes in no order."""
    choose = random.Random(seed)
    names = [f"n{i}" for i in range(30)]
    graph = Graph()
    for name in choose.sample(names, len(names)):
        graph.add(name, Node("Relu"))
    for at, name in enumerate(names):
        before = names[:at] or [name] * circle
        for slot in range(choose.randrange(4) if before else 0):
            source = choose.choice(before)
            graph.add_edge(source, name, key=slot, port=choose.randrange(2))
    if circle:
        graph.add_edge(names[-1], names[0], key=7, port=0)
        graph.add_edge(names[0], names[-1], key=7, port=0)
    return graph


@pytest.mark.parametrize("seed", range(8))
def test_orders_are_those_of_networkx(seed: int) -> None:
    graph = drawn(seed)
    theirs = graph.to_networkx()
    assert type(theirs) is nx.MultiDiGraph
    assert sources_first(graph) == list(nx.topological_sort(theirs))
    place = {name: i for i, name in enumerate(graph)}
    assert in_order(graph) == list(
        nx.lexicographical_topological_sort(theirs, key=place.__getitem__)
    )
    for name in graph:
        assert descendants(graph, name) == nx.descendants(theirs, name)
    near = {n: [*graph._succ[n], *graph._pred[n]] for n in graph}
    assert list(components(near)) == list(nx.weakly_connected_components(theirs))
    listed = random.Random(seed).sample(list(graph), 9)
    first = first_readers(graph, listed)
    for name in graph:
        after = nx.descendants(theirs, name)
        assert first.get(name) == next(
            (i for i, each in enumerate(listed) if each in after), None
        )


def test_a_circle_has_no_order() -> None:
    graph = drawn(3, circle=True)
    assert sources_first(graph) is None and not is_acyclic(graph)
    assert not nx.is_directed_acyclic_graph(graph)
    assert set(in_order(graph)) == set(graph)


def test_networkx_takes_it_as_its_own() -> None:
    graph, theirs = drawn(5), drawn(5).to_networkx()
    assert list(graph.edges(keys=True, data=True)) == list(
        theirs.edges(keys=True, data=True)
    )
    assert dict(graph.in_degree()) == dict(theirs.in_degree())
    assert nx.immediate_dominators(graph, "n0") == nx.immediate_dominators(theirs, "n0")
    few = [*graph][:12]
    assert nx.utils.graphs_equal(
        graph.subgraph(few).copy().to_networkx(), theirs.subgraph(few).copy()
    )
    assert nx.utils.graphs_equal(graph.reverse().to_networkx(), theirs.reverse())
    again = pickle.loads(pickle.dumps(graph))
    assert nx.utils.graphs_equal(again.to_networkx(), theirs)


def test_edits_are_those_of_networkx() -> None:
    graph, theirs = drawn(6), drawn(6).to_networkx()
    for each in (graph, theirs):
        each.remove_node("n3")
        each.remove_nodes_from(["n4", "not there"])
        each.remove_edge(*next(iter(each.edges(keys=True))))
        each.add_edge("n1", "new", port=4)
    graph.unlink("n20")
    theirs.remove_edges_from(list(theirs.in_edges("n20", keys=True)))
    assert nx.utils.graphs_equal(graph.to_networkx(), theirs)
    assert graph.ports("n1") >= {4}
    with pytest.raises(AttributeError):
        graph.no_such_method  # noqa: B018


def test_chain_of_a_tensor_is_no_business_of_networkx() -> None:
    """What reads a graph, and looks at it, does not load networkx: a fifth of the start."""
    code = (
        "import sys; from graphscope.graph import Graph, Node, Tensor\n"
        "g = Graph(); g.add('a', Node('Relu')); g.add('b', Node('Relu'), [Tensor('a')])\n"
        "g.copy(), g.with_control(), str(g), len(g), 'a' in g, g['a'], g.ports('a')\n"
        "print('networkx' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr


def test_inputs_of_a_node_survive_a_copy() -> None:
    graph = Graph()
    graph.add("a", Node("Relu"))
    graph.add("b", Node("Add"), [Tensor("a"), Tensor("a", 1)])
    copy = Graph(graph)
    copy.unlink("b")
    assert graph.inputs("b") == (Tensor("a"), Tensor("a", 1))
    assert not copy.inputs("b") and not copy.consumers("a")


@pytest.mark.parametrize("seed", range(6))
def test_a_copy_and_its_original_change_apart(seed: int) -> None:
    """Wiring is shared until one of the two changes it: either then is what networkx makes of the same edits."""
    choose = random.Random(seed)
    graphs = [drawn(seed)]
    for _ in range(3):
        graphs.append(choose.choice(graphs).copy())
    theirs = [graph.to_networkx() for graph in graphs]
    for step in range(60):
        at = choose.randrange(len(graphs))
        name, other = choose.sample(list(graphs[at]), 2)
        graphs[at].inputs(name)  # what is remembered must not outlive an edit
        for each in (graphs[at], theirs[at]):
            if step % 6 == 5:
                each.remove_node(name)
            elif each.has_edge(name, other):
                each.remove_edge(name, other, key=next(iter(each[name][other])))
            else:
                each.add_edge(name, other, key=step + 9, port=step)
    for graph, their in zip(graphs, theirs):
        assert nx.utils.graphs_equal(graph.to_networkx(), their)
        for name in graph:
            slots = {
                (k, s, d["port"])
                for s, _, k, d in their.in_edges(name, data=True, keys=True)
            }
            ordered = [Tensor(s, p) for _, s, p in sorted(slots)]
            assert list(graph.inputs(name)) == ordered


def test_ops_are_looked_up_anew_where_a_node_changes() -> None:
    graph = drawn(1)
    assert len(list(graph.by_op("Relu"))) == len(graph)
    copy = graph.copy()
    copy.add_node("n3", node=Node("Neg"))
    assert list(copy.by_op("Neg")) == ["n3"] and not list(graph.by_op("Neg"))
    copy.remove_node("n3")
    assert set(copy.kinds()) == {"Relu"} and set(copy.by_op("Relu")) == set(copy)
